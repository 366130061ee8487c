use super::{Code, Smooth, Tie};
use crate::function::order::without_sign;
use crate::math::{center, exp_bound, exp_minus, is_f32, negated, number, scale, scaled_gradient, unscale};
use crate::simd::{Float, FloatLane, Lane};

/// Mish: f(x) = x * tanh(log(1 + e^x)).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | +inf | g |
/// | finite | x * (e^2x + 2 e^x) / (e^2x + 2 e^x + 2) | g * (f(x) / x + 4 x e^x (e^x + 1) / (e^2x + 2 e^x + 2)²) |
/// | -inf | -0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Mish};
///
/// let x = [f32::NEG_INFINITY, 0.0, 50.0];
/// let mut y = [1.0; 3];
/// Mish.forward(&x, &mut y);
/// assert_eq!(y, [0.0, 0.0, 50.0]);
///
/// let mut grad = [1.0; 3];
/// Mish.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [0.0, 0.6, 1.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - Powers of e^x above 1 are not computed, but those of e^-|x|: nothing overflows. For x < 0 f(x) falls down to the least
///   subnormal number, and then to -0.0; f(-0.0) is -0.0.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - `f32`: the value is within 2.55 ulp of the exact one (2.5210 at x = -0.23863521). `f64`: within 2 ulp
///   (the greatest found is 1.98 at x = 0.623308). The gradient for g = 1 is within 5.5 ulp (5.3437 at x = -5.1100326), in `f64` within 5. For x < 0 these are ulp of |x| e^x where
///   that is more: next to its root, x = -1.19243, it is within 2^-23. For any g an ulp more.
/// - `f16` and `bf16`: each value is the exact one rounded, and so is each gradient for g = 1, except 3 of `f16` and 1 of `bf16`
///   that are its other neighbour.
/// - On both sides of its minimum f is not monotonic: of all neighbours in `f32` 430,031 go against its direction by an ulp,
///   from x = -1.74 to -0.003.
/// - The value is x * (1 - q), or x * e^x * (1 - q), for a q up to 0.4: a quotient of polynomials of e^-|x|. In `f32`, `f16`
///   and `bf16` it is defined by fused multiply-adds, which are emulated where the CPU has none: `portable` and `scalar` are slow. In
///   `f64` product and sum are rounded each.
/// - The CPU's rounding and flush-to-zero modes apply.
///
/// It is PyTorch's `mish` and ONNX's operator `Mish`. It is due to Misra (2019).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch: f(-inf) is NaN, and so is the gradient at infinities.
/// - ONNX Runtime: f(-inf) is NaN.
/// - PyTorch in `f32` and `f64`, ONNX Runtime in `f32`: f(x) is rounded otherwise, within 2.5 ulp.
/// - PyTorch in `f64`: f(x) is off by up to 160 ulp where e^x is subnormal or 0.
/// - PyTorch in `f32`: f(x) is rounded otherwise where e^x is subnormal: within 20 ulp.
/// - ONNX Runtime in `f32`: f(x) is off by up to 2300 ulp where e^x is subnormal.
/// - PyTorch in `f32` and `f64`: the gradient is rounded otherwise, within 12 ulp where its terms don't cancel.
/// - PyTorch in `f32`: the gradient is off by up to 2e8 ulp next to its root.
/// - PyTorch in `f64`: the gradient is off by up to 1e8 ulp next to its root.
/// - PyTorch in `f16`: the gradient is rounded to `f32` first: within 0.65 ulp.
/// - PyTorch in `f32`: the gradient is g * e^x where e^-x overflows, of the wrong sign: below -88.72.
/// - PyTorch in `f64`: the gradient is g * e^x where e^-x overflows, of the wrong sign: below -709.78.
/// - PyTorch in `bf16`: the gradient is g * e^x where e^-x overflows, of the wrong sign: below -88.5.
/// - PyTorch: for an infinite g that is infinite, of the wrong sign too.
/// - PyTorch in `f32`: for an infinite g the gradient has the wrong sign at some x next to its root.
/// - PyTorch: where e^x is rounded to 0, the gradient is 0 with the sign of g, or NaN.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime in `f32`: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mish;

impl Smooth for Mish {
    const NAMES: &'static [(&'static str, Self)] = &[("mish", Self), ("Mish", Self)];

    type Code = Self;

    #[inline(always)]
    fn params<L: FloatLane>(self) {}
}

impl Code for Mish {
    type Params = ();

