use super::from_output::OfOutput;
use super::{Code, Smooth};
use crate::function::order::without_sign;
use crate::math::{exp_minus, is_f32, logistic_gradient, negated, number, scale, unscale};
use crate::simd::{Float, FloatLane};

/// Hyperbolic tangent: f(x) = (e^x - e^-x) / (e^x + e^-x).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | 1 | +0.0, even where g is infinite or NaN |
/// | finite | tanh(x) | g * (1 - tanh(x)²) |
/// | +0.0, -0.0 | x | g |
/// | -inf | -1 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Tanh};
///
/// let x = [-40.0_f32, -0.0, 0.5];
/// let mut y = [0.0; 3];
/// Tanh.forward(&x, &mut y);
/// assert_eq!(y, [-1.0, -0.0, 0.46211717]);
///
/// let mut grad = [1.0; 3];
/// Tanh.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [7.2194053e-35, 1.0, 0.7864477]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`; [`FromOutput`](crate::FromOutput) takes the output. Where |f(x)| is rounded to 1, from |x| = 9.02 on, the gradient falls
///   down to the least subnormal number. In `f32` it is +0.0 from |x| = 52.7 on.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - f(-x) is -f(x), bit for bit, and |f(x)| is at most 1. A subnormal x is returned as it is. f is monotonic: no two
///   neighbours in `f32` go down. In `f64` some do, by an ulp.
/// - `f32`: the value is within 2 ulp of the exact one (1.9557 at x = 0.116137035), the gradient for g = 1 within 2.75
///   (2.3791 at x = 2.7692218). `f64`: within 2 and 2.5 ulp, the greatest found are 1.95 at x = 0.197681 and 2.39 at
///   x = -3.11895. For any g an ulp or two more.
/// - `f16` and `bf16`: each value is the exact one rounded, and so is each gradient for g = 1, except 6 of `f16` that are
///   its other neighbour.
/// - It is (1 - t) / (1 + t) for t = e^-2|x|, with the sign of x, in `f64` as d/2 + d² / 2 (2 - d) for d = 1 - t, and the gradient is 4 * t / (1 + t)². Fused
///   multiply-adds, `f64` and the CPU's modes are as for [`Sigmoid`](super::Sigmoid).
///
/// It is PyTorch's `tanh` and ONNX's operator `Tanh`. LeCun, Bottou, Orr and Müller (1998) recommend it
/// over sigmoid.
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch in `f32`: f(x) is rounded otherwise, within 0.6 ulp.
/// - PyTorch in `f64`: f(x) is rounded otherwise, in whole vectors and in the tail, within 0.75 ulp.
/// - ONNX Runtime in `f32`: f(x) is rounded otherwise, within 5.5 ulp: 1 + 2^-22 at some x, such as 8.60875.
/// - ONNX Runtime in `f32`: f(x) is off by up to 104 ulp where |x| is below 2^-120.
/// - ONNX Runtime in `f64`: f(x) is rounded otherwise, within 8.5 ulp.
/// - PyTorch: the gradient is g * (1 - y²) of the rounded y = f(x), where 1 - y² is rounded once. Where y is 1 or -1 that
///   is 0 with the sign of g, or NaN: in `f32` from |x| = 9.02 on, in `bf16` from 3.47 on.
/// - PyTorch in `f32` and `f64`, ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime in `f16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tanh;

impl Smooth for Tanh {
    const NAMES: &'static [(&'static str, Self)] = &[("tanh", Self), ("Tanh", Self)];

    type Code = Self;

    #[inline(always)]
    fn params<L: FloatLane>(self) {}
}

impl Code for Tanh {
    type Params = ();

    #[inline(always)]
    fn value<F: Float>((): (), simd: F::Simd, x: F) -> F {
        let magnitude = without_sign(simd, x);
        // t = e^-2|x|, scaled: (1 - t) / (1 + t). Next to 0 the power is 1, so that 1 - t is as exact as the growth.
        let exp = exp_minus(simd, magnitude.add(magnitude));
        let one: F = scale(simd);
        let (less, more) = (one.sub(exp.power), one.add(exp.power));
        let value = if is_f32::<F>() {
            let minus_growth = negated(simd, exp.growth);
            let difference = minus_growth.mul_add(exp.power, less);
            difference.div(exp.growth.mul_add(exp.power, more))
        } else {
            // d / (2 - d) = d/2 + d * d/2 / (2 - d): next to 0 the first summand is most of it, and has no rounding error of the sum.
            let product = exp.growth.mul(exp.power);
            let difference = less.sub(product);
            let lost = less.sub(difference).sub(product);
            let half = difference.mul(number::<F>(simd, 0.5).mul(unscale(simd)));
            let quotient = half.div(more.add(product));
            difference.mul_add(quotient, lost.mul(unscale(simd))).add(half)
        };
        value.xor(x.xor(magnitude))
    }

    #[inline(always)]
    fn gradient<F: Float>((): (), simd: F::Simd, x: F, grad_output: F) -> F {
        // 4 t / (1 + t)²
        let magnitude = without_sign(simd, x);
        let exp = exp_minus(simd, magnitude.add(magnitude)).value();
        logistic_gradient(simd, exp.mul(number(simd, 4.0)), exp, grad_output)
    }
}

impl OfOutput for Tanh {
    #[inline(always)]
    fn slope<F: Float>(simd: F::Simd, y: F) -> F {
        let one: F = number(simd, 1.0);
        one.sub(y).mul(one.add(y))
    }
}
