//! Each function, with what it is in candle.

use candle_core::{Module, Result, Tensor};
use candle_nn::{Activation, ops};
use rectify::*;

pub struct Function {
    pub function: AnyActivation,
    pub own: fn(&Tensor) -> Result<Tensor>,
    /// Where it goes from one formula to another.
    pub kinks: &'static [f64],
    /// How far candle's gradient in `f64` is from the exact one.
    pub own_gradient_error: f64,
}

pub fn functions() -> Vec<Function> {
    fn of(function: impl Into<AnyActivation>, kinks: &'static [f64], own: fn(&Tensor) -> Result<Tensor>) -> Function {
        Function {
            function: function.into(),
            own,
            kinks,
            own_gradient_error: 1e-13,
        }
    }
    let functions = vec![
        of(Relu, &[0.0], Tensor::relu),
        of(ClippedRelu::RELU6, &[0.0, 6.0], |x| Activation::Relu6.forward(x)),
        of(Hardtanh::default(), &[-1.0, 1.0], |x| x.clamp(-1.0, 1.0)),
        of(ThresholdedRelu::default(), &[1.0], |x| {
            x.gt(1.0)?.where_cond(x, &x.zeros_like()?)
        }),
        of(Hardshrink::default(), &[-0.5, 0.5], |x| {
            x.abs()?.gt(0.5)?.where_cond(x, &x.zeros_like()?)
        }),
        of(LeakyRelu::new(0.2), &[0.0], |x| ops::leaky_relu(x, 0.2)),
        of(SquaredRelu, &[0.0], |x| Activation::Relu2.forward(x)),
        of(HardSigmoid::default(), &[-3.0, 3.0], |x| {
            Activation::HardSigmoid.forward(x)
        }),
        of(HardSwish, &[-3.0, 3.0], |x| Activation::HardSwish.forward(x)),
        of(Sigmoid, &[], |x| Activation::Sigmoid.forward(x)),
        of(Tanh, &[], Tensor::tanh),
        of(Silu, &[], |x| Activation::Silu.forward(x)),
        of(Swish::QUICK_GELU, &[], |x| x * ops::sigmoid(&(x * 1.702)?)?),
        // Its gradient has constants of six digits.
        Function {
            own_gradient_error: 1e-5,
            ..of(Gelu, &[], |x| Activation::Gelu.forward(x))
        },
        Function {
            own_gradient_error: 1e-5,
            ..of(GeluTanh, &[], |x| Activation::GeluPytorchTanh.forward(x))
        },
        of(Elu::new(1.5), &[0.0], |x| Activation::Elu(1.5).forward(x)),
        // Its parameters are f32.
        of(Selu, &[0.0], |x| {
            (x.gt(0.0)?.where_cond(x, &((x.exp()? - 1.0)? * 1.6732632423543772)?)? * 1.0507009873554805)?.contiguous()
        }),
        of(Celu::new(2.0), &[0.0], |x| {
            x.relu()? - ((1.0 - (x.minimum(0.0)? / 2.0)?.exp()?)? * 2.0)?
        }),
        of(Mish, &[], |x| Activation::Mish.forward(x)),
        of(Softplus::new(2.0), &[], |x| (1.0 + (x * 2.0)?.exp()?)?.log()? / 2.0),
        of(LogSigmoid, &[], |x| (1.0 + x.neg()?.exp()?)?.log()?.neg()),
        of(Softsign, &[], |x| x / (x.abs()? + 1.0)?),
        of(Softshrink::default(), &[-0.5, 0.5], |x| {
            (x - 0.5)?.relu()? - (x.neg()? - 0.5)?.relu()?
        }),
        of(Tanhshrink, &[], |x| x - x.tanh()?),
    ];
    for name in AnyActivation::NAMES {
        assert!(
            functions.iter().any(|function| function.function.name() == *name),
            "no {name}"
        );
    }
    functions
}
