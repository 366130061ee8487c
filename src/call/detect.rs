//! Detection of instruction sets, and the choice among them.

use core::fmt;

use super::decided::Decided;
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
#[cfg(any(rectify_portable, rectify_neon, rectify_avx2, rectify_avx512))]
use crate::simd::Simd;

/// Detection, and the choice among the available instruction sets.
impl Isa {
    /// Returns the instruction set that the free functions use: the most preferred one that is available.
    ///
    /// With the feature `std`, the environment variable `RECTIFY_MAX_ISA` caps the choice. It is read once, at the
    /// first use.
    ///
    /// ```
    /// println!("{}", rectify::Isa::best());
    /// ```
    #[must_use]
    #[inline]
    pub fn best() -> Self {
        Kernels::best().isa
    }

    /// `ALL[index]`, without the load from a table.
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

    /// Returns whether the instruction set is compiled in, and supported by this CPU and its operating system.
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

    /// Returns the available instruction sets, the least preferred first. `RECTIFY_MAX_ISA` does not change this list.
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

/// The error of [`Kernels::new`]: the instruction set is not available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedIsa(pub(crate) Isa);

impl UnsupportedIsa {
    /// Returns the instruction set that was requested.
    #[must_use]
    pub fn isa(self) -> Isa {
        self.0
    }
}

impl fmt::Display for UnsupportedIsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the instruction set {} is not available here; available: ", self.0)?;
        write_names(Isa::available(), |part| f.write_str(part))
    }
}

impl core::error::Error for UnsupportedIsa {}

/// The functions of this crate on one instruction set. A value is the proof that the instruction set is available.
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
///
/// Hold a value to pin the instruction set in a test or a benchmark. It also saves the atomic load with which each call
/// of a free function gets [`Kernels::best`].
///
/// All functions except ReLU run one loop of the instruction set at all lengths. ReLU differs for short slices:
///
/// - On x86 and aarch64, slices of less than 128 bytes (64 of `f64`) are computed by code that is inlined into the
///   caller, the same for each [`Isa`]. On WebAssembly these are slices of less than 2 KiB with simd128, and of less than 128
///   elements without; on other targets of less than 8 elements. As an [`AnyActivation`](crate::AnyActivation), ReLU is not inlined.
/// - [`Isa::Avx512`] uses the loops of AVX2 below 192 bytes a slice; on CPUs that compute 512 bits in two halves (AMD's
///   Zen 4), below 4 KB.
///
/// [`Fused`](crate::Fused), [`PRelu`](crate::PRelu), [`ReGlu`](crate::ReGlu) and [`Crelu`](crate::Crelu) take a
/// `Kernels` with their method `on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernels {
    isa: Isa,
    /// Not 0 only if `isa` is AVX-512 and AVX2 is available too.
    avx2_below: u16,
}

impl Kernels {
    #[cfg(feature = "strided")]
    pub(super) const SCALAR: Self = Self {
        isa: Isa::Scalar,
        avx2_below: 0,
    };

    /// Returns the kernels of [`Isa::best`].
    #[must_use]
    #[inline]
    pub fn best() -> Self {
        Self::from_choice(CHOICE.get()).unwrap_or_else(choose)
    }

    /// Returns the kernels of `isa`, whatever `RECTIFY_MAX_ISA` is.
    ///
    /// # Errors
    ///
    /// Returns an error if `isa` is not available. Its message lists the available instruction sets.
    pub fn new(isa: Isa) -> Result<Self, UnsupportedIsa> {
        if isa.is_available() {
            Ok(Self::of_available(isa))
        } else {
            Err(UnsupportedIsa(isa))
        }
    }

    /// `isa` is available.
    fn of_available(isa: Isa) -> Self {
        let avx2_below = if isa == Isa::Avx512 && Isa::Avx2.is_available() {
            avx2_below()
        } else {
            0
        };
        Self { isa, avx2_below }
    }

    const fn to_choice(self) -> usize {
        // Not 0, which is undecided.
        (self.avx2_below as usize) << 8 | (self.isa as usize + 1)
    }

    #[inline]
    const fn from_choice(choice: usize) -> Option<Self> {
        match Isa::from_index((choice as u8).wrapping_sub(1)) {
            Some(isa) => Some(Self {
                isa,
                avx2_below: (choice >> 8) as u16,
            }),
            None => None,
        }
    }

    /// The size in bytes below which ReLU's slices are computed by AVX2's loops. If it is not 0, these are kernels of
    /// AVX-512, and AVX2 is available too.
    #[inline]
    pub(super) fn avx2_below(self) -> usize {
        self.avx2_below.into()
    }

    /// Returns the instruction set of these kernels.
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

/// The chosen `Kernels`, whose instruction set is available.
static CHOICE: Decided = Decided::undecided();

#[cold]
fn choose() -> Kernels {
    let cap = Cap::from_environment();
    let isa = Isa::available().rfind(|&isa| cap.allows(isa)).unwrap_or(Isa::Scalar);
    let kernels = Kernels::of_available(isa);
    match CHOICE.decide(kernels.to_choice()) {
        Ok(()) => {
            cap.report_if_unknown();
            kernels
        }
        // Another thread was first. It has reported an unknown name.
        Err(decided) => Kernels::from_choice(decided).unwrap_or(kernels),
    }
}

/// Below this size of a slice in bytes, ReLU is faster on AVX2 than on AVX-512: fewer stores cross a cache line, and
/// tails are shorter. docs/performance.md has the figures.
fn avx2_below() -> u16 {
    #[cfg(rectify_avx512)]
    if crate::simd::splits_512_bits() {
        return 4096;
    }
    192
}

cfg_if::cfg_if! {
    if #[cfg(feature = "std")] {
        /// The value of `RECTIFY_MAX_ISA`.
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
                    Some(name) => match Isa::of_name(name.as_encoded_bytes().trim_ascii()) {
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
                    let mut stderr = std::io::stderr().lock();
                    // Bytes instead of `write!`, which takes 1 KB in a small program.
                    let mut write = |bytes: &[u8]| stderr.write_all(bytes);
                    // `eprintln!` would panic if stderr is closed.
                    let _ = write(b"rectify: RECTIFY_MAX_ISA=")
                        .and_then(|()| write(name.as_encoded_bytes()))
                        .and_then(|()| write(b" is ignored: "))
                        .and_then(|()| error.write(|part| write(part.as_bytes())))
                        .and_then(|()| write(b"\n"));
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
