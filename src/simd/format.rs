//! The number formats.

use super::{FloatLane, Lane};

/// A format of elements: `f32`, `f64` and, with the feature `half`, `f16` and `bf16`.
///
/// The trait is sealed. Elements are read and written as integers of the same size, so every bit pattern is allowed.
/// The default is +0.0.
pub trait Element: Copy + core::fmt::Debug + Default + PartialOrd + Send + Sync + 'static + Format {
    /// The format of reductions: `f32` for `f32`, `f16` and `bf16`, and `f64` for `f64`.
    type Sum: Element<Lane = Self::ComputedIn>;
}

/// The properties of a format. Seals [`Element`].
pub trait Format {
    /// The signed integer of the same size.
    type Lane: Lane;

    /// The format for which the loops of select functions are compiled: the same for all formats of a width.
    type Carrier: Format<Lane = Self::Lane>;

    /// The bits of -infinity. As signed integers, the bits of negative numbers and -0.0 are at most these. Those of
    /// +0.0, positive numbers and every NaN are greater.
    const NEG_INFINITY: Self::Lane;

    const INFINITY: Self::Lane;

    /// A lane of the compute format: `f32`, or `f64` for `f64`.
    type ComputedIn: FloatLane;

    /// Whether the format is `bf16`, the upper half of an `f32`.
    const IS_BF16: bool;

    /// The same number in the compute format, without the CPU's instructions for 16-bit formats.
    fn widen(bits: Self::Lane) -> Self::ComputedIn;

    /// Rounds to nearest, ties to even, without the CPU's instructions for 16-bit formats. Returns the bits.
    ///
    /// A NaN comes from a number of this format or from an invalid operation, so that its lower bits are 0.
    fn from_f32(number: f32) -> Self::Lane;

    /// The index of the format in a table by format.
    const INDEX: usize;

    /// Returns the bits of the number nearest to `number`, ties to even, in any of the CPU's modes. -0.0 becomes +0.0.
    fn bits_of_nearest(number: f64) -> Self::Lane;

    /// Returns the bits of the greatest number that is at most `number`, which is not NaN. -0.0 becomes +0.0.
    #[inline]
    fn bits_at_most(number: f64) -> Self::Lane {
        let nearest = Self::bits_of_nearest(number);
        if Self::widen(nearest).to_f64() <= number {
            nearest
        } else if nearest == Self::Lane::ZERO {
            Self::Lane::SIGN_BIT.wrapping_add(Self::Lane::LOWEST_BIT)
        } else if nearest > Self::Lane::ZERO {
            nearest.wrapping_sub(Self::Lane::LOWEST_BIT)
        } else {
            nearest.wrapping_add(Self::Lane::LOWEST_BIT)
        }
    }

    /// Returns the bits of the least number that is at least `number`, which is not NaN. -0.0 becomes +0.0.
    #[inline]
    fn bits_at_least(number: f64) -> Self::Lane {
        let opposite = Self::bits_at_most(-number);
        if opposite == Self::Lane::ZERO {
            opposite
        } else {
            opposite.xor(Self::Lane::SIGN_BIT)
        }
    }
}

/// The number of formats.
pub(crate) const FORMATS: usize = if cfg!(feature = "half") { 4 } else { 2 };

macro_rules! format {
    ($element:ty, $lane:ty, carrier $carrier:ty, computed in $computed_in:ty as $sum:ty, $index:literal, nearest($number:ident): $nearest:expr, $widen:expr, $from_f32:expr) => {
        impl Element for $element {
            type Sum = $sum;
        }

        impl Format for $element {
            type Lane = $lane;
            type Carrier = $carrier;
            type ComputedIn = $computed_in;
            const NEG_INFINITY: $lane = <$element>::NEG_INFINITY.to_bits().cast_signed();
            const INFINITY: $lane = <$element>::INFINITY.to_bits().cast_signed();
            const IS_BF16: bool = $index == 3;
            const INDEX: usize = $index;

            #[inline(always)]
            fn widen(bits: $lane) -> $computed_in {
                let widen: fn($element) -> $sum = $widen;
                widen(<$element>::from_bits(bits.cast_unsigned()))
                    .to_bits()
                    .cast_signed()
            }

            #[inline(always)]
            fn from_f32(number: f32) -> $lane {
                let from_f32: fn(f32) -> $element = $from_f32;
                from_f32(number).to_bits().cast_signed()
            }

            #[inline]
            fn bits_of_nearest($number: f64) -> $lane {
                let bits = $nearest as $lane;
                if bits == <$lane>::MIN { 0 } else { bits }
            }
        }

        const _: () = assert!(size_of::<$element>() == size_of::<$lane>());
    };
}

