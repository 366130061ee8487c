//! How memory is walked: slices, rows of matrices, masks and sums. The loops know vectors, and no function.

#![allow(
    clippy::needless_range_loop,
    reason = "with iterators over arrays of vectors the crate takes twice as long to compile"
)]

mod masks;
mod rows;
mod slices;
mod sums;

pub(crate) use masks::{BitsArgs, ChooseByBits, CountNonzero, Keep, LiveBits, Representative};
pub(crate) use rows::{MapRows, Operand, Plan, RowsArgs};
pub(crate) use slices::{ALIGNED_BYTES, MapSlices, walk_tail};
pub(crate) use sums::{Identity, STRIP, SumArgs, SumColumns, SumRows, fold, row_lanes};

use crate::simd::{Lane, Register, Simd};

/// The register of an instruction set for such lanes.
type RegisterOf<S, L> = <L as Lane>::Register<S>;

/// How many elements come before the first one at which `target` is aligned to a register, or the least number that could be.
#[inline(always)]
fn before_alignment<S: Simd, L: Lane>(target: *const L) -> usize {
    (target.addr().wrapping_neg() % size_of::<RegisterOf<S, L>>()) / size_of::<L>()
}

/// Whether `target` is aligned to a register.
#[inline(always)]
fn is_aligned<S: Simd, L: Lane>(target: *const L) -> bool {
    target.addr().is_multiple_of(size_of::<RegisterOf<S, L>>())
}

/// What is streamed comes from far away too.
///
/// # Safety
///
/// As for [`Vector::load`](crate::simd::Vector::load).
#[inline(always)]
unsafe fn load<V: Register>(simd: V::Simd, source: *const V::Lane, streaming: bool) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        if streaming {
            V::load_ahead(simd, source)
        } else {
            V::load(simd, source)
        }
    }
}

/// # Safety
///
/// As for [`Vector::store`](crate::simd::Vector::store), or with `streaming` as for [`Register::stream`].
#[inline(always)]
unsafe fn store<V: Register>(vector: V, target: *mut V::Lane, streaming: bool) {
    // SAFETY: the caller's promises.
    unsafe {
        if streaming {
            vector.stream(target);
        } else {
            vector.store(target);
        }
    }
}
