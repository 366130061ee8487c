//! Vectors: the traits that every instruction set implements, and one file for each instruction set.

#[macro_use]
mod macros;

#[cfg(rectify_avx2)]
mod avx2;
#[cfg(rectify_avx512)]
mod avx512;
mod cpuid;
mod float;
#[cfg(any(rectify_avx2, rectify_avx512))]
mod fold;
mod format;
#[cfg_attr(not(feature = "smooth"), allow(dead_code, reason = "for smooth functions"))]
mod fused;
#[cfg(rectify_portable)]
mod halves;
#[cfg(any(rectify_sse2, rectify_neon, rectify_simd128))]
mod narrow;
#[cfg(rectify_neon)]
mod neon;
#[cfg(rectify_portable)]
mod portable;
mod scalar;
mod vector;

#[cfg(rectify_avx2)]
pub(crate) use avx2::Avx2;
#[cfg(rectify_avx512)]
pub(crate) use avx512::Avx512;
pub(crate) use cpuid::last_level_cache;
#[cfg(rectify_avx512)]
pub(crate) use cpuid::splits_512_bits;
#[cfg_attr(not(feature = "smooth"), allow(unused_imports, reason = "for smooth functions"))]
pub use float::Table;
pub use float::{Float, FloatFn, FloatLane};
pub(crate) use format::FORMATS;
pub use format::{Element, Format, Rounding};
pub(crate) use macros::inputs;
#[cfg(rectify_neon)]
pub(crate) use neon::Neon;
#[cfg(rectify_portable)]
pub(crate) use portable::Portable;
pub(crate) use scalar::Scalar;
pub use vector::{ChooseFn, Lane, LiveFn, Register, SumFn, Vector, VectorFn};
pub(crate) use vector::{MAX_INPUTS, Padded, first_of};

use crate::isa::Isa;

/// The size of the widest register of all instruction sets, in bytes.
pub(crate) const REGISTER_BYTES: usize = 64;

/// An instruction set. A value is the proof that this CPU has it, so that the operations on vectors are safe.
///
/// # Safety
///
/// `is_available` returns true only if this CPU has the target features of `enter` and `run`.
pub unsafe trait Simd: Copy + 'static {
    type I16: Register<Simd = Self, Lane = i16>;
    type I32: Register<Simd = Self, Lane = i32>;
    type I64: Register<Simd = Self, Lane = i64>;

    const ISA: Isa;

    /// Whether it has non-temporal stores.
    const STREAMS: bool = false;

    /// Whether this CPU and its operating system support it.
    fn is_available() -> bool;

    /// [`SliceLoop::walk`], compiled for the instruction set.
    ///
    /// # Safety
    ///
    /// The instruction set is available, and the arguments meet the contract of `L`.
    unsafe fn enter<L: SliceLoop>(
        function: *const u8,
        first_input: *const u8,
        last_input: *const u8,
        output: *mut u8,
        len: usize,
        access: Access,
    );

    /// [`Pass::walk`], compiled for the instruction set.
    ///
    /// # Safety
    ///
    /// The instruction set is available, and the arguments meet the contract of `P`.
    unsafe fn run<P: Pass>(args: &P::Args) -> P::Output;
}

/// How a loop over slices stores, and what it prefetches: in one register.
#[derive(Clone, Copy)]
pub struct Access(isize);

impl Access {
    /// How far ahead is prefetched without `with_distance`: a page, since the CPU's own prefetchers stop at its end.
    const PAGE: isize = 1 << 12;

    const STREAMING: isize = 1;

    /// With non-temporal stores where `streaming`.
    #[inline(always)]
    pub const fn new(streaming: bool) -> Self {
        Self(Self::PAGE | if streaming { Self::STREAMING } else { 0 })
    }

    /// Loops that prefetch do so at this distance from an input, or a byte more.
    #[inline(always)]
    pub const fn with_distance(self, bytes: isize) -> Self {
        Self(bytes & !Self::STREAMING | self.0 & Self::STREAMING)
    }

    #[inline(always)]
    pub const fn is_streaming(self) -> bool {
        self.0 & Self::STREAMING != 0
    }

    /// The distance from an input to what is prefetched: a byte more with non-temporal stores.
    #[cfg(feature = "smooth")]
    #[inline(always)]
    pub const fn distance(self) -> isize {
        self.0
    }
}

/// A loop over slices of equal length: one or two inputs and an output. Its arguments are passed in registers.
pub trait SliceLoop {
    /// # Safety
    ///
    /// The arguments meet the contract of the loop.
    unsafe fn walk<S: Simd>(
        simd: S,
        function: *const u8,
        first_input: *const u8,
        last_input: *const u8,
        output: *mut u8,
        len: usize,
        access: Access,
    );
}

/// A loop with any arguments.
pub trait Pass {
    type Args;
    type Output;

    /// # Safety
    ///
    /// The arguments meet the contract of the pass.
    unsafe fn walk<S: Simd>(simd: S, args: &Self::Args) -> Self::Output;
}

/// Loads a cache line into the L1 cache, where AVX2 or AVX-512 is compiled in. The address need not be readable.
#[cfg(any(feature = "smooth", feature = "strided"))]
#[inline(always)]
pub(crate) fn prefetch<T>(address: *const T) {
    #[cfg(any(rectify_avx2, rectify_avx512))]
    // SAFETY: the compilation target has SSE: build.rs compiles AVX2 and AVX-512 in only there. A prefetch doesn't fault.
    unsafe {
        #[cfg(target_arch = "x86")]
        core::arch::x86::_mm_prefetch::<{ core::arch::x86::_MM_HINT_T0 }>(address.cast());
        #[cfg(target_arch = "x86_64")]
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(not(any(rectify_avx2, rectify_avx512)))]
    let _ = address;
}

/// Orders non-temporal stores before all later stores.
#[inline]
pub(crate) fn fence() {
    #[cfg(any(rectify_avx2, rectify_avx512))]
    // SAFETY: the compilation target has SSE2: build.rs compiles AVX2 and AVX-512 in only there.
    unsafe {
        #[cfg(target_arch = "x86")]
        core::arch::x86::_mm_sfence();
        #[cfg(target_arch = "x86_64")]
        core::arch::x86_64::_mm_sfence();
    }
}
