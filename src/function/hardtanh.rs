use super::order::{Interval, Live, Nan, has_fast_minimum, ordered};
use super::parameter::{ParameterError, or_panic, require};
use super::{Keep, OneBit, Select};
use crate::simd::{Format, Lane, Vector};

/// Hardtanh: f(x) = max(min, min(max, x)), which is x between two bounds, else the nearer bound.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | < min, -inf | min | +0.0, even where g is infinite or NaN |
/// | = min, = max | x | +0.0, even where g is infinite or NaN |
/// | between min and max | x | g |
/// | > max, +inf | max | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | g |
///
/// ```
/// use rectify::{Activation, Hardtanh};
///
/// let mut x = [-3.0_f32, -0.5, 0.25, 2.0];
/// Hardtanh::default().forward_inplace(&mut x);
/// assert_eq!(x, [-1.0, -0.5, 0.25, 1.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts the input or the output of `forward`.
/// - The gradient is 0 at both bounds, as in PyTorch.
/// - -0.0 and +0.0 are equal. Both are returned as they are where 0 is within the bounds. A bound of -0.0 is taken as
///   +0.0.
/// - The bounds are rounded to the format of the elements. Nothing else is computed: a result is x, min or max.
///
/// It is PyTorch's `hardtanh`, with the same defaults, and ONNX's `Clip`. It is due to Collobert (2004).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch: the gradient at NaN is +0.0 in whole vectors, and g in the tail.
/// - PyTorch in `f16` and `bf16`: the gradient's bounds are not rounded to the format.
/// - PyTorch, ONNX Runtime: a bound of -0.0 keeps its sign.
/// - PyTorch in `f32`, `f16` and `bf16`: a bound that rounds to infinity is an error.
/// - PyTorch in `f16`: a signalling NaN comes out quiet.
/// - PyTorch in `bf16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hardtanh {
    min: f64,
    max: f64,
}

impl Hardtanh {
    /// Hardtanh with the bounds `min` and `max`.
    ///
    /// The parameters are `f64`; of an `f32` write `f64::from(min)`. ONNX's `Clip` allows `min` > `max`, and returns
    /// `max` then.
    ///
    /// # Panics
    ///
    /// Panics if a bound is NaN or `min` is greater than `max`. Bounds may be infinite.
    #[must_use]
    #[track_caller]
    pub const fn new(min: f64, max: f64) -> Self {
        or_panic!(Self::try_new(min, max))
    }

    /// [`new`](Self::new), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `new` panics.
    pub const fn try_new(min: f64, max: f64) -> Result<Self, ParameterError> {
        require!(
            min <= max,
            "Hardtanh: `min` is greater than `max`, or one of them is NaN"
        );
        Ok(Self { min, max })
    }

    const DEFAULT: Self = Self::new(-1.0, 1.0);
}

/// The default of PyTorch: the bounds -1 and 1.
impl Default for Hardtanh {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[derive(Clone, Copy)]
pub struct Params<L> {
    min: L,
    max: L,
    /// Whether min < 0 < max. Then each interval has numbers of one sign only, and x is compared without [`ordered`].
    is_around_zero: bool,
    below: Interval<L>,
    above: Interval<L>,
    above_min: Interval<L>,
    below_max: Interval<L>,
    nan: Nan<L>,
}

impl<L: Lane> Params<L> {
    #[inline(always)]
    fn order<V: Vector<Lane = L>>(self, simd: V::Simd, x: V) -> V {
        if self.is_around_zero { x } else { ordered(simd, x) }
    }
}

impl Select for Hardtanh {
    const NAMES: &'static [(&'static str, Self)] = &[("hardtanh", Self::DEFAULT), ("Hardtanh", Self::DEFAULT)];

    type Params<L: Lane> = Params<L>;

    fn params<T: Format>(self) -> Params<T::Lane> {
        let (min, max) = (T::bits_of_nearest(self.min), T::bits_of_nearest(self.max));
        let is_around_zero = min < T::Lane::ZERO && max > T::Lane::ZERO;
        let (below, up_to_min) = if is_around_zero {
            let below_min = min.wrapping_add(T::Lane::LOWEST_BIT);
            (
                Interval::new(below_min, T::NEG_INFINITY),
                Interval::new(min, T::NEG_INFINITY),
            )
        } else {
            (Interval::below::<T>(min), Interval::up_to::<T>(min))
        };
        Params {
            min,
            max,
            is_around_zero,
            below,
            above: Interval::above::<T>(max),
            above_min: up_to_min.complement(),
            below_max: Interval::from::<T>(max).complement(),
            nan: Nan::of::<T>(),
        }
    }

    #[inline(always)]
    fn value<V: Vector>(params: Params<V::Lane>, simd: V::Simd, x: V) -> V {
        let (min, max) = (V::splat(simd, params.min), V::splat(simd, params.max));
        if has_fast_minimum::<V>() && params.is_around_zero {
            // With the sign bit inverted, the integers of positive numbers are negative, and those of negative numbers
            // are positive, in the order of the magnitudes.
            let sign = V::splat(simd, V::Lane::SIGN_BIT);
            let from_min = x.replace(x.xor(sign).gt(min.xor(sign)), min);
            return params.nan.restore(simd, x, from_min.replace(from_min.gt(max), max));
        }
        let order = params.order(simd, x);
        x.replace(params.below.contains(simd, order), min)
            .replace(params.above.contains(simd, order), max)
    }

    #[inline(always)]
    fn is_live<V: Vector>(params: Params<V::Lane>, simd: V::Simd, x: V) -> V::Mask {
        let order = params.order(simd, x);
        let above_min = params.above_min.contains(simd, order);
        V::and(simd, above_min, params.below_max.contains(simd, order))
    }
}

impl OneBit for Hardtanh {
    type Live<L: Lane> = Live<L>;

    fn live<T: Format>(self) -> Live<T::Lane> {
        Live::between::<T>(T::bits_of_nearest(self.min), T::bits_of_nearest(self.max))
    }

    type ByBit<T: Format> = Keep<T::Lane>;

    fn by_bit<T: Format>(self) -> Keep<T::Lane> {
        Keep::new()
    }
}
