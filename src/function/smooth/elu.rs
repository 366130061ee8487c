use super::{Code, Smooth};
use crate::function::order::without_sign;
use crate::function::parameter::{ParameterError, or_panic, require};
use crate::math::{
    Factor, LnSteps, by_bits, exp_minus_product, exp_quotient, half_of_least_number, is_f32, is_nan, near_or_far,
    negated, number, unscale,
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
/// - `f32`: by default the value is within 1 ulp of the exact one (0.9101 at x = -0.38396224), the
///   gradient for g = 1 within 1.05 (1.0087 at x = -5.846309). `f64`: within 1.5 ulp, the greatest found is 1.21 at
///   x = -0.387422. For any alpha the value is within 2.5 ulp, the gradient
///   within 2, and for any g within 4, with an alpha up to 2.
/// - With an alpha above 2, gradients below alpha times the least normal number are off by up to another alpha / 2 ulp.
/// - `f16` and `bf16`: by default each value is the exact one rounded, and so is each gradient for g = 1. For any alpha they are
///   within 0.51 ulp.
/// - f is monotonic: by default no two neighbours in `f32` go down.
/// - With e^x = s * (1 + w), where s is a power of two, it is alpha * s * w + (alpha * s - alpha): next to 0 s is 1. In `f32` w is a
///   polynomial of x - n * ln(2), where ln(2) is rounded and the difference isn't. `alpha` is rounded to the compute format. Fused
///   multiply-adds, `f64` and the CPU's modes are as for [`Sigmoid`](super::Sigmoid).
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
    /// Of the factor, too, in `f32`.
    steps: LnSteps,
    /// In `f32`: from this x down the value is -weight.
    least: u64,
    /// In `f32`: where |x| is more, as integers, the slope may be subnormal.
    end: u64,
}

impl Params {
    pub(super) fn new<L: FloatLane>(scale: f64, weight: f64, weight_of_slope: f64, [factor, rest]: [f64; 2]) -> Self {
        const TWO_90: f64 = (1_u128 << 90) as f64;
        const TWO_MINUS_20: f64 = 1.0 / (1 << 20) as f64;
        let bits = |number| L::nearest_finite(number).to_bits();
        // 2^-20 e^-72 is normal. What the lower part of a step loses where it is subnormal doesn't count.
        let is_normal = weight_of_slope >= TWO_MINUS_20 && factor <= TWO_90;
        Self {
            scale: bits(scale),
            weight: bits(weight),
            weight_of_slope: bits(weight_of_slope),
            factor: Factor::of_sum::<L>(factor, rest),
            steps: LnSteps::new::<L>(factor),
            least: bits(-87.0 / factor),
            end: bits(if is_normal { 72.0 / factor } else { -0.0 }),
        }
    }
}

/// ELU and its kin.
pub struct ExpLinear;

impl Code for ExpLinear {
    const KEEPS_NAN: bool = true;

    type Params = Params;

    #[inline(always)]
    fn value<F: Float>(params: Params, simd: F::Simd, x: F) -> F {
        if is_f32::<F>() {
            value_f32(params, simd, x)
        } else {
            value_f64(params, simd, x)
        }
    }

    #[inline(always)]
    fn gradient<F: Float>(params: Params, simd: F::Simd, x: F, grad_output: F) -> F {
        let far = || far_gradient(params, simd, x, grad_output);
        if const { !is_f32::<F>() } {
            return far();
        }
        let weight = by_bits::<F>(simd, params.weight_of_slope);
        let [power, growth] = params.steps.exp(simd, x);
        let power = power.mul(weight);
        let product = growth.mul_add(power, power).mul(grad_output);
        let near = product.replace(is_positive(simd, x), line(params, simd, grad_output));
        let is_far = without_sign(simd, x).gt(by_bits(simd, params.end));
        near_or_far(simd, x, is_far, near, far)
    }
}

#[inline(always)]
fn value_f32<F: Float>(params: Params, simd: F::Simd, x: F) -> F {
    let [weight, weight_of_slope, least] =
        [params.weight, params.weight_of_slope, params.least].map(|bits| by_bits::<F>(simd, bits));
    // As integers, negative numbers are below the others and in the other order: the lesser one is nearer to -0.0.
    let x_from_least = x.lesser(least);
    let [power, _, offset] = params.steps.split(simd, x_from_least);
    // -weight * growth = -weight_of_slope * offset - weight * r² quotient, for r = factor * offset
    let r = params.steps.product(simd, offset);
    let minus_weight = negated(simd, weight);
    let quotient = exp_quotient(simd, r, minus_weight);
    let minus_growth = offset.mul_add(negated(simd, weight_of_slope), r.mul(r).mul(quotient));
    let minus_value = power.mul_add(minus_growth, power.mul_add(minus_weight, weight));
    // The bits after those of -inf are of NaN.
    let is_negative = by_bits::<F>(simd, 0xff80_0001).gt(x);
    let positive = if params.scale == F::Lane::nearest_finite(1.0).to_bits() {
        x
    } else {
        line(params, simd, x).replace(is_nan(simd, x), x)
    };
    // So that 0 has the sign of x.
    positive.replace(is_negative, negated(simd, minus_value))
}

#[inline(always)]
fn value_f64<F: Float>(params: Params, simd: F::Simd, x: F) -> F {
    let magnitude = without_sign(simd, x);
    let exp = exp_minus_product(simd, magnitude, params.factor);
    let weight: F = by_bits(simd, params.weight);
    let minus_weight = negated(simd, weight);
    // The product with a power of two is exact.
    let minus_power = exp.power.mul(unscale(simd)).mul(minus_weight);
    let value = exp.growth.mul_add(minus_power, minus_power.add(weight));
    let value = value.replace(is_positive(simd, x), line(params, simd, magnitude));
    value.xor(x.xor(magnitude))
}

/// The gradient, in `f64` of any x. Where the slope may be subnormal, the gradient at the output takes the scale.
#[inline(always)]
fn far_gradient<F: Float>(params: Params, simd: F::Simd, x: F, grad_output: F) -> F {
    let exp = exp_minus_product(simd, without_sign(simd, x), params.factor);
    let (one, unscale): (F, F) = (number(simd, 1.0), unscale(simd));
    let weight: F = by_bits(simd, params.weight_of_slope);
    let is_far = one.gt(exp.power.mul(weight.lesser(one)));
    let power = exp.power.mul(unscale.replace(is_far, one)).mul(weight);
    let slope = exp.growth.mul_add(power, power);
    let product = grad_output.mul(one.replace(is_far, unscale)).mul(slope);
    // +0.0 where the slope is rounded to 0: no 0 * inf.
    let product = product.keep(slope.gt(half_of_least_number::<F>(simd).keep(is_far)));
    product.replace(is_positive(simd, x), line(params, simd, grad_output))
}

/// `scale * x`
#[inline(always)]
fn line<F: Float>(params: Params, simd: F::Simd, x: F) -> F {
    x.mul(by_bits(simd, params.scale))
}

#[inline(always)]
fn is_positive<F: Float>(simd: F::Simd, x: F) -> F::Mask {
    x.gt(F::splat(simd, F::Lane::ZERO))
}
