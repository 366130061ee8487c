//! The normal distribution at -a, for a from 0.4 on.

use super::exp::{ScaledExp, UPPER_26_BITS, exp_minus_sum};
use super::{by_bits, constant, is_f32, negated, number, polynomial_by_bits};
use crate::simd::{Float, FloatLane};

/// e^(-a²/2), for a up to 15 in `f32` and to 38.7 in `f64`; and a²/2, rounded.
#[inline(always)]
pub fn exp_minus_half_square<F: Float>(simd: F::Simd, a: F) -> (ScaledExp<F>, F) {
    let half: F = number(simd, 0.5);
    // a²/2 = high + low
    if is_f32::<F>() {
        let half = a.mul(half);
        let high = half.mul(a);
        (exp_minus_sum(simd, high, half.mul_add(a, negated(simd, high))), high)
    } else {
        // The square of as many bits is exact.
        let head = a.bitand(by_bits::<F>(simd, UPPER_26_BITS));
        let high = head.mul(head).mul(half);
        let low = a.sub(head).mul(a.add(head)).mul(half);
        (exp_minus_sum(simd, high, low), high.add(low))
    }
}

/// e^(a²/2) Φ(-a), for the distribution function Φ and an a of the interval. It is Mills's ratio / sqrt(2π).
///
/// It is `d / (2.75 a d + n)`. A rounding of d counts little, since d is in both, and so does one of n, since 2.75 a d
/// is most of the sum.
#[inline(always)]
pub fn tail<F: Float>(simd: F::Simd, a: F) -> Tail<F> {
    let d = polynomial_by_bits!(simd, a;
    f32: [0x3fc4_0000, 0x3fb2_08a0, 0x3f19_9281, 0x3e0d_9e55, 0x3c74_c175],
    f64: [
        0x3ff0_0000_0000_0000,
        0x3ff9_516a_7b02_3b1c,
        0x3ff3_c9fa_e529_bc15,
        0x3fe3_a97a_e0ad_7a69,
        0x3fcb_201e_1af7_b227,
        0x3faa_da9b_0a96_bed2,
        0x3f83_17d0_0ce5_5102,
        0x3f52_e453_f7dc_e4fd,
        0x3f17_d6b3_b442_479e,
        0x3ecd_cfa3_20ba_3000
    ]);
    let n = polynomial_by_bits!(simd, a;
    f32: [0x5e43_ffe7, 0x5d81_d82b, 0x5a4e_85c6, 0xdbde_f12d, 0xdb09_d032, 0xd96e_47d0],
    f64: [
            0x52c0_0000_0000_1cda,
            0x52c0_158d_14ea_c1bd,
            0x52ad_7432_a0a5_7b06,
            0x5287_c607_f742_47cd,
            0xd258_53fc_5331_c3cd,
            0xd25d_5990_28d5_081e,
            0xd244_4251_c41c_7f1d,
            0xd220_b82f_1a46_2189,
            0xd1f1_cea6_bee6_151a,
            0xd1b7_34e6_82a9_31b9,
            0xd16d_054c_82a6_dbf9
        ]);
    let a_d = a.mul(d);
    let (denominator, lost) = if is_f32::<F>() {
        (a_d.mul_add(constant(simd, 0x5e30_0000, 0), n), n)
    } else {
        // The product with 2 is exact. What the sum loses (Fast2Sum) is nearly exact.
        let double = a_d.mul(constant(simd, 0, 0x52c0_0000_0000_0000));
        let rest = a_d.mul_add(constant(simd, 0, 0x52a8_0000_0000_0000), n);
        let sum = double.add(rest);
        (sum, rest.sub(sum.sub(double)))
    };
    Tail {
        d,
        a_d,
        denominator,
        lost,
    }
}

/// A quotient of polynomials.
#[derive(Clone, Copy)]
pub struct Tail<F> {
    d: F,
    a_d: F,
    /// Scaled.
    denominator: F,
    /// Of the denominator, in `f64`.
    lost: F,
}

impl<F: Float> Tail<F> {
    /// `d / denominator`
    #[inline(always)]
    pub fn quotient(self) -> F {
        self.d.div(self.denominator)
    }

    /// a Φ(-a), of e^(-a²/2).
    #[inline(always)]
    pub fn times(self, simd: F::Simd, exp: ScaledExp<F>) -> F {
        let quotient = self.a_d.div(self.denominator);
        let growth = if is_f32::<F>() {
            exp.growth
        } else {
            // 1 / denominator to three bits: the exponent and mantissa, subtracted.
            let minus_one = by_bits::<F>(simd, u64::MAX);
            let reciprocal = self.denominator.xor(minus_one);
            let reciprocal = reciprocal.wrapping_add(by_bits::<F>(simd, 0x7fde_6238_2283_5eeb));
            exp.growth.sub(self.lost.mul(reciprocal))
        };
        growth.mul_add(quotient, quotient).mul(exp.power)
    }
}
