use super::gelu::{bounded, gradient_in_tail};
use super::{Code, Smooth, Tie};
use crate::function::order::without_sign;
use crate::math::{
    Pieces, ScaledExp, UPPER_26_BITS, by_bits, constant, exp_minus_sum, from_negative_side, is_f32, logistic_product,
    near_or_far, negated, number, polynomial_by_bits, positive_part, unscale,
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
/// assert_eq!(y, [-1.2040924e-37, -0.15880802, 0.841192, -0.0]);
///
/// let mut grad = [1.0; 4];
/// GeluTanh.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [-2.757638e-36, -0.08296406, 1.0829641, 0.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - For x < 0, f(x) falls to -0.17 at x = -0.7525 and then rises to the greatest subnormal number below 0: in `f32` it is
///   -0.0 from x = -10.8 on, in `f64` from -21.6 on.
/// - `f32`: the value is within 2.5 ulp of the exact one (2.4472 at x = -4.4451413), in `f64` within 2 (the greatest found is 1.93 at
///   x = -1.31129).
/// - The gradient for g = 1 is within 4 ulp, or within 2^-24.1 from x = -1.1 to -0.6, next to its root at x = -0.7525. `f64`
///   alike (3.87 at x = -18.4546), within 2^-52 from x = -1.7 to -0.4. For any g an ulp more, or that times g.
/// - `f16` and `bf16`: each value is the exact one rounded, except 128 subnormal ones of `bf16` that are half-way but for
///   one part in 10^37, and go to even. So is each gradient for g = 1, except 2 of `f16`, at x = 0.00091791 and x = -0.75244, that are
///   its other neighbour.
/// - On both sides of its minimum f is not monotonic: of all neighbours in `f32` 1,486,785 go against its direction by an ulp
///   and 191,809 by two, from x = -1.1 to -0.0039.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - f(|x|) is |x| + f(-|x|). In `f32`, `f16` and `bf16` f(-|x|) is -|x| times a polynomial on each of eight intervals of |x| up to 5.19, and
///   beyond -|x| t for t = e^-2|u|, with 2|u| in two parts. In `f64` it is -|x| t / (1 + t), next to 0 a polynomial.
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
/// - PyTorch in `f32`: for an infinite g the gradient at x = -0.75246143, next to its root, is -inf, which is right.
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
    const KEEPS_NAN: bool = true;

    type Params = ();

    fn ties((): ()) -> &'static [Tie] {
        &[
            // 2^-24, 0.0013389587, 0.35327148, and the latter two with a sign
            [0x0001, 0x0001],
            [0x157c, 0x117d],
            [0x35a7, 0x3337],
            [0x957c, 0x917b],
            [0xb5a7, 0xb017],
        ]
    }

    #[inline(always)]
    fn value<F: Float>((): (), simd: F::Simd, x: F) -> F {
        if is_f32::<F>() {
            value_f32(simd, x)
        } else {
            value_f64(simd, x)
        }
    }

    #[inline(always)]
    fn gradient<F: Float>((): (), simd: F::Simd, x: F, grad_output: F) -> F {
        if is_f32::<F>() {
            gradient_f32(simd, x, grad_output)
        } else {
            gradient_f64(simd, x, grad_output)
        }
    }
}

#[inline(always)]
fn value_f32<F: Float>(simd: F::Simd, x: F) -> F {
    let magnitude = without_sign(simd, x);
    let base = positive_part(simd, x);
    let near = VALUE.at(simd, magnitude).mul_add(negated(simd, magnitude), base);
    near_or_far(simd, x, VALUE.is_beyond(simd, magnitude), near, || {
        let a = bounded(simd, x, magnitude_of_zero(simd));
        // There 1 + t is 1.
        let (exp, _) = exp_minus_argument(simd, a);
        base.sub(exp.growth.mul_add(a, a).mul(exp.power).mul(unscale(simd)))
    })
}

