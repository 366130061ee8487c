//! Times of activations of candle-nn and of the ones that take their place, one after the other, in microseconds.
//!
//! usage: times [ELEMENTS]        a multiple of 16,384, or else 1 M

use std::time::{Duration, Instant};

use candle_core::{DType, Device, Module, Result, Tensor, Var};
use candle_nn::Activation;
use rectify_candle::{Activate, Layer};

fn main() -> Result<()> {
    let len: usize = std::env::args()
        .nth(1)
        .map_or(1 << 20, |len| len.parse().expect("a number of elements"));
    let mut random = fastrand::Rng::with_seed(1);
    let numbers: Vec<f32> = (0..len).map(|_| (random.f32() - 0.5) * 6.0).collect();
    let x = Tensor::from_vec(numbers, (len / 256, 256), &Device::Cpu)?;
    println!(
        "{:<22} {:<5} {:>9} {:>9} {:>9}",
        "", "", "candle-nn", "rectify", "ratio"
    );
    let report = |what: &str, dtype: DType, [own, ours]: [f64; 2]| {
        println!(
            "{what:<22} {:<5} {own:>9.1} {ours:>9.1} {:>9.2}",
            dtype.as_str(),
            own / ours
        );
    };
    for dtype in [DType::F32, DType::F64, DType::F16, DType::BF16] {
        let x = x.to_dtype(dtype)?;
        for activation in [Activation::Relu, Activation::Silu, Activation::Gelu, Activation::Mish] {
            let layer = Layer::try_from(activation)?;
            report(
                &format!("{activation:?}"),
                dtype,
                times([&|| activation.forward(&x), &|| layer.forward(&x)])?,
            );
            let var = Var::from_tensor(&x)?;
            let step = |module: &dyn Module| {
                let grads = module.forward(&var)?.backward()?;
                Ok(grads.get(&var).expect("a gradient").clone())
            };
            report(
                &format!("{activation:?} and backward"),
                dtype,
                times([&|| step(&activation), &|| step(&layer)])?,
            );
        }
        report(
            "Relu, in-place",
            dtype,
            times([&|| x.relu(), &|| x.activate_inplace(rectify::Relu).map(|()| x.clone())])?,
        );
    }
    for (layout, view) in LAYOUTS {
        for dtype in [DType::F32, DType::F16] {
            let x = view(&x.to_dtype(dtype)?)?;
            report(
                &format!("Relu, {layout}"),
                dtype,
                times([&|| x.relu(), &|| x.activate(rectify::Relu)])?,
            );
        }
    }
    Ok(())
}

type View = fn(&Tensor) -> Result<Tensor>;

/// Views of a matrix of 256 columns.
const LAYOUTS: &[(&str, View)] = &[
    ("with an offset", |x| x.narrow(0, 1, x.dim(0)? - 1)),
    ("transposed", Tensor::t),
    ("128 columns", |x| x.narrow(1, 7, 128)),
    ("32 columns", |x| x.narrow(1, 7, 32)),
    ("4 columns", |x| x.narrow(1, 7, 4)),
    ("row repeated", |x| x.narrow(0, 0, 1)?.broadcast_as(x.shape())),
    ("column repeated", |x| x.narrow(1, 0, 1)?.broadcast_as(x.shape())),
    ("heads of 64", |x| {
        x.reshape((x.dim(0)? / 64, 64, 4, 64))?.transpose(1, 2)
    }),
    ("channels last", |x| {
        x.reshape((x.dim(0)? / 64, 64, 256))?.transpose(1, 2)
    }),
];

/// The least time of each way, in microseconds.
fn times(ways: [&dyn Fn() -> Result<Tensor>; 2]) -> Result<[f64; 2]> {
    let mut least = [f64::INFINITY; 2];
    let begin = Instant::now();
    let mut rounds = 0;
    while rounds < 3 || (rounds < 100 && begin.elapsed() < Duration::from_millis(150)) {
        for (way, least) in ways.iter().zip(&mut least) {
            let start = Instant::now();
            let result = way()?;
            *least = least.min(start.elapsed().as_secs_f64() * 1e6);
            drop(result);
        }
        rounds += 1;
    }
    Ok(least)
}
