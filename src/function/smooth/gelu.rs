use super::{Code, Smooth, Tie};
use crate::function::order::without_sign;
use crate::math::{
    Pieces, constant, exp_minus_half_square, from_negative_side, half_of_least_number, is_f32, near_or_far, negated,
    number, polynomial_by_bits, positive_part, scale, tail, unscale,
};
use crate::simd::{Float, FloatLane, Lane};

/// GELU, the Gaussian error linear unit: f(x) = x * Φ(x), for the standard normal distribution function
/// Φ(x) = (1 + erf(x / sqrt(2))) / 2.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | +inf | g |
/// | finite | x * Φ(x) | g * (Φ(x) + x * e^(-x²/2) / sqrt(2π)) |
/// | +0.0, -0.0 | x | g / 2 |
/// | -inf | -0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Gelu};
///
/// let x = [-10.0_f32, -1.0, 1.0, f32::NEG_INFINITY];
/// let mut y = [0.0; 4];
/// Gelu.forward(&x, &mut y);
/// assert_eq!(y, [-7.619853e-23, -0.15865526, 0.8413447, -0.0]);
///
/// let mut grad = [1.0; 4];
/// Gelu.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [-7.6184e-22, -0.08331549, 1.0833155, 0.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - For x < 0, f(x) falls to -0.17 at x = -0.7518 and then rises to the greatest subnormal number below 0: in `f32` it is
///   -0.0 from x = -14.2 on, in `f64` from -38.5 on.
/// - `f32`: the value is within 2.5 ulp of the exact one (2.4324 at x = -3.6603217), in `f64` within 2 (the greatest
///   found is 1.92 at x = -0.692707).
/// - The gradient for g = 1 is within 4 ulp, or within 2^-24.2 from x = -1.1 to -0.6, next to its root at x = -0.7518. `f64`
///   alike by samples, within 2^-52 from x = -1.1 to -0.4. For any g an ulp more, or that times g.
/// - `f16` and `bf16`: each value is the exact one rounded, except 128 subnormal ones of `bf16` that are half-way but for
///   one part in 10^37, and go to even. So is each gradient for g = 1, except 2 of `f16`, at x = 0.00091791 and x = -0.75244, that are
///   its other neighbour.
/// - On both sides of its minimum f is not monotonic: of all neighbours in `f32` 1,405,132 go against its direction by an ulp
///   and 175,621 by two, from x = -1.1 to -0.0039.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - f(|x|) is |x| + f(-|x|), and f(-|x|) is -|x| Φ(-|x|). In `f32`, `f16` and `bf16` Φ is a polynomial on each of eight intervals of |x| up to
///   5.57. Beyond, f is e^(-x²/2) times a polynomial, and in `f64` times a quotient of polynomials, with x²/2 in two parts; next to 0 of
///   `f64` it is a polynomial. Fused multiply-adds, `f64` and the CPU's modes are as for [`Sigmoid`](super::Sigmoid).
///
/// It is PyTorch's `gelu` and ONNX's operator `Gelu`, both by default. Hendrycks and Gimpel, *Gaussian Error Linear Units*
/// (2016).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX-512 (what is off by so much is 0 or of
/// another sign in the tail, from x = -5.6 on in `f32`):
///
/// - PyTorch in `f16` and `bf16`: f(x) is off by up to 0.75 * 2^-23.
/// - PyTorch in `f32` and `bf16`: f(x) is NaN at -inf, and in some places among many at inf.
/// - PyTorch in `f32` and `bf16`: f(x) is infinite in some places among many from 1.7e38 on.
/// - PyTorch in `f32`: f(x) is off by up to 6 * 2^-23.
/// - PyTorch in `f64` and `f16`, ONNX Runtime: f(x) is NaN at -inf.
/// - PyTorch in `f64`: f(x) is off by up to 2^-52.
/// - PyTorch in `bf16`: a subnormal gradient is 0 in some places among many.
/// - PyTorch in `bf16`: the gradient is off by up to 2^-26 * g.
/// - PyTorch in `f32` and `f16`: the gradient is off by up to 2^-23 * g.
/// - PyTorch in `f32`, `f16` and `bf16`: the gradient for an infinite g is NaN at some x, the slope of which is
///   taken for 0.
/// - PyTorch in `f64`: the gradient is off by up to 2^-52 * g.
/// - PyTorch: the gradient is 0 with the sign of g, or NaN, where it is +0.0 for each g.
/// - PyTorch: the gradient is NaN at infinities.
/// - PyTorch in `bf16`, PyTorch in `f32`, `f64` and `f16`, ONNX Runtime in `f16`: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime in `f16`: a NaN comes out with other bits.
/// - ONNX Runtime in `f16`: f(x) is off by up to 2^-24.
/// - ONNX Runtime in `f32`: f(x) is off by up to 2^-23.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gelu;

