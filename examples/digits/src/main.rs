//! Trains a small dense network on real handwritten digits, forward and backward through this crate, and runs it in
//! `f32`, `f16` and `bf16`.

mod data;
mod network;

use std::process::ExitCode;
use std::time::Instant;

use data::Digits;
use indicatif::{ProgressBar, ProgressStyle};
use ndarray::Axis;
use network::{Network, Timing};

const HELP: &str = "Trains a small network on handwritten digits through rectify. Takes no arguments.\n";

const SEED: u64 = 2010;
const EPOCHS: u64 = 60;
const BATCH: usize = 32;
/// Pixels, two hidden layers, classes.
const WIDTHS: [usize; 4] = [64, 128, 64, 10];

fn main() -> ExitCode {
    command_line::run(env!("CARGO_PKG_NAME"), HELP, command_line::no_options, |()| run())
}

fn run() -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let (training, test) = Digits::shipped().shuffled(&mut random).split_off_fifth();
    let mut network = Network::new(&WIDTHS, &mut random);
    let timing = train(&mut network, training.clone(), &mut random);
    report(&network, &training, &test, &timing);
    Ok(())
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

fn report(network: &Network, training: &Digits, test: &Digits, timing: &Timing) {
    println!("instruction set   {}", rectify::Isa::best());
    println!(
        "digits            {} to train on, {} held out",
        training.labels.len(),
        test.labels.len()
    );
    let accuracy = |logits| 100.0 * test.accuracy(&logits);
    println!(
        "accuracy          {:.2} %",
        accuracy(network.logits(&test.pixels, f32::from))
    );
    let in_f16 = accuracy(network.logits(&test.pixels, rectify::f16::from_f32));
    let in_bf16 = accuracy(network.logits(&test.pixels, rectify::bf16::from_f32));
    println!("                  {in_f16:.2} % with activations in f16, {in_bf16:.2} % in bf16");
    let hidden = network.hidden(&test.pixels, f32::from);
    let hidden_in_training = network.hidden(&training.pixels, f32::from);
    for (i, (layer, in_training)) in hidden.iter().zip(&hidden_in_training).enumerate() {
        let zeros = layer.iter().filter(|&&x| x == 0.0).count();
        let share = 100.0 * zeros as f32 / layer.len() as f32;
        let units = in_training.columns();
        let dead = units.into_iter().filter(|unit| unit.iter().all(|&x| x == 0.0)).count();
        println!(
            "hidden layer {}    {share:.1} % zeros; {dead} of {} units dead (0 for every digit trained on)",
            i + 1,
            layer.ncols()
        );
    }
    let share = 100.0 * timing.rectifier.as_secs_f64() / timing.total.as_secs_f64();
    println!(
        "time              {:.2?}, of which {share:.1} % in the rectifier",
        timing.total
    );
    println!(
        "weights           CRC-32 {:08x}, whatever RECTIFY_MAX_ISA says",
        network.checksum()
    );
}
