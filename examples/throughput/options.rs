//! The command line.

use std::path::PathBuf;

use lexopt::prelude::*;

pub const HELP: &str = "\
Measures the kernels of rectify on this machine, one thread, beside a plain load/store loop with the same traffic.

Usage: cargo run --release --example throughput -- [OPTIONS]

  --csv FILE       also write the figures as comma-separated values
  --svg FILE       also plot them: GB/s against size, a line an instruction set
  --max-bytes N    size of the largest slice; three of them are in memory
                   (default: twice the last-level cache, from 64 MiB to 1 GiB)
  --help           print this

Every available instruction set is measured, whatever RECTIFY_MAX_ISA says.
ns: median time of a call. GB/s: bytes read and written per second. limit: the share of the load/store loop's speed.
";

pub enum Command {
    Help,
    Run(Options),
}

#[derive(Default)]
pub struct Options {
    pub csv: Option<PathBuf>,
    pub svg: Option<PathBuf>,
    pub max_bytes: Option<usize>,
}

pub fn parse() -> Result<Command, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("csv") => options.csv = Some(parser.value()?.into()),
            Long("svg") => options.svg = Some(parser.value()?.into()),
            Long("max-bytes") => options.max_bytes = Some(parser.value()?.parse_with(max_bytes)?),
            Short('h') | Long("help") => return Ok(Command::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    if options.csv.is_some() && options.csv == options.svg {
        return Err("--csv and --svg name the same file".into());
    }
    Ok(Command::Run(options))
}

fn max_bytes(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(bytes @ 0x1000..=0x100_0000_0000) if bytes % 64 == 0 => Ok(bytes),
        _ => Err("it takes a multiple of 64 from 4096 to 2^40".into()),
    }
}
