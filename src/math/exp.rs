//! e^x for x up to 0, scaled so that one division or product rounds subnormal results.

use super::{constant, is_f32, polynomial};
use crate::simd::{Float, FloatLane};

/// e^x, scaled: `scale * e^x = power * (1 + growth)`.
#[derive(Clone, Copy)]
pub struct ScaledExp<F> {
    /// A power of two.
    pub power: F,
    /// e^r - 1, for r from -ln(2)/2 to ln(2)/2.
    pub growth: F,
}

impl<F: Float> ScaledExp<F> {
    /// `scale * e^x`
    #[inline(always)]
    pub fn value(self) -> F {
        self.growth.mul_add(self.power, self.power)
    }
}

/// e^-x for x >= 0.
///
/// x is taken as at most the bound below, where e^-x is less than half of the least subnormal number. So are infinity and NaN.
#[inline(always)]
pub fn exp_minus<F: Float>(simd: F::Simd, x: F) -> ScaledExp<F> {
    // 128 and 900. As integers, numbers without a sign are in their own order.
    let bound = constant(simd, 0x4300_0000, 0x408c_2000_0000_0000);
    let x = x.replace(x.gt(bound), bound);
    // The sum with a number whose last digit is 1 rounds to an integer, in the lowest bits. It has the bias of the exponent and the
    // scale.
    let magic = constant(simd, 0x4b40_00bb, 0x4338_0000_0000_052b);
    let minus_magic = constant(simd, 0xcb40_00bb, 0xc338_0000_0000_052b);
    let minus_log2_e = constant(simd, 0xbfb8_aa3b, 0xbff7_1547_652b_82fe);
    let biased = x.mul_add(minus_log2_e, magic);
    let n = biased.add(minus_magic);
    // r = -x - n ln(2), where ln(2) is in two parts, of which the product with the first one is exact.
    let minus_ln2 = constant(simd, 0xbf31_8000, 0xbfe6_2e42_fee0_0000);
    let minus_ln2_low = constant(simd, 0x395e_8083, 0xbdea_39ef_3579_3c76);
    let minus_x = x.xor(F::splat(simd, <F::Lane as crate::simd::Lane>::SIGN_BIT));
    let r = n.mul_add(minus_ln2_low, n.mul_add(minus_ln2, minus_x));
    let quotient = if is_f32::<F>() {
        let c = |bits: u32| F::splat(simd, F::Lane::from_bits(bits.into()));
        polynomial!(r;
                c(0x3eff_fffd),
                c(0x3e2a_aa49),
                c(0x3d2a_ad13),
                c(0x3c09_1cc0),
                c(0x3ab4_a653))
    } else {
        let c = |bits: u64| F::splat(simd, F::Lane::from_bits(bits));
        polynomial!(r;
                c(0x3fe0_0000_0000_000a),
                c(0x3fc5_5555_5555_54fe),
                c(0x3fa5_5555_5555_06ba),
                c(0x3f81_1111_1112_6b30),
                c(0x3f56_c16c_1847_7aef),
                c(0x3f2a_01a0_12ff_2942),
                c(0x3efa_0199_95cd_c802),
                c(0x3ec7_1df1_8e25_4781),
                c(0x3e92_8adf_efa6_9a53),
                c(0x3e5a_d930_3ff1_6be2))
    };
    ScaledExp {
        power: biased.into_exponent(),
        // e^r = 1 + r + r² quotient
        growth: r.mul(r).mul_add(quotient, r),
    }
}

/// 2^60, or 2^300 of `f64`. Times this, no number that e^-x and its product with x have is subnormal.
#[inline(always)]
pub fn scale<F: Float>(simd: F::Simd) -> F {
    constant(simd, 0x5d80_0000, 0x52b0_0000_0000_0000)
}

/// `1 / scale`
#[inline(always)]
pub fn unscale<F: Float>(simd: F::Simd) -> F {
    constant(simd, 0x2180_0000, 0x2d30_0000_0000_0000)
}

/// Half of the least subnormal number, scaled.
#[inline(always)]
pub fn half_of_least_number<F: Float>(simd: F::Simd) -> F {
    // 2^(60 - 150) and 2^(300 - 1075)
    constant(simd, 0x1280_0000, 0x0f80_0000_0000_0000)
}
