//! What the kernels do on this machine: time per call and bytes per second of each instruction set, function, format and
//! size, beside the limit, a plain load/store loop with the same traffic.

mod machine;
mod measure;
mod options;
mod output;
mod plot;
mod table;
#[allow(dead_code, reason = "the naive loops are the benchmarks' affair")]
#[path = "../../benches/workload/mod.rs"]
mod workload;

use std::process::ExitCode;

use options::{Command, Options};
use output::Output;
use rectify::Isa;

fn main() -> ExitCode {
    let result = match options::parse() {
        Ok(Command::Help) => {
            print!("{}", options::HELP);
            Ok(())
        }
        Ok(Command::Run(options)) => run(&options),
        Err(error) => Err(format!("{error} (--help tells what there is)")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("throughput: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    // Before the measuring: a path that can't be written to is known at once.
    let csv = options.csv.as_deref().map(Output::create).transpose()?;
    let svg = options.svg.as_deref().map(Output::create).transpose()?;

    let title = machine::cpu();
    println!("CPU        {title}");
    println!("ISAs       {}", names(Isa::available()));
    println!("chosen     {}", Isa::best());
    println!("rustc      {}", env!("RECTIFY_BUILD_RUSTC"));
    println!("target     {}", env!("RECTIFY_BUILD_TARGET"));
    println!("features   {}", env!("RECTIFY_BUILD_FEATURES"));
    println!("profile    {}", env!("RECTIFY_BUILD_PROFILE"));
    println!();

    let measurements = measure::all(options.max_bytes.unwrap_or_else(machine::past_caches))?;
    table::print(&measurements);
    if let Some(csv) = csv {
        csv.write(&table::csv(&measurements))?;
    }
    if let Some(svg) = svg {
        svg.write(&plot::svg(&title, &measurements)?)?;
    }
    Ok(())
}

fn names(isas: impl Iterator<Item = Isa>) -> String {
    isas.map(|isa| isa.to_string()).collect::<Vec<_>>().join(", ")
}