#[inline(always)]
fn gradient_f32<F: Float>(simd: F::Simd, x: F, grad_output: F) -> F {
    let magnitude = without_sign(simd, x);
    let slope = from_negative_side(simd, x, SLOPE.at(simd, magnitude));
    let near = slope.mul(grad_output);
    near_or_far(simd, x, SLOPE.is_beyond(simd, magnitude), near, || {
        let a = bounded(simd, x, magnitude_of_zero(simd));
        let (exp, square) = exp_minus_argument(simd, a);
        let factor = negated(simd, a).mul_add(rate(simd, square), unscale(simd));
        gradient_in_tail(simd, x, exp.growth.mul_add(factor, factor), exp.power, grad_output)
    })
}

#[inline(always)]
fn value_f64<F: Float>(simd: F::Simd, x: F) -> F {
    let a = bounded(simd, x, magnitude_of_zero(simd));
    let (exp, square) = exp_minus_argument(simd, a);
    let always = number::<F>(simd, 1.0).gt(F::splat(simd, F::Lane::ZERO));
    let far = logistic_product(simd, [a.mul(exp.power); 2], exp, always).mul(unscale(simd));
    let slope = polynomial_by_bits!(simd, square; f64: [
        0x3fd9_8845_33d4_3651,
        0xbfb1_1b14_cd36_9602,
        0x3f84_e48d_d121_dae9,
        0xbf54_5da4_30f9_5948,
        0x3f1e_e050_d4d8_d22c,
        0xbedd_5c59_4651_a867,
        0xbe91_15b1_a0e7_8fd7,
        0x3e82_a023_067e_48bb
    ]);
    let near = slope.mul_add(negated(simd, square), a.mul(number(simd, 0.5)));
    positive_part(simd, x).sub(far.replace(end_of_polynomials::<F>(simd).gt(a), near))
}

