use super::gelu::Magnitude;
use super::{Code, Smooth, Tie};
use crate::math::{
    ScaledExp, UPPER_26_BITS, by_bits, constant, exp_minus_sum, is_f32, logistic_product, negated, number,
    polynomial_by_bits, scale, unscale,
};
use crate::simd::{Float, FloatLane, Lane};

/// GELU by tanh: f(x) = x * (1 + tanh(u)) / 2, where u = sqrt(2 / π) * (x + 0.044715 * x³).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | +inf | g |
/// | finite | x / (1 + e^-2u) | g * (1 + x * u' * 2 / (1 + e^2u)) / (1 + e^-2u) |
/// | +0.0, -0.0 | x | g / 2 |
/// | -inf | -0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// It differs from [`Gelu`](super::Gelu) by up to 0.0005. The constants are the real numbers.
///
/// ```
/// use rectify::{Activation, GeluTanh};
///
/// let x = [-10.0_f32, -1.0, 1.0, f32::NEG_INFINITY];
/// let mut y = [0.0; 4];
/// GeluTanh.forward(&x, &mut y);
/// assert_eq!(y, [-1.2040924e-37, -0.15880801, 0.841192, -0.0]);
///
/// let mut grad = [1.0; 4];
/// GeluTanh.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [-2.757638e-36, -0.08296409, 1.0829641, 0.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - For x < 0, f(x) falls to -0.17 at x = -0.7525 and then rises to the greatest subnormal number below 0: in `f32` it is
///   -0.0 from x = -10.8 on, in `f64` from -21.6 on.
/// - `f32`: the value is within 2.5 ulp of the exact one (1.9369 at x = -1.3866827), in `f64` within 2 (the greatest found is 1.93 at
///   x = -1.31129).
/// - The gradient for g = 1 is within 4 ulp, or within 2^-23.8 from x = -1.7 to -0.4, next to its root at x = -0.7525. `f64`
///   alike (3.87 at x = -18.4546), there within 2^-52. For any g an ulp more, or that times g.
/// - `f16` and `bf16`: each value is the exact one rounded, except 128 subnormal ones of `bf16` that are half-way but for
///   one part in 10^37, and go to even. So is each gradient for g = 1, except 2 of `f16` next to the root that are
///   its other neighbour.
/// - On both sides of its minimum f is not monotonic: of all neighbours in `f32` 790,418 go against its direction by an ulp
///   and 264 by two, from x = -1.39 to -0.43.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - f(-|x|) is -|x| t / (1 + t) for t = e^-2|u|, with 2|u| in two parts; f(|x|) is |x| + f(-|x|). Next to 0 it is a polynomial.
///   Fused multiply-adds, `f64` and the CPU's modes are as for [`Sigmoid`](super::Sigmoid).
///
/// It is PyTorch's `gelu` and ONNX's operator `Gelu` with `approximate="tanh"`; here the name is `gelu_tanh`, as in JAX's and Hugging Face's lists.
/// Hendrycks and Gimpel, *Gaussian Error Linear Units* (2016).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX-512 (what is off by so much is 0 or of
/// another sign in the tail, from x = -5 on in `f32`):
///
/// - PyTorch in `bf16`: f(x) is off by up to 2 * 2^-23.
/// - PyTorch in `f32` and `f16`: f(x) is off by up to 2^-23.
/// - PyTorch in `f64`: f(x) is off by up to 2^-53.
/// - PyTorch, ONNX Runtime in `f32` and `f16`, ONNX Runtime in `f64`: f(x) is NaN at -inf.
/// - PyTorch in `f32`, `f16` and `bf16`: the gradient is off by up to 10 * 2^-23 * g.
/// - PyTorch in `f64`: the gradient is off by up to 4 * 2^-52 * g.
/// - PyTorch: the gradient for an infinite g is NaN at some x, the slope of which is taken for 0.
/// - PyTorch: the gradient is 0 with the sign of g, or NaN, where it is +0.0 for each g.
/// - PyTorch: the gradient is NaN at infinities and where x² overflows.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime in `f64` and `f16`: a NaN comes out with other bits.
/// - ONNX Runtime in `f32` and `f16`: f(x) is off by up to 4 * 2^-23.
/// - ONNX Runtime in `f64`: f(x) is computed with sqrt(2 / π) and 0.044715 rounded to `f32`: off by up to 2^-27.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GeluTanh;

impl Smooth for GeluTanh {
    const NAMES: &'static [(&'static str, Self)] = &[("gelu_tanh", Self)];

    type Code = Self;

    #[inline(always)]
    fn params<L: FloatLane>(self) {}
}

impl Code for GeluTanh {
    type Params = ();

