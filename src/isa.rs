//! The names of instruction sets.

use core::fmt;
use core::str::FromStr;

/// An instruction set that the kernels are written for.
///
/// The order is that of preference: [`Isa::best`] is the greatest one that is available.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Isa {
    /// One element at a time, on integers. Always available.
    Scalar,
    /// The SIMD instructions of the compilation target, by the crate `wide`. With the feature `portable`, on targets
    /// with SIMD.
    ///
    /// On x86-64 that is SSE2. SSE2 has no compare of 64-bit lanes, so there [`Scalar`](Self::Scalar) is faster for
    /// ReLU in `f64`.
    Portable,
    /// NEON, on little-endian aarch64.
    Neon,
    /// AVX2, FMA and F16C, on x86 and x86-64.
    Avx2,
    /// AVX-512 F, BW and VL, with AVX2, FMA and F16C, on x86 and x86-64.
    Avx512,
}

impl Isa {
    /// All instruction sets, the least preferred first, whether available or not.
    pub const ALL: &[Self] = &[Self::Scalar, Self::Portable, Self::Neon, Self::Avx2, Self::Avx512];

    const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    pub(crate) fn of_name(name: &[u8]) -> Result<Self, ParseIsaError> {
        let mut all = Self::ALL.iter().copied();
        all.find(|isa| isa.name().as_bytes() == name).ok_or(ParseIsaError(()))
    }
}

/// Writes the name: `scalar`, `portable`, `neon`, `avx2` or `avx512`.
impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Parses the name that `Display` writes. It is case-sensitive.
impl FromStr for Isa {
    type Err = ParseIsaError;

    fn from_str(name: &str) -> Result<Self, ParseIsaError> {
        Self::of_name(name.as_bytes())
    }
}

/// The error of parsing an [`Isa`]: the name is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIsaError(());

impl ParseIsaError {
    /// Calls `write` with each part of the message.
    pub(crate) fn write<E>(self, mut write: impl FnMut(&'static str) -> Result<(), E>) -> Result<(), E> {
        write("unknown instruction set; known: ")?;
        write_names(Isa::ALL.iter().copied(), write)
    }
}

impl fmt::Display for ParseIsaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(|part| f.write_str(part))
    }
}

impl core::error::Error for ParseIsaError {}

pub(crate) fn write_names<E>(
    isas: impl IntoIterator<Item = Isa>,
    mut write: impl FnMut(&'static str) -> Result<(), E>,
) -> Result<(), E> {
    for (i, isa) in isas.into_iter().enumerate() {
        if i > 0 {
            write(", ")?;
        }
        write(isa.name())?;
    }
    Ok(())
}
