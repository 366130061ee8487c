use super::order::Live;
use super::{OneBit, Select};
use crate::simd::{Format, Lane, Vector};

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

impl Select for Relu {
    const NAMES: &'static [(&'static str, Self)] = &[("relu", Self), ("ReLU", Self), ("Relu", Self)];

    const IS_SHORT: bool = true;

    /// The bits of -infinity.
    type Params<L: Lane> = L;

    #[inline(always)]
    fn params<T: Format>(self) -> T::Lane {
        T::NEG_INFINITY
    }

    #[inline(always)]
    fn value<V: Vector>(negative_infinity: V::Lane, simd: V::Simd, x: V) -> V {
        x.keep(above_negative_infinity(negative_infinity, simd, x))
    }

    #[inline(always)]
    fn is_live<V: Vector>(negative_infinity: V::Lane, simd: V::Simd, x: V) -> V::Mask {
        passes(negative_infinity, simd, x)
    }
}

impl OneBit for Relu {
    fn live<T: Format>(self) -> Live<T::Lane> {
        Live::above::<T>(T::Lane::ZERO)
    }
}

/// `!(x <= 0)`
#[inline(always)]
pub fn passes<V: Vector>(negative_infinity: V::Lane, simd: V::Simd, x: V) -> V::Mask {
    V::and(simd, above_negative_infinity(negative_infinity, simd, x), x.nonzero())
}

/// As integers, -0.0 is the least and -infinity the greatest of the numbers with a sign; the NaNs with a sign lie
/// between -infinity and +0.0. So this is true for +0.0, for x > 0 and for every NaN.
#[inline(always)]
pub fn above_negative_infinity<V: Vector>(negative_infinity: V::Lane, simd: V::Simd, x: V) -> V::Mask {
    x.gt(V::splat(simd, negative_infinity))
}
