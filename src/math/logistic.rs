//! The slope of sigmoid, of which that of tanh is another one.

use super::{ScaledExp, half_of_least_number, is_f32, number, scale, unscale};
use crate::simd::{Float, Lane};

/// `grad_output * numerator / (1 + t)²` for a t up to 1, where `exp` is t and both are scaled.
#[inline(always)]
pub fn logistic_gradient<F: Float>(simd: F::Simd, numerator: F, exp: F, grad_output: F) -> F {
    // (1 + t)² = t (t + 2) + 1, or (t² + 2 t) + 1 with roundings that are less.
    let (t, one): (F, F) = (exp.mul(unscale(simd)), number(simd, 1.0));
    let square = if is_f32::<F>() {
        t.mul_add(t.add(number(simd, 2.0)), one)
    } else {
        t.mul_add(t, t.add(t)).add(one)
    };
    scaled_gradient(simd, numerator, square, grad_output)
}

/// `grad_output * numerator / denominator`, where the numerator is scaled. The denominator is from 1 to 32.
#[inline(always)]
pub fn scaled_gradient<F: Float>(simd: F::Simd, numerator: F, denominator: F, grad_output: F) -> F {
    let one: F = number(simd, 1.0);
    let magnitude = |x: F| x.bitand(F::splat(simd, F::Lane::WITHOUT_SIGN));
    // Where the slope may be subnormal, the gradient at the output takes the scale.
    let is_far = one.gt(magnitude(numerator));
    let slope = numerator.div(denominator.mul(scale::<F>(simd).replace(is_far, one)));
    let product = grad_output.mul(one.replace(is_far, unscale(simd))).mul(slope);
    // +0.0 where the slope is rounded to 0: no 0 * inf.
    product.keep(magnitude(slope).gt(half_of_least_number(simd)))
}

/// `base / (1 + t)`, or `base * (1 + growth) / (1 + t)` where x is negative, for the t = e^-|x| whose growth it is. In `f64` it is within 2 ulp.
///
/// `finite` is the base, or any finite number where t is 0.
#[inline(always)]
pub fn logistic_product<F: Float>(simd: F::Simd, [base, finite]: [F; 2], exp: ScaledExp<F>, is_negative: F::Mask) -> F {
    // With t = p (1 + g) the quotient is c + n / (1 + t) for n = 1 - c - c t, or n = that + g.
    let one: F = number(simd, 1.0);
    let (p, g) = (exp.power.mul(unscale(simd)), exp.growth);
    let c = center(simd, p, g.keep(is_negative));
    let part = c.mul(p);
    let of_growth = one.keep(is_negative).sub(part);
    let [r, rest] = exp.parts;
    let numerator = rest.mul_add(of_growth, r.mul_add(of_growth, one.sub(c).sub(part)));
    let quotient = numerator.div(g.mul_add(p, one.add(p)));
    quotient.mul_add(finite, base.mul(c))
}

/// A power of two beside which `1 / (1 + t)` and `(1 + g) / (1 + t)` are, for t = p (1 + g): what they are more has roundings that count little.
#[inline(always)]
pub fn center<F: Float>(simd: F::Simd, p: F, g: F) -> F {
    let one: F = number(simd, 1.0);
    one.replace(p.sub(g).gt(number(simd, 0.25)), number(simd, 0.5))
}