#[inline(always)]
fn gradient_f64<F: Float>(simd: F::Simd, x: F, grad_output: F) -> F {
    let a = bounded(simd, x, magnitude_of_zero(simd));
    let (exp, square) = exp_minus_argument(simd, a);
    let unit = unscale(simd);
    let t = exp.value().mul(unit);
    let sum = negated(simd, a).mul_add(rate(simd, square), t.mul_add(unit, unit));
    // sum / (1 + t)² is sum - sum * (t² + 2 t) / (1 + t)², where the last quotient is small and so are its roundings.
    let growth = t.mul(t.add(number(simd, 2.0)));
    let quotient = growth.div(growth.add(number(simd, 1.0)));
    let factor = exp.growth.sub(exp.growth.mul_add(quotient, quotient)).mul_add(sum, sum);
    let far = gradient_in_tail(simd, x, factor, exp.power, grad_output);
    let rise = polynomial_by_bits!(simd, square; f64: [
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
    let near = rise.mul_add(x, number(simd, 0.5)).mul(grad_output);
    far.replace(end_of_polynomials::<F>(simd).gt(a), near)
}

/// The derivative of the argument, c + 3 d a², unscaled.
#[inline(always)]
fn rate<F: Float>(simd: F::Simd, square: F) -> F {
    square.mul_add(
        constant(simd, 0x205b_33b6, 0x2d0b_6676_bf74_50f0),
        constant(simd, 0x21cc_422a, 0x2d39_8845_33d4_3651),
    )
}

/// 1 / (1 + e^2u)
#[rustfmt::skip]
static VALUE: Pieces<9> = Pieces {
    index: [0.2, 0.24],
    end: 5.1890087,
    nodes: [0x0000_0000, 0x4007_a3c1, 0x4036_0cd3, 0x405b_6dc1, 0x407c_33d8, 0x408c_9475, 0x4099_dad8, 0x40a6_6c60],
    coefficients: [
        [0x3f00_0000, 0x3c8a_bb24, 0x3b07_3352, 0x3978_8dd5, 0x37c5_d89f, 0x360e_d1f6, 0x3433_b82b, 0x323a_e5c3],
        [0xbecc_4229, 0xbd2e_622f, 0xbbe0_7fb6, 0xba7f_75e8, 0xb8f3_5796, 0xb74c_7c7d, 0xb593_03ca, 0xb3ac_8bbd],
        [0xb551_3d26, 0x3d38_7ca0, 0x3c25_7701, 0x3aef_b2f8, 0x398b_3735, 0x3809_fe95, 0x3664_f6b5, 0x3498_cc58],
        [0x3d88_ddef, 0xbcc6_feb4, 0xbc0a_f63f, 0xbb05_fe0a, 0xb9c2_f784, 0xb868_05d3, 0xb6e0_e506, 0xb52c_3801],
        [0xb881_14ed, 0x3bae_6d82, 0x3b8a_a476, 0x3ac1_cafd, 0x39b8_37c6, 0x3887_02b0, 0x371b_a45a, 0x358a_dc13],
        [0xbc23_b808, 0x3ab1_0082, 0xba8a_7a27, 0xba35_1d82, 0xb973_d0f0, 0xb864_21d2, 0xb71e_9aa0, 0xb5a3_8f1b],
        [0xb9dd_6373, 0xba6d_c942, 0xb81d_ae5d, 0x3934_0820, 0x38d3_a8d8, 0x380c_6c47, 0x3701_e987, 0x35b1_8fcc],
        [0x3ae6_5a82, 0x39e0_dd7f, 0x391e_7ab1, 0xb74b_1630, 0xb810_e163, 0xb77f_808e, 0xb674_3463, 0xb503_c666],
        [0xb9bc_8089, 0x3942_0e60, 0xb7c6_9d10, 0xb7eb_a716, 0xb6bb_0e79, 0x3688_8c9d, 0x364f_0aad, 0x358b_4760],
    ],
};

/// The slope at -x
#[rustfmt::skip]
static SLOPE: Pieces<9> = Pieces {
    index: [0.2, 0.24],
    end: 5.1890087,
    nodes: [0x0000_0000, 0x4007_e12c, 0x4035_b7b2, 0x405b_a48d, 0x407b_fcc7, 0x408c_9f6e, 0x409a_4489, 0x40a6_a80c],
    coefficients: [
        [0x3f00_0000, 0xbd95_4c25, 0xbc90_9ec3, 0xbb49_1f25, 0xb9e6_aacc, 0xb856_2cbb, 0xb69e_4fd7, 0xb4cf_cf42],
        [0xbf4c_422d, 0x3dd8_4ef7, 0x3d35_0190, 0x3c2b_d3ce, 0x3af7_12be, 0x3989_e4bc, 0x37ee_be72, 0x3633_1ebb],
        [0x3640_a30a, 0xbca3_3c05, 0xbd2d_4571, 0xbc7c_ac79, 0xbb6e_969b, 0xba24_49bb, 0xb8a9_5f4f, 0xb712_e5d6],
        [0x3e88_d8ac, 0xbd53_2c61, 0x3c66_800b, 0x3c45_5604, 0x3b86_0ddb, 0x3a6d_5d12, 0x3915_366e, 0x3797_cf02],
        [0xb925_60d9, 0x3d25_78d1, 0x3bcb_3fb2, 0xbb91_0a94, 0xbb39_27e6, 0xba63_7c04, 0xb934_d068, 0xb7dc_9529],
        [0xbd76_d2c3, 0xbb8e_cb85, 0xbbf3_95f8, 0xb9f4_e1c8, 0x3a8c_25fb, 0x3a13_3342, 0x391e_4ea4, 0x37eb_fddc],
        [0xbb2b_5a43, 0xba63_608d, 0x3b05_d20b, 0x3a97_4509, 0xb856_bf67, 0xb95e_a739, 0xb8bd_62a3, 0xb7c5_1cfe],
        [0x3c63_1562, 0x3bc4_2b6c, 0x3804_70db, 0xba1a_db66, 0xb95b_943f, 0x3862_3cf0, 0x3846_ef5c, 0x3752_4f44],
        [0xbb50_f495, 0x3ac5_ea94, 0xb9f2_0cfe, 0xb906_8c57, 0x38a2_8b46, 0x386b_dfda, 0x34e5_48a6, 0xb710_0777],
    ],
};

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

/// Of `f64`.
#[inline(always)]
fn end_of_polynomials<F: Float>(simd: F::Simd) -> F {
    // 0.4
    constant(simd, 0, 0x3fd9_9999_9999_999a)
}

/// Where the value at -x is below half of the least subnormal number.
#[inline(always)]
fn magnitude_of_zero<F: Float>(simd: F::Simd) -> F {
    // 11 and 21.625
    constant(simd, 0x4130_0000, 0x4035_a000_0000_0000)
}
