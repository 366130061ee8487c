use super::order::{Interval, Live};
use super::{OneBit, Select};
use crate::simd::{Format, Lane, Vector};

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

    const DEFAULT: Self = Self::new(1.0);
}

/// ONNX's default, 1.
impl Default for ThresholdedRelu {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[derive(Clone, Copy)]
pub struct Params<L> {
    /// Of the numbers with alpha's sign.
    passes: Interval<L>,
    /// The numbers with a sign, as integers, come before this where alpha has none; else nothing does.
    end: L,
}

impl Select for ThresholdedRelu {
    const NAMES: &'static [(&'static str, Self)] = &[("ThresholdedRelu", Self::DEFAULT)];

    type Params<L: Lane> = Params<L>;

    fn params<T: Format>(self) -> Params<T::Lane> {
        let alpha = T::bits_of_nearest(self.alpha);
        let (up_to_alpha, end) = if alpha < T::Lane::ZERO {
            (Interval::new(alpha, T::NEG_INFINITY), T::Lane::SIGN_BIT)
        } else {
            let end = T::NEG_INFINITY.wrapping_add(T::Lane::LOWEST_BIT);
            (Interval::new(T::Lane::ZERO, alpha), end)
        };
        Params {
            passes: up_to_alpha.complement(),
            end,
        }
    }

    #[inline(always)]
    fn value<V: Vector>(params: Params<V::Lane>, simd: V::Simd, x: V) -> V {
        x.keep(Self::is_live(params, simd, x))
    }

    #[inline(always)]
    fn is_live<V: Vector>(params: Params<V::Lane>, simd: V::Simd, x: V) -> V::Mask {
        let passes = params.passes.contains(simd, x);
        V::and_not(simd, passes, V::splat(simd, params.end).gt(x))
    }
}

impl OneBit for ThresholdedRelu {
    type Live<L: Lane> = Live<L>;

    fn live<T: Format>(self) -> Live<T::Lane> {
        Live::above::<T>(T::bits_of_nearest(self.alpha))
    }
}
