//! The number formats.

use crate::simd::Lane;

/// A number format that the kernels work on: `f32`, `f64` and, with the feature `half`, `f16` and
/// `bf16`.
///
/// The trait is sealed. Its values are read and written as whole numbers of the same size, so every bit pattern is fine.
pub trait Element: Copy + core::fmt::Debug + PartialOrd + Send + Sync + 'static + Format {}

/// What the kernels know of a format. It seals [`Element`].
pub trait Format {
    /// The signed integer of the same size.
    type Lane: Lane;

    /// The bits of -infinity. As signed integers, the bits of every number with a sign are at most these; those of +0.0,
    /// positive numbers and every NaN are above.
    const NEG_INFINITY: Self::Lane;

    /// Where the format's column stands in a table.
    const INDEX: usize;
}

/// How many formats are built in.
pub(crate) const FORMATS: usize = if cfg!(feature = "half") { 4 } else { 2 };

macro_rules! format {
    ($element:ty, $lane:ty, $index:literal) => {
        impl Element for $element {}

        impl Format for $element {
            type Lane = $lane;
            const NEG_INFINITY: $lane = <$element>::NEG_INFINITY.to_bits().cast_signed();
            const INDEX: usize = $index;
        }

        const _: () = assert!(size_of::<$element>() == size_of::<$lane>());
    };
}

format!(f32, i32, 0);
format!(f64, i64, 1);
#[cfg(feature = "half")]
format!(half::f16, i16, 2);
#[cfg(feature = "half")]
format!(half::bf16, i16, 3);
