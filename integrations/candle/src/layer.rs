//! What takes the place of candle-nn's `Activation`.

use candle_core::{Error, Module, Result, Tensor};
use candle_nn::Activation;
use rectify::{
    AnyActivation, ClippedRelu, Elu, Gelu, GeluTanh, HardSigmoid, HardSwish, LeakyRelu, Mish, Relu, Sigmoid, Silu,
    SquaredRelu,
};

use crate::{Gate, Op};

/// A function of one tensor or a gated unit: what takes the place of [`candle_nn::Activation`].
///
/// # Errors
///
/// Of `try_from`: a parameter that the function can't have, such as a slope that is NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layer {
    /// A function of one tensor.
    Op(Op),
    /// A gated unit, whose output has half the elements.
    Gate(Gate),
}

impl TryFrom<Activation> for Layer {
    type Error = Error;

    fn try_from(activation: Activation) -> Result<Self> {
        let function: AnyActivation = match activation {
            Activation::Gelu => Gelu.into(),
            Activation::NewGelu | Activation::GeluPytorchTanh => GeluTanh.into(),
            Activation::Relu => Relu.into(),
            Activation::Relu2 => SquaredRelu.into(),
            Activation::Relu6 => ClippedRelu::RELU6.into(),
            Activation::Silu | Activation::Swish => Silu.into(),
            Activation::Sigmoid => Sigmoid.into(),
            Activation::HardSigmoid => HardSigmoid::default().into(),
            Activation::Swiglu => return Ok(Self::Gate(Gate::SWIGLU)),
            Activation::Mish => Mish.into(),
            Activation::HardSwish => HardSwish.into(),
            Activation::Elu(alpha) => Elu::try_new(alpha).map_err(Error::wrap)?.into(),
            Activation::LeakyRelu(slope) => LeakyRelu::try_new(slope).map_err(Error::wrap)?.into(),
        };
        Ok(Self::Op(Op::new(function)))
    }
}

impl Module for Layer {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Op(op) => op.forward(x),
            Self::Gate(gate) => gate.forward(x),
        }
    }
}
