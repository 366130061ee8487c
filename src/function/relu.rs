use super::{Function, OneBit};
use crate::simd::{Format, Lane, LiveFn, Vector};

/// ReLU: x where `!(x <= 0)`, else +0.0. [`relu`](crate::relu) and the other free functions are its methods.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | > 0, +inf | x | g |
/// | < 0, -inf, -0.0, +0.0 | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | g |
///
/// `backward` may be given the input or the output of `forward`. It is due to Fukushima (1969) and Nair and Hinton (2010),
/// ONNX's operator `Relu` and PyTorch's `relu`.
///
/// ```
/// use rectify::{Activation, Relu};
///
/// let mut x = [-3.0_f32, -1.0, 0.0, 2.0, 5.0];
/// Relu.forward_inplace(&mut x);
/// assert_eq!(x, [0.0, 0.0, 0.0, 2.0, 5.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relu;

// By itself rather than as `Select`: a loop that reads no parameter begins sooner.
impl Function for Relu {
    const NAMES: &'static [(&'static str, Self)] = &[("relu", Self), ("ReLU", Self), ("Relu", Self)];

    const IS_COMMON: bool = true;

    type Code<T: Format> = T;
    type Params<L: Lane> = ();

    #[inline(always)]
    fn params<T: Format>(self) {}

    #[inline(always)]
    fn value<T: Format, V: Vector<Lane = T::Lane>>((): (), simd: V::Simd, x: V) -> V {
        relu(T::NEG_INFINITY, simd, x)
    }

    #[inline(always)]
    fn gradient<T: Format, V: Vector<Lane = T::Lane>>((): (), simd: V::Simd, x: V, grad_output: V) -> V {
        grad_output.keep(passes(T::NEG_INFINITY, simd, x))
    }
}

impl OneBit for Relu {
    type Live<L: Lane> = Passes<L>;

    fn live<T: Format>(self) -> Passes<T::Lane> {
        Passes(T::NEG_INFINITY)
    }
}

/// x where `!(x <= 0)`, else +0.0.
#[inline(always)]
pub fn relu<V: Vector>(negative_infinity: V::Lane, simd: V::Simd, x: V) -> V {
    x.keep(above_negative_infinity(negative_infinity, simd, x))
}

/// `!(x <= 0)`
#[inline(always)]
pub fn passes<V: Vector>(negative_infinity: V::Lane, simd: V::Simd, x: V) -> V::Mask {
    V::and(simd, above_negative_infinity(negative_infinity, simd, x), x.nonzero())
}

/// Whether x passes, by the bits of -infinity.
#[derive(Clone, Copy)]
pub struct Passes<L>(pub L);

impl<L: Lane> LiveFn for Passes<L> {
    type Lane = L;

    #[inline(always)]
    fn is_live<V: Vector<Lane = L>>(self, simd: V::Simd, x: V) -> V::Mask {
        passes(self.0, simd, x)
    }
}

/// As integers, -0.0 is the least and -infinity the greatest of the numbers with a sign; the NaNs with a sign lie
/// between -infinity and +0.0. So this is true for +0.0, for x > 0 and for every NaN.
#[inline(always)]
pub fn above_negative_infinity<V: Vector>(negative_infinity: V::Lane, simd: V::Simd, x: V) -> V::Mask {
    x.gt(V::splat(simd, negative_infinity))
}
