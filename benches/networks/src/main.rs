//! The activation layers of networks, in inference and in a training step: by `rectify`, by plain loops, and by other libraries.

mod layers;
mod measure;
mod ours;
mod peer;
mod plain;
mod plot;
mod results;
mod tensors;

use std::path::PathBuf;
use std::process::ExitCode;

use command_line::lexopt::prelude::*;
use command_line::{Command, Output, lexopt, number, one_of, print};
use rectify::Isa;
use shapes::shape::Shape;
use workload::{Format, machine, today};

use layers::Layer;
use measure::Pass;
use results::Row;

const HELP: &str = "\
Measures the activation layers of networks, each on memory of its own, out-of-place, as often as they are there. Prints the time of all
of a network's, of others than `fused` relative to it, and the layers farthest from a load/store loop of their traffic.

Usage: cargo run --release -p networks -- [OPTIONS]

  --network NAME       only one of {networks}
  --pass NAME          only inference or training
  --batch N            instead of 1 and 8
  --format NAME        only f32 or bf16
  --threads N          instead of 1 and 2
                       (each of these may be given several times)
  --peer NAME=COMMAND  another library beside it: benches/networks/run has some
  --csv FILE           also write the times of the layers
  --svg FILE           also plot those of the networks
  --from FILE          instead of measuring, take what --csv wrote; given several times, all of them
  --tiny               every axis of a shape cut to 8, to see that it runs
  --help               print this
";

#[derive(Default)]
struct Options {
    networks: Vec<&'static str>,
    passes: Vec<Pass>,
    batches: Vec<usize>,
    formats: Vec<&'static str>,
    threads: Vec<usize>,
    peers: Vec<String>,
    csv: Option<PathBuf>,
    svg: Option<PathBuf>,
    from: Vec<PathBuf>,
    is_tiny: bool,
}

impl Options {
    fn batches(&self) -> Vec<usize> {
        if self.batches.is_empty() {
            vec![1, 8]
        } else {
            self.batches.clone()
        }
    }

    fn threads(&self) -> Vec<usize> {
        if self.threads.is_empty() {
            vec![1, 2]
        } else {
            self.threads.clone()
        }
    }

    fn passes(&self) -> Vec<Pass> {
        if self.passes.is_empty() {
            Pass::ALL.map(|(_, pass)| pass).into()
        } else {
            self.passes.clone()
        }
    }

    fn has_format(&self, name: &str) -> bool {
        self.formats.is_empty() || self.formats.contains(&name)
    }

    fn has_row(&self, row: &Row) -> bool {
        let setting = &row.setting;
        (self.networks.is_empty() || self.networks.contains(&&*row.network))
            && self.has_format(&row.format)
            && self.passes().iter().any(|pass| pass.name() == setting.pass)
            && (self.batches.is_empty() || self.batches.contains(&setting.batch))
            && (self.threads.is_empty() || self.threads.contains(&setting.threads))
    }

    fn shape(&self, layer: Layer, batch: usize) -> Shape {
        let shape = layer.of_batch(batch);
        if !self.is_tiny {
            return shape;
        }
        Shape {
            images: shape.images.min(8),
            channels: shape.channels.min(8),
            spatial: shape.spatial.min(8),
            ..shape
        }
    }
}

fn main() -> ExitCode {
    let help = HELP.replace("{networks}", &layers::FILES.map(|(name, _)| name).join(", "));
    command_line::run(env!("CARGO_PKG_NAME"), &help, parse, run)
}

fn parse(parser: &mut lexopt::Parser) -> Result<Command<Options>, lexopt::Error> {
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("network") => {
                let named = layers::FILES.map(|(name, _)| (name, name));
                options
                    .networks
                    .push(parser.value()?.parse_with(one_of("--network", named))?);
            }
            Long("pass") => options
                .passes
                .push(parser.value()?.parse_with(one_of("--pass", Pass::ALL))?),
            Long("batch") => options.batches.push(parser.value()?.parse_with(number("--batch"))?),
            Long("format") => {
                let named = [f32::NAME, rectify::bf16::NAME].map(|name| (name, name));
                options
                    .formats
                    .push(parser.value()?.parse_with(one_of("--format", named))?);
            }
            Long("threads") => options.threads.push(parser.value()?.parse_with(number("--threads"))?),
            Long("peer") => {
                options
                    .peers
                    .push(parser.value()?.parse_with(|given: &str| match given.split_once('=') {
                        Some((name, _)) if !name.is_empty() && !name.contains(',') => Ok(given.to_owned()),
                        _ => Err("--peer takes NAME=COMMAND"),
                    })?)
            }
            Long("csv") => options.csv = Some(parser.value()?.into()),
            Long("svg") => options.svg = Some(parser.value()?.into()),
            Long("from") => options.from.push(parser.value()?.into()),
            Long("tiny") => options.is_tiny = true,
            Short('h') | Long("help") => return Ok(Command::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    if options.csv.is_some() && options.csv == options.svg {
        return Err("--csv and --svg name the same file".into());
    }
    if !options.from.is_empty() && (options.csv.is_some() || options.is_tiny || !options.peers.is_empty()) {
        return Err("--from measures nothing: it excludes --csv, --peer and --tiny".into());
    }
    Ok(Command::Run(options))
}

fn run(options: &Options) -> Result<(), String> {
    // Before the measuring: a file that can't be written to is known at once.
    let csv = options.csv.as_deref().map(Output::open).transpose()?;
    let svg = options.svg.as_deref().map(Output::open).transpose()?;
    let mut networks = layers::all();
    networks.retain(|network| options.networks.is_empty() || options.networks.contains(&network.name));
    let source = format!("{}, {}, {}", machine::cpu(), Isa::best(), today());
    let rows = if options.from.is_empty() {
        print(&format!("{source}\n\n"))?;
        measure::all(&networks, options, &std::env::temp_dir())?
    } else {
        let read = options.from.iter().map(|path| results::read(path, options));
        read.collect::<Result<Vec<_>, _>>()?.concat()
    };
    if rows.is_empty() {
        return Err("no rows".into());
    }
    let (ways, totals) = (results::ways(&rows), results::totals(&networks, &rows));
    print(&results::table(&ways, &totals))?;
    print(&results::worst(&rows))?;
    if let Some(csv) = csv {
        csv.write(&results::csv(&rows))?;
    }
    if let Some(svg) = svg {
        svg.write(&plot::svg(&source, &ways, &totals))?;
    }
    Ok(())
}
