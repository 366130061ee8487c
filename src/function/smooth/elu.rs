use super::{Code, Smooth};
use crate::function::order::without_sign;
use crate::function::parameter::{ParameterError, or_panic, require};
use crate::math::{
    Factor, by_bits, exp_minus_product, growth_minus_product, half_of_least_number, negated, number, unscale,
};
use crate::simd::{Float, FloatLane, Lane};

/// ELU, the exponential linear unit: f(x) = x for x > 0, else alpha * (e^x - 1).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | > 0, +inf | x | g |
/// | +0.0, -0.0 | x | g * alpha |
/// | < 0 | alpha * (e^x - 1) | g * alpha * e^x |
/// | -inf | -alpha | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Elu};
///
/// let x = [-100.0_f32, -0.0, -1e-10, 2.0];
/// let mut y = [0.0; 4];
/// Elu::default().forward(&x, &mut y);
/// assert_eq!(y, [-1.0, -0.0, -1e-10, 2.0]);
///
/// let mut grad = [1.0; 4];
/// Elu::default().backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [3.783506e-44, 1.0, 1.0, 1.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`. At x = 0 the gradient is that of x < 0, as in PyTorch.
/// - f(x) has the sign of x. Next to 0 it is alpha * x, down to the least subnormal number.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - `f32`: by default the value is within 1 ulp of the exact one (0.9838 at x = -0.28552502), the
///   gradient for g = 1 within 1.05 (1.0325 at x = -59.919807). `f64`: within 1.5 ulp, the greatest found is 1.21 at
///   x = -0.387422. For any alpha the value is within 2.5 ulp, the gradient
///   within 2, and for any g within 4, with an alpha up to 2.
/// - With an alpha above 2, gradients below alpha times the least normal number are off by up to another alpha / 2 ulp.
/// - `f16` and `bf16`: by default each value is the exact one rounded, and so is each gradient for g = 1. For any alpha they are
///   within 0.51 ulp.
/// - f is monotonic: by default no two neighbours in `f32` go down.
/// - With e^x = s * (1 + w), where s is a power of two, it is alpha * s * w + (alpha * s - alpha): next to 0 s is 1. In `f32` w has the
///   rounding error of the argument, too. `alpha`
///   is rounded to the compute format. Fused multiply-adds, `f64` and the CPU's modes are as for
///   [`Sigmoid`](super::Sigmoid).
///
/// It is PyTorch's `elu` and ONNX's operator `Elu`, with the same default of alpha, 1. It is due to Clevert, Unterthiner and
/// Hochreiter (2015).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch in `f32`: f(x) is rounded otherwise, within 2 ulp.
/// - PyTorch in `f64`: f(x) is rounded otherwise, within an ulp.
/// - PyTorch in `f32` and `f64`: the gradient is rounded otherwise, within 2 ulp.
/// - PyTorch: where e^x is 0 or subnormal in `f32`, the gradient is its product with g * alpha: 0 with the sign of g, or
///   NaN.
/// - PyTorch: the gradient at NaN is NaN in whole vectors, and g in the tail.
/// - ONNX Runtime in `f32`: f(x) is alpha * (e^x - 1), off by up to 2^-25 and rounded: 0 for small x.
/// - ONNX Runtime in `f16`: f(x) is off by up to 0.4 * 2^-23 and rounded.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime in `f16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    alpha: f64,
}

impl Elu {
    /// ELU that falls to `-alpha`.
    ///
    /// The parameter is `f64`; of an `f32` write `f64::from(alpha)`.
    ///
    /// # Panics
    ///
    /// Panics if `alpha` is not positive and finite.
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
        require!(
            alpha > 0.0 && alpha.is_finite(),
            "Elu: `alpha` is not positive and finite"
        );
        Ok(Self { alpha })
    }
}

/// The default of PyTorch and ONNX: alpha is 1.
impl Default for Elu {
    fn default() -> Self {
        Self::new(1.0)
    }
}

impl Smooth for Elu {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("elu", Self::new(1.0)),
        ("ELU", Self::new(1.0)),
        ("Elu", Self::new(1.0)),
    ];

    type Code = ExpLinear;

    #[inline(always)]
    fn params<L: FloatLane>(self) -> Params {
        Params::new::<L>(1.0, self.alpha, self.alpha, [1.0, 0.0])
    }
}

/// Those of scale * x for x > 0, else weight * (e^(factor x) - 1), as bits of the compute format.
#[derive(Clone, Copy)]
pub struct Params {
    scale: u64,
    weight: u64,
    /// That of e^(factor x) in the slope: weight * factor.
    weight_of_slope: u64,
    factor: Factor,
}

impl Params {
    pub(super) fn new<L: FloatLane>(scale: f64, weight: f64, weight_of_slope: f64, [factor, rest]: [f64; 2]) -> Self {
        let bits = |number| L::nearest_finite(number).to_bits();
        Self {
            scale: bits(scale),
            weight: bits(weight),
            weight_of_slope: bits(weight_of_slope),
            factor: Factor::of_sum::<L>(factor, rest),
        }
    }
}

/// ELU and its kin.
pub struct ExpLinear;

impl Code for ExpLinear {
    type Params = Params;

    #[inline(always)]
    fn value<F: Float>(params: Params, simd: F::Simd, x: F) -> F {
        let number_of = |bits| by_bits::<F>(simd, bits);
        let magnitude = without_sign(simd, x);
        let exp = growth_minus_product(simd, magnitude, params.factor);
        let weight: F = number_of(params.weight);
        let minus_weight = negated(simd, weight);
        // The product with a power of two is exact.
        let minus_power = exp.power.mul(unscale(simd)).mul(minus_weight);
        let value = exp.growth.mul_add(minus_power, minus_power.add(weight));
        let line = magnitude.mul(number_of(params.scale));
        let is_positive = x.gt(F::splat(simd, F::Lane::ZERO));
        value.replace(is_positive, line).xor(x.xor(magnitude))
    }

    #[inline(always)]
    fn gradient<F: Float>(params: Params, simd: F::Simd, x: F, grad_output: F) -> F {
        let number_of = |bits| by_bits::<F>(simd, bits);
        let exp = exp_minus_product(simd, without_sign(simd, x), params.factor);
        // Where the slope may be subnormal, the gradient at the output takes the scale.
        let (one, unscale): (F, F) = (number(simd, 1.0), unscale(simd));
        let is_far = one.gt(exp.power);
        let power = exp
            .power
            .mul(unscale.replace(is_far, one))
            .mul(number_of(params.weight_of_slope));
        let slope = exp.growth.mul_add(power, power);
        let product = grad_output.mul(one.replace(is_far, unscale)).mul(slope);
        // +0.0 where the slope is rounded to 0: no 0 * inf.
        let product = product.keep(slope.gt(half_of_least_number::<F>(simd).keep(is_far)));
        let line = grad_output.mul(number_of(params.scale));
        product.replace(x.gt(F::splat(simd, F::Lane::ZERO)), line)
    }
}
