//! How a vector works, one file an instruction set; and the calls that bring slices and tensors there.

#[macro_use]
mod macros;

#[cfg(feature = "alloc")]
mod append;
#[cfg(rectify_avx2)]
mod avx2;
#[cfg(rectify_avx512)]
mod avx512;
mod call;
mod cpuid;
mod entries;
mod float;
mod halves;
mod masks;
mod matrix;
mod narrow;
#[cfg(rectify_neon)]
mod neon;
#[cfg(rectify_portable)]
mod portable;
mod rows;
mod scalar;
#[cfg(feature = "rayon")]
mod split;

#[cfg(feature = "alloc")]
pub(crate) use append::append;
pub(crate) use call::{Call, Source};
pub(crate) use cpuid::last_level_cache;
pub(crate) use entries::{Entries, run};
pub use float::{Float, FloatFn, FloatLane, compute};
pub(crate) use masks::MaskCall;
pub use matrix::{Rows, RowsMut};
pub use rows::Channels;
pub(crate) use rows::{RowsCall, RowsSource};
#[cfg(feature = "rayon")]
pub(crate) use split::share;

use narrow::Narrow;

use crate::element::{Element, Format};
use crate::isa::Isa;
use crate::sweep::VectorFn;

/// An instruction set. A value is the proof that this CPU has it, so that the operations on vectors are safe.
///
/// # Safety
///
/// `is_available` is true only where the unsafe functions may be called, and where `Unaligned` is available too; `ISA` is its own.
pub unsafe trait Simd: Copy {
    type I16: Vector<Simd = Self, Lane = i16>;
    type I32: Vector<Simd = Self, Lane = i32>;
    type I64: Vector<Simd = Self, Lane = i64>;

    /// Whose loops serve slices that are too short to align the stores.
    type Unaligned: Simd;

    const ISA: Isa;

    /// Whether it can store past the caches. Where it can't, slices have no loop for that; nothing else rests on it.
    const STREAMS: bool = false;

    /// Whether this CPU and its operating system have it.
    fn is_available() -> bool;

    /// Stores 16 bytes past the caches, where the instruction set can do that.
    ///
    /// # Safety
    ///
    /// The instruction set is available. `target` can be written for 16 bytes, and is aligned to them.
    #[inline(always)]
    unsafe fn stream_16(bytes: [u8; 16], target: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe { target.cast::<[u8; 16]>().write(bytes) }
    }

    /// Orders what was streamed before what is stored from now on.
    #[inline(always)]
    fn fence(self) {}

    /// Four numbers of `f16` as `f32`.
    ///
    /// # Safety
    ///
    /// The instruction set is available.
    #[inline(always)]
    unsafe fn f16_to_f32(halves: [i16; 4]) -> [f32; 4] {
        halves::f16_to_f32(halves)
    }

    /// Each rounded to the nearest number of `f16`, of two to the even one.
    ///
    /// # Safety
    ///
    /// The instruction set is available.
    #[inline(always)]
    unsafe fn f16_from_f32(floats: [f32; 4]) -> [i16; 4] {
        halves::f16_from_f32(floats)
    }

    /// A [`Map`](crate::sweep::Map) of elements of `T`, walked, compiled for the instruction set. There are one or two inputs,
    /// and not an array, which would go through memory.
    ///
    /// # Safety
    ///
    /// - The instruction set is available.
    /// - The pointers are those of elements of `T`, and as `Map` wants them.
    unsafe fn enter<T: Element, F: VectorFn<N>, const N: usize, const ALIGNED: bool>(
        function: F,
        first_input: *const u8,
        last_input: *const u8,
        output: *mut u8,
        len: usize,
        streaming: bool,
    );

    /// `walk`, compiled for the instruction set.
    ///
    /// # Safety
    ///
    /// The instruction set is available.
    unsafe fn run<W: Walk>(walk: &W) -> W::Output;
}

/// What code for an instruction set is made of, beside the walks of `enter`.
pub trait Walk {
    type Output;

    fn walk<S: Simd>(&self, simd: S) -> Self::Output;
}

/// A whole number as wide as an element, in which kernels see the element's bits.
pub trait Lane: bytemuck::Pod + Ord + Send + Sync {
    type Vector<S: Simd>: Vector<Simd = S, Lane = Self>;
    /// Of 16 bytes, for rests.
    type Narrow<S: Simd>: Vector<Simd = S, Lane = Self>;
    /// Of one lane.
    type One<S: Simd>: Vector<Simd = S, Lane = Self>;
    /// For the few elements that are walked in the caller, with what every CPU of the compilation target has.
    type InCaller: Vector<Simd = scalar::Scalar, Lane = Self>;

    const ZERO: Self;
    const ONE: Self;
    const MIN: Self;
    const MAX: Self;

