use super::order::Outside;
use super::parameter::{ParameterError, or_panic, require};
use super::{Keep, OneBit, Select};
use crate::simd::{Format, Lane, LiveFn, Rounding, Vector};

/// Hardshrink: f(x) = x where |x| > lambda, else +0.0.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | \|x\| > lambda, infinities | x | g |
/// | \|x\| <= lambda | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | g |
///
/// ```
/// use rectify::{Activation, Hardshrink};
///
/// let mut x = [-2.0_f32, -0.5, 0.25, 0.75];
/// Hardshrink::new(0.5).forward_inplace(&mut x);
/// assert_eq!(x, [-2.0, 0.0, 0.0, 0.75]);
/// ```
///
/// # Notes
///
/// - `backward` accepts the input or the output of `forward`.
/// - The gradient is 0 at |x| = lambda.
/// - x is compared with `lambda` as it is, which is not rounded to the format. Nothing is computed: a result is x or +0.0.
///
/// It is PyTorch's `hardshrink`, and ONNX's operator `Shrink` with a bias of 0. It is the hard threshold of Donoho and
/// Johnstone (1994).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch in `f32`, `f16` and `bf16`: `lambda` is rounded to the format.
/// - ONNX Runtime in `f32`: `lambda` is rounded to `f32`.
/// - ONNX Runtime in `f64`: it is computed in `f32`.
/// - PyTorch in `f32`, `f16` and `bf16`: a `lambda` that rounds to infinity is an error.
/// - PyTorch: the gradient at NaN is +0.0 in whole vectors, and g in the tail.
/// - ONNX Runtime: f(NaN) is +0.0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hardshrink {
    lambda: f64,
}

impl Hardshrink {
    /// Hardshrink with the threshold `lambda`.
    ///
    /// The parameter is `f64`; of an `f32` write `f64::from(lambda)`.
    ///
    /// # Panics
    ///
    /// Panics if `lambda` is negative or NaN. It may be infinite.
    #[must_use]
    #[track_caller]
    pub const fn new(lambda: f64) -> Self {
        or_panic!(Self::try_new(lambda))
    }

    /// [`new`](Self::new), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `new` panics.
    pub const fn try_new(lambda: f64) -> Result<Self, ParameterError> {
        require!(lambda >= 0.0, "Hardshrink: `lambda` is negative or NaN");
        Ok(Self { lambda })
    }

    const DEFAULT: Self = Self::new(0.5);
}

/// The default of PyTorch and ONNX: 0.5.
impl Default for Hardshrink {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Select for Hardshrink {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("hardshrink", Self::DEFAULT),
        ("Hardshrink", Self::DEFAULT),
        ("Shrink", Self::DEFAULT),
    ];

    /// Above the greatest number of the format up to lambda.
    type Params<L: Lane> = Outside<L>;

    fn params<T: Format>(self) -> Outside<T::Lane> {
        let bound = T::bits_of(self.lambda, Rounding::Down);
        // Beyond the range that is infinite, but infinity is above lambda.
        let greatest = T::INFINITY.wrapping_sub(T::Lane::LOWEST_BIT);
        // By its bits: a comparison of numbers would raise a flag.
        let is_finite = f64::bits_of_nearest(self.lambda) < <f64 as Format>::INFINITY;
        Outside::new(if is_finite { bound.min(greatest) } else { bound })
    }

    #[inline(always)]
    fn value<V: Vector>(live: Outside<V::Lane>, simd: V::Simd, x: V) -> V {
        x.keep(live.is_live(simd, x))
    }

    #[inline(always)]
    fn is_live<V: Vector>(live: Outside<V::Lane>, simd: V::Simd, x: V) -> V::Mask {
        live.is_live(simd, x)
    }
}

impl OneBit for Hardshrink {
    type Live<L: Lane> = Outside<L>;

    fn live<T: Format>(self) -> Outside<T::Lane> {
        Select::params::<T>(self)
    }

    type ByBit<T: Format> = Keep<T::Lane>;

    fn by_bit<T: Format>(self) -> Keep<T::Lane> {
        Keep::new()
    }
}