impl Smooth for Gelu {
    const NAMES: &'static [(&'static str, Self)] = &[("gelu", Self), ("Gelu", Self)];

    type Code = Self;

    #[inline(always)]
    fn params<L: FloatLane>(self) {}
}

impl Code for Gelu {
    const KEEPS_NAN: bool = true;

    type Params = ();

    fn ties((): ()) -> &'static [Tie] {
        &[
            // 2^-24, 0.0013389587, -0.0013389587
            [0x0001, 0x0001],
            [0x157c, 0x117d],
            [0x957c, 0x917b],
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
        let (exp, _) = exp_minus_half_square(simd, a);
        let offset = a.sub(number(simd, 9.0));
        let factor = polynomial_by_bits!(simd, offset; f32: [
            0x20c9_d327,
            0x1c85_b656,
            0x9b2a_4e10,
            0x19bf_0770,
            0x9847_74e8,
            0x16c1_36f0,
            0x952d_6946,
            0x13ba_f745,
            0x9262_8006,
            0x108a_6792
        ]);
        base.sub(exp.growth.mul_add(factor, factor).mul(exp.power))
    })
}

#[inline(always)]
fn gradient_f32<F: Float>(simd: F::Simd, x: F, grad_output: F) -> F {
    let magnitude = without_sign(simd, x);
    let slope = from_negative_side(simd, x, SLOPE.at(simd, magnitude));
    let near = slope.mul(grad_output);
    near_or_far(simd, x, SLOPE.is_beyond(simd, magnitude), near, || {
        let a = bounded(simd, x, magnitude_of_zero(simd));
        let (exp, _) = exp_minus_half_square(simd, a);
        let offset = a.sub(number(simd, 9.0));
        let factor = polynomial_by_bits!(simd, offset; f32: [
            0xa262_fcd6,
            0xa0ce_b12a,
            0x1c05_c8f3,
            0x9a63_4a17,
            0x18bc_02e6,
            0x971b_24b8,
            0x1594_bef6,
            0x9408_00a9,
            0x11f6_2c39
        ]);
        gradient_in_tail(simd, x, exp.growth.mul_add(factor, factor), exp.power, grad_output)
    })
}

#[inline(always)]
fn value_f64<F: Float>(simd: F::Simd, x: F) -> F {
    let a = bounded(simd, x, magnitude_of_zero(simd));
    let (exp, square) = exp_minus_half_square(simd, a);
    let far = tail(simd, a).times(simd, exp);
    let slope = polynomial_by_bits!(simd, square; f64: [
        0x3fe9_8845_33d4_3651,
        0xbfd1_0583_77e2_cfce,
        0x3fb4_6d04_2977_afc5,
        0xbf93_7403_f753_f856,
        0x3f6e_42b1_2c7b_38cf,
        0xbf43_ce9d_95e5_2a19,
        0x3f16_5b19_e99d_b758,
        0xbee6_59fe_7381_242f,
        0x3eb4_f585_8a68_2dab
    ]);
    let near = slope.mul_add(negated(simd, square), a.mul(number(simd, 0.5)));
    positive_part(simd, x).sub(far.replace(end_of_polynomials::<F>(simd).gt(a), near))
}

