use super::parameter::{ParameterError, or_panic, require};
use super::relu::{Passes, above_negative_infinity, passes};
use super::{Function, OneBit, copy_by_format};
use crate::simd::{ChooseFn, Float, FloatFn, FloatLane, Format, Lane, Vector};

/// Leaky ReLU: f(x) = x where `!(x <= 0)`, else x * `negative_slope`; but f(+0.0) = +0.0.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | > 0, +inf | x | g |
/// | +0.0 | +0.0 | g * slope |
/// | < 0, -inf, -0.0 | x * slope | g * slope |
/// | NaN | the same NaN | g |
///
/// ```
/// use rectify::{Activation, LeakyRelu};
///
/// let slope = 0.25_f32;
/// let leaky_relu = LeakyRelu::new(f64::from(slope));
///
/// let mut x = [-2.0_f32, 0.0, 3.0];
/// let mut grad = [1.0; 3];
/// leaky_relu.backward_inplace(&x, &mut grad);
/// leaky_relu.forward_inplace(&mut x);
/// assert_eq!(x, [-0.5, 0.0, 3.0]);
/// assert_eq!(grad, [0.25, 0.25, 1.0]);
/// ```
///
/// # Notes
///
/// - With a slope of 0, or one that is rounded to 0, both products are +0.0, whatever x and g are. So the result is
///   that of [`Relu`](super::Relu), bit for bit.
/// - With a slope >= 0, `backward` accepts the input or the output of `forward`; otherwise only the input.
/// - The gradient at x = 0 is g * slope, as in PyTorch.
/// - f(+0.0) = +0.0 with a negative slope too, where [`PRelu`](crate::PRelu) returns -0.0.
/// - The slope is rounded to the compute format: `f32` for `f32`, `f16` and `bf16`, else `f64`. A slope out of the
///   range of `f32` becomes its greatest finite number, with the same sign. One below the normal numbers has fewer
///   digits; below half of the least subnormal number it is 0.
/// - `f32` is within 1.5 ulp of the exact product, by default within 0.84 ulp (at x = -6.46e-25), for any g too. `f64`
///   is within 0.5 ulp, `f16` and `bf16` within 0.51 ulp. This holds for slopes that are 0 or normal.
/// - A product is rounded to nearest even in the compute format, and for `f16` and `bf16` once more to the format of
///   the elements. The CPU's rounding and flush-to-zero modes apply.
/// - A NaN g comes out of a product quiet.
/// - Subnormal products are slow. The [crate's page](crate#select-functions-and-arithmetic-functions) has the way
///   around.
///
/// It is ONNX's operator `LeakyRelu` and PyTorch's `leaky_relu`. It is due to Maas, Hannun and Ng (2013).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch: f(+0.0) is -0.0 with a negative slope.
/// - PyTorch: the gradient at NaN is g * slope.
/// - ONNX Runtime: zeros are returned as they are, whatever the slope.
/// - PyTorch, ONNX Runtime: products with a slope of 0 are computed: -0.0 instead of +0.0, or NaN.
/// - PyTorch in `f32`, `f16` and `bf16`: a slope out of the range of `f32` is an error.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch in `bf16`, ONNX Runtime in `f16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    negative_slope: f64,
}

impl LeakyRelu {
    /// Leaky ReLU with this slope for x <= 0.
    ///
    /// The parameter is `f64`; of an `f32` write `f64::from(slope)`.
    ///
    /// # Panics
    ///
    /// Panics if `negative_slope` is NaN or infinite. It may be negative.
    #[must_use]
    #[track_caller]
    pub const fn new(negative_slope: f64) -> Self {
        or_panic!(Self::try_new(negative_slope))
    }

    /// [`new`](Self::new), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `new` panics.
    pub const fn try_new(negative_slope: f64) -> Result<Self, ParameterError> {
        require!(
            negative_slope.is_finite(),
            "LeakyRelu: `negative_slope` is NaN or infinite"
        );
        Ok(Self { negative_slope })
    }

    const DEFAULT: Self = Self::new(0.01);
}

/// The default of PyTorch and ONNX: 0.01.
impl Default for LeakyRelu {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[derive(Clone, Copy)]
pub struct Params<L> {
    slope: Slope,
    /// Nonzero where the slope, rounded to the compute format, is nonzero.
    has_slope: L,
}

impl Function for LeakyRelu {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("leaky_relu", Self::DEFAULT),
        ("LeakyReLU", Self::DEFAULT),
        ("LeakyRelu", Self::DEFAULT),
    ];

    type Code<T: Format> = T;
    type Params<L: Lane> = Params<L>;

    fn params<T: Format>(self) -> Params<T::Lane> {
        let slope = T::ComputedIn::nearest_finite(self.negative_slope);
        Params {
            slope: Slope::new(slope),
            has_slope: if slope == T::ComputedIn::ZERO || slope == T::ComputedIn::SIGN_BIT {
                T::Lane::ZERO
            } else {
                T::Lane::LOWEST_BIT
            },
        }
    }

    #[inline(always)]
    fn value<T: Format, V: Vector<Lane = T::Lane>>(params: Params<T::Lane>, simd: V::Simd, x: V) -> V {
        let is_kept = above_negative_infinity(T::NEG_INFINITY, simd, x);
        choose::<T, V>(params, simd, is_kept, x)
    }

    #[inline(always)]
    fn gradient<T: Format, V: Vector<Lane = T::Lane>>(
        params: Params<T::Lane>,
        simd: V::Simd,
        x: V,
        grad_output: V,
    ) -> V {
        choose::<T, V>(params, simd, passes(T::NEG_INFINITY, simd, x), grad_output)
    }
}

impl OneBit for LeakyRelu {
    type Live<L: Lane> = Passes<L>;

    fn live<T: Format>(self) -> Passes<T::Lane> {
        Passes(T::NEG_INFINITY)
    }

    type ByBit<T: Format> = ByBit<T>;

    fn by_bit<T: Format>(self) -> ByBit<T> {
        ByBit(Function::params::<T>(self))
    }
}

/// The gradient, of `grad_output` and the bit of x.
pub struct ByBit<T: Format>(Params<T::Lane>);

copy_by_format!(ByBit);

impl<T: Format> ChooseFn for ByBit<T> {
    type Lane = T::Lane;

    #[inline(always)]
    fn choose<V: Vector<Lane = T::Lane>>(self, simd: V::Simd, is_live: V::Mask, grad_output: V) -> V {
        choose::<T, V>(self.0, simd, is_live, grad_output)
    }
}

/// `number` where `is_kept`, else `number * slope`, or +0.0 if the slope is 0.
#[inline(always)]
fn choose<T: Format, V: Vector<Lane = T::Lane>>(
    params: Params<T::Lane>,
    simd: V::Simd,
    is_kept: V::Mask,
    number: V,
) -> V {
    let has_slope = V::splat(simd, params.has_slope).nonzero();
    V::compute::<T, _, 1>(simd, params.slope, [number])
        .keep(has_slope)
        .replace(is_kept, number)
}

/// A product with a number of the compute format, given by its bits.
#[derive(Clone, Copy)]
pub(super) struct Slope(u64);

impl Slope {
    #[inline(always)]
    pub(super) fn new<L: FloatLane>(slope: L) -> Self {
        Self(slope.to_bits())
    }
}

impl FloatFn<1> for Slope {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, [x]: [F; 1]) -> F {
        x.mul(F::splat(simd, F::Lane::from_bits(self.0)))
    }
}
