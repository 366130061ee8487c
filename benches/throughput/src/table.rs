//! The figures as text.

use crate::figures::{Measurement, Reference, distinct, formats, median, size_label};

/// What the columns and marks of [`all`] mean.
pub fn legend(measurements: &[Measurement], reference: Reference) -> String {
    let columns = match reference {
        Reference::Limit => {
            "One table a function and format; for each instruction set:\n\
             \x20 ns      median time of a call\n\
             \x20 GB/s    bytes read and written per second\n\
             \x20 limit   share of the limit's GB/s\n"
        }
        Reference::Relu => "One table an instruction set: shares of ReLU's GB/s, by format and bytes a slice.\n",
        Reference::NormalResults => {
            "One table an instruction set: how many times as long a call takes whose results are all subnormal, by format and\n\
             bytes a slice.\n"
        }
    };
    let is_marked = |mark| measurements.iter().any(|cell| cell.mark(reference) == mark);
    let noise = format!(
        "noisy: the middle half of the repeats is spread over more than {:.0} % of it. Something else ran; try again",
        100.0 * reference.tolerance()
    );
    let marks = [
        ('~', noise.as_str()),
        (
            '^',
            "more than 110 %: no limit there. Below 1 KB, ReLU is inlined or takes narrower registers; of scalar and portable\n\
             \x20         code the limit is what the compiler makes of a plain loop; in memory its order of loads and stores is not always\n\
             \x20         the fastest",
        ),
        (
            'v',
            "less than 50 %: scalar code takes one element at a time, and so does portable code with 64 bits on x86. On another\n\
             \x20         instruction set it is worth a report, if another run has it too",
        ),
    ];
    let marks = marks.into_iter().filter(|&(mark, _)| is_marked(mark));
    let marks: String = marks
        .map(|(mark, meaning)| format!("  {mark}       {meaning}\n"))
        .collect();
    format!("{columns}{marks}")
}

pub fn all(measurements: &[Measurement], reference: Reference) -> String {
    match reference {
        Reference::Limit => by_size(measurements, reference),
        Reference::Relu | Reference::NormalResults => by_function(measurements, reference),
    }
}

/// One table a function and format: a row a size, three columns an instruction set.
fn by_size(measurements: &[Measurement], reference: Reference) -> String {
    let mut text = String::new();
    for table in measurements.chunk_by(|a, b| (a.function, a.format) == (b.function, b.format)) {
        let isas = distinct(table, |cell| cell.isa);
        let heads = isas.iter().map(|isa| {
            let isa = format!("{isa} ns");
            format!(" | {isa:>11} {:>6} {:>6} ", "GB/s", reference.name())
        });
        let heads: String = heads.collect();
        text += &format!("\n{} {}\n", table[0].function.name(), table[0].format);
        text += &line(&format!("{:>11} {:>10}{heads}", "elements", "bytes"));
        for (bytes, elements) in distinct(table, |cell| (cell.bytes, cell.elements)) {
            let cells = isas.iter().map(|&isa| {
                let cell = table.iter().find(|cell| (cell.isa, cell.bytes) == (isa, bytes));
                cell.map_or(format!(" | {:26}", ""), |cell| {
                    let share = marked(cell, reference, 6);
                    format!(" | {:>11.1} {:>6.1} {share}", cell.times.ns, cell.gb_per_s())
                })
            });
            let cells: String = cells.collect();
            text += &line(&format!("{elements:>11} {bytes:>10}{cells}"));
        }
    }
    text
}

/// One table an instruction set: a row a function, a column a format and size.
fn by_function(measurements: &[Measurement], reference: Reference) -> String {
    let sizes = distinct(measurements, |cell| cell.bytes);
    let labels = sizes.iter().map(|&bytes| format!(" {:>6} ", size_label(bytes as f64)));
    let labels: String = labels.collect();
    let formats = formats(measurements);
    let heads: String = formats.iter().map(|format| format!(" | {format:>4}{labels}")).collect();
    let mut text = String::new();
    for isa in distinct(measurements, |cell| cell.isa) {
        text += &format!("\n{}", line(&format!("{:33}{heads}", isa.to_string())));
        for function in distinct(measurements, |cell| cell.function) {
            let mut row = format!("{:33}", function.name());
            for &format in &formats {
                row += " |     ";
                for &bytes in &sizes {
                    let key = (isa, function, format, bytes);
                    let cell = measurements
                        .iter()
                        .find(|cell| (cell.isa, cell.function, cell.format, cell.bytes) == key);
                    row += &cell.map_or(format!(" {:7}", ""), |cell| format!(" {}", marked(cell, reference, 6)));
                }
            }
            text += &line(&row);
        }
    }
    text
}

fn marked(cell: &Measurement, reference: Reference, width: usize) -> String {
    let share = reference.range(&[cell.share_of_reference()]).unwrap_or_default();
    format!("{share:>width$}{}", cell.mark(reference))
}

fn line(text: &str) -> String {
    format!("{}\n", text.trim_end())
}

/// That of docs/performance.md: a row a function and instruction set, a column a size from 4 KiB on.
pub fn markdown(measurements: &[Measurement], reference: Reference) -> String {
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
                    let share = reference.range(&[least_share]).unwrap_or_default();
                    format!(" {speed:.0} ({share}) |")
                });
            }
            text += "\n";
        }
    }
    text
}

pub fn csv(measurements: &[Measurement], reference: Reference) -> String {
    let reference = reference.name();
    let mut csv = format!(
        "function,format,isa,elements,bytes,ns_per_call,gb_per_s,{reference}_gb_per_s,share_lower_quartile,share_upper_quartile\n"
    );
    for measurement in measurements {
        let Measurement {
            function,
            format,
            isa,
            elements,
            bytes,
            times,
        } = measurement;
        let quartiles = times.quartiles.map(|[low, high]| format!("{low:.3},{high:.3}"));
        csv += &format!(
            "{},{format},{isa},{elements},{bytes},{:.2},{:.2},{:.2},{}\n",
            function.name(),
            times.ns,
            measurement.gb_per_s(),
            measurement.reference_gb_per_s(),
            quartiles.as_deref().unwrap_or(","),
        );
    }
    csv
}