#[inline(always)]
fn gradient_f64<F: Float>(simd: F::Simd, x: F, grad_output: F) -> F {
    let a = bounded(simd, x, magnitude_of_zero(simd));
    let (exp, square) = exp_minus_half_square(simd, a);
    // 1 / sqrt(2π), by the scale of the quotient
    let minus_density = constant(simd, 0, 0xad19_8845_33d4_3651);
    let sum = a.mul_add(minus_density, tail(simd, a).quotient(simd));
    let far = gradient_in_tail(simd, x, exp.growth.mul_add(sum, sum), exp.power, grad_output);
    let rise = polynomial_by_bits!(simd, square; f64: [
        0x3fe9_8845_33d4_3651,
        0xbfe1_0583_77e2_cf76,
        0x3fce_a386_3e32_bf4f,
        0xbfb3_7403_f709_613e,
        0x3f92_e9ae_a305_5922,
        0xbf6d_b5e4_abc0_82b0,
        0x3f43_8f4f_27a0_ce93,
        0xbf16_694a_0c71_a9c6,
        0x3eec_1d0e_dc86_f9df,
        0xbed2_fdbf_a4ea_e1b6
    ]);
    let near = rise.mul_add(x, number(simd, 0.5)).mul(grad_output);
    far.replace(end_of_polynomials::<F>(simd).gt(a), near)
}

/// Φ(-x)
#[rustfmt::skip]
static VALUE: Pieces<9> = Pieces {
    index: [0.3, 0.1875],
    end: 5.5749497,
    nodes: [0x0000_0000, 0x4009_1acf, 0x403c_a860, 0x4066_dab0, 0x4085_61d2, 0x4095_de04, 0x40a4_f958, 0x40b2_fc88],
    coefficients: [
        [0x3f00_0000, 0x3c83_c746, 0x3ad1_c283, 0x3922_5756, 0x3780_c6bd, 0x35bd_655b, 0x3407_d97b, 0x323f_5962],
        [0xbecc_4229, 0xbd24_b5bf, 0xbba9_9f58, 0xba1c_5b17, 0xb88d_35a0, 0xb6e7_1994, 0xb535_41b7, 0xb389_d2be],
        [0xb534_3158, 0x3d30_6cfe, 0x3bfa_017f, 0x3a8c_ff29, 0x3913_258b, 0x3787_4a76, 0x35e9_9e42, 0x3440_bab0],
        [0x3d88_3078, 0xbcc5_0f8a, 0xbbd9_5ce6, 0xba9c_8498, 0xb940_af9e, 0xb7c9_8f4a, 0xb641_214a, 0xb4ad_d4d6],
        [0xb853_abbf, 0x3bbb_1fe3, 0x3b6d_55aa, 0x3a6a_f668, 0x3930_2c46, 0x37d5_a527, 0x3666_1df5, 0x34e4_3e81],
        [0xbc20_919b, 0x3a9c_ecdb, 0xba93_0d64, 0xb9f8_6085, 0xb8ec_fa84, 0xb7a8_86a1, 0xb64b_9333, 0xb4dc_3347],
        [0xb9bb_b34f, 0xba8e_53ab, 0x38e3_8e93, 0x391a_2515, 0x3864_58bb, 0x3758_c836, 0x3623_a104, 0x34d5_908f],
        [0x3ad6_b354, 0x39bb_3eac, 0x390f_7dc3, 0xb855_33e0, 0xb7b8_be82, 0xb6a0_6de5, 0xb547_73eb, 0xb3bf_9438],
        [0xb9ac_df59, 0x3938_591f, 0xb80e_b151, 0xb7c2_a5ef, 0x363b_7948, 0x3660_b114, 0x3598_77e1, 0x348f_3f65],
    ],
};

