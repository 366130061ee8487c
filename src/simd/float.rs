//! Arithmetic on vectors of `f32` and `f64`.

use super::{Lane, Register};

/// A vector whose lanes are the bits of `f32` or `f64`.
pub trait Float: Register<Float = Self, Lane: FloatLane> {
    /// `self * other`, rounded to nearest. The CPU's modes apply.
    fn mul(self, other: Self) -> Self;

    /// `self + other`, the same.
    fn add(self, other: Self) -> Self;

    /// Where it is no NaN.
    fn is_number(self) -> Self::Mask;

    /// Instruction sets differ in which of two NaNs comes out of a sum or product, and in the sign of one that comes of infinities.
    #[inline(always)]
    fn with_one_nan(self, simd: Self::Simd) -> Self {
        Self::splat(simd, Self::Lane::NAN).replace(self.is_number(), self)
    }
}

/// The bits of a format that is computed in.
pub trait FloatLane: Lane {
    /// The quiet one without a sign and a payload.
    const NAN: Self;
    /// Of the least normal one.
    const MIN_POSITIVE: Self;

    /// Of the nearest finite number, ties to even.
    fn nearest_finite(number: f64) -> Self;

    /// `self + other`, rounded to nearest.
    fn add(self, other: Self) -> Self;

    /// [`NAN`](Self::NAN) instead of any NaN.
    fn with_one_nan(self) -> Self;
}

impl FloatLane for i32 {
    const NAN: Self = 0x7fc0_0000;
    const MIN_POSITIVE: Self = f32::MIN_POSITIVE.to_bits().cast_signed();

    #[inline(always)]
    fn nearest_finite(number: f64) -> Self {
        (number as f32).clamp(f32::MIN, f32::MAX).to_bits().cast_signed()
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (a, b) = (self.cast_unsigned(), other.cast_unsigned());
        (f32::from_bits(a) + f32::from_bits(b)).to_bits().cast_signed()
    }

    #[inline(always)]
    fn with_one_nan(self) -> Self {
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

    #[inline(always)]
    fn nearest_finite(number: f64) -> Self {
        number.clamp(f64::MIN, f64::MAX).to_bits().cast_signed()
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (a, b) = (self.cast_unsigned(), other.cast_unsigned());
        (f64::from_bits(a) + f64::from_bits(b)).to_bits().cast_signed()
    }

    #[inline(always)]
    fn with_one_nan(self) -> Self {
        if f64::from_bits(self.cast_unsigned()).is_nan() {
            Self::NAN
        } else {
            self
        }
    }
}

/// What is computed in floating point, lane by lane.
pub trait FloatFn<const N: usize>: Copy {
    fn call<F: Float>(self, simd: F::Simd, inputs: [F; N]) -> F;
}
