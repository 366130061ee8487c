//! The arithmetic of the functions. A file has the public type of a function, its page, and its value and gradient on
//! vectors.

mod clipped_relu;
mod crelu;
mod hard_sigmoid;
mod hard_swish;
mod hardshrink;
mod hardtanh;
mod leaky_relu;
mod order;
mod parameter;
mod prelu;
mod product;
mod reglu;
mod relu;
#[cfg(feature = "smooth")]
#[cfg_attr(not(feature = "half"), allow(dead_code, reason = "for elements of 16 bits"))]
mod smooth;
mod squared_relu;
mod sum;
mod thresholded_relu;

pub use clipped_relu::ClippedRelu;
pub(crate) use crelu::{CreluGradient, CreluValue};
pub use hard_sigmoid::HardSigmoid;
pub use hard_swish::HardSwish;
pub use hardshrink::Hardshrink;
pub use hardtanh::Hardtanh;
pub use leaky_relu::LeakyRelu;
pub use parameter::ParameterError;
pub(crate) use prelu::{PReluGradient, PReluSlopes, PReluValue, prelu_params};
#[cfg(feature = "smooth")]
pub(crate) use product::ProductOf;
pub(crate) use reglu::{ReGluGradient, ReGluValue};
pub use relu::Relu;
#[cfg(feature = "smooth")]
pub use smooth::*;
pub use squared_relu::SquaredRelu;
pub(crate) use sum::{Affine, Sum, ValueOfSum};
pub use thresholded_relu::ThresholdedRelu;

use core::marker::PhantomData;

use crate::simd::{ChooseFn, Format, Lane, LiveFn, Vector, VectorFn};

/// Implements `Copy` without the bound `T: Copy`, for functions that hold nothing but their format `T`.
macro_rules! copy_by_format {
    ($($name:ident),+) => {
        $(
            impl<T: Format> Clone for $name<T> {
                #[inline(always)]
                fn clone(&self) -> Self {
                    *self
                }
            }

            impl<T: Format> Copy for $name<T> {}
        )+
    };
}
use copy_by_format;

/// The list of functions of one tensor, of those among them that have a mask, of the smooth ones, and of those whose output tells
/// their gradient. Calls `$macro!` with it.
macro_rules! for_each_function {
    ($macro:ident) => {
        $crate::function::with_smooth_functions! {
            $macro
            [ClippedRelu HardSigmoid HardSwish Hardshrink Hardtanh LeakyRelu Relu SquaredRelu ThresholdedRelu]
            one bit: [ClippedRelu Hardshrink Hardtanh LeakyRelu Relu ThresholdedRelu]
        }
    };
}
pub(crate) use for_each_function;

#[cfg(feature = "smooth")]
macro_rules! with_smooth_functions {
    ($macro:ident $($lists:tt)+) => {
        $macro! { $($lists)+ smooth: [Celu Elu Gelu GeluTanh LogSigmoid Mish Selu Sigmoid Silu Softplus Softshrink Softsign Swish Tanh Tanhshrink] from output: [Sigmoid Tanh] }
    };
}
#[cfg(not(feature = "smooth"))]
macro_rules! with_smooth_functions {
    ($macro:ident $($lists:tt)+) => {
        $macro! { $($lists)+ smooth: [] from output: [] }
    };
}
pub(crate) use with_smooth_functions;

/// The arithmetic of a function and its gradient, for every format and instruction set.
pub trait Function: Copy + core::fmt::Debug + PartialEq + Send + Sync + 'static {
    /// The names in PyTorch and ONNX, with the function with their default parameters.
    const NAMES: &'static [(&'static str, Self)];

    /// Whether the function has loops of its own for short slices, for elements at a step, and for input + bias + residual in every format.
    const IS_COMMON: bool = false;

    /// The format for which the loops of `T` are compiled: the same for all formats of a width if they do the same.
    type Code<T: Format>: Format<Lane = T::Lane>;

    /// The parameters as lanes.
    type Params<L: Lane>: Copy;

    fn params<T: Format>(self) -> Self::Params<T::Lane>;

    fn value<T: Format, V: Vector<Lane = T::Lane>>(params: Self::Params<T::Lane>, simd: V::Simd, x: V) -> V;

    fn gradient<T: Format, V: Vector<Lane = T::Lane>>(
        params: Self::Params<T::Lane>,
        simd: V::Simd,
        x: V,
        grad_output: V,
    ) -> V;
}

