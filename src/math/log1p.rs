//! log(1 + t) for t from 0 to 1.

use super::{by_bits, is_f32, polynomial};
use crate::simd::Float;

/// `log(1 + t) / t - 1 + low` for t from 0 to 1.
///
/// The last steps wait for each other, since they round less so.
#[inline(always)]
pub fn log1p_quotient<F: Float>(simd: F::Simd, t: F, low: F) -> F {
    let sum = if is_f32::<F>() {
        let c = |bits: u32| by_bits::<F>(simd, bits.into());
        let rest = polynomial!(t;
            c(0x3eaa_a6ed),
            c(0xbe7f_92ab),
            c(0x3e49_aab4),
            c(0xbe1d_339b),
            c(0x3dda_9e24),
            c(0xbd6b_f7d4),
            c(0x3ca5_4913),
            c(0xbb59_156f));
        rest.mul_add(t, c(0xbeff_ffe9))
    } else {
        let c = |bits: u64| by_bits::<F>(simd, bits);
        let rest = polynomial!(t;
            c(0x3fd5_5555_5555_104b),
            c(0xbfcf_ffff_ffdd_4546),
            c(0x3fc9_9999_951e_f65b),
            c(0xbfc5_5554_fbd7_74c7),
            c(0x3fc2_491f_ecdc_52c3),
            c(0xbfbf_ffa8_afa3_90d9),
            c(0x3fbc_6f6a_2e8d_c265),
            c(0xbfb9_8d27_d90c_c0c2),
            c(0x3fb7_12d9_bfc5_7b5c),
            c(0xbfb4_b012_89e9_9ccf),
            c(0x3fb2_02be_1c89_4983),
            c(0xbfad_70a8_3165_4d7c),
            c(0x3fa5_a807_5755_a154),
            c(0xbf9b_6217_5cec_53d4),
            c(0x3f8c_565f_5fce_a9a6),
            c(0xbf76_b33b_8522_a58b),
            c(0x3f5a_2350_4948_aa64),
            c(0xbf33_1d5f_d2bf_6db5),
            c(0x3efa_8ccf_6b2b_f2fb));
        rest.mul_add(t, c(0xbfdf_ffff_ffff_ff9f))
    };
    sum.mul_add(t, low)
}
