use super::one_bit::backward_by_bit;
use super::order::{Interval, has_fast_minimum, ordered, unless_nan};
use super::{Activation, Function, Loops, OneBitFunction, OneBitGradient};
use crate::element::{Element, Format};
use crate::simd::{Lane, Vector};

/// Hardtanh: x between two bounds, else the nearer one.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | < min, -inf | min | +0.0, even where g is infinite or NaN |
/// | = min, = max | x | +0.0, the same |
/// | between them | x | g |
/// | > max, +inf | max | +0.0, the same |
/// | NaN | the same NaN | g |
///
/// The values are in \[min, max\]; the gradient is 0 at both ends, as PyTorch has it. -0.0 and +0.0 are equal, and stay as they
/// are where 0 is not out of bounds; a bound of -0.0 is +0.0. The bounds are rounded to the format of the elements, and nothing
/// is computed in another one. `backward` may be given the input or the output of `forward`.
///
/// It is due to Collobert (2004), PyTorch's `hardtanh` (by default from -1 to 1, as here) and ONNX's `Clip`.
///
/// ```
/// use rectify::{Activation, Hardtanh};
///
/// let mut x = [-3.0_f32, -0.5, 0.25, 2.0];
/// Hardtanh::default().forward_inplace(&mut x);
/// assert_eq!(x, [-1.0, -0.5, 0.25, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hardtanh {
    min: f64,
    max: f64,
}

impl Hardtanh {
    /// With both bounds. (ONNX's `Clip` allows `min` > `max`, and gives `max` then.)
    ///
    /// # Panics
    ///
    /// When a bound is NaN or `min` is greater than `max`. They may be infinite.
    #[must_use]
    #[track_caller]
    pub const fn new(min: f64, max: f64) -> Self {
        assert!(
            min <= max,
            "Hardtanh: `min` is greater than `max`, or one of them is NaN"
        );
        Self { min, max }
    }
}

/// From -1 to 1.
impl Default for Hardtanh {
    fn default() -> Self {
        Self::new(-1.0, 1.0)
    }
}

impl Activation for Hardtanh {}

impl OneBitGradient for Hardtanh {}

static LOOPS: Loops<Hardtanh> = Loops::new();

#[derive(Clone, Copy)]
pub struct Rounded<T: Format> {
    min: T::Lane,
    max: T::Lane,
    /// The bounds have both signs, so that the intervals are of numbers with one sign, whose bits are in an order already.
    is_around_zero: bool,
    below: Interval<T::Lane>,
    above: Interval<T::Lane>,
    above_min: Interval<T::Lane>,
    below_max: Interval<T::Lane>,
}

impl<T: Element> Rounded<T> {
    #[inline(always)]
    fn order<V: Vector<Lane = T::Lane>>(self, simd: V::Simd, x: V) -> V {
        if self.is_around_zero { x } else { ordered(simd, x) }
    }
}

impl Function for Hardtanh {
    const LOOPS: &'static Loops<Self> = &LOOPS;

    type Rounded<T: Element> = Rounded<T>;

    #[inline(always)]
    fn round<T: Element>(self) -> Rounded<T> {
        let (min, max) = (T::round(self.min), T::round(self.max));
        let is_around_zero = min < T::Lane::ZERO && max > T::Lane::ZERO;
        let (below, up_to_min) = if is_around_zero {
            let below_min = min.wrapping_add(T::Lane::ONE);
            (
                Interval::new(below_min, T::NEG_INFINITY),
                Interval::new(min, T::NEG_INFINITY),
            )
        } else {
            (Interval::below::<T>(min), Interval::up_to::<T>(min))
        };
        Rounded {
            min,
            max,
            is_around_zero,
            below,
            above: Interval::above::<T>(max),
            above_min: up_to_min.complement(),
            below_max: Interval::from::<T>(max).complement(),
        }
    }

    #[inline(always)]
    fn forward_vector<T: Element, V: Vector<Lane = T::Lane>>(rounded: Rounded<T>, simd: V::Simd, x: V) -> V {
        let (min, max) = (V::splat(simd, rounded.min), V::splat(simd, rounded.max));
        if has_fast_minimum::<V>() && rounded.is_around_zero {
            // Without a sign, whole numbers are in the order of the magnitudes, first those of the positive numbers.
            let sign = V::splat(simd, T::Lane::MIN);
            let from_min = x.replace(x.xor(sign).gt(min.xor(sign)), min);
            return unless_nan::<T, V>(simd, x, from_min.replace(from_min.gt(max), max));
        }
        let order = rounded.order(simd, x);
        x.replace(rounded.below.contains(simd, order), min)
            .replace(rounded.above.contains(simd, order), max)
    }

    backward_by_bit!();
}

impl OneBitFunction for Hardtanh {
    #[inline(always)]
    fn is_live<T: Element, V: Vector<Lane = T::Lane>>(rounded: Rounded<T>, simd: V::Simd, x: V) -> V::Mask {
        let order = rounded.order(simd, x);
        let above_min = rounded.above_min.contains(simd, order);
        V::and(simd, above_min, rounded.below_max.contains(simd, order))
    }
}
