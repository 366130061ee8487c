//! Sigmoid and its slope, of which that of tanh is another one.

use super::{Pieces, ScaledExp, half_of_least_number, is_f32, magnitude, number, scale, unscale};
use crate::simd::Float;

/// `grad_output * numerator / (1 + t)²`, where `exp` is t and both are scaled. t is at most 1, in `f32` 2^-13.
#[inline(always)]
pub fn logistic_gradient<F: Float>(simd: F::Simd, numerator: F, exp: F, grad_output: F) -> F {
    let (t, one): (F, F) = (exp.mul(unscale(simd)), number(simd, 1.0));
    if is_f32::<F>() {
        // The first terms of the series in t.
        let factor = t.mul_add(t.mul_add(number(simd, 3.0), number(simd, -2.0)), one);
        return gradient_of_scaled(simd, numerator.mul(factor), grad_output);
    }
    // In this order roundings are less.
    let square = t.mul_add(t, t.add(t)).add(one);
    scaled_gradient(simd, numerator, square, grad_output)
}

/// `grad_output * numerator / denominator`, where the numerator is scaled. The denominator is from 1 to 32.
#[inline(always)]
pub fn scaled_gradient<F: Float>(simd: F::Simd, numerator: F, denominator: F, grad_output: F) -> F {
    let one: F = number(simd, 1.0);
    let is_far = one.gt(magnitude(simd, numerator));
    let slope = numerator.div(denominator.mul(scale::<F>(simd).replace(is_far, one)));
    gradient_of_slope(simd, slope, is_far, grad_output)
}

/// The gradient of [`logistic_gradient`], in `f64`: `1 / (1 + t)²` is 1/2 and what has roundings that count little next to t = 0.41.
#[inline(always)]
pub fn logistic_gradient_beside_half<F: Float>(simd: F::Simd, numerator: F, exp: F, grad_output: F) -> F {
    let [half, one, two] = [0.5, 1.0, 2.0].map(|n| number::<F>(simd, n));
    let t = exp.mul(unscale(simd));
    let more = t.mul_add(t, t.add(t)).sub(one);
    let base = numerator.mul(half);
    let slope = base.sub(base.mul(more).div(more.add(two)));
    gradient_of_scaled(simd, slope, grad_output)
}

/// `grad_output * slope`, where the slope is scaled.
#[inline(always)]
pub fn gradient_of_scaled<F: Float>(simd: F::Simd, slope: F, grad_output: F) -> F {
    let one: F = number(simd, 1.0);
    let is_far = one.gt(magnitude(simd, slope));
    let slope = slope.mul(unscale::<F>(simd).replace(is_far, one));
    gradient_of_slope(simd, slope, is_far, grad_output)
}

/// `grad_output * slope`, where a slope that may be subnormal is far, and scaled: there the gradient at the output takes the scale.
#[inline(always)]
fn gradient_of_slope<F: Float>(simd: F::Simd, slope: F, is_far: F::Mask, grad_output: F) -> F {
    let product = grad_output
        .mul(number::<F>(simd, 1.0).replace(is_far, unscale(simd)))
        .mul(slope);
    // +0.0 where the slope is rounded to 0: no 0 * inf.
    product.keep(magnitude(simd, slope).gt(half_of_least_number(simd)))
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
    nodes: [0x0000_0000, 0x3fb6_9129, 0x402b_ce5b, 0x407b_9554, 0x40a5_ae4d, 0x40cd_e9ea, 0x40f5_e65a, 0x410e_fba8],
    coefficients: [
        [0x3f00_0000, 0x3e46_52c2, 0x3d82_dbe7, 0x3c9d_aaf1, 0x3bb7_d684, 0x3ad1_ff4f, 0x39f1_0a86, 0x3909_e0e3],
        [0xbe80_0000, 0xbe1f_e9b9, 0xbd74_fec9, 0xbc9a_a219, 0xbbb6_ce7b, 0xbad1_a92d, 0xb9f0_ee27, 0xb909_dc3e],
        [0x33ad_b4f3, 0x3d43_f0ff, 0x3cd5_afca, 0x3c14_ae52, 0x3b34_c161, 0x3a50_fd30, 0x3970_b56e, 0x3889_d2f3],
        [0x3caa_a73b, 0xbad7_0993, 0xbbd1_6e18, 0xbb36_d28b, 0xba6b_9542, 0xb98a_6eee, 0xb8a0_2db0, 0xb7b7_abcf],
        [0x374f_c1d3, 0xbb64_5c51, 0x3a20_e7eb, 0x3a19_5214, 0x3960_de0d, 0x3888_a748, 0x379f_97be, 0x36b7_7c12],
        [0xbb0b_80ae, 0x3a82_07fc, 0x393f_686a, 0xb89e_5830, 0xb823_2fdf, 0xb754_c210, 0xb67d_1b8d, 0xb592_32d3],
        [0x38af_6821, 0x387b_60f6, 0xb8c7_f462, 0xb3ce_63b4, 0x36ae_5a72, 0x3606_a9a5, 0x3526_71dc, 0x3442_6903],
        [0x3917_1f79, 0xb8e1_8a06, 0x378e_6e38, 0x3698_828b, 0xb4a1_9386, 0xb499_9f46, 0xb3d7_cc72, 0xb303_4c91],
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
