use super::one_bit::backward_by_bit;
use super::relu::{above_negative_infinity, passes};
use super::{Activation, Function, Loops, OneBitFunction, OneBitGradient};
use crate::element::{Element, Format};
use crate::simd::{Float, FloatFn, FloatLane, Lane, Vector, compute};

/// Leaky ReLU: x where `!(x <= 0)`, else x * `negative_slope`; but +0.0 stays +0.0.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | > 0, +inf | x | g |
/// | +0.0 | +0.0 | g * slope |
/// | < 0, -inf, -0.0 | x * slope | g * slope |
/// | NaN | the same NaN | g |
///
/// With a slope of 0 both products are +0.0, whatever x and g are: it is [`Relu`](super::Relu) then, bit for bit. The gradient at
/// x = 0 is g * slope, as in PyTorch. With a negative slope +0.0 stays +0.0, as in ONNX, where PyTorch and [`PRelu`](crate::PRelu) have
/// -0.0. With a positive slope, `backward` may be given the output of `forward` too.
///
/// The slope is rounded to the format that is computed in: `f32` for `f32`, `f16` and `bf16`, else `f64`; one that is too large for
/// an `f32` becomes its greatest number. A product is rounded there, and of `f16` and `bf16` once more, to nearest and of two to
/// even; the CPU's rounding and flush-to-zero modes apply. A NaN g comes out of a product quiet.
///
/// It is due to Maas, Hannun and Ng (2013), ONNX's operator `LeakyRelu` and PyTorch's `leaky_relu`.
///
/// ```
/// use rectify::{Activation, LeakyRelu};
///
/// let mut x = [-2.0_f32, 0.0, 3.0];
/// let mut grad = [1.0; 3];
/// let leaky_relu = LeakyRelu::new(0.25);
/// leaky_relu.backward_inplace(&x, &mut grad);
/// leaky_relu.forward_inplace(&mut x);
/// assert_eq!(x, [-0.5, 0.0, 3.0]);
/// assert_eq!(grad, [0.25, 0.25, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    negative_slope: f64,
}

impl LeakyRelu {
    /// With the slope for x <= 0.
    ///
    /// # Panics
    ///
    /// When `negative_slope` is NaN or infinite. It may be negative.
    #[must_use]
    #[track_caller]
    pub const fn new(negative_slope: f64) -> Self {
        assert!(
            negative_slope.is_finite(),
            "LeakyRelu: `negative_slope` is NaN or infinite"
        );
        Self { negative_slope }
    }
}

/// PyTorch's and ONNX's default, 0.01.
impl Default for LeakyRelu {
    fn default() -> Self {
        Self::new(0.01)
    }
}

impl Activation for LeakyRelu {}

impl OneBitGradient for LeakyRelu {}

static LOOPS: Loops<LeakyRelu> = Loops::new();

#[derive(Clone, Copy)]
pub struct Rounded<T: Format> {
    slope: Slope,
    /// Not 0 where the slope isn't.
    has_slope: T::Lane,
}

impl Function for LeakyRelu {
    const LOOPS: &'static Loops<Self> = &LOOPS;

    const COMPUTES: bool = true;

    type Rounded<T: Element> = Rounded<T>;

    #[inline(always)]
    fn round<T: Element>(self) -> Rounded<T> {
        let magnitude = T::ComputedIn::nearest_finite(self.negative_slope.abs());
        Rounded {
            slope: Slope(self.negative_slope),
            has_slope: if magnitude == T::ComputedIn::ZERO {
                T::Lane::ZERO
            } else {
                T::Lane::ONE
            },
        }
    }

    #[inline(always)]
    fn forward_vector<T: Element, V: Vector<Lane = T::Lane>>(rounded: Rounded<T>, simd: V::Simd, x: V) -> V {
        let is_kept = above_negative_infinity::<T, V>(simd, x);
        Self::backward_bit::<T, V>(rounded, simd, is_kept, x)
    }

    backward_by_bit!();
}

impl OneBitFunction for LeakyRelu {
    #[inline(always)]
    fn is_live<T: Element, V: Vector<Lane = T::Lane>>(_: Rounded<T>, simd: V::Simd, x: V) -> V::Mask {
        passes::<T, V>(simd, x)
    }

    #[inline(always)]
    fn backward_bit<T: Element, V: Vector<Lane = T::Lane>>(
        rounded: Rounded<T>,
        simd: V::Simd,
        is_live: V::Mask,
        grad_output: V,
    ) -> V {
        let has_slope = V::splat(simd, rounded.has_slope).nonzero();
        compute::<T, V, _, 1>(simd, rounded.slope, [grad_output])
            .keep(has_slope)
            .replace(is_live, grad_output)
    }
}

#[derive(Clone, Copy)]
struct Slope(f64);

impl FloatFn<1> for Slope {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, [x]: [F; 1]) -> F {
        x.mul(F::splat(simd, F::Lane::nearest_finite(self.0)))
    }
}