/// Φ(-x) - x e^(-x²/2) / sqrt(2π)
#[rustfmt::skip]
static SLOPE: Pieces<9> = Pieces {
    index: [0.3, 0.1875],
    end: 5.5749497,
    nodes: [0x0000_0000, 0x4009_2582, 0x403c_1e49, 0x4066_bdef, 0x4085_46c1, 0x4095_c44e, 0x40a4_b912, 0x40b2_cfee],
    coefficients: [
        [0x3f00_0000, 0xbd8f_578f, 0xbc64_9bac, 0xbb03_9bd1, 0xb98c_e707, 0xb803_30e2, 0xb66a_06cf, 0xb4c0_50ca],
        [0xbf4c_4229, 0x3dd5_2c49, 0x3d10_5172, 0x3bd8_5317, 0x3a89_5143, 0x3911_dff5, 0x3790_7c2e, 0x3601_c257],
        [0xb60f_31d8, 0xbcd0_99e1, 0xbd14_367d, 0xbc1f_868d, 0xbaf8_b028, 0xb999_87d4, 0xb82a_c1f3, 0xb6a8_dd93],
        [0x3e88_30b7, 0xbd40_f9e9, 0x3c83_9d13, 0x3c06_57ec, 0x3b08_d008, 0x39c9_d7fb, 0x387f_e3e7, 0x370c_a8ba],
        [0xb989_e5f0, 0x3d2a_6c79, 0x3ac9_f4bd, 0xbb82_2945, 0xbac6_be8b, 0xb9b7_629f, 0xb887_937a, 0xb728_1606],
        [0xbd70_bb98, 0xbbcc_e625, 0xbbba_0b7c, 0x3a2b_de44, 0x3a3f_5ca6, 0x3972_13f4, 0x3855_b065, 0x3716_32e8],
        [0xbb26_ff28, 0xbad2_8364, 0x3b22_0823, 0x39b6_83e1, 0xb92d_9dd8, 0xb8d2_e59a, 0xb801_3aaf, 0xb6e4_bddf],
        [0x3c57_3231, 0x3bcc_a4b7, 0xba1b_8670, 0xba01_d867, 0x37e4_6db4, 0x383a_867a, 0x375e_0bdb, 0x362d_db6e],
        [0xbb43_0bb3, 0x3adb_053a, 0xba20_104d, 0x37b4_ea16, 0x38a3_ba21, 0x3708_09f8, 0xb6b6_45f3, 0xb63a_c1d8],
    ],
};

/// Of `f64`.
#[inline(always)]
fn end_of_polynomials<F: Float>(simd: F::Simd) -> F {
    // 0.6
    constant(simd, 0, 0x3fe3_3333_3333_3333)
}

/// Where the value at -x is below half of the least subnormal number.
#[inline(always)]
fn magnitude_of_zero<F: Float>(simd: F::Simd) -> F {
    // 14.625 and 38.6875
    constant(simd, 0x416a_0000, 0x4043_5800_0000_0000)
}

/// |x|, at most the bound, also where x is NaN.
#[inline(always)]
pub(super) fn bounded<F: Float>(simd: F::Simd, x: F, bound: F) -> F {
    let magnitude = without_sign(simd, x);
    magnitude.lesser(bound)
}

/// The gradient of a function with f(x) - f(-x) = x, by its slope at -|x|, which is `factor * power`.
#[inline(always)]
pub(super) fn gradient_in_tail<F: Float>(simd: F::Simd, x: F, factor: F, power: F, grad_output: F) -> F {
    let one: F = number(simd, 1.0);
    let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
    // Where the slope may be subnormal, the gradient at the output takes the scale.
    let is_far = F::and(simd, is_negative, number::<F>(simd, 1.0 / 64.0).gt(power));
    let at_minus = factor.mul(one.replace(is_far, scale(simd))).mul(power);
    let slope = from_negative_side(simd, x, at_minus);
    // Without a product with 1, which flushes subnormal numbers in some modes and is left out elsewhere.
    let product = grad_output.replace(is_far, grad_output.mul(unscale(simd))).mul(slope);
    product.keep(without_sign(simd, slope).gt(half_of_least_number(simd)))
}
