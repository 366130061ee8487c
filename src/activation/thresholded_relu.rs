use super::one_bit::backward_by_bit;
use super::order::Interval;
use super::{Activation, Function, Loops, OneBitFunction, OneBitGradient};
use crate::element::{Element, Format};
use crate::simd::{Lane, Vector};

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
    /// Of the numbers with alpha's sign.
    passes: Interval<T::Lane>,
    /// The numbers with a sign, as whole numbers, come before this where alpha has none; else nothing does.
    end: T::Lane,
}

impl Function for ThresholdedRelu {
    const LOOPS: &'static Loops<Self> = &LOOPS;

    type Rounded<T: Element> = Rounded<T>;

    #[inline(always)]
    fn round<T: Element>(self) -> Rounded<T> {
        let alpha = T::round(self.alpha);
        let (up_to_alpha, end) = if alpha < T::Lane::ZERO {
            (Interval::new(alpha, T::NEG_INFINITY), T::Lane::MIN)
        } else {
            let end = T::NEG_INFINITY.wrapping_add(T::Lane::ONE);
            (Interval::new(T::Lane::ZERO, alpha), end)
        };
        Rounded {
            passes: up_to_alpha.complement(),
            end,
        }
    }

    #[inline(always)]
    fn forward_vector<T: Element, V: Vector<Lane = T::Lane>>(rounded: Rounded<T>, simd: V::Simd, x: V) -> V {
        Self::backward_vector::<T, V>(rounded, simd, x, x)
    }

    backward_by_bit!();
}

impl OneBitFunction for ThresholdedRelu {
    #[inline(always)]
    fn is_live<T: Element, V: Vector<Lane = T::Lane>>(rounded: Rounded<T>, simd: V::Simd, x: V) -> V::Mask {
        let passes = rounded.passes.contains(simd, x);
        V::and_not(simd, passes, V::splat(simd, rounded.end).gt(x))
    }
}
