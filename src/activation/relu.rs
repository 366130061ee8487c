use super::one_bit::backward_by_bit;
use super::{Activation, Function, Loops, OneBitFunction, OneBitGradient};
use crate::element::Element;
use crate::simd::Vector;

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

impl Activation for Relu {}

impl OneBitGradient for Relu {}

static LOOPS: Loops<Relu> = Loops::new();

impl Function for Relu {
    const LOOPS: &'static Loops<Self> = &LOOPS;

    type Rounded<T: Element> = ();

    #[inline(always)]
    fn round<T: Element>(self) {}

    #[inline(always)]
    fn forward_vector<T: Element, V: Vector<Lane = T::Lane>>((): (), simd: V::Simd, x: V) -> V {
        x.keep(above_negative_infinity::<T, V>(simd, x))
    }

    backward_by_bit!();
}

impl OneBitFunction for Relu {
    #[inline(always)]
    fn is_live<T: Element, V: Vector<Lane = T::Lane>>((): (), simd: V::Simd, x: V) -> V::Mask {
        passes::<T, V>(simd, x)
    }
}

/// `!(x <= 0)`
#[inline(always)]
pub fn passes<T: Element, V: Vector<Lane = T::Lane>>(simd: V::Simd, x: V) -> V::Mask {
    V::and(simd, above_negative_infinity::<T, V>(simd, x), x.nonzero())
}

/// As whole numbers, -0.0 is the least and -infinity the greatest of the numbers with a sign; the NaNs with a sign lie
/// between -infinity and +0.0. So this is true for +0.0, for x > 0 and for every NaN.
#[inline(always)]
pub fn above_negative_infinity<T: Element, V: Vector<Lane = T::Lane>>(simd: V::Simd, x: V) -> V::Mask {
    x.gt(V::splat(simd, T::NEG_INFINITY))
}
