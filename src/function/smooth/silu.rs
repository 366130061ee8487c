use super::{Code, Smooth, Tie};
use crate::function::order::without_sign;
use crate::math::{
    Factor, Pieces, SIGMOID, exp_minus_product, from_negative_side, is_f32, logistic_gradient,
    logistic_gradient_beside_half, logistic_product, near_or_far, negated, number, positive_part, scale, unscale,
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
/// assert_eq!(grad, [-3.683e-42, 0.5, 0.92767054, 1.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - f(x) has the sign of x. It falls to -0.2785 at x = -1.2785, and rises from there to -0.0 down to the least subnormal
///   number: in `f32` it is -0.0 from x = -108.7 on.
/// - The gradient is 0 at x = -1.2785, -0.1 at most below and 1.1 at most above. Where it is rounded to 0 in the compute format
///   for g = 1, it is +0.0 for each g.
/// - `f32`: the value is within 2.5 ulp of the exact one (2.2577 at x = -10.724597), the gradient for g = 1 within 3
///   (2.2881 at x = -11.413660). From x = -2 to -0.8, about the root, that is 3 ulp of 2^-5 where the gradient is less: 2^-26.4. `f64`:
///   within 2 and 4 ulp, the greatest found are 1.78 at x = -2.25196 and 3.43 at x = -3.78383. For any g an ulp or two more.
/// - `f16` and `bf16`: each value is the exact one rounded, and so is each gradient for g = 1, except 11 of `f16` that are
///   its other neighbour.
/// - On both sides of its minimum f is not monotonic: of all neighbours in `f32` 1,219,033 go against its direction by an ulp
///   and 3,034 by two, from x = -2 to -0.0004.
/// - In `f32`, `f16` and `bf16` it is max(0, x) - |x| * sigmoid(-|x|); that and the gradient are a polynomial on each of eight intervals of |x| up to
///   9.37. Beyond, and in `f64`, they take t = e^-|x|. With u, which is x, or x * t for x < 0, the value in `f64` is u + u * (1 / (1 + t) - 1), where the last
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
    const KEEPS_NAN: bool = true;

    type Params = Factor;

    fn ties(beta: Factor) -> &'static [Tie] {
        // Of each beta the least number, whose half is rounded away from 0.
        if beta == Factor::new::<i32>(1.0) {
            // -2.7246094
            &[[0x0001, 0x0001], [0xc173, 0xb15d]]
        } else if beta == Factor::new::<i32>(1.702) {
            // -6.2265625
            &[[0x0001, 0x0001], [0xc63a, 0x8919]]
        } else {
            &[[0x0001, 0x0001]]
        }
    }

    #[inline(always)]
    fn value<F: Float>(beta: Factor, simd: F::Simd, x: F) -> F {
        let magnitude = without_sign(simd, x);
        // t = e^-(beta |x|), scaled.
        let exp = || exp_minus_product(simd, magnitude, beta);
        let bounded = beta.bounded(simd, magnitude);
        if is_f32::<F>() {
            let base = positive_part(simd, x);
            let near = SIGMOID
                .at_product(simd, magnitude, beta)
                .mul_add(negated(simd, magnitude), base);
            return near_or_far(simd, x, beta.is_beyond(simd, magnitude), near, || {
                let exp = exp();
                let product = bounded.mul(exp.power);
                base.sub(exp.growth.mul_add(product, product).div(exp.value().add(scale(simd))))
            });
        }
        let exp = exp();
        // u / (1 + t) where u is |x|, or |x| t for negative x: scaled, and as exact as the growth.
        let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
        let product = bounded.mul(exp.power);
        let base = magnitude.replace(is_negative, product);
        let finite = bounded.replace(is_negative, product);
        let value = logistic_product(simd, [base, finite], exp, is_negative);
        let unscale = number::<F>(simd, 1.0).replace(is_negative, unscale(simd));
        value.mul(unscale).xor(x.xor(magnitude))
    }

    #[inline(always)]
    fn gradient<F: Float>(beta: Factor, simd: F::Simd, x: F, grad_output: F) -> F {
        let magnitude = without_sign(simd, x);
        let far = || {
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
            if is_f32::<F>() {
                logistic_gradient(simd, numerator, scaled, grad_output)
            } else {
                logistic_gradient_beside_half(simd, numerator, scaled, grad_output)
            }
        };
        if const { !is_f32::<F>() } {
            return far();
        }
        let slope = from_negative_side(simd, x, SLOPE.at_product(simd, magnitude, beta));
        let is_far = beta.is_beyond(simd, magnitude);
        near_or_far(simd, x, is_far, slope.mul(grad_output), far)
    }
}

/// SiLU's slope at -x.
#[rustfmt::skip]
static SLOPE: Pieces<9> = Pieces {
    index: [0.8, 0.0],
    end: 9.374999,
    nodes: [0x0000_0000, 0x3fa3_cc34, 0x4022_2987, 0x4072_2cd3, 0x40a1_0190, 0x40c9_11d3, 0x40f1_5f8a, 0x410c_80ba],
    coefficients: [
        [0x3f00_0000, 0xb989_7719, 0xbdca_e663, 0xbd75_cc50, 0xbcd4_80ef, 0xbc20_f482, 0xbb62_f091, 0xba9c_914c],
        [0xbf00_0000, 0xbe5e_ad6f, 0x3c33_e7c6, 0x3d0f_d4c9, 0x3c9c_9ad2, 0x3c01_d2cb, 0x3b3f_fe4c, 0x3a88_6534],
        [0xb334_e08c, 0x3e16_1939, 0x3d13_f742, 0xbb96_f294, 0xbbc6_12d2, 0xbb44_881b, 0xba9c_dcb3, 0xb9e8_5e5d],
        [0x3daa_ab4b, 0xbc9b_36b4, 0xbcb7_4544, 0xbb3f_3ae3, 0x3a4f_76ef, 0x3a2f_eef6, 0x39a1_dd60, 0x38ff_bd3b],
        [0xb75a_fbae, 0xbc78_cdc8, 0x3bbb_222c, 0x3aed_6a60, 0x3904_5061, 0xb8ad_296e, 0xb863_9a1b, 0xb7c9_4dc2],
        [0xbc4b_9909, 0x3bd8_2da7, 0xb8a5_7404, 0xba0a_60ab, 0xb8c5_3f87, 0xb5c7_127f, 0x36ce_02e1, 0x3669_e2f5],
        [0xb976_1db4, 0x3910_638f, 0xb9f7_6a8f, 0x38b6_9fad, 0x37e3_adcb, 0x366f_5507, 0xb44a_3202, 0xb4c0_ad12],
        [0x3b0b_2ec2, 0xba47_86ef, 0x3931_a70e, 0xb441_5844, 0xb6ad_f8e2, 0xb592_6a68, 0xb3df_9878, 0x32ab_5f47],
        [0xb9ed_7e69, 0x3918_a11d, 0xb798_4df7, 0xb69e_03e6, 0x3575_b515, 0x33e6_8a0e, 0x3287_bbc5, 0x318d_37e4],
    ],
};
