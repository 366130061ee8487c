use super::order::{Interval, ordered};
use super::{Activation, Function, Loops, OneBitFunction, OneBitGradient};
use crate::element::{Element, Format};
use crate::simd::Vector;

/// Thresholded ReLU: x where `!(x <= alpha)`, else +0.0.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | > alpha | x | g |
/// | <= alpha | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | g |
///
/// The gradient is 0 at x = alpha; -0.0 and +0.0 are equal, and with an alpha that rounds to a negative number both stay as they are. `alpha` is rounded
/// to the format of the elements, and nothing is computed in another one. `backward` may be given the input of `forward`, and
/// with `alpha` >= 0 its output as well.
///
/// It is due to Konda, Memisevic and Krueger (2014), ONNX's operator `ThresholdedRelu` and PyTorch's `threshold` with the value 0.
///
/// ```
/// use rectify::{Activation, ThresholdedRelu};
///
/// let mut x = [-2.0_f32, 0.5, 1.0, 1.5];
/// ThresholdedRelu::new(1.0).forward_inplace(&mut x);
/// assert_eq!(x, [0.0, 0.0, 0.0, 1.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdedRelu {
    alpha: f64,
}

impl ThresholdedRelu {
    /// With the threshold.
    ///
    /// # Panics
    ///
    /// When `alpha` is NaN. It may be negative or infinite.
    #[must_use]
    #[track_caller]
    pub const fn new(alpha: f64) -> Self {
        assert!(!alpha.is_nan(), "ThresholdedRelu: `alpha` is NaN");
        Self { alpha }
    }
}

/// ONNX's default, 1.
impl Default for ThresholdedRelu {
    fn default() -> Self {
        Self::new(1.0)
    }
}

impl Activation for ThresholdedRelu {}

impl OneBitGradient for ThresholdedRelu {}

static LOOPS: Loops<ThresholdedRelu> = Loops::new();

#[derive(Clone, Copy)]
pub struct Rounded<T: Format> {
    passes: Interval<T::Lane>,
}

impl Function for ThresholdedRelu {
    const LOOPS: &'static Loops<Self> = &LOOPS;

    type Rounded<T: Element> = Rounded<T>;

    #[inline(always)]
    fn round<T: Element>(self) -> Rounded<T> {
        Rounded {
            passes: Interval::up_to::<T>(T::round(self.alpha)).complement(),
        }
    }

    #[inline(always)]
    fn forward_vector<T: Element, V: Vector<Lane = T::Lane>>(rounded: Rounded<T>, simd: V::Simd, x: V) -> V {
        Self::backward_vector::<T, V>(rounded, simd, x, x)
    }

    #[inline(always)]
    fn backward_vector<T: Element, V: Vector<Lane = T::Lane>>(
        rounded: Rounded<T>,
        simd: V::Simd,
        x: V,
        grad_output: V,
    ) -> V {
        grad_output.keep(Self::is_live::<T, V>(rounded, simd, x))
    }
}

impl OneBitFunction for ThresholdedRelu {
    #[inline(always)]
    fn is_live<T: Element, V: Vector<Lane = T::Lane>>(rounded: Rounded<T>, simd: V::Simd, x: V) -> V::Mask {
        rounded.passes.contains(simd, ordered(simd, x))
    }
}
