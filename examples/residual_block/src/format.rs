//! The number formats.

use std::ops::AddAssign;

use bytemuck::Pod;
use rectify::Element;

/// As far as plain loops need to know it.
pub trait Format: Element<Sum: AddAssign + From<f32> + Into<f64>> + Pod {
    const NAME: &'static str;

    fn widen(self) -> Self::Sum;

    fn rounded(number: Self::Sum) -> Self;
}

macro_rules! format {
    ($format:ty, $name:literal, $widen:expr, $rounded:expr) => {
        impl Format for $format {
            const NAME: &'static str = $name;

            #[inline(always)]
            fn widen(self) -> Self::Sum {
                let widen: fn(Self) -> Self::Sum = $widen;
                widen(self)
            }

            #[inline(always)]
            fn rounded(number: Self::Sum) -> Self {
                let rounded: fn(Self::Sum) -> Self = $rounded;
                rounded(number)
            }
        }
    };
}

format!(f32, "f32", |number| number, |number| number);
format!(f64, "f64", |number| number, |number| number);
format!(
    rectify::f16,
    "f16",
    // Of finite numbers. `half` has branches here, which keep a loop from being vectorized.
    |number| {
        const TWO_TO_112: f32 = f32::from_bits((112 + 127) << 23);
        let bits = u32::from(number.to_bits());
        let magnitude = f32::from_bits((bits & 0x7fff) << 13) * TWO_TO_112;
        f32::from_bits(magnitude.to_bits() | (bits & 0x8000) << 16)
    },
    rectify::f16::from_f32
);
format!(
    rectify::bf16,
    "bf16",
    |number| f32::from_bits(u32::from(number.to_bits()) << 16),
    rectify::bf16::from_f32
);
