//! `Layer` in the place of candle-nn's `Activation`: the same, but for what README lists.

use candle_core::{DType, Device, Module, Result, Tensor, Var};
use candle_nn::Activation;
use rectify_candle::Layer;

use super::{Format, flat, tensor};

const ALL: [Activation; 15] = [
    Activation::Gelu,
    Activation::NewGelu,
    Activation::Relu,
    Activation::Relu2,
    Activation::Relu6,
    Activation::Silu,
    Activation::Sigmoid,
    Activation::HardSigmoid,
    Activation::Swiglu,
    Activation::Swish,
    Activation::Mish,
    Activation::HardSwish,
    Activation::Elu(1.5),
    Activation::LeakyRelu(0.2),
    Activation::GeluPytorchTanh,
];

/// The numbers of candle's own and of ours.
fn both<T: Format>(activation: Activation, x: &[f64]) -> [Vec<f64>; 2] {
    let layer = Layer::try_from(activation).unwrap();
    numbers::<T>(x, |x| activation.forward(x), |x| layer.forward(x))
}

fn gradients<T: Format>(activation: Activation, x: &[f64]) -> [Vec<f64>; 2] {
    fn gradient(module: &dyn Module, x: &Tensor) -> Result<Tensor> {
        let x = Var::from_tensor(x)?;
        let grads = module.forward(&x)?.sum_all()?.backward()?;
        Ok(grads.get(&x).expect("a gradient").clone())
    }
    let layer = Layer::try_from(activation).unwrap();
    numbers::<T>(x, |x| gradient(&activation, x), |x| gradient(&layer, x))
}

fn numbers<T: Format>(
    x: &[f64],
    own: impl Fn(&Tensor) -> Result<Tensor>,
    ours: impl Fn(&Tensor) -> Result<Tensor>,
) -> [Vec<f64>; 2] {
    let x: Vec<T> = x.iter().map(|&x| T::of(x)).collect();
    let x = tensor(&x, &[x.len()]);
    [own(&x), ours(&x)].map(|y| flat::<T>(&y.unwrap()).iter().map(|y| y.to_f64()).collect())
}

#[test]
fn agree() {
    fn check<T: Format>(activation: Activation, error: f64) {
        let x = (-1000..1000).map(|i| f64::from(i) * 0.0085 + 0.0037);
        // Apart from the kinks. An even number.
        let x: Vec<f64> = x
            .filter(|x| [-3.0, 0.0, 3.0, 6.0].iter().all(|kink| (x - kink).abs() > 0.1))
            .collect();
        let x = &x[..x.len() / 2 * 2];
        let pairs = [both::<T>(activation, x), gradients::<T>(activation, x)];
        for [own, ours] in pairs {
            assert!(ours.len() == x.len() || ours.len() == x.len() / 2);
            for ((own, ours), x) in own.iter().zip(&ours).zip(x) {
                let near = (own - ours).abs() <= error * own.abs().max(1.0);
                assert!(near, "{activation:?} in {:?} at {x}: {own}, {ours}", T::DTYPE);
            }
        }
    }
    for activation in ALL {
        // The gradients of GELU have constants of six digits.
        check::<f64>(activation, 1e-6);
        check::<f32>(activation, 1e-6);
        check::<rectify::f16>(activation, 8e-3);
        check::<rectify::bf16>(activation, 6e-2);
    }
}

const NAN: f64 = f64::NAN;
const INFINITY: f64 = f64::INFINITY;

/// x; candle's value and ours; candle's gradient and ours.
type Row = (Activation, f64, [f64; 2], [f64; 2]);