    fn ties((): ()) -> &'static [Tie] {
        &[
            // 2^-24, 0.0013389587, 0.22839355, -0.0013389587
            [0x0001, 0x0001],
            [0x157c, 0x117d],
            [0x334f, 0x3051],
            [0x957c, 0x917b],
        ]
    }

    #[inline(always)]
    fn value<F: Float>((): (), simd: F::Simd, x: F) -> F {
        let a = Magnitude::new(simd, x, magnitude_of_zero(simd), end_of_polynomials(simd));
        let (exp, square) = exp_minus_argument(simd, a.bounded);
        // a t / (1 + t) = a t - a t * (t / (1 + t)), where the last quotient is small and so are its roundings.
        let power = a.bounded.mul(exp.power);
        let far = if is_f32::<F>() {
            let t = exp.value();
            let product = exp.growth.mul_add(power, power);
            let quotient = t.div(t.add(scale(simd)));
            product.mul_add(negated(simd, quotient), product)
        } else {
            let always = number::<F>(simd, 1.0).gt(F::splat(simd, F::Lane::ZERO));
            logistic_product(simd, [power; 2], exp, always)
        };
        let far = far.mul(unscale(simd));
        let slope = polynomial_by_bits!(simd, square;
        f32: [0x3ecc_422a, 0xbd88_d8e7, 0x3c27_3467, 0xbaa1_9272],
        f64: [
            0x3fd9_8845_33d4_3651,
            0xbfb1_1b14_cd36_9602,
            0x3f84_e48d_d121_dae9,
            0xbf54_5da4_30f9_5948,
            0x3f1e_e050_d4d8_d22c,
            0xbedd_5c59_4651_a867,
            0xbe91_15b1_a0e7_8fd7,
            0x3e82_a023_067e_48bb
        ]);
        a.value(simd, x, square, slope, far)
    }

    #[inline(always)]
    fn gradient<F: Float>((): (), simd: F::Simd, x: F, grad_output: F) -> F {
        let a = Magnitude::new(simd, x, magnitude_of_zero(simd), end_of_polynomials(simd));
        let (exp, square) = exp_minus_argument(simd, a.bounded);
        let unit = unscale(simd);
        let t = exp.value().mul(unit);
        // The argument's derivative
        let rate = square.mul_add(
            constant(simd, 0x205b_33b6, 0x2d0b_6676_bf74_50f0),
            constant(simd, 0x21cc_422a, 0x2d39_8845_33d4_3651),
        );
        let sum = negated(simd, a.bounded).mul_add(rate, t.mul_add(unit, unit));
        // sum / (1 + t)², as above
        let growth = t.mul(t.add(number(simd, 2.0)));
        let quotient = growth.div(growth.add(number(simd, 1.0)));
        let far = if is_f32::<F>() {
            let sum = sum.mul_add(negated(simd, quotient), sum);
            exp.growth.mul_add(sum, sum)
        } else {
            exp.growth.sub(exp.growth.mul_add(quotient, quotient)).mul_add(sum, sum)
        };
        let rise = polynomial_by_bits!(simd, square;
        f32: [0x3f4c_422a, 0xbe88_d8af, 0x3d7a_a2cb, 0xbc1d_e6e7],
        f64: [
            0x3fe9_8845_33d4_3651,
            0xbfd1_1b14_cd36_955d,
            0x3faf_56d4_b9b0_0737,
            0xbf84_5da4_2f04_b694,
            0x3f53_4c31_3e00_962a,
            0xbf16_0469_0da0_52e8,
            0xbece_793a_2747_cdaa,
            0x3ec3_ff0e_681b_bae3,
            0xbe79_6f00_8b29_4c01
        ]);
        a.gradient(simd, x, rise, far, exp.power, grad_output)
    }
}

/// e^-(a (c + d a²)) for c = sqrt(8 / π) and d = 0.044715 c; and a².
#[inline(always)]
fn exp_minus_argument<F: Float>(simd: F::Simd, a: F) -> (ScaledExp<F>, F) {
    // Two parts of each are kept, since an error of the argument is one of e^-argument, relative to it.
    if is_f32::<F>() {
        let f32 = |bits: u64| by_bits::<F>(simd, bits);
        let (d, d_low) = (f32(0x3d92_2279), f32(0x3124_d8b5));
        // Of so few digits that the sum loses none of it.
        let c = number(simd, 1.59375);
        let c_low = f32(0x3b04_533d);
        let square = a.mul(a);
        let square_low = a.mul_add(a, negated(simd, square));
        let factor = square.mul_add(d, c);
        let lost = square.mul_add(d, c.sub(factor));
        let low = square_low.mul_add(d, lost.add(square.mul_add(d_low, c_low)));
        let argument = a.mul(factor);
        let lost = a.mul_add(factor, negated(simd, argument));
        (exp_minus_sum(simd, argument, a.mul_add(low, lost)), square)
    } else {
        let f64 = |bits: u64| by_bits::<F>(simd, bits);
        // Products of numbers of 26 digits are exact.
        let head = |x: F| x.bitand(f64(UPPER_26_BITS));
        let (c, c_low) = (f64(0x3ff9_8845_3000_0000), f64(0x3e4e_a1b2_8468_7e5a));
        let (d, d_low) = (f64(0x3fb2_444f_2800_0000), f64(0x3e02_6c5a_57a4_def1));
        let a_head = head(a);
        let a_low = a.sub(a_head);
        let exact = a_head.mul(a_head);
        let rest = a_low.mul(a.add(a_head));
        let square = exact.add(rest);
        let square_head = head(square);
        let square_low = exact.sub(square_head).add(rest);
        let product = square_head.mul(d);
        let factor = head(product.add(c));
        let lost = product.sub(factor.sub(c));
        let low = lost.add(square_low.mul_add(d, square.mul_add(d_low, c_low)));
        let argument = a_head.mul(factor);
        (exp_minus_sum(simd, argument, a.mul_add(low, a_low.mul(factor))), square)
    }
}

#[inline(always)]
fn end_of_polynomials<F: Float>(simd: F::Simd) -> F {
    // 0.4
    constant(simd, 0x3ecc_cccd, 0x3fd9_9999_9999_999a)
}

/// Where the value at -x is below half of the least subnormal number.
#[inline(always)]
fn magnitude_of_zero<F: Float>(simd: F::Simd) -> F {
    // 11 and 21.625
    constant(simd, 0x4130_0000, 0x4035_a000_0000_0000)
}
