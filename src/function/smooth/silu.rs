use super::{Code, Smooth, Tie};
use crate::function::order::without_sign;
use crate::math::{
    Factor, exp_minus_product, is_f32, logistic_gradient, logistic_product, negated, number, scale, unscale,
};
use crate::simd::{Float, FloatLane, Lane};

/// SiLU, the sigmoid linear unit: f(x) = x * sigmoid(x) = x / (1 + e^-x).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | +inf | g |
/// | finite | x / (1 + e^-x) | g * sigmoid(x) * (1 + x * sigmoid(-x)) |
/// | +0.0, -0.0 | x | g / 2 |
/// | -inf | -0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Silu};
///
/// let x = [-100.0_f32, -0.0, 1.0, f32::INFINITY];
/// let mut y = [0.0; 4];
/// Silu.forward(&x, &mut y);
/// assert_eq!(y, [-3.72e-42, -0.0, 0.7310586, f32::INFINITY]);
///
/// let mut grad = [1.0; 4];
/// Silu.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [-3.683e-42, 0.5, 0.9276704, 1.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - f(x) has the sign of x. It falls to -0.2785 at x = -1.2785, and rises from there to -0.0 down to the least subnormal
///   number: in `f32` it is -0.0 from x = -108.7 on.
/// - The gradient is 0 at x = -1.2785, -0.1 at most below and 1.1 at most above. Where it is rounded to 0 in the compute format
///   for g = 1, it is +0.0 for each g.
/// - `f32`: the value is within 2.5 ulp of the exact one (2.1606 at x = -0.0150067955), the gradient for g = 1 within 4
///   (3.5319 at x = -0.52752525). From x = -2 to -0.8, about the root, that is 4 ulp of 2^-5 where the gradient is less: 2^-26. `f64`:
///   within 2 and 4 ulp, the greatest found are 1.78 at x = -2.25196 and 3.89 at x = -0.84449. For any g an ulp or two more.
/// - `f16` and `bf16`: each value is the exact one rounded, and so is each gradient for g = 1, except 10 of `f16` that are
///   its other neighbour.
/// - On both sides of its minimum f is not monotonic: of all neighbours in `f32` 954,377 go against its direction by an ulp
///   and 117 by two, from x = -2 to -0.69.
/// - With t = e^-|x|, it is u - u * t / (1 + t), where u is x, or x * t for x < 0; in `f64` u + u * (1 / (1 + t) - 1), where the last
///   factor is a quotient, or u/2 with another one. The gradient is (1 + t + x * t) / (1 + t)²,
///   or t * (1 + t + x) / (1 + t)² for x < 0. Fused multiply-adds, `f64` and the CPU's modes are as for
///   [`Sigmoid`](super::Sigmoid).
///
/// It is PyTorch's `silu`, and ONNX's operator `Swish` with its default alpha. It is due to Hendrycks and Gimpel (2016) and to
/// Elfwing, Uchibe and Doya (2017).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 returns instead, on x86-64 with AVX2:
///
/// - PyTorch: f(-inf) is NaN, and so is the gradient at both infinities.
/// - PyTorch: f(x) is -0.0 where e^-x overflows, below -88.72, in `f64` below -709.78. There the gradient is g * -0.0, or
///   NaN.
/// - PyTorch in `f32` and `f64`: f(x) is rounded otherwise, within 2 ulp.
/// - PyTorch in `f32`: the gradient is off by up to 9 * 2^-23 * g, whatever its size.
/// - PyTorch in `f64`: the gradient is off by up to 20 * 2^-52 * g, whatever its size.
/// - PyTorch in `f16`: results are rounded to `f32` first: within 0.51 ulp.
/// - PyTorch in `f32`, `f64` and `f16`: a signalling NaN comes out quiet.
/// - PyTorch: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Silu;

impl Smooth for Silu {
    const NAMES: &'static [(&'static str, Self)] = &[("silu", Self), ("SiLU", Self)];

    type Code = SiluOfProduct;

    #[inline(always)]
    fn params<L: FloatLane>(self) -> Factor {
        Factor::new::<L>(1.0)
    }
}

/// x * sigmoid(beta * x), of the parameter beta.
pub struct SiluOfProduct;

impl Code for SiluOfProduct {
    type Params = Factor;

    fn ties(beta: Factor) -> &'static [Tie] {
        // Of each beta the least number, whose half is rounded away from 0.
        if beta == Factor::new::<i32>(1.0) {
            // 0.005859375, -2.7246094
            &[[0x0001, 0x0001], [0x1e00, 0x1a04], [0xc173, 0xb15d]]
        } else if beta == Factor::new::<i32>(1.702) {
            // -0.00037431717
            &[[0x0001, 0x0001], [0x8e22, 0x8a21]]
        } else {
            &[[0x0001, 0x0001]]
        }
    }

    #[inline(always)]
    fn value<F: Float>(beta: Factor, simd: F::Simd, x: F) -> F {
        let magnitude = without_sign(simd, x);
        // t = e^-(beta |x|), scaled.
        let exp = exp_minus_product(simd, magnitude, beta);
        // u - u t / (1 + t) where u is |x|, or |x| t for negative x: scaled, and as exact as the growth.
        let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
        let bounded = beta.bounded(simd, magnitude);
        let product = bounded.mul(exp.power);
        let value = if is_f32::<F>() {
            let t = exp.value();
            let minus_quotient = t.div(negated(simd, scale::<F>(simd)).sub(t));
            let product = exp.growth.mul_add(product, product);
            // The factor of a t of 0 is finite.
            let factor = bounded.replace(is_negative, product);
            factor.mul_add(minus_quotient, magnitude.replace(is_negative, product))
        } else {
            let base = magnitude.replace(is_negative, product);
            let finite = bounded.replace(is_negative, product);
            logistic_product(simd, [base, finite], exp, is_negative)
        };
        let unscale = number::<F>(simd, 1.0).replace(is_negative, unscale(simd));
        value.mul(unscale).xor(x.xor(magnitude))
    }

    #[inline(always)]
    fn gradient<F: Float>(beta: Factor, simd: F::Simd, x: F, grad_output: F) -> F {
        let magnitude = without_sign(simd, x);
        let exp = exp_minus_product(simd, magnitude, beta);
        let scaled = exp.value();
        // With z = beta |x|: (1 + z t + t) / (1 + t)², or t (1 - z + t) / (1 + t)² for negative x.
        let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
        let one: F = number(simd, 1.0);
        let bounded = beta.bounded(simd, magnitude);
        let t = scaled.mul(unscale(simd));
        let factor = bounded.mul(t).replace(is_negative, negated(simd, bounded));
        // Next to the root 1 - z cancels, and t is taken in two parts.
        let power = exp.power.mul(unscale(simd));
        let sum = beta.product_between(simd, power.add(one), factor, exp.growth.mul(power));
        // The product with a power of two is exact.
        let scaled_sum = sum.mul(scale::<F>(simd).replace(is_negative, exp.power));
        let numerator = exp.growth.keep(is_negative).mul_add(scaled_sum, scaled_sum);
        logistic_gradient(simd, numerator, scaled, grad_output)
    }
}
