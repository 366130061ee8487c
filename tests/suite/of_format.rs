//! The types of the elements, by their bits.

use rectify::Element;

use crate::common::format::Format;

/// An element of a format.
pub trait OfFormat: Element {
    const FORMAT: Format;

    fn of(bits: u64) -> Self;

    fn bits(self) -> u64;
}

macro_rules! of_format {
    ($element:ty, $format:ident, $bits:ty) => {
        impl OfFormat for $element {
            const FORMAT: Format = Format::$format;

            fn of(bits: u64) -> Self {
                Self::from_bits(bits as $bits)
            }

            fn bits(self) -> u64 {
                self.to_bits().into()
            }
        }
    };
}

of_format!(f32, F32, u32);
of_format!(f64, F64, u64);
#[cfg(feature = "half")]
of_format!(rectify::f16, F16, u16);
#[cfg(feature = "half")]
of_format!(rectify::bf16, Bf16, u16);
