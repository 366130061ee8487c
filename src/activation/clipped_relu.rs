use super::one_bit::backward_by_bit;
use super::order::{Interval, has_fast_minimum, unless_nan};
use super::relu::{Relu, passes};
use super::{Activation, Function, Loops, OneBitFunction, OneBitGradient};
use crate::element::{Element, Format};
use crate::simd::{Lane, Vector};

/// Clipped ReLU: min(relu(x), max). With the bound 6 it is [`RELU6`](Self::RELU6).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | >= max, +inf | max | +0.0 |
/// | between 0 and max | x | g |
/// | < 0, -inf, -0.0, +0.0 | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | g |
///
/// The values are in \[0, max\]; the gradient is 0 at both ends, as PyTorch has it. `max` is rounded to the format of the
/// elements, and nothing is computed in another one (an infinite one has the gradient 0 at x = inf, where [`Relu`](super::Relu) has g): this is a choice between x, max and 0. `backward` may be given the input or
/// the output of `forward`.
///
/// ReLU6 is due to Krizhevsky (2010); it is PyTorch's `relu6` and ONNX's `Clip` with the bounds 0 and 6.
///
/// ```
/// use rectify::{Activation, ClippedRelu};
///
/// let mut x = [-1.0_f32, 3.0, 6.0, 7.5];
/// let mut grad = [1.0; 4];
/// ClippedRelu::RELU6.backward_inplace(&x, &mut grad);
/// ClippedRelu::RELU6.forward_inplace(&mut x);
/// assert_eq!(x, [0.0, 3.0, 6.0, 6.0]);
/// assert_eq!(grad, [0.0, 1.0, 0.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClippedRelu {
    max: f64,
}

impl ClippedRelu {
    /// With the bound 6.
    pub const RELU6: Self = Self::new(6.0);

    /// With the bound above.
    ///
    /// # Panics
    ///
    /// When `max` is negative or NaN. It may be infinite.
    #[must_use]
    #[track_caller]
    pub const fn new(max: f64) -> Self {
        assert!(max >= 0.0, "ClippedRelu: `max` is negative or NaN");
        Self { max }
    }
}

impl Activation for ClippedRelu {}

impl OneBitGradient for ClippedRelu {}

static LOOPS: Loops<ClippedRelu> = Loops::new();

#[derive(Clone, Copy)]
pub struct Rounded<T: Format> {
    max: T::Lane,
    above: Interval<T::Lane>,
    below: Interval<T::Lane>,
}

impl Function for ClippedRelu {
    const LOOPS: &'static Loops<Self> = &LOOPS;

    type Rounded<T: Element> = Rounded<T>;

    #[inline(always)]
    fn round<T: Element>(self) -> Rounded<T> {
        let max = T::round(self.max);
        // Numbers without a sign are in the order of their bits.
        Rounded {
            max,
            above: Interval::above::<T>(max),
            below: Interval::new(max, T::INFINITY).complement(),
        }
    }

    #[inline(always)]
    fn forward_vector<T: Element, V: Vector<Lane = T::Lane>>(rounded: Rounded<T>, simd: V::Simd, x: V) -> V {
        let max = V::splat(simd, rounded.max);
        if has_fast_minimum::<V>() {
            let positive = x.keep(x.gt(V::splat(simd, T::Lane::ZERO)));
            return unless_nan::<T, V>(simd, x, positive.replace(positive.gt(max), max));
        }
        let above = rounded.above.contains(simd, x);
        Relu::forward_vector::<T, V>((), simd, x).replace(above, max)
    }

    backward_by_bit!();
}

impl OneBitFunction for ClippedRelu {
    #[inline(always)]
    fn is_live<T: Element, V: Vector<Lane = T::Lane>>(rounded: Rounded<T>, simd: V::Simd, x: V) -> V::Mask {
        V::and(simd, passes::<T, V>(simd, x), rounded.below.contains(simd, x))
    }
}
