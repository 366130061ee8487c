//! The number formats.

use crate::simd::{FloatLane, Lane};

/// A number format that the kernels work on: `f32`, `f64` and, with the feature `half`, `f16` and
/// `bf16`.
///
/// The trait is sealed. Its values are read and written as whole numbers of the same size, so every bit pattern is fine.
pub trait Element: Copy + core::fmt::Debug + PartialOrd + Send + Sync + 'static + Format {
    /// The format that many elements are summed in: `f32` for `f32`, `f16` and `bf16`, `f64` for itself.
    type Sum: Element<Lane = Self::ComputedIn>;
}

/// What the kernels know of a format. It seals [`Element`].
pub trait Format {
    /// The signed integer of the same size.
    type Lane: Lane;

    /// The bits of -infinity. As signed integers, the bits of every number with a sign are at most these; those of +0.0,
    /// positive numbers and every NaN are above.
    const NEG_INFINITY: Self::Lane;

    const INFINITY: Self::Lane;

    /// The bits of the format that its numbers are computed in.
    type ComputedIn: FloatLane;

    /// Whether it is `bf16`, which is half of an `f32`.
    const IS_BF16: bool;

    /// Exactly.
    fn to_f64(bits: Self::Lane) -> f64;

    /// Without instructions that the CPU may have for it.
    fn to_f32(bits: Self::Lane) -> f32;

    /// The bits of the nearest number, of two of the even one. Without such instructions too. A NaN is one that came of a number
    /// of this format, or of an invalid operation.
    fn from_f32(number: f32) -> Self::Lane;

    /// Where the format's column stands in a table.
    const INDEX: usize;

    /// The bits of the nearest number, of two the even one; of +0.0 for both zeros.
    fn round(number: f64) -> Self::Lane;
}

/// How many formats are built in.
pub(crate) const FORMATS: usize = if cfg!(feature = "half") { 4 } else { 2 };

macro_rules! format {
    ($element:ty, $lane:ty, computed in $computed_in:ty as $sum:ty, $index:literal, $round:expr, $to_f32:expr, $from_f32:expr) => {
        impl Element for $element {
            type Sum = $sum;
        }

        impl Format for $element {
            type Lane = $lane;
            type ComputedIn = $computed_in;
            const NEG_INFINITY: $lane = <$element>::NEG_INFINITY.to_bits().cast_signed();
            const INFINITY: $lane = <$element>::INFINITY.to_bits().cast_signed();
            const IS_BF16: bool = $index == 3;
            const INDEX: usize = $index;

            #[inline(always)]
            fn to_f64(bits: $lane) -> f64 {
                if $index == 1 {
                    let bits: i64 = bits.into();
                    f64::from_bits(bits.cast_unsigned())
                } else {
                    <Self as Format>::to_f32(bits).into()
                }
            }

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
            fn round(number: f64) -> $lane {
                let round: fn(f64) -> $element = $round;
                let bits = round(number).to_bits().cast_signed();
                if bits == <$lane>::MIN { 0 } else { bits }
            }
        }

        const _: () = assert!(size_of::<$element>() == size_of::<$lane>());
    };
}

format!(f32, i32, computed in i32 as f32, 0, |number| number as f32, |number| number, |number| number);
format!(f64, i64, computed in i64 as f64, 1, |number| number, |number| number as f32, f64::from);
#[cfg(feature = "half")]
format!(
    half::f16,
    i16,
    computed in i32 as f32,
    2,
    |number| half::f16::from_f32_const(round_to_odd(number)),
    f16_to_f32,
    f16_from_f32
);
#[cfg(feature = "half")]
format!(
    half::bf16,
    i16,
    computed in i32 as f32,
    3,
    |number| half::bf16::from_f32_const(round_to_odd(number)),
    |number| f32::from_bits(u32::from(number.to_bits()) << 16),
    |number| {
        let bits = number.to_bits();
        half::bf16::from_bits(((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16)
    }
);

/// Never inlined: it is a lot of code, that each vector would have for each of its lanes.
#[cfg(feature = "half")]
#[inline(never)]
fn f16_to_f32(number: half::f16) -> f32 {
    number.to_f32_const()
}

/// The same.
#[cfg(feature = "half")]
#[inline(never)]
fn f16_from_f32(number: f32) -> half::f16 {
    half::f16::from_f32_const(number)
}

/// The number itself, or of its two neighbours the odd one, so that rounding once more gives what rounding once would have
/// given. (`half` drops half of an `f64`, or rounds it twice on CPUs with F16C.)
#[cfg(feature = "half")]
fn round_to_odd(number: f64) -> f32 {
    let nearest = number as f32;
    let rounded = f64::from(nearest);
    if rounded == number || number.is_nan() {
        return nearest;
    }
    let towards_zero = nearest.to_bits() - u32::from(rounded.abs() > number.abs());
    f32::from_bits(towards_zero | 1)
}
