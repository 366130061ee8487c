//! The smooth functions. They are computed in `f32` and `f64` alone.

mod celu;
mod elu;
mod from_output;
mod gelu;
mod gelu_tanh;
mod log_sigmoid;
mod mish;
mod selu;
mod sigmoid;
mod silu;
mod softplus;
mod softshrink;
mod softsign;
mod swish;
mod tanh;
mod tanhshrink;

pub use celu::Celu;
pub use elu::Elu;
pub use from_output::FromOutput;
pub use gelu::Gelu;
pub use gelu_tanh::GeluTanh;
pub use log_sigmoid::LogSigmoid;
pub use mish::Mish;
pub use selu::Selu;
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use softplus::Softplus;
pub use softshrink::Softshrink;
pub use softsign::Softsign;
pub use swish::Swish;
pub use tanh::Tanh;
pub use tanhshrink::Tanhshrink;

use core::fmt::Debug;
use core::marker::PhantomData;

use crate::function::order::Nan;
use crate::simd::{Float, FloatFn, FloatLane, Format, Vector, VectorFn};

/// A function whose arithmetic is a lot of code. Elements of 16 bits are converted to `f32` and back, a block at a time,
/// and go through the loop of `f32`.
pub trait Smooth: Copy + Debug + PartialEq + Send + Sync + 'static {
    /// See [`Function::NAMES`](crate::function::Function::NAMES).
    const NAMES: &'static [(&'static str, Self)];

    /// The arithmetic. Functions that differ in its parameters have the same loops.
    type Code: Code;

    fn params<L: FloatLane>(self) -> <Self::Code as Code>::Params;
}

/// The arithmetic of smooth functions.
///
/// Where x is NaN, the value and the gradient are x, whatever is returned here if it doesn't [keep NaN](Self::KEEPS_NAN).
pub trait Code: 'static {
    /// Whether value and gradient of a NaN of `f32` are returned as x already.
    const KEEPS_NAN: bool = false;

    /// Whether it is so little code that its time is that of loads and stores.
    const IS_SHORT: bool = false;

    /// The parameters, as bits of the compute format.
    type Params: Copy;

    /// The elements of `f16` whose value in `f32` is half-way between two of `f16`, or an ulp above, and the exact one is not;
    /// and the least number.
    fn ties(_: Self::Params) -> &'static [Tie] {
        &[]
    }

    fn value<F: Float>(params: Self::Params, simd: F::Simd, x: F) -> F;

    fn gradient<F: Float>(params: Self::Params, simd: F::Simd, x: F, grad_output: F) -> F;
}

/// An element of `f16` and its value, as bits.
pub type Tie = [u16; 2];

/// A function on vectors of `f32`, through whose loop elements of 16 bits go. Where x, the first input, is NaN, so is the
/// result, with its bits.
pub(crate) trait OfBlocks<const N: usize>: VectorFn<N, Lane = i32> {
    fn ties(self) -> &'static [Tie];
}

macro_rules! vector_fn {
    ($(#[$doc:meta])+ $name:ident, $inputs:literal, ties |$ties_of:pat_param| $ties:expr; |$params:ident, $simd:ident, $arguments:pat_param| $call:expr) => {
        $(#[$doc])+
        #[repr(transparent)]
        pub(crate) struct $name<A: Code, T>(A::Params, PhantomData<T>);

        impl<A: Code, T> Clone for $name<A, T> {
            #[inline(always)]
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<A: Code, T> Copy for $name<A, T> {}

        impl<A: Code, T: Format> VectorFn<$inputs> for $name<A, T> {
            type Lane = T::Lane;

            #[inline(always)]
            fn call<V: Vector<Lane = T::Lane>>(self, simd: V::Simd, inputs: [V; $inputs]) -> [V; 1] {
                let [x, ..] = inputs;
                if const { A::KEEPS_NAN && size_of::<T::Lane>() == size_of::<f32>() } {
                    return [V::compute::<T, _, $inputs>(simd, self, inputs)];
                }
                [Nan::of::<T>().restore(simd, x, V::compute::<T, _, $inputs>(simd, self, inputs))]
            }
        }

        impl<A: Code, T> FloatFn<$inputs> for $name<A, T> {
            #[inline(always)]
            fn call<F: Float>(self, $simd: F::Simd, $arguments: [F; $inputs]) -> F {
                let $params = self.0;
                $call
            }
        }

        impl<A: Code> OfBlocks<$inputs> for $name<A, f32> {
            fn ties(self) -> &'static [Tie] {
                let $ties_of = self.0;
                $ties
            }
        }
    };
}

vector_fn!(
    /// A smooth function's value on vectors of `f32` or `f64`. Its representation is that of the parameters.
    SmoothValue, 1, ties |params| A::ties(params); |params, simd, [x]| A::value(params, simd, x)
);
vector_fn!(
    /// A smooth function's gradient on vectors of x and the gradient at the output. Its representation is that of the
    /// parameters.
    SmoothGradient, 2, ties |_| &[]; |params, simd, [x, grad_output]| A::gradient(params, simd, x, grad_output)
);
