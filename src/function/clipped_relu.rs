use super::order::{Interval, Live, Nan, has_fast_minimum};
use super::parameter::{ParameterError, or_panic, require};
use super::relu::{passes, relu};
use super::{Keep, OneBit, Select};
use crate::simd::{Format, Lane, Vector};

/// Clipped ReLU: f(x) = min(relu(x), max). With the bound 6 it is [`RELU6`](Self::RELU6).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | >= max, +inf | max | +0.0, even where g is infinite or NaN |
/// | between 0 and max | x | g |
/// | < 0, -inf, -0.0, +0.0 | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | g |
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
///
/// # Notes
///
/// - `backward` accepts the input or the output of `forward`.
/// - The gradient is 0 at x = 0 and x = max, as in PyTorch.
/// - `max` is rounded to the format of the elements; -0.0 is taken as +0.0. Nothing else is computed: a result is x, max
///   or +0.0.
/// - With an infinite `max` the gradient at x = +inf is +0.0, where [`Relu`](super::Relu) has g.
///
/// It is PyTorch's `relu6` and, with the bounds 0 and max, ONNX's `Clip`. ReLU6 is due to Krizhevsky (2010).
///
/// # PyTorch and ONNX Runtime
///
/// What `hardtanh(x, 0, max)` of PyTorch 2.15.0 and `Clip` of ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch, ONNX Runtime: f(-0.0) is -0.0.
/// - PyTorch: the gradient at NaN is +0.0 in whole vectors, and g in the tail.
/// - PyTorch in `f16` and `bf16`: the gradient's bounds are not rounded to the format.
/// - PyTorch, ONNX Runtime: a bound of -0.0 keeps its sign.
/// - PyTorch in `f32`, `f16` and `bf16`: a bound that rounds to infinity is an error.
/// - PyTorch in `f16`: a signalling NaN comes out quiet.
/// - PyTorch in `bf16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClippedRelu {
    max: f64,
}

impl ClippedRelu {
    /// ReLU6: the bound is 6.
    pub const RELU6: Self = Self::new(6.0);

    /// Clipped ReLU with the upper bound `max`.
    ///
    /// The parameter is `f64`; of an `f32` write `f64::from(max)`.
    ///
    /// # Panics
    ///
    /// Panics if `max` is negative or NaN. It may be infinite.
    #[must_use]
    #[track_caller]
    pub const fn new(max: f64) -> Self {
        or_panic!(Self::try_new(max))
    }

    /// [`new`](Self::new), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `new` panics.
    pub const fn try_new(max: f64) -> Result<Self, ParameterError> {
        require!(max >= 0.0, "ClippedRelu: `max` is negative or NaN");
        Ok(Self { max })
    }
}

#[derive(Clone, Copy)]
pub struct Params<L> {
    negative_infinity: L,
    max: L,
    above: Interval<L>,
    below: Interval<L>,
    nan: Nan<L>,
}

impl Select for ClippedRelu {
    const NAMES: &'static [(&'static str, Self)] = &[("relu6", Self::RELU6), ("ReLU6", Self::RELU6)];

    type Params<L: Lane> = Params<L>;

    fn params<T: Format>(self) -> Params<T::Lane> {
        let max = T::bits_of_nearest(self.max);
        // As integers, positive numbers are in their own order.
        Params {
            negative_infinity: T::NEG_INFINITY,
            max,
            above: Interval::above::<T>(max),
            below: Interval::new(max, T::INFINITY).complement(),
            nan: Nan::of::<T>(),
        }
    }

    #[inline(always)]
    fn value<V: Vector>(params: Params<V::Lane>, simd: V::Simd, x: V) -> V {
        let max = V::splat(simd, params.max);
        if has_fast_minimum::<V>() {
            let positive = x.keep(x.gt(V::splat(simd, V::Lane::ZERO)));
            return params.nan.restore(simd, x, positive.replace(positive.gt(max), max));
        }
        let above = params.above.contains(simd, x);
        relu(params.negative_infinity, simd, x).replace(above, max)
    }

    #[inline(always)]
    fn is_live<V: Vector>(params: Params<V::Lane>, simd: V::Simd, x: V) -> V::Mask {
        let passes = passes(params.negative_infinity, simd, x);
        V::and(simd, passes, params.below.contains(simd, x))
    }
}

impl OneBit for ClippedRelu {
    type Live<L: Lane> = Live<L>;

    fn live<T: Format>(self) -> Live<T::Lane> {
        Live::between::<T>(T::Lane::ZERO, T::bits_of_nearest(self.max))
    }

    type ByBit<T: Format> = Keep<T::Lane>;

    fn by_bit<T: Format>(self) -> Keep<T::Lane> {
        Keep::new()
    }
}