    fn wrapping_add(self, other: Self) -> Self;
    fn wrapping_sub(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
}

macro_rules! lane {
    ($lane:ident: $vector:ident, $register:ident, in caller: $in_caller:ty) => {
        impl Lane for $lane {
            type Vector<S: Simd> = S::$vector;
            type Narrow<S: Simd> = Narrow<S, wide::$register, 16>;
            type One<S: Simd> = scalar::One<S, Self>;
            type InCaller = $in_caller;

            const ZERO: Self = 0;
            const ONE: Self = 1;
            const MIN: Self = $lane::MIN;
            const MAX: Self = $lane::MAX;

            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn wrapping_sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
        }
    };
}

lane!(i16: I16, i16x8, in caller: Self::Narrow<scalar::Scalar>);
lane!(i32: I32, i32x4, in caller: Self::Narrow<scalar::Scalar>);
// SSE2 has no compare of 64 bits.
lane!(i64: I64, i64x2, in caller: scalar::One<scalar::Scalar, i64>);

/// A register of lanes.
///
/// # Safety
///
/// Those that load, store and stream touch `LANES` lanes, a power of two, and nothing else.
pub unsafe trait Vector: Copy {
    type Simd: Simd;
    type Lane: Lane;
    /// A truth value for each lane.
    type Mask: Copy;
    /// What takes half as many lanes, or the next fewer that the instruction set has; itself where this one takes a single lane.
    type Narrower: Vector<Simd = Self::Simd, Lane = Self::Lane>;

    const LANES: usize;

    /// # Safety
    ///
    /// `source` can be read for `LANES` lanes. It need not be aligned.
    unsafe fn load(simd: Self::Simd, source: *const Self::Lane) -> Self;

    /// As `load`, but begins before a mask is there that goes with it.
    ///
    /// # Safety
    ///
    /// As for `load`.
    #[inline(always)]
    unsafe fn load_ahead(simd: Self::Simd, source: *const Self::Lane) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self::load(simd, source) }
    }

    /// # Safety
    ///
    /// `target` can be written for `LANES` lanes. It need not be aligned.
    unsafe fn store(self, target: *mut Self::Lane);

    /// As `store`, past the caches where the instruction set can do that.
    ///
    /// # Safety
    ///
    /// As for `store`, and `target` is aligned to the size of the vector, if that is 16 bytes or more. [`Simd::fence`] comes before any other access to the
    /// memory.
    #[inline(always)]
    unsafe fn stream(self, target: *mut Self::Lane) {
        // SAFETY: the caller promises more.
        unsafe { self.store(target) }
    }

    /// `lane` in every lane.
    fn splat(simd: Self::Simd, lane: Self::Lane) -> Self;

    /// `self > other`, as signed integers.
    fn gt(self, other: Self) -> Self::Mask;

    /// `self != 0`
    fn nonzero(self) -> Self::Mask;

    /// `self` where `mask` is true, else 0.
    fn keep(self, mask: Self::Mask) -> Self;

    /// 0 where `mask` is true, else `self`.
    fn discard(self, mask: Self::Mask) -> Self;

    /// `other` where `mask` is true, else `self`.
    fn replace(self, mask: Self::Mask, other: Self) -> Self;

    fn wrapping_add(self, other: Self) -> Self;

    fn xor(self, other: Self) -> Self;

    /// True where both are.
    fn and(simd: Self::Simd, a: Self::Mask, b: Self::Mask) -> Self::Mask;

    /// True where `a` is and `b` isn't.
    fn and_not(simd: Self::Simd, a: Self::Mask, b: Self::Mask) -> Self::Mask;

    /// A bit for each lane, the lowest one for the first; the others are 0.
    fn to_bits(simd: Self::Simd, mask: Self::Mask) -> u64;

    /// The mask of such bits, from that at `first` on, which is a multiple of `LANES`.
    fn from_bits(simd: Self::Simd, bits: u64, first: usize) -> Self::Mask;

    /// What the elements are computed in: itself, or of 32 bits a lane where its own have 16.
    type Float: Float<Simd = Self::Simd>;

    /// How many of them the elements of this one take.
    const FLOATS: usize;

    /// The elements that go to the one at `index`, in its format and in their order, which sums need.
    fn widen<T: Format<Lane = Self::Lane>>(self, index: usize) -> Self::Float;

    /// All of them, in an order that may be another one. Where they go to a single vector, it stands twice.
    #[inline(always)]
    fn split<T: Format<Lane = Self::Lane>>(self) -> [Self::Float; 2] {
        if Self::FLOATS == 1 {
            [self.widen::<T>(0); 2]
        } else if T::IS_BF16 {
            self.split_bf16::<T>()
        } else {
            [self.widen::<T>(0), self.widen::<T>(1)]
        }
    }

    /// `split` of a format that is half of an `f32`, to two vectors: of two elements side by side one goes to each.
    #[inline(always)]
    fn split_bf16<T: Format<Lane = Self::Lane>>(self) -> [Self::Float; 2] {
        [self.widen::<T>(0), self.widen::<T>(1)]
    }

    /// Those of `split` in their places, each rounded to the nearest number of `T`, of two to the even one. A second vector is not
    /// looked at where one is enough. A NaN is one that came of a number of `T`, or of an invalid operation.
    fn join<T: Format<Lane = Self::Lane>>(floats: [Self::Float; 2]) -> Self;
}

/// Whether `isa` is built in and available.
pub(crate) fn is_available(isa: Isa) -> bool {
    match isa {
        Isa::Scalar => scalar::Scalar::is_available(),
        #[cfg(rectify_portable)]
        Isa::Portable => portable::Portable::is_available(),
        #[cfg(rectify_neon)]
        Isa::Neon => neon::Neon::is_available(),
        #[cfg(rectify_avx2)]
        Isa::Avx2 => avx2::Avx2::is_available(),
        #[cfg(rectify_avx512)]
        Isa::Avx512 => avx512::Avx512::is_available(),
        _ => false,
    }
}
