//! The slope of sigmoid, of which that of tanh is another one.

use super::{half_of_least_number, number, scale, unscale};
use crate::simd::Float;

/// `grad_output * numerator / (1 + t)²` for a t up to 1, where `exp` is t and both are scaled.
#[inline(always)]
pub fn logistic_gradient<F: Float>(simd: F::Simd, numerator: F, exp: F, grad_output: F) -> F {
    let (one, unscale): (F, F) = (number(simd, 1.0), unscale(simd));
    // (1 + t)² = t (t + 2) + 1
    let t = exp.mul(unscale);
    let square = t.mul_add(t.add(number(simd, 2.0)), one);
    // Where the slope may be subnormal, the gradient at the output takes the scale.
    let is_far = one.gt(numerator);
    let slope = numerator.div(square.mul(scale::<F>(simd).replace(is_far, one)));
    let product = grad_output.mul(one.replace(is_far, unscale)).mul(slope);
    // +0.0 where the slope is rounded to 0: no 0 * inf.
    product.keep(numerator.gt(half_of_least_number(simd)))
}
