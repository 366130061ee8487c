//! What the kernels do on this machine: time per call and bytes per second of each instruction set, function, format and
//! size, beside the limit or ReLU.

mod bench_results;
mod figures;
mod measure;
mod options;
mod output;
mod plot;
mod table;

use std::process::ExitCode;

use command_line::print;
use figures::Reference;
use options::Options;
use output::Output;
use rectify::Isa;
use workload::machine;

fn main() -> ExitCode {
    command_line::run(env!("CARGO_PKG_NAME"), &options::help(), options::parse, run)
}

fn run(options: &Options) -> Result<(), String> {
    // Before the measuring: a file that can't be written to is known at once.
    let csv = options.csv.as_deref().map(Output::open).transpose()?;
    let svg = options.svg.as_deref().map(Output::open).transpose()?;

    let (measurements, title) = if options.criterion.is_empty() {
        let cpu = machine::cpu();
        if !options.markdown {
            print(&header(&cpu))?;
        }
        (measure::all(options)?, format!("{cpu}: "))
    } else {
        (bench_results::read(options)?, String::new())
    };
    let render = match options.reference {
        _ if options.markdown => table::markdown,
        Reference::Limit => table::aligned,
        Reference::Relu => table::shares,
    };
    print(&render(&measurements))?;
    if let Some(csv) = csv {
        csv.write(&table::csv(&measurements, options.reference))?;
    }
    if let Some(svg) = svg {
        svg.write(&plot::svg(&title, &measurements, options.reference)?)?;
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
         profile          {}\n\n",
        available.join(", "),
        Isa::best(),
        env!("BUILD_RUSTC"),
        env!("BUILD_TARGET"),
        env!("BUILD_FEATURES"),
        env!("BUILD_PROFILE"),
    )
}
