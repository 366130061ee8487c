//! The command line.

use std::path::PathBuf;

use command_line::lexopt::prelude::*;
use command_line::{Command, lexopt, one_of};
use workload::{Activation, Function};

use crate::figures::{FORMATS, Reference};

const HELP: &str = "\
Measures the kernels of rectify on this machine, one thread, beside the limit: those of ReLU, if not told otherwise.

Usage: cargo run --release -p throughput -- [OPTIONS]

  --function NAME  instead of ReLU the activation of that name, one of
                   {activations};
                   given several times, each of them
  --family         the rest of the family, or each --function, beside ReLU instead of the limit, with slices of a quarter of
                   each cache and some that no cache holds; prints shares of ReLU's GB/s by the same method
  --denormals      the functions that compute, or each --function, with results that are all subnormal, beside normal ones,
                   with slices of a quarter of each cache; prints how many times as long a call takes
  --csv FILE       also write the figures as comma-separated values, with the quartiles of the share
  --svg FILE       also plot them: GB/s against size, a line an instruction set
  --markdown       print the table of docs/performance.md instead: medians over the formats, with the least share of the limit (of ReLU)
  --criterion DIR  instead of measuring, take the newest figures of each benchmark that cargo bench -p family left in DIR,
                   which is target/criterion (remove it first to have those of one run); given several times, with the
                   folders of several runs, take each figure from the run in the middle by its share of the limit (of ReLU)
  --format NAME    only those of f32, f64, f16 or bf16
  --max-bytes N    size of the largest slice; three of them are in memory
                   (default: twice the last-level cache, from 64 MiB to 1 GiB)
  --help           print this

Every available instruction set is measured, whatever RECTIFY_MAX_ISA says. A summary comes first, then the tables and what
their columns and marks mean. Progress is on standard error.
";

pub fn help() -> String {
    HELP.replace("{activations}", &Activation::names())
}

#[derive(Default)]
pub struct Options {
    pub csv: Option<PathBuf>,
    pub svg: Option<PathBuf>,
    pub max_bytes: Option<usize>,
    pub markdown: bool,
    pub criterion: Vec<PathBuf>,
    pub format: Option<&'static str>,
    pub reference: Reference,
    activations: Vec<Activation>,
}

impl Options {
    pub fn activations(&self) -> Vec<Activation> {
        match self.reference {
            _ if !self.activations.is_empty() => self.activations.clone(),
            Reference::Limit => vec![Activation::RELU],
            Reference::Relu | Reference::NormalResults => Activation::all()
                .filter(|&activation| activation != Activation::RELU)
                .collect(),
        }
    }

    pub fn functions(&self) -> Vec<Function> {
        match self.reference {
            Reference::Limit | Reference::Relu => Function::all(self.activations()).collect(),
            Reference::NormalResults => Function::with_subnormal_results(self.activations()).collect(),
        }
    }
}

pub fn parse(parser: &mut lexopt::Parser) -> Result<Command<Options>, lexopt::Error> {
    let mut options = Options::default();
    let mut references = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("csv") => options.csv = Some(parser.value()?.into()),
            Long("svg") => options.svg = Some(parser.value()?.into()),
            Long("max-bytes") => options.max_bytes = Some(parser.value()?.parse_with(max_bytes)?),
            Long("markdown") => options.markdown = true,
            Long("criterion") => options.criterion.push(parser.value()?.into()),
            Long("format") => options.format = Some(parser.value()?.parse_with(one_of("--format", formats()))?),
            Long("function") => {
                let named = Activation::all().map(|activation| (activation.name(), activation));
                options
                    .activations
                    .push(parser.value()?.parse_with(one_of("--function", named))?);
            }
            Long("family") => references.push(Reference::Relu),
            Long("denormals") => references.push(Reference::NormalResults),
            Short('h') | Long("help") => return Ok(Command::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    options.activations.sort();
    options.activations.dedup();
    references.dedup();
    options.reference = match references[..] {
        [] => Reference::Limit,
        [reference] => reference,
        _ => return Err("--family and --denormals are two measurements".into()),
    };
    let computes = |&activation: &Activation| Function::with_subnormal_results([activation]).next().is_some();
    if options.reference == Reference::NormalResults {
        if let Some(select) = options.activations.iter().find(|activation| !computes(activation)) {
            return Err(format!("{} computes nothing: --denormals has no use for it", select.name()).into());
        }
        if !options.criterion.is_empty() {
            return Err("--criterion and --denormals exclude each other".into());
        }
    }
    if options.csv.is_some() && options.csv == options.svg {
        return Err("--csv and --svg name the same file".into());
    }
    if !options.criterion.is_empty()
        && options.reference == Reference::Limit
        && options.activations() != [Activation::RELU]
    {
        return Err("cargo bench has a limit for relu only: --criterion takes other functions with --family".into());
    }
    if !options.criterion.is_empty() && options.max_bytes.is_some() {
        return Err("--max-bytes has no effect with --criterion".into());
    }
    Ok(Command::Run(options))
}

fn formats() -> impl Iterator<Item = (&'static str, &'static str)> {
    FORMATS.iter().map(|&(name, _)| (name, name))
}

fn max_bytes(value: &str) -> Result<usize, String> {
    let is_taken = |bytes: &u64| (1 << 12..=1 << 40).contains(bytes) && bytes.is_multiple_of(64);
    let bytes = value.parse().ok().filter(is_taken);
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "--max-bytes takes a multiple of 64 from 4096 to 2^40".into())
}
