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

    /// The bits of 1, in memory.
    const ONE: &'static Self::Lane;

    /// A lane of the compute format: `f32`, or `f64` for `f64`.
    type ComputedIn: FloatLane;

    /// Whether the format is `bf16`, the upper half of an `f32`.
    const IS_BF16: bool;

    /// Converts without the CPU's instructions for 16-bit formats. An `f64` is rounded.
    fn to_f32(bits: Self::Lane) -> f32;

    /// Rounds to nearest, ties to even, without the CPU's instructions for 16-bit formats. Returns the bits.
    ///
    /// A NaN comes from a number of this format or from an invalid operation, so that its lower bits are 0 on most CPUs.
    fn from_f32(number: f32) -> Self::Lane;

    /// The index of the format in a table by format.
    const INDEX: usize;

    /// Returns the bits of `number` rounded to this format, in any of the CPU's modes. -0.0 becomes +0.0, and what is
    /// beyond the range infinite.
    fn bits_of(number: f64, rounding: Rounding) -> Self::Lane;

    #[inline]
    fn bits_of_nearest(number: f64) -> Self::Lane {
        Self::bits_of(number, Rounding::Nearest)
    }
}

#[derive(Clone, Copy, PartialEq)]
pub enum Rounding {
    /// To nearest, ties to even.
    Nearest,
    /// To the greatest number that is not greater.
    Down,
    /// To the least number that is not less.
    Up,
}

impl Rounding {
    /// That of `-number`, where `self` is that of `number`.
    #[inline(always)]
    const fn of_opposite(self) -> Self {
        match self {
            Self::Nearest => Self::Nearest,
            Self::Down => Self::Up,
            Self::Up => Self::Down,
        }
    }
}

/// The number of formats.
pub(crate) const FORMATS: usize = if cfg!(feature = "half") { 4 } else { 2 };

macro_rules! format {
    ($element:ty, $lane:ty, carrier $carrier:ty, computed in $computed_in:ty as $sum:ty, $index:literal, one $one:expr, rounded($number:ident, $rounding:ident): $rounded:expr, $to_f32:expr, $from_f32:expr) => {
        impl Element for $element {
            type Sum = $sum;
        }

        impl Format for $element {
            type Lane = $lane;
            type Carrier = $carrier;
            type ComputedIn = $computed_in;
            const NEG_INFINITY: $lane = <$element>::NEG_INFINITY.to_bits().cast_signed();
            const INFINITY: $lane = <$element>::INFINITY.to_bits().cast_signed();
            const ONE: &'static $lane = &<$element>::to_bits($one).cast_signed();
            const IS_BF16: bool = $index == 3;
            const INDEX: usize = $index;

            #[inline(always)]
            fn to_f32(bits: $lane) -> f32 {
                let to_f32: fn($element) -> f32 = $to_f32;
                to_f32(<$element>::from_bits(bits.cast_unsigned()))
            }

            #[inline(always)]
            fn from_f32(number: f32) -> $lane {
                let from_f32: fn(f32) -> $element = $from_f32;
                from_f32(number).to_bits().cast_signed()
            }

            #[inline]
            fn bits_of($number: f64, $rounding: Rounding) -> $lane {
                let bits = $rounded as $lane;
                if bits == <$lane>::MIN { 0 } else { bits }
            }
        }

        const _: () = assert!(size_of::<$element>() == size_of::<$lane>());
    };
}

format!(f32, i32, carrier f32, computed in i32 as f32, 0, one 1.0, rounded(number, rounding): rounded(number, 8, 23, rounding), |number| number, |number| number);
format!(f64, i64, carrier f64, computed in i64 as f64, 1, one 1.0, rounded(number, _rounding): bits_of_f64(number), |number| number as f32, f64::from);
#[cfg(feature = "half")]
format!(
    half::f16,
    i16,
    carrier half::f16,
    computed in i32 as f32,
    2,
    one half::f16::ONE,
    rounded(number, rounding): rounded(number, 5, 10, rounding),
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
    one half::bf16::ONE,
    rounded(number, rounding): rounded(number, 8, 7, rounding),
    |number| f32::from_bits(u32::from(number.to_bits()) << 16),
    |number| {
        let mut bits = number.to_bits();
        if !NANS_FIT_BF16 && number.is_nan() {
            bits &= !0xffff;
        }
        half::bf16::from_bits(((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16)
    }
);

/// Whether the lower half of a NaN is 0 where arithmetic on numbers and NaNs of bf16 returns one. Other CPUs may set all its bits,
/// as may the engines of WebAssembly: rounding up would overflow to -0.0.
#[cfg(feature = "half")]
pub(super) const NANS_FIT_BF16: bool = cfg!(any(
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "powerpc64",
    target_arch = "riscv32",
    target_arch = "riscv64",
    target_arch = "s390x",
    target_arch = "x86",
    target_arch = "x86_64",
));

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

/// Returns the bits of `number` rounded to a format with these widths of exponent and mantissa. A NaN becomes infinity.
///
/// It computes in integers, so that it neither depends on the CPU's modes nor raises exception flags. `half` rounds
/// some `f64` twice.
#[inline]
fn rounded(number: f64, exponent_width: u32, mantissa_width: u32, rounding: Rounding) -> u32 {
    let bits = number.to_bits();
    let magnitude = bits & (u64::MAX >> 1);
    let is_negative = bits != magnitude;
    let of_magnitude = if is_negative { rounding.of_opposite() } else { rounding };
    // The greatest exponent below those of the format's normal numbers.
    let subnormal = (1 << (u64::BITS - 1 - F64_MANTISSA_WIDTH - 1)) - (1 << (exponent_width - 1));
    let excess = F64_MANTISSA_WIDTH - mantissa_width;
    let rounded = if magnitude >> F64_MANTISSA_WIDTH > subnormal {
        without_lowest(magnitude - (subnormal << F64_MANTISSA_WIDTH), excess, of_magnitude)
    } else {
        subnormal_of(magnitude, excess + 1 + subnormal as u32, of_magnitude)
    };
    let infinity = ((1 << exponent_width) - 1) << mantissa_width;
    let sign = u64::from(is_negative) << (exponent_width + mantissa_width);
    (rounded.min(infinity) | sign) as u32
}

/// Not inlined: from a test of the bits for zero the compiler would make a floating-point compare of the number, which raises a flag
/// if that is subnormal.
#[inline(never)]
fn bits_of_f64(number: f64) -> u64 {
    number.to_bits()
}

const F64_MANTISSA_WIDTH: u32 = f64::MANTISSA_DIGITS - 1;

/// The subnormal number, whose mantissa has `excess` bits less for the exponent 0.
#[cold]
#[inline(never)]
fn subnormal_of(magnitude: u64, excess: u32, rounding: Rounding) -> u64 {
    let leading = 1 << F64_MANTISSA_WIDTH;
    let excess = excess - (magnitude >> F64_MANTISSA_WIDTH) as u32;
    if excess < u64::BITS {
        without_lowest(magnitude & (leading - 1) | leading, excess, rounding)
    } else {
        u64::from(rounding == Rounding::Up && magnitude > 0)
    }
}

/// `digits` without the lowest `excess` bits. The sign is not part of them.
#[inline]
fn without_lowest(digits: u64, excess: u32, rounding: Rounding) -> u64 {
    let ones = (1 << excess) - 1;
    let added = match rounding {
        Rounding::Nearest => (ones >> 1) + (digits >> excess & 1),
        Rounding::Down => 0,
        Rounding::Up => ones,
    };
    (digits + added) >> excess
}
