//! log(1 + t) for t from 0 to 1.

use super::{by_bits, is_f32, polynomial};
use crate::simd::Float;

/// `log(1 + t) / t - 1 + low` for t from 0 to 1.
///
/// The last steps wait for each other, since they round less so.
#[inline(always)]
pub fn log1p_quotient<F: Float>(simd: F::Simd, t: F, low: F) -> F {
    if is_f32::<F>() {
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
        rest.mul_add(t, c(0xbeff_ffe9)).mul_add(t, low)
    } else {
        let c = |bits: u64| by_bits::<F>(simd, bits);
        let rest = polynomial!(t;
            c(0xbfcf_ffff_ffee_6ec5),
            c(0x3fc9_9999_96cd_1fd2),
            c(0xbfc5_5555_15f1_0827),
            c(0x3fc2_4920_fe39_8c79),
            c(0xbfbf_ffb8_99bc_485e),
            c(0x3fbc_6fc1_a8d2_9a5e),
            c(0xbfb9_8e93_787a_51a9),
            c(0x3fb7_1764_45a2_2044),
            c(0xbfb4_bb5c_0257_418a),
            c(0x3fb2_18ac_4432_8281),
            c(0xbfad_b34e_8814_1017),
            c(0x3fa5_f6da_976d_0597),
            c(0xbf9b_f191_6a95_fa1e),
            c(0x3f8d_1b53_7bd3_1ba1),
            c(0xbf77_7858_5da4_0895),
            c(0x3f5b_32a4_c29a_82dc),
            c(0xbf34_02ed_e47e_17ed),
            c(0x3efb_f4a4_7fbb_b5e1));
        let square = t.mul(t);
        rest.mul_add(t, c(0x3fd5_5555_5555_3f16))
            .mul_add(square, low)
            .add(t.mul(c(0xbfe0_0000_0000_0000)))
    }
}