    fn ties((): ()) -> &'static [Tie] {
        &[
            // 0.0015916824, 1.5712891, -0.00047278404, -0.00061035156
            [0x1685, 0x13d5],
            [0x3e49, 0x3ded],
            [0x8fbf, 0x8ca5],
            [0x9100, 0x8dff],
        ]
    }

    #[inline(always)]
    fn value<F: Float>((): (), simd: F::Simd, x: F) -> F {
        let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
        let bound = exp_bound::<F>(simd);
        let magnitude = without_sign(simd, x);
        let clamped = magnitude.replace(magnitude.gt(bound), bound);
        let exp = exp_minus(simd, clamped);
        let [one, two] = [1.0, 2.0].map(|n| number::<F>(simd, n));
        let growth = exp.growth;
        let product = clamped.mul(one.replace(is_negative, exp.power));
        let whole = magnitude.replace(is_negative, product);
        let value = if is_f32::<F>() {
            let t = exp.value().mul(unscale(simd));
            // f(x) = x (1 - q) for x >= 0, else x t (1 - q). The denominator of q is s (t + t) + 1, or s t + 2.
            let constant = one.replace(is_negative, two);
            let sum = t.add(constant);
            let factor = t.add(t).replace(is_negative, t);
            let denominator = sum.mul_add(factor, constant);
            // 2 t², or t² + t.
            let numerator = t.mul_add(factor, t.keep(is_negative));
            // What the denominator has lost, times about q.
            let lost = sum.mul_add(factor, constant.sub(denominator));
            let correction = t.mul(number(simd, -0.4));
            let q = correction.mul_add(lost, numerator).div(denominator);
            // (1 + growth) (1 - q) - 1
            let growth = growth.keep(is_negative);
            let minus_growth = negated(simd, growth);
            let change = minus_growth.mul_add(q, growth).sub(q);
            change.mul_add(product, whole)
        } else {
            // Beside c, as `logistic_product`: t = p (1 + g).
            let p = exp.power.mul(unscale(simd));
            let t = growth.mul_add(p, p);
            let double = t.add(t);
            let c = center(simd, p, growth.keep(is_negative));
            let (part, rest) = (c.mul(p), one.sub(c));
            let [r, low] = exp.parts;
            let terms = one.sub(part).mul_add(t, negated(simd, part.add(part)));
            let half = rest
                .add(r)
                .add(growth.add(one).mul(number(simd, 0.5)).mul_add(terms, low));
            let of_negative = half.add(half);
            let of_positive = rest.mul_add(double, rest).sub(c.mul(double).mul(t));
            let constant = one.replace(is_negative, two);
            let denominator = t.add(constant).mul_add(double.replace(is_negative, t), constant);
            let quotient = of_positive.replace(is_negative, of_negative).div(denominator);
            quotient.mul_add(product, whole.mul(c))
        };
        value.mul(one.replace(is_negative, unscale(simd))).xor(x.xor(magnitude))
    }

    #[inline(always)]
    fn gradient<F: Float>((): (), simd: F::Simd, x: F, grad_output: F) -> F {
        let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
        let bound = exp_bound::<F>(simd);
        let magnitude = without_sign(simd, x);
        let clamped = magnitude.replace(magnitude.gt(bound), bound);
        let exp = exp_minus(simd, clamped);
        let scaled = exp.value();
        let t = scaled.mul(unscale(simd));
        let [one, two, four] = [1.0, 2.0, 4.0].map(|n| number::<F>(simd, n));
        let constant = one.replace(is_negative, two);
        let double = t.add(t);
        let x = clamped.xor(x.xor(magnitude));
        if is_f32::<F>() {
            let denominator = t.add(constant).mul_add(double.replace(is_negative, t), constant);
            // The numerator is (1 + 2 t) d + 4 x t² (1 + t), or t times (2 + t) d + 4 x (1 + t).
            let first = double.replace(is_negative, t).add(constant);
            let x = x.mul(four).mul(t.mul(t).replace(is_negative, one));
            let terms = x.mul_add(t.add(one), first.mul(denominator));
            let numerator = terms.mul(scale::<F>(simd).replace(is_negative, scaled));
            return scaled_gradient(simd, numerator, denominator.mul(denominator), grad_output);
        }
        // The same as 4 (1 + x) t² (1 + t) + (1 + 4 t + 2 t²), or t times 4 (1 + x) (1 + t) + t (2 + 4 t + t²), with fewer roundings; d = u + 1
        // or u + 2.
        let square = t.mul(t);
        let u = square.add(square.discard(is_negative)).add(double);
        let rest = u.add(double).add(constant).mul(one.replace(is_negative, t));
        let first = x.add(one).mul(four).mul(square.replace(is_negative, one));
        let terms = t.add(one).mul_add(first, rest);
        let denominator = u.mul_add(u, u.add(u).mul(constant)).add(constant.mul(constant));
        let power = terms.mul(scale::<F>(simd).replace(is_negative, exp.power));
        let numerator = exp.growth.keep(is_negative).mul_add(power, power);
        scaled_gradient(simd, numerator, denominator, grad_output)
    }
}
