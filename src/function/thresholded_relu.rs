use super::order::{Interval, Live};
use super::parameter::{ParameterError, or_panic, require};
use super::{Keep, OneBit, Select};
use crate::simd::{Format, Lane, Vector};

/// Thresholded ReLU: f(x) = x where `!(x <= alpha)`, else +0.0.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | > alpha | x | g |
/// | <= alpha | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | g |
///
/// ```
/// use rectify::{Activation, ThresholdedRelu};
///
/// let mut x = [-2.0_f32, 0.5, 1.0, 1.5];
/// ThresholdedRelu::new(1.0).forward_inplace(&mut x);
/// assert_eq!(x, [0.0, 0.0, 0.0, 1.5]);
/// ```
///
/// # Notes
///
/// - `backward` accepts the input of `forward`, and with `alpha` >= 0 also the output.
/// - The gradient is 0 at x = alpha.
/// - `alpha` is rounded to the format of the elements. Nothing else is computed: a result is x or +0.0.
/// - -0.0 and +0.0 are equal. Where the rounded `alpha` is negative, both are returned as they are.
///
/// It is ONNX's operator `ThresholdedRelu` and PyTorch's `threshold` with the value 0. It is due to Konda, Memisevic
/// and Krueger (2014).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - ONNX Runtime: f(NaN) is +0.0.
/// - PyTorch in `f16` and `bf16`, ONNX Runtime in `f16`: `alpha` is not rounded to the format.
/// - PyTorch in `f32`, `f16` and `bf16`: an `alpha` that rounds to infinity is an error.
/// - PyTorch in `f16`: a signalling NaN comes out quiet.
/// - PyTorch in `bf16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdedRelu {
    alpha: f64,
}

impl ThresholdedRelu {
    /// Thresholded ReLU with the threshold `alpha`.
    ///
    /// The parameter is `f64`; of an `f32` write `f64::from(alpha)`.
    ///
    /// # Panics
    ///
    /// Panics if `alpha` is NaN. It may be negative or infinite.
    #[must_use]
    #[track_caller]
    pub const fn new(alpha: f64) -> Self {
        or_panic!(Self::try_new(alpha))
    }

    /// [`new`](Self::new), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `new` panics.
    pub const fn try_new(alpha: f64) -> Result<Self, ParameterError> {
        require!(!alpha.is_nan(), "ThresholdedRelu: `alpha` is NaN");
        Ok(Self { alpha })
    }

    const DEFAULT: Self = Self::new(1.0);
}

/// The default of ONNX: 1.
impl Default for ThresholdedRelu {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[derive(Clone, Copy)]
pub struct Params<L> {
    /// All integers except those from alpha to -infinity where alpha is negative, or from +0.0 to alpha where it isn't.
    passes: Interval<L>,
    /// Integers below this don't pass: all negative numbers where alpha isn't negative, else none.
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

    type ByBit<T: Format> = Keep<T::Lane>;

    fn by_bit<T: Format>(self) -> Keep<T::Lane> {
        Keep::new()
    }
}
