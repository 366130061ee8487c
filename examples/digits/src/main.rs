//! Trains a small dense network on real handwritten digits, forward and backward through this crate, and runs it in
//! `f32`, `f16` and `bf16`.

mod data;
mod network;

use std::process::ExitCode;
use std::time::Instant;

use command_line::Command;
use command_line::lexopt;
use command_line::lexopt::prelude::*;
use data::Digits;
use indicatif::{ProgressBar, ProgressStyle};
use ndarray::Axis;
use network::{Hidden, Network, Timing};
use rectify::{AnyActivation, Element, Relu};

const HELP: &str = "\
Trains a small network on handwritten digits through rectify.

Usage: digits [FUNCTION]
       digits --compare        with each function, one line of a table each

FUNCTION is a name in PyTorch or ONNX; relu if none is given.
";

const SEED: u64 = 2010;
const EPOCHS: u64 = 60;
const BATCH: usize = 32;
/// Pixels, two hidden layers, classes.
const WIDTHS: [usize; 4] = [64, 128, 64, 10];

/// Those that `--compare` trains with.
const COMPARED: &[&str] = &[
    "relu",
    "leaky_relu",
    "relu6",
    "hardtanh",
    "hardsigmoid",
    "hardswish",
    "sigmoid",
    "tanh",
    "silu",
    "gelu",
    "mish",
    "elu",
    "selu",
    "celu",
    "softplus",
    "logsigmoid",
    "softsign",
    "softshrink",
    "tanhshrink",
];

enum Options {
    One(AnyActivation),
    Compare,
}

fn main() -> ExitCode {
    command_line::run(env!("CARGO_PKG_NAME"), HELP, parse, run)
}

fn parse(parser: &mut lexopt::Parser) -> Result<Command<Options>, lexopt::Error> {
    let mut options = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("compare") if options.is_none() => options = Some(Options::Compare),
            Value(name) if options.is_none() => options = Some(Options::One(name.parse()?)),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Command::Run(options.unwrap_or(Options::One(Relu.into()))))
}

fn run(options: &Options) -> Result<(), String> {
    match options {
        Options::One(activation) => report(&Run::new(*activation)),
        Options::Compare => {
            println!(
                "| function | accuracy, % | zeros, % | dead units | ms an epoch | of it in the function, % | CRC-32 of the weights |"
            );
            println!("| --- | --- | --- | --- | --- | --- | --- |");
            for name in COMPARED {
                compare(name, &Run::new(name.parse().map_err(|error| format!("{error}"))?));
            }
        }
    }
    Ok(())
}

/// A trained network, and the digits.
struct Run {
    activation: AnyActivation,
    network: Network,
    training: Digits,
    test: Digits,
    timing: Timing,
}

impl Run {
    fn new(activation: AnyActivation) -> Self {
        let mut random = fastrand::Rng::with_seed(SEED);
        let (training, test) = Digits::shipped().shuffled(&mut random).split_off_fifth();
        let mut network = Network::new(activation, &WIDTHS, &mut random);
        let timing = train(&mut network, training.clone(), &mut random);
        Self {
            activation,
            network,
            training,
            test,
            timing,
        }
    }

    /// In per cent, with the activations rounded to `T`.
    fn accuracy<T: Element + Into<f32>>(&self, round: fn(f32) -> T) -> f32 {
        100.0 * self.test.accuracy(&self.network.logits(&self.test.pixels, round))
    }
}

fn train(network: &mut Network, mut training: Digits, random: &mut fastrand::Rng) -> Timing {
    let progress = ProgressBar::new(EPOCHS);
    progress.set_style(ProgressStyle::with_template("{bar:40} epoch {pos} of {len}, loss {msg}").expect("a template"));
    let mut timing = Timing::default();
    let start = Instant::now();
    for epoch in 0..EPOCHS {
        training = training.shuffled(random);
        // From 0.1 down to 0, along a line.
        let learning_rate = 0.1 * (EPOCHS - epoch) as f32 / EPOCHS as f32;
        let mut loss = 0.0;
        let pixels = training.pixels.axis_chunks_iter(Axis(0), BATCH);
        for (pixels, labels) in pixels.zip(training.labels.chunks(BATCH)) {
            loss += network.train(pixels, labels, learning_rate, &mut timing);
        }
        progress.set_message(format!("{:.4}", loss / training.labels.len() as f32));
        progress.inc(1);
    }
    timing.total = start.elapsed();
    progress.finish_and_clear();
    timing
}

fn compare(name: &str, run: &Run) {
    let hidden = run.network.hidden(&run.training.pixels, f32::from);
    let zeros: f32 = hidden.iter().map(Hidden::share_of_zeros).sum();
    let dead: usize = hidden.iter().map(Hidden::dead_units).sum();
    let Timing { total, activation } = run.timing;
    println!(
        "| `{name}` | {:.2} | {:.1} | {dead} | {:.2} | {:.1} | {:08x} |",
        run.accuracy(f32::from),
        100.0 * zeros / hidden.len() as f32,
        1e3 * total.as_secs_f64() / EPOCHS as f64,
        100.0 * activation.as_secs_f64() / total.as_secs_f64(),
        run.network.checksum()
    );
}

fn report(run: &Run) {
    println!("instruction set   {}", rectify::Isa::best());
    println!("function          {:?}", run.activation);
    println!(
        "digits            {} to train on, {} held out",
        run.training.labels.len(),
        run.test.labels.len()
    );
    println!("accuracy          {:.2} %", run.accuracy(f32::from));
    println!(
        "                  {:.2} % with activations in f16, {:.2} % in bf16",
        run.accuracy(rectify::f16::from_f32),
        run.accuracy(rectify::bf16::from_f32)
    );
    let hidden = run.network.hidden(&run.test.pixels, f32::from);
    let hidden_in_training = run.network.hidden(&run.training.pixels, f32::from);
    for (i, (layer, in_training)) in hidden.iter().zip(&hidden_in_training).enumerate() {
        println!(
            "hidden layer {}    {:.1} % zeros; {} of {} units dead (a slope next to 0 for every digit trained on)",
            i + 1,
            100.0 * layer.share_of_zeros(),
            in_training.dead_units(),
            layer.outputs.ncols()
        );
    }
    let share = 100.0 * run.timing.activation.as_secs_f64() / run.timing.total.as_secs_f64();
    println!(
        "time              {:.2?}, of which {share:.1} % in the function",
        run.timing.total
    );
    println!(
        "weights           CRC-32 {:08x}, whatever RECTIFY_MAX_ISA says",
        run.network.checksum()
    );
}