const DIFFERENT: &[Row] = &[
    // NaN.
    (Activation::Relu, NAN, [0.0, NAN], [0.0, 1.0]),
    (Activation::Relu2, NAN, [0.0, NAN], [0.0, NAN]),
    (Activation::Relu6, NAN, [NAN, NAN], [0.0, 1.0]),
    (Activation::HardSigmoid, NAN, [NAN, NAN], [0.0, 1.0 / 6.0]),
    (Activation::LeakyRelu(0.25), NAN, [NAN, NAN], [0.0, 1.0]),
    // Kinks.
    (Activation::Relu, 0.0, [0.0, 0.0], [1.0, 0.0]),
    (Activation::Relu6, 0.0, [0.0, 0.0], [0.5, 0.0]),
    (Activation::Relu6, 6.0, [6.0, 6.0], [0.5, 0.0]),
    (Activation::HardSigmoid, -3.0, [0.0, 0.0], [1.0 / 12.0, 0.0]),
    (Activation::HardSigmoid, 3.0, [1.0, 1.0], [1.0 / 12.0, 0.0]),
    (Activation::HardSwish, -3.0, [0.0, 0.0], [-0.25, 0.0]),
    (Activation::HardSwish, 3.0, [3.0, 3.0], [1.25, 1.0]),
    (Activation::LeakyRelu(0.25), 0.0, [0.0, 0.0], [0.625, 0.25]),
    // Infinities.
    (Activation::Gelu, -INFINITY, [NAN, 0.0], [NAN, 0.0]),
    (Activation::Gelu, INFINITY, [INFINITY, INFINITY], [NAN, 1.0]),
    (Activation::NewGelu, -INFINITY, [NAN, 0.0], [NAN, 0.0]),
    (Activation::NewGelu, INFINITY, [INFINITY, INFINITY], [NAN, 1.0]),
    (Activation::Silu, -INFINITY, [NAN, 0.0], [NAN, 0.0]),
    (Activation::Silu, INFINITY, [INFINITY, INFINITY], [NAN, 1.0]),
    (Activation::Mish, -INFINITY, [NAN, 0.0], [NAN, 0.0]),
    (Activation::Mish, INFINITY, [INFINITY, INFINITY], [NAN, 1.0]),
    (Activation::HardSwish, -INFINITY, [NAN, 0.0], [NAN, 0.0]),
    (Activation::HardSwish, INFINITY, [INFINITY, INFINITY], [NAN, 1.0]),
    (Activation::Elu(1.0), INFINITY, [INFINITY, INFINITY], [NAN, 1.0]),
    // Large numbers.
    (Activation::Mish, 100.0, [100.0, 100.0], [NAN, 1.0]),
    // Tails, and next to 0. Ours are mpmath's, rounded.
    (
        Activation::Gelu,
        -6.0,
        [0.0, -5.9195259e-9],
        [-2.9802322e-8, -3.5468709e-8],
    ),
    (Activation::NewGelu, -8.0, [0.0, -3.1077829e-21], [0.0, -4.7147845e-20]),
    (Activation::Mish, -17.0, [0.0, -7.037894e-7], [-7.037894e-7, -6.6239e-7]),
    (Activation::Elu(1.0), -1e-8, [0.0, -1e-8], [1.0, 1.0]),
    (Activation::Sigmoid, 20.0, [1.0, 1.0], [0.0, 2.0611537e-9]),
];

#[test]
fn differences() {
    let same = |x: f64, y: f64| x == y || (x.is_nan() && y.is_nan()) || (x - y).abs() <= 1e-6 * y.abs();
    let mut wrong = Vec::new();
    for &(activation, x, value, gradient) in DIFFERENT {
        let results =
            [both::<f32>(activation, &[x]), gradients::<f32>(activation, &[x])].map(|both| both.map(|y| y[0]));
        let expected = [value, gradient];
        if !expected
            .as_flattened()
            .iter()
            .zip(results.as_flattened())
            .all(|(&x, &y)| same(x, y))
        {
            wrong.push(format!("{activation:?} at {x}: {results:?} for {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn parameters() {
    for activation in [Activation::Elu(f64::NAN), Activation::LeakyRelu(f64::INFINITY)] {
        assert!(Layer::try_from(activation).is_err(), "{activation:?}");
    }
    let x = Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap();
    assert!(Layer::try_from(Activation::Swiglu).unwrap().forward(&x).is_err());
}
