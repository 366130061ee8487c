//! e^x for x up to 0, scaled so that one division or product rounds subnormal results.

use super::{by_bits, constant, horner, is_f32, negated, number, polynomial};
use crate::simd::{Float, FloatLane};

/// e^x, scaled: `scale * e^x = power * (1 + growth)`.
#[derive(Clone, Copy)]
pub struct ScaledExp<F> {
    /// A power of two.
    pub power: F,
    /// e^r - 1, for r from -ln(2)/2 to ln(2)/2.
    pub growth: F,
    /// The growth in two parts, of which the first is r.
    pub parts: [F; 2],
}

impl<F: Float> ScaledExp<F> {
    /// `scale * e^x`
    #[inline(always)]
    pub fn value(self) -> F {
        self.growth.mul_add(self.power, self.power)
    }
}

/// 128, or 900 of `f64`.
#[inline(always)]
pub fn exp_bound<F: Float>(simd: F::Simd) -> F {
    constant(simd, 0x4300_0000, 0x408c_2000_0000_0000)
}

/// e^-x for x >= 0.
///
/// x is taken as at most [`exp_bound`], where e^-x is less than half of the least subnormal number. So are infinity and NaN.
#[inline(always)]
pub fn exp_minus<F: Float>(simd: F::Simd, x: F) -> ScaledExp<F> {
    // As integers, numbers without a sign are in their own order.
    let bound = exp_bound(simd);
    let x = x.lesser(bound);
    let minus_log2_e = constant(simd, 0xbfb8_aa3b, 0xbff7_1547_652b_82fe);
    let (biased, n) = nearest_integer(simd, x, minus_log2_e);
    let [minus_ln2, minus_ln2_low] = minus_ln2(simd);
    let high = n.mul_add(minus_ln2, negated(simd, x));
    scaled_exp(simd, biased, n.mul_add(minus_ln2_low, high), None)
}

/// e^-(x + low) for x >= 0 up to the bound above, and a low that is small beside 1.
#[inline(always)]
pub fn exp_minus_sum<F: Float>(simd: F::Simd, x: F, low: F) -> ScaledExp<F> {
    exp_of_minus_sum(simd, x, low, false)
}

/// The same with a growth that has less of a rounding error.
#[inline(always)]
pub fn growth_minus_sum<F: Float>(simd: F::Simd, x: F, low: F) -> ScaledExp<F> {
    exp_of_minus_sum(simd, x, low, true)
}

#[inline(always)]
fn exp_of_minus_sum<F: Float>(simd: F::Simd, x: F, low: F, keeps_lost: bool) -> ScaledExp<F> {
    let minus_log2_e = constant(simd, 0xbfb8_aa3b, 0xbff7_1547_652b_82fe);
    let (biased, n) = nearest_integer(simd, x, minus_log2_e);
    let [minus_ln2, minus_ln2_low] = minus_ln2(simd);
    let high = n.mul_add(minus_ln2, negated(simd, x));
    let low = n.mul_add(minus_ln2_low, negated(simd, low));
    let r = high.add(low);
    let lost = keeps_lost.then(|| high.sub(r).add(low));
    scaled_exp(simd, biased, r, lost)
}

/// A factor of x, for [`exp_minus_product`]. Numbers are bits.
#[derive(Clone, Copy, PartialEq)]
pub struct Factor {
    /// Of x. Where it is more, e^-(factor x) is 0.
    bound: u64,
    /// In `f32`: where x is more, factor x is beyond the end of [`Pieces`](super::Pieces).
    end: u64,
    minus_log2_e: u64,
    /// The factor is the sum. In `f64` products of these with 26 bits of x are exact.
    pub(super) parts: [u64; 2],
}

/// The bits of `f64` by which numbers are split, so that products are exact.
pub const UPPER_26_BITS: u64 = u64::MAX << 27;

impl Factor {
    /// The nearest number to beta > 0 with which neither 1 / beta nor the scaled e^-(beta x) / beta leaves the range.
    #[inline]
    pub fn in_range<L: FloatLane>(beta: f64) -> f64 {
        const TWO_60: f64 = (1_u64 << 60) as f64;
        if size_of::<L>() == size_of::<f32>() {
            beta.clamp(TWO_60.recip(), TWO_60 * TWO_60)
        } else {
            beta.clamp(1e-200, 1e300)
        }
    }

