//! Which instruction sets are here, and the choice among them.

use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

#[cfg(feature = "std")]
use crate::isa::ParseIsaError;
use crate::isa::{Isa, write_names};
#[cfg(rectify_avx2)]
use crate::simd::Avx2;
#[cfg(rectify_avx512)]
use crate::simd::Avx512;
#[cfg(rectify_neon)]
use crate::simd::Neon;
#[cfg(rectify_portable)]
use crate::simd::Portable;
use crate::simd::Simd;

/// Which of them are available here.
impl Isa {
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
        match self {
            Self::Scalar => true,
            #[cfg(rectify_portable)]
            Self::Portable => Portable::is_available(),
            #[cfg(rectify_neon)]
            Self::Neon => Neon::is_available(),
            #[cfg(rectify_avx2)]
            Self::Avx2 => Avx2::is_available(),
            #[cfg(rectify_avx512)]
            Self::Avx512 => Avx512::is_available(),
            _ => false,
        }
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
}

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

/// The functions of this crate on one instruction set. A value is the proof that the instruction set is available.
///
/// The free functions call [`Kernels::best`] each time (but for a few elements), at the cost of an atomic load. Hold a value
/// to save it, or to pin an instruction set in a test or a benchmark: but of functions that choose among bits slices below 128 bytes (64
/// of `f64`) take the same way on each, and below 512 bytes AVX-512 is AVX2's vectors. [`Fused`](crate::Fused), [`PRelu`](crate::PRelu),
/// [`ReGlu`](crate::ReGlu) and [`Crelu`](crate::Crelu) take one with their method `on`.
///
/// ```
/// use rectify::{Isa, Kernels};
///
/// let scalar = Kernels::new(Isa::Scalar)?;
/// let mut x = [-1.0_f32, 2.0];
/// scalar.relu_inplace(&mut x);
/// assert_eq!(x, [0.0, 2.0]);
/// # Ok::<(), rectify::UnsupportedIsa>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernels {
    isa: Isa,
}

impl Kernels {
    /// Those of [`Isa::best`].
    #[must_use]
    #[inline]
    pub fn best() -> Self {
        Self { isa: Isa::best() }
    }

    /// Those of `isa`. `RECTIFY_MAX_ISA` changes nothing here.
    ///
    /// # Errors
    ///
    /// When `isa` is not available. The error names it, and what is available instead.
    pub fn new(isa: Isa) -> Result<Self, UnsupportedIsa> {
        if isa.is_available() {
            Ok(Self { isa })
        } else {
            Err(UnsupportedIsa(isa))
        }
    }

    /// Which instruction set it is.
    #[must_use]
    #[inline]
    pub fn isa(self) -> Isa {
        self.isa
    }
}

impl Default for Kernels {
    #[inline]
    fn default() -> Self {
        Self::best()
    }
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
