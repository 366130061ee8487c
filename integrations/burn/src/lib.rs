#![doc = include_str!("../README.md")]

mod autodiff;
mod flex;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;
use rectify::AnyActivation;

pub use rectify;

/// A backend that has the functions: Flex, and Flex with gradients.
#[backend_extension(Flex, Autodiff)]
pub trait ActivationBackend: Backend {
    /// f(x) of each element.
    fn activate(x: FloatTensor<Self>, function: AnyActivation) -> FloatTensor<Self>;
}

/// A backend that has the gradients.
pub trait GradientBackend: Backend {
    /// The gradient at the input, of the input and the gradient at the output.
    fn gradient(x: FloatTensor<Self>, grad_output: FloatTensor<Self>, function: AnyActivation) -> FloatTensor<Self>;
}

/// The functions as a method of tensors.
pub trait Activate {
    /// f(x) of each element. It has a gradient. A tensor that is the only one of its memory is overwritten.
    ///
    /// # Panics
    ///
    /// Panics on another backend than Flex.
    #[must_use]
    fn activate(self, function: impl Into<AnyActivation>) -> Self;
}

impl<const D: usize> Activate for Tensor<D> {
    fn activate(self, function: impl Into<AnyActivation>) -> Self {
        Self::from_dispatch(Dispatch::activate(self.into_dispatch(), function.into()))
    }
}
