//! The figures as text.

use std::fmt::Write;

use crate::measure::Measurement;

/// One table a function and format: a row a size, three columns an instruction set.
pub fn print(measurements: &[Measurement]) {
    for table in measurements.chunk_by(|a, b| (a.function, a.format) == (b.function, b.format)) {
        println!("{} {}", table[0].function.name(), table[0].format);
        let columns: Vec<&[Measurement]> = table.chunk_by(|a, b| a.isa == b.isa).collect();
        print!("{:>11} {:>10}", "elements", "bytes");
        for column in &columns {
            print!(
                " | {:>11} {:>6} {:>6}",
                format!("{} ns", column[0].isa),
                "GB/s",
                "limit"
            );
        }
        println!();
        for (row, size) in columns[0].iter().enumerate() {
            print!("{:>11} {:>10}", size.elements, size.bytes);
            for cell in columns.iter().map(|column| &column[row]) {
                let share = format!("{:.0} %", 100.0 * cell.share_of_limit());
                print!(" | {:>11.1} {:>6.1} {share:>6}", cell.ns, cell.gb_per_s());
            }
            println!();
        }
        println!();
    }
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
        writeln!(
            csv,
            "{},{format},{isa},{elements},{bytes},{ns:.2},{:.2},{:.2}",
            function.name(),
            measurement.gb_per_s(),
            measurement.limit_gb_per_s(),
        )
        .expect("a String takes everything");
    }
    csv
}
