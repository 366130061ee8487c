use super::{Function, Keep, OneBit};
use crate::simd::{Format, Lane, LiveFn, Vector};

/// ReLU: f(x) = x where `!(x <= 0)`, else +0.0.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | > 0, +inf | x | g |
/// | < 0, -inf, -0.0, +0.0 | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | g |
///
/// `backward` accepts the input or the output of `forward`. [`relu`](crate::relu) and the other free functions are the
/// same methods.
///
/// It is ONNX's operator `Relu` and PyTorch's `relu`. It is due to Fukushima (1969) and Nair and Hinton (2010).
///
/// ```
/// use rectify::{Activation, Relu};
///
/// let mut x = [-3.0_f32, -1.0, 0.0, 2.0, 5.0];
/// Relu.forward_inplace(&mut x);
/// assert_eq!(x, [0.0, 0.0, 0.0, 2.0, 5.0]);
/// ```
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch, ONNX Runtime: f(-0.0) is -0.0.
/// - PyTorch in `f16`, ONNX Runtime in `f16`: a signalling NaN comes out quiet.
/// - PyTorch in `bf16`, ONNX Runtime in `f16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relu;

// Not by `Select`, whose loops read parameters: a loop without parameters starts sooner.
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

    type ByBit<T: Format> = Keep<T::Lane>;

    fn by_bit<T: Format>(self) -> Keep<T::Lane> {
        Keep::new()
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

/// [`passes`], with the bits of -infinity.
#[derive(Clone, Copy)]
pub struct Passes<L>(pub L);

impl<L: Lane> LiveFn for Passes<L> {
    type Lane = L;

    #[inline(always)]
    fn is_live<V: Vector<Lane = L>>(self, simd: V::Simd, x: V) -> V::Mask {
        passes(self.0, simd, x)
    }
}

/// `x > -infinity` as integers: true for +0.0, for x > 0 and for every NaN.
///
/// As integers, the negative numbers go from -0.0, the least, to -infinity. Negative NaNs lie between -infinity and
/// +0.0.
#[inline(always)]
pub fn above_negative_infinity<V: Vector>(negative_infinity: V::Lane, simd: V::Simd, x: V) -> V::Mask {
    x.gt(V::splat(simd, negative_infinity))
}