format!(f32, i32, carrier f32, computed in i32 as f32, 0, nearest(number): nearest(number, 8, 23), |number| number, |number| number);
format!(f64, i64, carrier f64, computed in i64 as f64, 1, nearest(number): number.to_bits(), |number| number, f64::from);
#[cfg(feature = "half")]
format!(
    half::f16,
    i16,
    carrier half::f16,
    computed in i32 as f32,
    2,
    nearest(number): nearest(number, 5, 10),
    f16_to_f32,
    f16_from_f32
);
#[cfg(feature = "half")]
format!(
    half::bf16,
    i16,
    carrier half::f16,
    computed in i32 as f32,
    3,
    nearest(number): nearest(number, 8, 7),
    |number| f32::from_bits(u32::from(number.to_bits()) << 16),
    |number| {
        let bits = number.to_bits();
        half::bf16::from_bits(((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16)
    }
);

/// Not inlined: it is a lot of code, which would be repeated for each vector of a tail.
#[cfg(feature = "half")]
#[inline(never)]
fn f16_to_f32(number: half::f16) -> f32 {
    number.to_f32_const()
}

/// Not inlined, as [`f16_to_f32`].
#[cfg(feature = "half")]
#[inline(never)]
fn f16_from_f32(number: f32) -> half::f16 {
    half::f16::from_f32_const(number)
}

/// Returns the bits of the nearest number, ties to even, of a format with these widths of exponent and mantissa. A NaN
/// becomes infinity.
///
/// It computes in integers, so that it neither depends on the CPU's modes nor raises exception flags. `half` rounds
/// some `f64` twice.
#[inline]
fn nearest(number: f64, exponent_width: u32, mantissa_width: u32) -> u32 {
    let bits = number.to_bits();
    let magnitude = bits & (u64::MAX >> 1);
    // The greatest exponent below those of the format's normal numbers.
    let subnormal = (1 << (u64::BITS - 1 - F64_MANTISSA_WIDTH - 1)) - (1 << (exponent_width - 1));
    let excess = F64_MANTISSA_WIDTH - mantissa_width;
    let nearest = if magnitude >> F64_MANTISSA_WIDTH > subnormal {
        without_lowest(magnitude - (subnormal << F64_MANTISSA_WIDTH), excess)
    } else {
        nearest_subnormal(magnitude, excess + 1 + subnormal as u32)
    };
    let infinity = ((1 << exponent_width) - 1) << mantissa_width;
    let sign = bits >> (u64::BITS - 1) << (exponent_width + mantissa_width);
    (nearest.min(infinity) | sign) as u32
}

const F64_MANTISSA_WIDTH: u32 = f64::MANTISSA_DIGITS - 1;

/// The nearest subnormal number, whose mantissa has `excess` bits less for the exponent 0.
#[cold]
#[inline(never)]
fn nearest_subnormal(magnitude: u64, excess: u32) -> u64 {
    let leading = 1 << F64_MANTISSA_WIDTH;
    let excess = excess - (magnitude >> F64_MANTISSA_WIDTH) as u32;
    if excess < u64::BITS {
        without_lowest(magnitude & (leading - 1) | leading, excess)
    } else {
        0
    }
}

/// `digits` without the lowest `excess` bits, rounded to the nearest, ties to even.
#[inline]
fn without_lowest(digits: u64, excess: u32) -> u64 {
    let is_odd = digits >> excess & 1;
    (digits + (1 << (excess - 1)) - 1 + is_odd) >> excess
}
