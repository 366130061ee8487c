//! Trains a small convolutional network on digits of 8 x 8 pixels: with candle-nn's activation, and with the one of this crate that takes its
//! place. The weights at the start and the batches are the same, and so are the losses.
//!
//! usage: cnn [EPOCHS]

use std::io::Read;
use std::time::{Duration, Instant};

use candle_core::{D, Device, Module, Result, Tensor, Var};
use candle_nn::{Activation, AdamW, Conv2d, Conv2dConfig, Linear, Optimizer, loss};
use rectify_candle::Layer;

const BATCH: usize = 64;

fn main() -> Result<()> {
    let epochs = std::env::args()
        .nth(1)
        .map_or(10, |epochs| epochs.parse().expect("a number of epochs"));
    let (pixels, labels) = digits()?;
    println!("activation  loss of each epoch, of both                          ms an epoch, candle-nn's and ours");
    for activation in [Activation::Relu, Activation::Silu, Activation::Gelu, Activation::Mish] {
        let own = train(&activation, &pixels, &labels, epochs)?;
        let ours = train(&Layer::try_from(activation)?, &pixels, &labels, epochs)?;
        for (which, run) in [("candle-nn", &own), ("rectify", &ours)] {
            let losses: Vec<_> = run.losses.iter().map(|loss| format!("{loss:.5}")).collect();
            let times = run.times.iter().min().map_or(0, Duration::as_millis);
            println!(
                "{:<11} {which:<9} {} {times} ms, accuracy {:.1} %",
                format!("{activation:?}"),
                losses.join(" "),
                run.accuracy
            );
        }
        for (own, ours) in own.losses.iter().zip(&ours.losses) {
            assert!((own - ours).abs() < 1e-3 * own, "{activation:?}: the losses differ");
        }
    }
    Ok(())
}

struct Run {
    losses: Vec<f32>,
    times: Vec<Duration>,
    accuracy: f32,
}

struct Network<'a> {
    first: Conv2d,
    second: Conv2d,
    last: Linear,
    activation: &'a dyn Module,
}

impl Module for Network<'_> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.activation.forward(&self.first.forward(x)?)?;
        let x = self.activation.forward(&self.second.forward(&x)?)?;
        self.last.forward(&x.max_pool2d(2)?.flatten_from(1)?)
    }
}

fn train(activation: &dyn Module, pixels: &Tensor, labels: &Tensor, epochs: usize) -> Result<Run> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut vars = Vec::new();
    let mut weights = |shape: &[usize], inputs: usize| {
        let bound = (inputs as f32).sqrt().recip();
        let numbers = (0..shape.iter().product())
            .map(|_| (random.f32() * 2.0 - 1.0) * bound)
            .collect();
        vars.push(Var::from_tensor(&Tensor::from_vec::<_, f32>(
            numbers,
            shape,
            &Device::Cpu,
        )?)?);
        Ok::<_, candle_core::Error>(vars[vars.len() - 1].as_tensor().clone())
    };
    let padded = Conv2dConfig {
        padding: 1,
        ..Conv2dConfig::default()
    };
    let network = Network {
        first: Conv2d::new(weights(&[16, 1, 3, 3], 9)?, Some(weights(&[16], 9)?), padded),
        second: Conv2d::new(weights(&[32, 16, 3, 3], 144)?, Some(weights(&[32], 144)?), padded),
        last: Linear::new(weights(&[10, 512], 512)?, Some(weights(&[10], 512)?)),
        activation,
    };
    let mut optimizer = AdamW::new_lr(vars, 2e-3)?;

    let (mut losses, mut times) = (Vec::new(), Vec::new());
    let len = labels.elem_count();
    let most = len - len / 5;
    for _ in 0..epochs {
        let start = Instant::now();
        let mut sum = 0.0;
        let batches = most / BATCH;
        for batch in 0..batches {
            let logits = network.forward(&pixels.narrow(0, batch * BATCH, BATCH)?)?;
            let loss = loss::cross_entropy(&logits, &labels.narrow(0, batch * BATCH, BATCH)?)?;
            optimizer.backward_step(&loss)?;
            sum += loss.to_scalar::<f32>()?;
        }
        times.push(start.elapsed());
        losses.push(sum / batches as f32);
    }
    let guesses = network
        .forward(&pixels.narrow(0, most, len - most)?)?
        .argmax(D::Minus1)?;
    let right = guesses
        .eq(&labels.narrow(0, most, len - most)?)?
        .to_dtype(candle_core::DType::F32)?;
    Ok(Run {
        losses,
        times,
        accuracy: 100.0 * right.mean_all()?.to_scalar::<f32>()?,
    })
}

/// The pixels from 0 to 1, and the labels.
fn digits() -> Result<(Tensor, Tensor)> {
    let mut csv = String::new();
    let gz = include_bytes!("../../../examples/digits/digits.csv.gz").as_slice();
    flate2::read::GzDecoder::new(gz).read_to_string(&mut csv)?;
    let numbers = csv
        .lines()
        .flat_map(|line| line.split(','))
        .map(|number| number.parse().expect("the file is shipped"));
    let numbers: Vec<f32> = numbers.collect();
    let table = Tensor::from_slice(&numbers, (numbers.len() / 65, 65), &Device::Cpu)?;
    let pixels = (table.narrow(1, 0, 64)? / 16.0)?.reshape(((), 1, 8, 8))?;
    let labels = table
        .narrow(1, 64, 1)?
        .flatten_all()?
        .to_dtype(candle_core::DType::U32)?;
    Ok((pixels, labels))
}