    /// Of a number between the square roots of the least and the greatest normal number.
    #[inline]
    pub fn new<L: FloatLane>(factor: f64) -> Self {
        Self::of_sum::<L>(factor, 0.0)
    }

    /// `factor + rest`, where the rest is a rounding error.
    #[inline]
    pub fn of_sum<L: FloatLane>(factor: f64, rest: f64) -> Self {
        // There the biased exponent is 0.
        let (high, bound) = if size_of::<L>() == size_of::<f32>() {
            (L::nearest_finite(factor).to_f64(), 187.0 * core::f64::consts::LN_2)
        } else {
            (
                f64::from_bits(factor.to_bits() & UPPER_26_BITS),
                1323.0 * core::f64::consts::LN_2,
            )
        };
        let bits = |number| L::nearest_finite(number).to_bits();
        Self {
            bound: bits(bound / factor),
            end: bits(9.374 / factor),
            minus_log2_e: bits(-core::f64::consts::LOG2_E * factor),
            parts: [bits(high), bits(factor - high + rest)],
        }
    }

    /// The factor times x in two parts, in `f64`: the first one is exact.
    #[inline(always)]
    fn product<F: Float>(self, simd: F::Simd, x: F) -> [F; 2] {
        let [high, low] = self.parts.map(|bits| by_bits::<F>(simd, bits));
        let x_high = x.bitand(by_bits(simd, UPPER_26_BITS));
        let x_low = x.sub(x_high);
        [x_high.mul(high), x_high.mul_add(low, x_low.mul(high.add(low)))]
    }

    /// `first + factor * x + last`, where the first sum cancels.
    #[inline(always)]
    pub fn product_between<F: Float>(self, simd: F::Simd, first: F, x: F, last: F) -> F {
        if is_f32::<F>() {
            let [high, low] = self.parts.map(|bits| by_bits::<F>(simd, bits));
            x.mul_add(high, first).add(x.mul_add(low, last))
        } else {
            let [product, rest] = self.product(simd, x);
            product.add(first).add(rest.add(last))
        }
    }

    /// Whether `factor * x` is beyond the end of [`Pieces`](super::Pieces), or x is NaN.
    #[inline(always)]
    pub fn is_beyond<F: Float>(self, simd: F::Simd, x: F) -> F::Mask {
        x.gt(by_bits(simd, self.end))
    }

    /// x >= 0, up to where e^-(factor x) is 0.
    #[inline(always)]
    pub fn bounded<F: Float>(self, simd: F::Simd, x: F) -> F {
        let bound = by_bits::<F>(simd, self.bound);
        x.lesser(bound)
    }
}

/// e^-(factor x) for x >= 0. The product is not rounded: in a tail that would be an error of many digits.
#[inline(always)]
pub fn exp_minus_product<F: Float>(simd: F::Simd, x: F, factor: Factor) -> ScaledExp<F> {
    let bits = |bits| by_bits::<F>(simd, bits);
    let x = factor.bounded(simd, x);
    let (biased, n) = nearest_integer(simd, x, bits(factor.minus_log2_e));
    let [minus_ln2, minus_ln2_low] = minus_ln2(simd);
    let n_ln2 = n.mul(minus_ln2);
    if is_f32::<F>() {
        let [high, low] = factor.parts.map(bits);
        let minus_x = negated(simd, x);
        let high = minus_x.mul_add(low, minus_x.mul_add(high, n_ln2));
        scaled_exp(simd, biased, n.mul_add(minus_ln2_low, high), None)
    } else {
        let [product, rest] = factor.product(simd, x);
        let low = n.mul_add(minus_ln2_low, negated(simd, rest));
        scaled_exp(simd, biased, n_ln2.sub(product).add(low), None)
    }
}

/// A factor of x in `f32`, for e^(factor x) where it is normal: x is n steps of ln(2) / factor, and an offset. Numbers are bits.
#[derive(Clone, Copy)]
pub struct LnSteps {
    log2_e: u64,
    /// In two parts, negated.
    minus_step: [u64; 2],
    factor: u64,
}

impl LnSteps {
    #[inline]
    pub fn new<L: FloatLane>(factor: f64) -> Self {
        let bits = |number| L::nearest_finite(number).to_bits();
        let step = core::f64::consts::LN_2 / factor;
        let high = L::nearest_finite(step).to_f64();
        Self {
            log2_e: bits(core::f64::consts::LOG2_E * factor),
            minus_step: [bits(-high), bits(high - step)],
            factor: bits(factor),
        }
    }

