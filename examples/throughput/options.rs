//! The command line.

use std::path::PathBuf;

use lexopt::prelude::*;

use crate::workload::FORMATS;

pub const HELP: &str = "\
Measures the kernels of rectify on this machine, one thread, beside a plain load/store loop with the same traffic.

Usage: cargo run --release --example throughput -- [OPTIONS]

  --csv FILE       also write the figures as comma-separated values
  --svg FILE       also plot them: GB/s against size, a line an instruction set
  --markdown       print the table of README instead: medians over the formats, with the least share of the limit
  --criterion DIR  take the figures from cargo bench's last run, in target/criterion, instead of measuring
  --format NAME    only those of f32, f64, f16 or bf16
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
    pub markdown: bool,
    pub criterion: Option<PathBuf>,
    pub format: Option<&'static str>,
}

pub fn parse() -> Result<Command, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("csv") => options.csv = Some(parser.value()?.into()),
            Long("svg") => options.svg = Some(parser.value()?.into()),
            Long("max-bytes") => options.max_bytes = Some(parser.value()?.parse_with(max_bytes)?),
            Long("markdown") => options.markdown = true,
            Long("criterion") => options.criterion = Some(parser.value()?.into()),
            Long("format") => options.format = Some(parser.value()?.parse_with(format)?),
            Short('h') | Long("help") => return Ok(Command::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    if options.csv.is_some() && options.csv == options.svg {
        return Err("--csv and --svg name the same file".into());
    }
    if options.criterion.is_some() && options.max_bytes.is_some() {
        return Err("--max-bytes is about measuring, which --criterion leaves out".into());
    }
    Ok(Command::Run(options))
}

fn format(value: &str) -> Result<&'static str, String> {
    let known = FORMATS.iter().map(|&(name, _)| name);
    let found = known.clone().find(|&name| name == value);
    found.ok_or_else(|| {
        format!(
            "no format '{value}'; there are {}",
            known.collect::<Vec<_>>().join(", ")
        )
    })
}

fn max_bytes(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(bytes @ 0x1000..=0x100_0000_0000) if bytes % 64 == 0 => Ok(bytes),
        _ => Err("it takes a multiple of 64 from 4096 to 2^40".into()),
    }
}
