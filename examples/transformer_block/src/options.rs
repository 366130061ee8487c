//! The command line.

use command_line::lexopt::prelude::*;
use command_line::{Command, lexopt, number};

pub const HELP: &str = "\
The MLPs of two transformers, forward and backward, one thread: silu(a) * b in bf16 as in a language model, gelu(x + bias) in f32
as in a vision transformer. The activation in separate passes beside rectify's fused ones. Results are checked before they are timed.

Usage: cargo run --release -p transformer_block -- [OPTIONS]

  --tokens N  rows of the activations (default: 512)
  --hidden N  columns at both ends (default: 512); between them the language model has 8/3 of it, the vision transformer 4 times
  --help      print this

Separate passes are rectify's functions, a plain loop for products and one for the sums of the columns; silu(a) is kept for backward.
Matrices are multiplied by ndarray in f32. µs: median time. x: how many times as fast. Shares: of the time of the whole MLP.
";

pub struct Options {
    pub tokens: usize,
    pub hidden: usize,
}

pub fn parse(parser: &mut lexopt::Parser) -> Result<Command<Options>, lexopt::Error> {
    let mut options = Options {
        tokens: 512,
        hidden: 512,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("tokens") => options.tokens = parser.value()?.parse_with(number("--tokens"))?,
            Long("hidden") => options.hidden = parser.value()?.parse_with(number("--hidden"))?,
            Short('h') | Long("help") => return Ok(Command::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Command::Run(options))
}
