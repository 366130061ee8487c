//! The figures as text.

use rectify::Isa;

use crate::measure::{Measurement, median};
use crate::plot::binary;
use crate::workload::Function;

/// One table a function and format: a row a size, three columns an instruction set.
pub fn aligned(measurements: &[Measurement]) -> String {
    let mut text = String::new();
    for table in measurements.chunk_by(|a, b| (a.function, a.format) == (b.function, b.format)) {
        let columns: Vec<&[Measurement]> = table.chunk_by(|a, b| a.isa == b.isa).collect();
        let heads = columns.iter().map(|column| {
            let isa = format!("{} ns", column[0].isa);
            format!(" | {isa:>11} {:>6} {:>6}", "GB/s", "limit")
        });
        let heads: String = heads.collect();
        text += &format!("{} {}\n", table[0].function.name(), table[0].format);
        text += &format!("{:>11} {:>10}{heads}\n", "elements", "bytes");
        for (row, size) in columns[0].iter().enumerate() {
            let cells = columns.iter().map(|column| {
                let cell = &column[row];
                let share = format!("{:.0} %", 100.0 * cell.share_of_limit());
                format!(" | {:>11.1} {:>6.1} {share:>6}", cell.ns, cell.gb_per_s())
            });
            let cells: String = cells.collect();
            text += &format!("{:>11} {:>10}{cells}\n", size.elements, size.bytes);
        }
        text += "\n";
    }
    text
}

/// README's: a row a function and instruction set, a column a size from 4 KiB on.
pub fn markdown(measurements: &[Measurement]) -> String {
    let mut sizes: Vec<_> = measurements
        .iter()
        .map(|cell| cell.bytes)
        .filter(|&bytes| bytes >= 4096)
        .collect();
    sizes.sort();
    sizes.dedup();
    let heads: String = sizes
        .iter()
        .map(|&bytes| format!(" {} |", binary(bytes as f64)))
        .collect();
    let mut text = format!("| |{heads}\n| --- |{}\n", " --- |".repeat(sizes.len()));
    for function in Function::ALL {
        for &isa in Isa::ALL {
            let row: Vec<_> = measurements
                .iter()
                .filter(|cell| (cell.function, cell.isa) == (function, isa))
                .collect();
            if row.is_empty() {
                continue;
            }
            text += &format!("| `{}`, `{isa}` |", function.name());
            for &bytes in &sizes {
                let cells = row.iter().filter(|cell| cell.bytes == bytes);
                let speed = median(cells.clone().map(|cell| cell.gb_per_s()).collect());
                let share = cells.map(|cell| cell.share_of_limit()).fold(f64::INFINITY, f64::min);
                text += &format!(" {speed:.0} ({:.0} %) |", 100.0 * share);
            }
            text += "\n";
        }
    }
    text
}

pub fn csv(measurements: &[Measurement]) -> String {
    let mut csv = String::from("function,format,isa,elements,bytes,ns_per_call,gb_per_s,limit_gb_per_s\n");
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
            measurement.limit_gb_per_s(),
        );
    }
    csv
}
