//! log(1 + t) for t from 0 to 1, in `f64`.

use super::{by_bits, polynomial};
use crate::simd::Float;

/// `log(1 + t) / t - 1 + low` for t from 0 to 1.
///
/// The last steps wait for each other, since they round less so.
#[inline(always)]
pub fn log1p_quotient<F: Float>(simd: F::Simd, t: F, low: F) -> F {
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
