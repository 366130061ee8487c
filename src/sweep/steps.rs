//! Copies of elements with a step between them, where registers can load and store some of their lanes.

use core::marker::PhantomData;

use super::RegisterOf;
use crate::simd::{Lane, Padded, Pass, REGISTER_BYTES, Register, Simd, Vector, prefetch};

/// Copies elements with a step between them to where they are contiguous, or back. What lies between them is not accessed.
///
/// Contract: that of [`StepsArgs`].
pub(crate) struct CopySteps<L, const GATHER: bool>(PhantomData<L>);

/// `runs` of `len` elements, with `step` lanes from element to element, and `run_step` bytes from run to run; at `contiguous`, one run after
/// the other. One side can be read and the other one written, and they don't overlap. `step` is not 0, and at most [`greatest_step`].
pub(crate) struct StepsArgs {
    pub(crate) strided: *mut u8,
    pub(crate) step: isize,
    pub(crate) run_step: isize,
    pub(crate) contiguous: *mut u8,
    pub(crate) len: usize,
    pub(crate) runs: usize,
}

/// The greatest step, in lanes of this size, for which registers are faster than single elements: four of them fit.
pub(crate) const fn greatest_step(size: usize) -> usize {
    (REGISTER_BYTES / size - 1) / 3
}

/// How far ahead is prefetched: about what a tile extends over. Between two tiles the CPU does not look ahead.
const PREFETCH_BYTES: usize = 1 << 13;

impl<L: Lane, const GATHER: bool> Pass for CopySteps<L, GATHER> {
    type Args = StepsArgs;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &StepsArgs) {
        let lanes = RegisterOf::<S, L>::LANES;
        let distance = args.step.unsigned_abs();
        // The elements that a register has room for, with what is between them. The first one has the lowest address.
        let count = lanes.div_ceil(distance);
        let chosen = (0..count).fold(0, |bits, i| bits | 1 << (i * distance));
        let indices = indices::<S, L, GATHER>(simd, count, args.step);
        let lowest = args.step.min(0).wrapping_mul(count as isize - 1);
        let from_register = args.step.wrapping_mul(count as isize);
        for run in 0..args.runs {
            let strided = args.strided.wrapping_offset(args.run_step.wrapping_mul(run as isize));
            let mut strided = strided.cast::<L>();
            let mut contiguous = args.contiguous.cast::<L>().wrapping_add(run * args.len);
            let mut left = args.len;
            // SAFETY: `count <= left`, and all lanes if `is_whole`, checked by the loops below. The chosen lanes are the next `count`
            // elements. What a whole register stores after `count` contiguous elements is overwritten by those that follow.
            let mut copy = |is_whole: bool| unsafe {
                let register = strided.wrapping_offset(lowest);
                match (GATHER, is_whole) {
                    (true, _) => {
                        prefetch(register.wrapping_byte_add(PREFETCH_BYTES));
                        let elements = RegisterOf::<S, L>::load_lanes(simd, register, chosen).permute(indices);
                        if is_whole {
                            elements.store(contiguous);
                        } else {
                            elements.store_first(contiguous, count);
                        }
                    }
                    (false, true) => RegisterOf::<S, L>::load(simd, contiguous)
                        .permute(indices)
                        .store_lanes(register, chosen),
                    (false, false) => RegisterOf::<S, L>::load_first(simd, contiguous, count)
                        .permute(indices)
                        .store_lanes(register, chosen),
                }
                strided = strided.wrapping_offset(from_register);
                contiguous = contiguous.wrapping_add(count);
            };
            while left >= lanes + count {
                copy(true);
                copy(true);
                left -= 2 * count;
            }
            while left >= lanes {
                copy(true);
                left -= count;
            }
            // Fewer than the lanes of a register.
            while left >= count {
                copy(false);
                left -= count;
            }
            for i in 0..left {
                let strided = strided.wrapping_offset(args.step.wrapping_mul(i as isize));
                let contiguous = contiguous.wrapping_add(i);
                // SAFETY: `i < left`: elements of the contract.
                unsafe {
                    if GATHER {
                        contiguous.write_unaligned(strided.read_unaligned());
                    } else {
                        strided.write_unaligned(contiguous.read_unaligned());
                    }
                }
            }
        }
    }
}

/// For each lane, the index of the lane that it is a copy of.
#[inline(always)]
fn indices<S: Simd, L: Lane, const GATHER: bool>(simd: S, count: usize, step: isize) -> RegisterOf<S, L> {
    let distance = step.unsigned_abs();
    let add = |lane: L, ones: usize| (0..ones).fold(lane, |lane, _| lane.wrapping_add(L::LOWEST_BIT));
    let by_distance = add(L::ZERO, distance);
    let mut indices = Padded::<L>::uninit();
    let indices = indices.as_mut_ptr();
    // SAFETY: `Padded` has room for any register, and `(count - 1) * distance` is less than its lanes.
    unsafe {
        RegisterOf::<S, L>::splat(simd, L::ZERO).store(indices);
        let mut there = L::ZERO;
        let mut here = if step < 0 { add(L::ZERO, count - 1) } else { L::ZERO };
        for i in 0..count {
            if GATHER {
                indices.add(if step < 0 { count - 1 - i } else { i }).write(there);
            } else {
                indices.add(i * distance).write(here);
            }
            there = there.wrapping_add(by_distance);
            here = if step < 0 {
                here.wrapping_sub(L::LOWEST_BIT)
            } else {
                here.wrapping_add(L::LOWEST_BIT)
            };
        }
        RegisterOf::<S, L>::load(simd, indices)
    }
}
