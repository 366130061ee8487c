//! Instruction sets: their names, which of them are here, and the choice among them.

use core::fmt;
use core::str::FromStr;
use core::sync::atomic::{AtomicU8, Ordering};

use crate::simd;

/// An instruction set that the kernels are written for. The order is that of preference: the last one that is available
/// is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Isa {
    /// One element at a time, on whole numbers. Always there.
    Scalar,
    /// The crate `wide`: whatever SIMD the compilation target has. That is SSE2 on x86-64, which has no compare of 64
    /// bits: there [`Scalar`](Self::Scalar) is faster for ReLU in `f64`.
    Portable,
    /// NEON, on aarch64.
    Neon,
    /// AVX2 and F16C, on x86 and x86-64.
    Avx2,
    /// AVX-512 F, BW and VL, with AVX2 and F16C, on x86 and x86-64.
    Avx512,
}

impl Isa {
    /// All of them, the least preferred first, whether available or not.
    pub const ALL: &[Self] = &[Self::Scalar, Self::Portable, Self::Neon, Self::Avx2, Self::Avx512];

    /// The instruction set that the free functions use: the last one that is available, or the last one up to the name in
    /// the environment variable `RECTIFY_MAX_ISA` (read once, at the first use; with the feature `std`).
    ///
    /// ```
    /// println!("{}", rectify::Isa::best());
    /// ```
    #[must_use]
    #[inline]
    pub fn best() -> Self {
        // Relaxed: the value is all that is published.
        Self::from_index(CHOICE.load(Ordering::Relaxed)).unwrap_or_else(choose)
    }

    /// The place in `ALL`, without the second load that a look-up there would be.
    #[inline]
    const fn from_index(index: u8) -> Option<Self> {
        match index {
            0 => Some(Self::Scalar),
            1 => Some(Self::Portable),
            2 => Some(Self::Neon),
            3 => Some(Self::Avx2),
            4 => Some(Self::Avx512),
            _ => None,
        }
    }

    /// Whether it is built in, and this CPU and its operating system support it.
    #[must_use]
    pub fn is_available(self) -> bool {
        simd::is_available(self)
    }

    /// Those that are available, the least preferred first. `RECTIFY_MAX_ISA` changes nothing here.
    ///
    /// ```
    /// use rectify::Isa;
    ///
    /// assert_eq!(Isa::available().next(), Some(Isa::Scalar));
    /// ```
    pub fn available() -> impl DoubleEndedIterator<Item = Self> {
        Self::ALL.iter().copied().filter(|isa| isa.is_available())
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

/// The name in lower case: `scalar`, `portable`, `neon`, `avx2`, `avx512`.
impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// From the name that `Display` writes, to the letter.
impl FromStr for Isa {
    type Err = ParseIsaError;

    fn from_str(name: &str) -> Result<Self, ParseIsaError> {
        Self::ALL
            .iter()
            .copied()
            .find(|isa| isa.name() == name)
            .ok_or(ParseIsaError(()))
    }
}

/// A name that is none of an [`Isa`]'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIsaError(());

impl fmt::Display for ParseIsaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown instruction set; known: ")?;
        write_names(f, Isa::ALL.iter().copied())
    }
}

impl core::error::Error for ParseIsaError {}

/// An instruction set was asked for that is not available here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedIsa(pub(crate) Isa);

impl UnsupportedIsa {
    /// The one that was asked for.
    #[must_use]
    pub fn isa(self) -> Isa {
        self.0
    }
}

impl fmt::Display for UnsupportedIsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the instruction set {} is not available here; available: ", self.0)?;
        write_names(f, Isa::available())
    }
}

impl core::error::Error for UnsupportedIsa {}

fn write_names(f: &mut fmt::Formatter<'_>, isas: impl IntoIterator<Item = Isa>) -> fmt::Result {
    for (i, isa) in isas.into_iter().enumerate() {
        let separator = if i == 0 { "" } else { ", " };
        write!(f, "{separator}{isa}")?;
    }
    Ok(())
}

const _: () = {
    let mut index = 0;
    while index < Isa::ALL.len() {
        assert!(Isa::ALL[index] as usize == index);
        assert!(matches!(Isa::from_index(index as u8), Some(isa) if isa as usize == index));
        index += 1;
    }
};

const UNDECIDED: u8 = u8::MAX;

/// The index of the `Isa` chosen, which is an available one, or `UNDECIDED`.
static CHOICE: AtomicU8 = AtomicU8::new(UNDECIDED);

#[cold]
fn choose() -> Isa {
    let cap = Cap::from_environment();
    let isa = Isa::available().rfind(|&isa| cap.allows(isa)).unwrap_or(Isa::Scalar);
    match CHOICE.compare_exchange(UNDECIDED, isa as u8, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => {
            cap.report_if_unknown();
            isa
        }
        // Of several threads that come here at once, the first one decides and speaks.
        Err(decided) => Isa::from_index(decided).unwrap_or(isa),
    }
}

cfg_if::cfg_if! {
    if #[cfg(feature = "std")] {
        /// What `RECTIFY_MAX_ISA` says.
        enum Cap {
            Unset,
            At(Isa),
            Unknown(std::ffi::OsString, ParseIsaError),
        }

        impl Cap {
            fn from_environment() -> Self {
                match std::env::var_os("RECTIFY_MAX_ISA") {
                    None => Self::Unset,
                    Some(name) if name.is_empty() => Self::Unset,
                    Some(name) => match name.to_string_lossy().trim().parse() {
                        Ok(isa) => Self::At(isa),
                        Err(error) => Self::Unknown(name, error),
                    },
                }
            }

            fn allows(&self, isa: Isa) -> bool {
                !matches!(self, Self::At(cap) if isa > *cap)
            }

            fn report_if_unknown(&self) {
                if let Self::Unknown(name, error) = self {
                    use std::io::Write;
                    // A closed stderr is no reason to panic.
                    let _ = writeln!(std::io::stderr(), "rectify: RECTIFY_MAX_ISA={} is ignored: {error}", name.display());
                }
            }
        }
    } else {
        /// Without `std` there is no environment.
        struct Cap;

        impl Cap {
            fn from_environment() -> Self {
                Self
            }

            fn allows(&self, _: Isa) -> bool {
                true
            }

            fn report_if_unknown(&self) {}
        }
    }
}
