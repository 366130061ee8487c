//! The command line.

use command_line::lexopt::prelude::*;
use command_line::{Command, lexopt, number, one_of};

use crate::run;

pub const HELP: &str = "\
The end of a ResNet block, y = relu(x + bias[channel] + skip), and its gradient: separate passes beside rectify's fused ones, one
thread, channels first (NCHW) and last (NHWC). Results are checked before they are timed.

Usage: cargo run --release -p residual_block -- [OPTIONS]

  --batch N      images (default: as many as make a tensor of twice the last-level cache)
  --channels N   channels (default: 64)
  --size N       height and width of an image (default: 56)
  --format NAME  f32, f64, f16 or bf16 (default: f32)
  --help         print this

Separate passes are rectify's too, but for the sums of the channels, which are plain loops. µs: median time. GB/s: bytes read and
written per second. x: how many times as fast.
";

type Run = fn(&Options) -> Result<(), String>;

pub struct Options {
    pub batch: Option<usize>,
    pub channels: usize,
    pub size: usize,
    /// In the format.
    pub run: Run,
}

const FORMATS: [(&str, Run); 4] = [
    ("f32", run::<f32>),
    ("f64", run::<f64>),
    ("f16", run::<rectify::f16>),
    ("bf16", run::<rectify::bf16>),
];

pub fn parse(parser: &mut lexopt::Parser) -> Result<Command<Options>, lexopt::Error> {
    let mut options = Options {
        batch: None,
        channels: 64,
        size: 56,
        run: run::<f32>,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("batch") => options.batch = Some(parser.value()?.parse_with(number("--batch"))?),
            Long("channels") => options.channels = parser.value()?.parse_with(number("--channels"))?,
            Long("size") => options.size = parser.value()?.parse_with(number("--size"))?,
            Long("format") => options.run = parser.value()?.parse_with(one_of("--format", FORMATS))?,
            Short('h') | Long("help") => return Ok(Command::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Command::Run(options))
}