    /// 2^n, n and `x - n * step`, with the first part of the step, which is exact: the caller subtracts n times the other part.
    #[inline(always)]
    pub fn split<F: Float>(self, simd: F::Simd, x: F) -> [F; 3] {
        let biased = x.mul_add(by_bits(simd, self.log2_e), constant(simd, 0x4b40_007f, 0));
        let n = biased.add(constant(simd, 0xcb40_007f, 0));
        let offset = n.mul_add(by_bits(simd, self.minus_step[0]), x);
        [biased.into_exponent(), n, offset]
    }

    /// `factor * offset`
    #[inline(always)]
    pub fn product<F: Float>(self, simd: F::Simd, offset: F) -> F {
        offset.mul(by_bits(simd, self.factor))
    }

    /// e^(factor x) as a power of two and a growth: `power * (1 + growth)`.
    #[inline(always)]
    pub fn exp<F: Float>(self, simd: F::Simd, x: F) -> [F; 2] {
        let [power, n, offset] = self.split(simd, x);
        let r = self.product(simd, n.mul_add(by_bits(simd, self.minus_step[1]), offset));
        let quotient = exp_quotient(simd, r, number(simd, 1.0));
        [power, r.mul(r).mul_add(quotient, r)]
    }
}

/// `factor * (e^r - 1 - r) / r²` in `f32`, for |r| up to ln(2) / 2.
#[inline(always)]
pub fn exp_quotient<F: Float>(simd: F::Simd, r: F, factor: F) -> F {
    // Not a closure, which the compiler may leave as a call.
    let [a, b, c, d, e] = EXP_QUOTIENT;
    macro_rules! coefficient {
        ($bits:ident) => {
            by_bits::<F>(simd, $bits.into()).mul(factor)
        };
    }
    horner!(r; coefficient!(a), coefficient!(b), coefficient!(c), coefficient!(d), coefficient!(e))
}

/// The polynomial of `(e^r - 1 - r) / r²` in `f32`.
const EXP_QUOTIENT: [u32; 5] = [0x3eff_fffd, 0x3e2a_aa49, 0x3d2a_ad13, 0x3c09_1cc0, 0x3ab4_a653];

/// n, the integer nearest to `x * minus_log2_e`; and the number in whose lowest bits it is, with the bias of the exponent and the
/// scale.
#[inline(always)]
fn nearest_integer<F: Float>(simd: F::Simd, x: F, minus_log2_e: F) -> (F, F) {
    // The sum with a number whose last digit is 1 rounds to an integer.
    let magic = constant(simd, 0x4b40_00bb, 0x4338_0000_0000_052b);
    let minus_magic = constant(simd, 0xcb40_00bb, 0xc338_0000_0000_052b);
    let biased = x.mul_add(minus_log2_e, magic);
    (biased, biased.add(minus_magic))
}

/// -ln(2) in two parts. The product of n and the first one is exact.
#[inline(always)]
fn minus_ln2<F: Float>(simd: F::Simd) -> [F; 2] {
    [
        constant(simd, 0xbf31_8000, 0xbfe6_2e42_fee0_0000),
        constant(simd, 0x395e_8083, 0xbdea_39ef_3579_3c76),
    ]
}

/// 2^n e^(r + lost), with the n of [`nearest_integer`].
#[inline(always)]
fn scaled_exp<F: Float>(simd: F::Simd, biased: F, r: F, lost: Option<F>) -> ScaledExp<F> {
    let quotient = if is_f32::<F>() {
        let c = |i: usize| by_bits::<F>(simd, EXP_QUOTIENT[i].into());
        polynomial!(r; c(0), c(1), c(2), c(3), c(4))
    } else {
        let c = |bits: u64| by_bits::<F>(simd, bits);
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
    // e^r = 1 + r + r² quotient
    let square = r.mul(r);
    let (rest, growth) = match lost {
        Some(lost) => {
            let rest = square.mul_add(quotient, lost);
            (rest, r.add(rest))
        }
        None => (square.mul(quotient), square.mul_add(quotient, r)),
    };
    ScaledExp {
        power: biased.into_exponent(),
        growth,
        parts: [r, rest],
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
