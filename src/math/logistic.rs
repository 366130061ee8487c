//! The slope of sigmoid, of which that of tanh is another one.

use super::{half_of_least_number, number, scale, unscale};
use crate::simd::{Float, Lane};

/// `grad_output * numerator / (1 + t)²` for a t up to 1, where `exp` is t and both are scaled.
#[inline(always)]
pub fn logistic_gradient<F: Float>(simd: F::Simd, numerator: F, exp: F, grad_output: F) -> F {
    // (1 + t)² = t (t + 2) + 1
    let t = exp.mul(unscale(simd));
    let square = t.mul_add(t.add(number(simd, 2.0)), number(simd, 1.0));
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
