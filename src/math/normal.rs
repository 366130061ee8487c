//! The normal distribution at -a, for a from 0.6 on.

use super::exp::{ScaledExp, UPPER_26_BITS, exp_minus_sum, growth_minus_sum};
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
        (growth_minus_sum(simd, high, low), high.add(low))
    }
}

/// e^(a²/2) Φ(-a) in `f64`, for the distribution function Φ and an a of the interval. It is Mills's ratio / sqrt(2π).
///
/// It is `3/8 d / (a d + n)`. A rounding of d counts little, since d is in both, and so does one of n, since n is the lesser summand.
#[inline(always)]
pub fn tail<F: Float>(simd: F::Simd, a: F) -> Tail<F> {
    let d = polynomial_by_bits!(simd, a; f64: [
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
    let n = polynomial_by_bits!(simd, a; f64: [
        0x3fe8_0000_0000_2b48,
        0x3fe9_2053_9f60_229c,
        0x3fd9_4153_47dc_63a8,
        0x3fbb_b983_6c06_93e5,
        0x3f85_13f8_82f5_a1f7,
        0xbf70_e63a_2247_da05,
        0xbf60_f62d_20df_5f42,
        0xbf3f_10bd_41ed_1399,
        0xbf11_43d0_226a_ad28,
        0xbed6_e3ff_e9dc_a6c7,
        0xbe8c_a021_339d_31f6
    ]);
    let a_d = a.mul(d);
    Tail {
        is_near: constant::<F>(simd, 0, 0x3ff3_3333_3333_3333).gt(a),
        d,
        a_d,
        n,
        denominator: a_d.add(n),
    }
}

/// A quotient of polynomials.
#[derive(Clone, Copy)]
pub struct Tail<F: Float> {
    /// Whether a is below 1.2, where n is not far from a d.
    is_near: F::Mask,
    d: F,
    a_d: F,
    n: F,
    /// 3/8 of what it is.
    denominator: F,
}

impl<F: Float> Tail<F> {
    /// `d / denominator`
    #[inline(always)]
    pub fn quotient(self, simd: F::Simd) -> F {
        self.d.mul(three_eighths(simd)).div(self.denominator)
    }

    /// a Φ(-a), of e^(-a²/2).
    #[inline(always)]
    pub fn times(self, simd: F::Simd, exp: ScaledExp<F>) -> F {
        // 3/8 a d / (a d + n) is 3/8 (m - v), where v is n / (a d + n), or what that is more than 1/2. Times e^r it is 3/8 (c + rest), where
        // c is rounded to eighths, so that the rest is small, and so are its roundings.
        let [one, half] = [1.0, 0.5].map(|n| number::<F>(simd, n));
        let m = one.replace(self.is_near, half);
        let v = self
            .n
            .replace(self.is_near, self.n.sub(self.a_d).mul(half))
            .div(self.denominator);
        // The last digit of the number that is added is 1/8.
        let eighths = constant(simd, 0, 0x4308_0000_0000_0000);
        let c = exp.growth.mul_add(m, m).sub(v).add(eighths).sub(eighths);
        let [r, low] = exp.parts.map(|part| part.mul(m));
        let (first, product) = (m.sub(c), exp.growth.mul(v));
        let sum = first.add(r);
        let lost = r.sub(sum.sub(first));
        let rest = sum.sub(v).add(low.sub(product).add(lost));
        let base = exp.power.mul(three_eighths(simd));
        rest.mul_add(base, base.mul(c))
    }
}

/// Unscaled.
#[inline(always)]
fn three_eighths<F: Float>(simd: F::Simd) -> F {
    constant(simd, 0, 0x2d18_0000_0000_0000)
}
