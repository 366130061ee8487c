//! Arithmetic on vectors of `f32` and `f64`.

use super::vector::Padded;
use super::{Lane, Register};

/// A vector whose lanes are the bits of `f32` or `f64`.
pub trait Float: Register<Float = Self, Lane: FloatLane> {
    /// `self * other`, rounded to nearest. The CPU's modes apply.
    fn mul(self, other: Self) -> Self;

    /// `self + other`, rounded to nearest. The CPU's modes apply.
    fn add(self, other: Self) -> Self;

    /// `self - other`, rounded to nearest. The CPU's modes apply.
    fn sub(self, other: Self) -> Self;

    /// `self / other`, rounded to nearest. The CPU's modes apply.
    fn div(self, other: Self) -> Self;

    /// `self * factor + summand`: the multiply-add of the definitions. On lanes of 32 bits it is rounded once, also where
    /// the CPU has no such instruction. On lanes of 64 bits product and sum are rounded each.
    #[cfg_attr(not(feature = "smooth"), allow(dead_code, reason = "for smooth functions"))]
    fn mul_add(self, factor: Self, summand: Self) -> Self;

    /// The lowest bits as the exponent of a number: the integer is multiplied by 2^23, or 2^52 on lanes of 64 bits.
    #[cfg_attr(not(feature = "smooth"), allow(dead_code, reason = "for smooth functions"))]
    fn into_exponent(self) -> Self;

    /// The lesser of the lanes, as signed integers.
    #[cfg_attr(not(feature = "smooth"), allow(dead_code, reason = "for smooth functions"))]
    #[inline(always)]
    fn lesser(self, other: Self) -> Self {
        self.replace(self.gt(other), other)
    }

    /// In each lane the number of the table whose index is in the three lowest bits. It is for lanes of 32 bits.
    #[cfg_attr(not(feature = "smooth"), allow(dead_code, reason = "for smooth functions"))]
    #[inline(always)]
    fn lookup(self, simd: Self::Simd, table: &'static Table) -> Self {
        let mut lanes = Padded::<Self::Lane>::uninit();
        let lanes = lanes.as_mut_ptr();
        // SAFETY: `lanes` has room for any register, and `i` is below its number of lanes. All of them are initialized.
        unsafe {
            self.store(lanes);
            for i in 0..Self::LANES {
                let lane = lanes.add(i);
                *lane = Self::Lane::from_bits(table[(*lane).to_bits() as usize % table.len()].into());
            }
            Self::load(simd, lanes)
        }
    }

    /// `self / 6` of a finite number, rounded as `div` does, where neither is subnormal.
    #[inline(always)]
    fn sixth(self, simd: Self::Simd) -> Self {
        self.div(Self::splat(simd, Self::Lane::nearest_finite(6.0)))
    }

    /// Whether each lane is not NaN.
    fn is_number(self) -> Self::Mask;

    /// The sum of the lanes: the second half is added to the first half, until one is left.
    #[inline(always)]
    fn fold(self) -> Self::Lane {
        let mut lanes = Padded::<Self::Lane>::uninit();
        let lanes = lanes.as_mut_ptr();
        // SAFETY: `lanes` has room for any register, and `i + half` is below its number of lanes.
        unsafe {
            self.store(lanes);
            let mut half = Self::LANES / 2;
            while half > 0 {
                for i in 0..half {
                    *lanes.add(i) = (*lanes.add(i)).add(*lanes.add(i + half));
                }
                half /= 2;
            }
            *lanes
        }
    }

    /// `self` with every NaN replaced by the canonical quiet NaN.
    ///
    /// Instruction sets differ in which of two NaNs a sum, product or quotient returns, and in the sign of a NaN from infinities.
    #[inline(always)]
    fn with_canonical_nan(self, simd: Self::Simd) -> Self {
        Self::splat(simd, Self::Lane::NAN).replace(self.is_number(), self)
    }
}

/// For [`Float::lookup`]: numbers by their bits.
pub type Table = [u32; 8];

/// A lane with the bits of an `f32` or `f64`.
pub trait FloatLane: Lane {
    /// The canonical quiet NaN: positive, with only the quiet bit set.
    const NAN: Self;
    /// The bits of the least positive normal number.
    const MIN_POSITIVE: Self;
    /// The bits of the least number above 1/6.
    const ABOVE_SIXTH: Self;

    /// The bits of the finite number nearest to `number`, ties to even.
    fn nearest_finite(number: f64) -> Self;

    /// `self` in the lowest bits.
    fn to_bits(self) -> u64;

    /// The number whose bits `self` are.
    fn to_f64(self) -> f64;

    /// The lane of [`to_bits`](Self::to_bits).
    fn from_bits(bits: u64) -> Self;

    /// `self + other`, rounded to nearest.
    fn add(self, other: Self) -> Self;

    /// [`NAN`](Self::NAN) if `self` is any NaN, else `self`.
    fn with_canonical_nan(self) -> Self;
}

impl FloatLane for i32 {
    const NAN: Self = 0x7fc0_0000;
    const MIN_POSITIVE: Self = f32::MIN_POSITIVE.to_bits().cast_signed();
    const ABOVE_SIXTH: Self = 0x3e2a_aaab;

    #[inline(always)]
    fn nearest_finite(number: f64) -> Self {
        (number as f32).clamp(f32::MIN, f32::MAX).to_bits().cast_signed()
    }

    #[inline(always)]
    fn to_bits(self) -> u64 {
        self.cast_unsigned().into()
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f32::from_bits(self.cast_unsigned()).into()
    }

    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        (bits as u32).cast_signed()
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (a, b) = (self.cast_unsigned(), other.cast_unsigned());
        (f32::from_bits(a) + f32::from_bits(b)).to_bits().cast_signed()
    }

    #[inline(always)]
    fn with_canonical_nan(self) -> Self {
        if f32::from_bits(self.cast_unsigned()).is_nan() {
            Self::NAN
        } else {
            self
        }
    }
}

impl FloatLane for i64 {
    const NAN: Self = 0x7ff8_0000_0000_0000;
    const MIN_POSITIVE: Self = f64::MIN_POSITIVE.to_bits().cast_signed();
    const ABOVE_SIXTH: Self = 0x3fc5_5555_5555_5556;

    #[inline(always)]
    fn nearest_finite(number: f64) -> Self {
        number.clamp(f64::MIN, f64::MAX).to_bits().cast_signed()
    }

    #[inline(always)]
    fn to_bits(self) -> u64 {
        self.cast_unsigned()
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from_bits(self.cast_unsigned())
    }

    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        bits.cast_signed()
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (a, b) = (self.cast_unsigned(), other.cast_unsigned());
        (f64::from_bits(a) + f64::from_bits(b)).to_bits().cast_signed()
    }

    #[inline(always)]
    fn with_canonical_nan(self) -> Self {
        if f64::from_bits(self.cast_unsigned()).is_nan() {
            Self::NAN
        } else {
            self
        }
    }
}

/// A floating-point function of `N` vectors, lane by lane.
pub trait FloatFn<const N: usize>: Copy {
    fn call<F: Float>(self, simd: F::Simd, inputs: [F; N]) -> F;
}
