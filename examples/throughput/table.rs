//! The figures as text.

use crate::measure::Measurement;

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
