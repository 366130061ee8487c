//! Sigmoid and its slope, of which that of tanh is another one.

use super::{Pieces, ScaledExp, half_of_least_number, is_f32, number, scale, unscale};
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

/// Sigmoid at -x.
#[rustfmt::skip]
pub static SIGMOID: Pieces<8> = Pieces {
    index: [0.8, 0.0],
    end: 9.374999,
    nodes: [0x0000_0000, 0x3ff0_8708, 0x4048_28a4, 0x408c_59b2, 0x40b4_2a32, 0x40dc_6e02, 0x4102_6799, 0x4116_72d9],
    coefficients: [
        [0x3f00_0000, 0x3e07_ab6e, 0x3d2b_fb70, 0x3c49_7d4f, 0x3b6a_4e02, 0x3a85_7e64, 0x3997_4ae5, 0x38ac_f1bb],
        [0xbe80_0000, 0xbdeb_63c7, 0xbd24_c2d6, 0xbc47_02ed, 0xbb69_778c, 0xba85_5b98, 0xb997_3fbc, 0xb8ac_ee19],
        [0x33ad_b4f3, 0x3d2d_01f4, 0x3c96_ec49, 0x3bc2_1fa6, 0x3ae7_ccb0, 0x3a05_15ae, 0x3917_28b3, 0x382c_e5fa],
        [0x3caa_a73b, 0xbbc3_604f, 0xbba6_b641, 0xbaf5_ce5d, 0xba18_4ae2, 0xb930_c3e6, 0xb849_63df, 0xb766_8cb2],
        [0x374f_c1d3, 0xbab7_4b2b, 0x3a4f_298c, 0x39df_ddfc, 0x3914_3d0a, 0x382e_bd1e, 0x3747_debb, 0x3665_1838],
        [0xbb0b_80ae, 0x3a36_e0cb, 0x3432_281e, 0xb86e_4e72, 0xb7da_d757, 0xb70d_cdc9, 0xb626_cc37, 0xb540_8804],
        [0x38af_6821, 0xb991_92fe, 0xb830_e5a0, 0x376a_5898, 0x368e_cdeb, 0x3593_b7cb, 0x349f_c493, 0x33b4_9771],
        [0x3917_1f79, 0xb8df_fdd7, 0x378f_4035, 0x3695_b341, 0xb49e_bd8c, 0xb499_48a6, 0xb3d5_9789, 0xb300_7082],
    ],
};

/// Sigmoid's slope.
#[rustfmt::skip]
pub static SIGMOID_SLOPE: Pieces<9> = Pieces {
    index: [0.8, 0.0],
    end: 9.374999,
    nodes: [0x0000_0000, 0x3ff0_8ac8, 0x4048_3844, 0x408c_2302, 0x40b4_4922, 0x40dc_3392, 0x4102_5d71, 0x4116_3841],
    coefficients: [
        [0x3e80_0000, 0x3deb_5eaa, 0x3d24_9dfd, 0x3c48_4fc3, 0x3b68_97e0, 0x3a86_4f7d, 0x3997_9fca, 0x38af_6bd0],
        [0x3088_45cb, 0xbdad_0207, 0xbd16_ce4f, 0xbc43_5a25, 0xbb66_efb8, 0xba86_08f4, 0xb997_8956, 0xb8af_644d],
        [0xbd80_0007, 0x3c92_1dda, 0x3c79_d92a, 0x3bb9_9e1e, 0x3ae3_a39c, 0x3a05_7bf5, 0x3917_5c56, 0x382f_553c],
        [0x3577_d651, 0x3bae_2b66, 0xbb50_0072, 0xbade_4161, 0xba13_6b6c, 0xb930_8816, 0xb849_5af4, 0xb769_9f77],
        [0x3c2a_89e2, 0xbb8a_ac0a, 0xb6c3_9038, 0x39ad_d370, 0x390a_7b66, 0x382d_5d2d, 0x3748_5609, 0x3669_50c4],
        [0x3817_9595, 0x3a12_dddd, 0x3997_b074, 0xb808_79c4, 0xb7c8_79e1, 0xb708_1a37, 0xb61f_32ca, 0xb539_ccd5],
        [0xbacd_ea89, 0xb92e_a939, 0xb83d_2b08, 0xb6d9_8391, 0x3604_bd31, 0x3596_1b33, 0x34cf_0480, 0x33fc_f15f],
        [0x3911_c5f4, 0xb9cd_8a80, 0x3864_6bda, 0x35ec_b3b8, 0xb546_7b56, 0xb470_e6e2, 0xb359_4d3c, 0xb265_e4c3],
        [0x38d0_34f8, 0xb88d_cf30, 0x376e_eb43, 0xb5dc_8080, 0xb493_7eba, 0xb1c3_2c45, 0x3212_a7ce, 0x3166_026e],
    ],
};
