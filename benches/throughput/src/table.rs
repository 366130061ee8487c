//! The figures as text.

use crate::figures::{FORMATS, Measurement, Reference, distinct, median, size_label};

/// One table a function and format: a row a size, three columns an instruction set.
pub fn aligned(measurements: &[Measurement]) -> String {
    let mut text = String::new();
    for table in measurements.chunk_by(|a, b| (a.function, a.format) == (b.function, b.format)) {
        let isas = distinct(table, |cell| cell.isa);
        let heads = isas.iter().map(|isa| {
            let isa = format!("{isa} ns");
            format!(" | {isa:>11} {:>6} {:>6}", "GB/s", "limit")
        });
        let heads: String = heads.collect();
        text += &format!("{} {}\n", table[0].function.name(), table[0].format);
        text += &format!("{:>11} {:>10}{heads}\n", "elements", "bytes");
        for (bytes, elements) in distinct(table, |cell| (cell.bytes, cell.elements)) {
            text += &format!("{elements:>11} {bytes:>10}");
            for &isa in &isas {
                let cell = table.iter().find(|cell| (cell.isa, cell.bytes) == (isa, bytes));
                text += &cell.map_or(format!(" | {:25}", ""), |cell| {
                    let share = format!("{:.0} %", 100.0 * cell.share_of_reference());
                    format!(" | {:>11.1} {:>6.1} {share:>6}", cell.ns, cell.gb_per_s())
                });
            }
            text += "\n";
        }
        text += "\n";
    }
    text
}

/// Shares of ReLU's speed, one table an instruction set: a row a function, a column a format and size.
pub fn shares(measurements: &[Measurement]) -> String {
    let sizes = distinct(measurements, |cell| cell.bytes);
    let labels: String = sizes
        .iter()
        .map(|&bytes| format!(" {:>6}", size_label(bytes as f64)))
        .collect();
    let is_measured = |format: &&str| measurements.iter().any(|cell| cell.format == *format);
    let formats: Vec<_> = FORMATS.iter().map(|format| format.0).filter(is_measured).collect();
    let heads: String = formats.iter().map(|format| format!(" | {format:>4}{labels}")).collect();
    let mut text = String::new();
    for isa in distinct(measurements, |cell| cell.isa) {
        text += &format!("{:33}{heads}\n", isa.to_string());
        for function in distinct(measurements, |cell| cell.function) {
            text += &format!("{:33}", function.name());
            for &format in &formats {
                text += " |     ";
                for &bytes in &sizes {
                    let key = (isa, function, format, bytes);
                    let cell = measurements
                        .iter()
                        .find(|cell| (cell.isa, cell.function, cell.format, cell.bytes) == key);
                    let share = cell.map(|cell| format!("{:.0} %", 100.0 * cell.share_of_reference()));
                    text += &format!(" {:>6}", share.unwrap_or_default());
                }
            }
            text += "\n";
        }
        text += "\n";
    }
    text
}

/// That of docs/performance.md: a row a function and instruction set, a column a size from 4 KiB on.
pub fn markdown(measurements: &[Measurement]) -> String {
    let long = measurements.iter().filter(|cell| cell.bytes >= 4096);
    let sizes = distinct(long, |cell| cell.bytes);
    let heads: String = sizes
        .iter()
        .map(|&bytes| format!(" {} |", size_label(bytes as f64)))
        .collect();
    let mut text = format!("| |{heads}\n| --- |{}\n", " --- |".repeat(sizes.len()));
    for function in distinct(measurements, |cell| cell.function) {
        let of_function = measurements.iter().filter(|cell| cell.function == function);
        for isa in distinct(of_function.clone(), |cell| cell.isa) {
            text += &format!("| `{}`, `{isa}` |", function.name());
            for &bytes in &sizes {
                let cells = of_function
                    .clone()
                    .filter(|cell| (cell.isa, cell.bytes) == (isa, bytes));
                let least_share = cells
                    .clone()
                    .map(|cell| cell.share_of_reference())
                    .fold(f64::INFINITY, f64::min);
                let speed = median(cells.map(|cell| cell.gb_per_s()).collect());
                text += &speed.map_or(" |".into(), |speed| {
                    format!(" {speed:.0} ({:.0} %) |", 100.0 * least_share)
                });
            }
            text += "\n";
        }
    }
    text
}

pub fn csv(measurements: &[Measurement], reference: Reference) -> String {
    let mut csv = format!(
        "function,format,isa,elements,bytes,ns_per_call,gb_per_s,{}_gb_per_s\n",
        reference.name()
    );
    for measurement in measurements {
        let Measurement {
            function,
            format,
            isa,
            elements,
            bytes,
            ns,
            ..
        } = measurement;
        csv += &format!(
            "{},{format},{isa},{elements},{bytes},{ns:.2},{:.2},{:.2}\n",
            function.name(),
            measurement.gb_per_s(),
            measurement.reference_gb_per_s(),
        );
    }
    csv
}
