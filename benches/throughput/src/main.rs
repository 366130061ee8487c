//! What the kernels do on this machine: time per call and bytes per second of each instruction set, function, format and
//! size, beside the limit or ReLU.

mod bench_results;
mod figures;
mod measure;
mod options;
mod plot;
mod progress;
mod summary;
mod table;
mod turns;

use std::process::ExitCode;

use command_line::{Output, print};
use figures::distinct;
use options::Options;
use rectify::Isa;
use summary::summary;
use workload::{machine, today};

fn main() -> ExitCode {
    command_line::run(env!("CARGO_PKG_NAME"), &options::help(), options::parse, run)
}

fn run(options: &Options) -> Result<(), String> {
    // Before the measuring: a file that can't be written to is known at once.
    let csv = options.csv.as_deref().map(Output::open).transpose()?;
    let svg = options.svg.as_deref().map(Output::open).transpose()?;

    let is_measured = options.criterion.is_empty();
    let (measurements, source) = if is_measured {
        let cpu = machine::cpu();
        if !options.markdown {
            print(&header(&cpu))?;
        }
        (measure::all(options)?, format!("{cpu}, {}", today()))
    } else {
        (
            bench_results::read(options)?,
            "From the results of cargo bench -p family".into(),
        )
    };
    let reference = options.reference;
    print(&if options.markdown {
        table::markdown(&measurements, reference)
    } else {
        let isas = distinct(&measurements, |cell| cell.isa);
        let chosen = isas.iter().copied().find(|&isa| is_measured && isa == Isa::best());
        let summary = chosen
            .or(isas.last().copied())
            .map(|isa| summary(&measurements, reference, isa));
        let legend = table::legend(&measurements, reference);
        let tables = table::all(&measurements, reference);
        format!("{}\n{legend}{tables}", summary.unwrap_or_default())
    })?;
    if let Some(csv) = csv {
        csv.write(&table::csv(&measurements, reference))?;
    }
    if let Some(svg) = svg {
        svg.write(&plot::svg(&source, &measurements, reference))?;
    }
    Ok(())
}

fn header(cpu: &str) -> String {
    let available: Vec<_> = Isa::available().map(|isa| isa.to_string()).collect();
    format!(
        "CPU              {cpu}\n\
         available        {}\n\
         chosen           {}\n\
         compiler         {}\n\
         target           {}\n\
         target features  {}\n\
         profile          {}\n\
         date             {}\n\n",
        available.join(", "),
        Isa::best(),
        env!("BUILD_RUSTC"),
        env!("BUILD_TARGET"),
        env!("BUILD_FEATURES"),
        env!("BUILD_PROFILE"),
        today(),
    )
}