/// A select function. Its loops are the same for all formats of a width.
///
/// Its gradient is `grad_output` where x is live, else +0.0.
pub trait Select: Copy + core::fmt::Debug + PartialEq + Send + Sync + 'static {
    /// See [`Function::NAMES`].
    const NAMES: &'static [(&'static str, Self)];

    type Params<L: Lane>: Copy;

    fn params<T: Format>(self) -> Self::Params<T::Lane>;

    fn value<V: Vector>(params: Self::Params<V::Lane>, simd: V::Simd, x: V) -> V;

    fn is_live<V: Vector>(params: Self::Params<V::Lane>, simd: V::Simd, x: V) -> V::Mask;
}

impl<A: Select> Function for A {
    const NAMES: &'static [(&'static str, Self)] = <A as Select>::NAMES;

    type Code<T: Format> = T::Carrier;
    type Params<L: Lane> = A::Params<L>;

    #[inline(always)]
    fn params<T: Format>(self) -> A::Params<T::Lane> {
        Select::params::<T>(self)
    }

    #[inline(always)]
    fn value<T: Format, V: Vector<Lane = T::Lane>>(params: A::Params<T::Lane>, simd: V::Simd, x: V) -> V {
        <A as Select>::value(params, simd, x)
    }

    #[inline(always)]
    fn gradient<T: Format, V: Vector<Lane = T::Lane>>(
        params: A::Params<T::Lane>,
        simd: V::Simd,
        x: V,
        grad_output: V,
    ) -> V {
        grad_output.keep(A::is_live(params, simd, x))
    }
}

/// A function whose gradient needs one bit of x: whether x is live, where the gradient is `grad_output`.
pub trait OneBit: Function {
    type Live<L: Lane>: LiveFn<Lane = L>;

    fn live<T: Format>(self) -> Self::Live<T::Lane>;

    /// The gradient, of `grad_output` and the bit of x.
    type ByBit<T: Format>: ChooseFn<Lane = T::Lane>;

    fn by_bit<T: Format>(self) -> Self::ByBit<T>;
}

/// x where the bit is 1, else +0.0.
#[derive(Clone, Copy)]
pub struct Keep<L>(PhantomData<L>);

impl<L> Keep<L> {
    fn new() -> Self {
        Self(PhantomData)
    }
}

impl<L: Lane> ChooseFn for Keep<L> {
    type Lane = L;

    #[inline(always)]
    fn choose<V: Vector<Lane = L>>(self, _: V::Simd, is_live: V::Mask, x: V) -> V {
        x.keep(is_live)
    }
}

/// A function's value on vectors. Its representation is that of the parameters.
#[repr(transparent)]
pub(crate) struct Value<A: Function, T: Format>(pub(crate) A::Params<T::Lane>);

/// A function's gradient on vectors of x and the gradient at the output. Its representation is that of the parameters.
#[repr(transparent)]
pub(crate) struct Gradient<A: Function, T: Format>(pub(crate) A::Params<T::Lane>);

macro_rules! vector_fn {
    ($name:ident, $inputs:literal: |$params:ident, $simd:ident, $arguments:pat_param| $call:expr) => {
        impl<A: Function, T: Format> Clone for $name<A, T> {
            #[inline(always)]
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<A: Function, T: Format> Copy for $name<A, T> {}

        impl<A: Function, T: Format> VectorFn<$inputs> for $name<A, T> {
            type Lane = T::Lane;

            #[inline(always)]
            fn call<V: Vector<Lane = T::Lane>>(self, $simd: V::Simd, $arguments: [V; $inputs]) -> [V; 1] {
                let Self($params) = self;
                [$call]
            }
        }
    };
}

vector_fn!(Value, 1: |params, simd, [x]| A::value::<T, V>(params, simd, x));
vector_fn!(Gradient, 2: |params, simd, [x, grad_output]| A::gradient::<T, V>(params, simd, x, grad_output));
