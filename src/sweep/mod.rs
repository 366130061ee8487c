//! Loops over memory: slices, rows of matrices, masks and reductions. They are generic over functions and instruction
//! sets.

#![allow(
    clippy::needless_range_loop,
    reason = "with iterators over arrays of vectors the crate takes twice as long to compile"
)]

#[cfg(all(feature = "half", feature = "smooth"))]
mod convert;
mod masks;
mod mixed;
mod rows;
mod slices;
#[cfg(feature = "strided")]
mod steps;
mod sums;

#[cfg(all(feature = "half", feature = "smooth"))]
pub(crate) use convert::{BLOCK_STEP, FromF32, FromF32Args, ToF32, ToF32Args};
pub(crate) use masks::{BitsArgs, ChooseByBits, CountNonzero, LiveBits};
pub(crate) use mixed::MapMixed;
pub(crate) use rows::{MapRows, OPERANDS, Operand, Plan, RowsArgs};
#[cfg(feature = "smooth")]
pub(crate) use slices::MapLong;
pub(crate) use slices::{ALIGNED_BYTES, MapSlices, walk_tail};
#[cfg(feature = "strided")]
pub(crate) use steps::{
    CopySteps, FEW, MapNarrowSteps, MapSteps, MapStepsArgs, StepsArgs, TENSORS, copies_fit_registers,
    map_fits_registers,
};
pub(crate) use sums::{Identity, RowLanes, STRIP, SumArgs, SumColumns, SumRows, add_sum, fold};

#[cfg(feature = "smooth")]
use crate::simd::{Access, prefetch};
use crate::simd::{Lane, Register, Simd, Vector};

/// The register of the instruction set `S` with lanes of `L`.
type RegisterOf<S, L> = <L as Lane>::Register<S>;

/// The length of the head: the number of elements before the first one that is aligned to a register.
///
/// It is less than a register's lanes. If no element is aligned, it is rounded down.
#[inline(always)]
fn before_alignment<S: Simd, L: Lane>(target: *const L) -> usize {
    (target.addr().wrapping_neg() % size_of::<RegisterOf<S, L>>()) / size_of::<L>()
}

/// Whether `target` is aligned to a register.
#[inline(always)]
fn is_aligned<S: Simd, L: Lane>(target: *const L) -> bool {
    target.addr().is_multiple_of(size_of::<RegisterOf<S, L>>())
}

/// Prefetches what is loaded at the distance of `access` after `source`.
///
/// Between two loads, loops of a lot of code compute for longer than the CPU looks ahead.
#[cfg(feature = "smooth")]
#[inline(always)]
fn prefetch_after<S: Simd, L: Lane>(source: *const L, access: Access) {
    if const { S::STREAMS } {
        prefetch(source.wrapping_byte_offset(access.distance()));
    }
}

/// Loads a register. With `streaming` the load starts ahead of the mask, since it comes from main memory.
///
/// # Safety
///
/// As for [`Vector::load`](crate::simd::Vector::load).
#[inline(always)]
unsafe fn load<V: Register>(simd: V::Simd, source: *const V::Lane, streaming: bool) -> V {
    // SAFETY: LANES lanes can be read at `source`: this function's contract.
    unsafe {
        if const { V::Simd::STREAMS } && streaming {
            V::load_ahead(simd, source)
        } else {
            V::load(simd, source)
        }
    }
}

/// Loads a register of elements, of which only the first `count` are loaded if it has more.
///
/// # Safety
///
/// `source` can be read for so many lanes.
#[inline(always)]
unsafe fn load_up_to<S: Simd, L: Lane>(simd: S, source: *const L, count: usize) -> RegisterOf<S, L> {
    // SAFETY: the lanes of a register, or `count` if that is fewer, can be read: this function's contract.
    unsafe {
        if const { RegisterOf::<S, L>::LANES == 1 } || count >= RegisterOf::<S, L>::LANES {
            load(simd, source, false)
        } else {
            RegisterOf::<S, L>::load_first(simd, source, count)
        }
    }
}

/// # Safety
///
/// As for [`Vector::store`](crate::simd::Vector::store), or with `streaming` as for [`Register::stream`].
#[inline(always)]
unsafe fn store<V: Register>(vector: V, target: *mut V::Lane, streaming: bool) {
    // SAFETY: LANES lanes can be written at `target`, which is aligned if `streaming`: this function's contract.
    unsafe {
        if const { V::Simd::STREAMS } && streaming {
            vector.stream(target);
        } else {
            vector.store(target);
        }
    }
}
