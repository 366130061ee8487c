//! Loops over elements of 16 bits, composed of the loop of `f32` and of conversions, a block at a time. The blocks stay in
//! the L1 cache.

use core::mem::MaybeUninit;
use core::ptr;

use super::loops::SliceEntry;
use crate::function::{OfBlocks, ProductOf, Tie};
use crate::simd::{Access, Format, REGISTER_BYTES, Simd, Vector};
use crate::sweep::{BLOCK_STEP, FromF32, FromF32Args, MapLong, ToF32, ToF32Args};

/// The number of elements of a block: so few that the CPU keeps track of all cache lines that are prefetched for the next
/// ones at once.
const BLOCK: usize = 256;

const _: () = assert!(BLOCK.is_multiple_of(BLOCK_STEP));

#[repr(align(64))]
struct Block([MaybeUninit<f32>; BLOCK]);

/// The loops that a loop is composed of, for an instruction set.
struct Composed {
    to_f32: unsafe fn(&ToF32Args),
    map: SliceEntry,
    from_f32: unsafe fn(&FromF32Args),
    inputs: usize,
    /// The number of elements in a register.
    lanes: usize,
}

/// [`Simd::enter`] of the loop of elements of `T` by the loop of `f32`.
///
/// # Safety
///
/// That of `Simd::enter`, with the contract of [`MapLong`].
pub(super) unsafe fn enter_widened<S: Simd, T: Format<Lane = i16>, F: OfBlocks<N>, const N: usize>(
    function: *const u8,
    first_input: *const u8,
    last_input: *const u8,
    output: *mut u8,
    len: usize,
    access: Access,
) {
    let composed = const {
        &Composed {
            to_f32: S::run::<ToF32<T>>,
            map: S::enter::<MapLong<F, ProductOf<f32>, N>>,
            from_f32: S::run::<FromF32<T, ProductOf<T>>>,
            inputs: N,
            lanes: <S::I16 as Vector>::LANES,
        }
    };
    // SAFETY: `function` points to an `F`, the loops are those of `S`, which is available, and the arguments are those of this
    // function: its contract.
    unsafe {
        let ties = if T::IS_BF16 {
            &[]
        } else {
            function.cast::<F>().read().ties()
        };
        walk_widened(
            (composed, ties),
            function,
            [first_input, last_input],
            output,
            len,
            access,
        );
    }
}

/// # Safety
///
/// The instruction set of the loops is available, and the arguments meet the contract of [`MapLong`].
#[inline(never)]
unsafe fn walk_widened(
    (composed, ties): (&Composed, &'static [Tie]),
    function: *const u8,
    inputs: [*const u8; 2],
    output: *mut u8,
    len: usize,
    access: Access,
) {
    let mut blocks = [const { Block([MaybeUninit::uninit(); _]) }; 2];
    // Used through these pointers only.
    let blocks = blocks.each_mut().map(|block| block.0.as_mut_ptr().cast::<u8>());
    let last = composed.inputs - 1;
    let gate = if last == 0 { inputs[1] } else { ptr::null() };
    // So that all blocks after the first one begin at the start of a cache line.
    let mut end = len.min(BLOCK - output.addr() % REGISTER_BYTES / size_of::<i16>());
    let mut at = 0;
    while at < len {
        let count = end - at;
        // SAFETY:
        // - `at + count <= len`: the elements are within the slices, by this function's contract, and so is the fence.
        // - `count <= BLOCK`, a multiple of `BLOCK_STEP`, so that a block has room for numbers of whole registers.
        // - A single input is followed by null or a gate, by the same contract. The loop of `f32` gets no gate.
        // - The loop of `f32` reads what was written, whole registers, and writes to its last input.
        // - Where x is NaN, the result is x: the contract of `OfBlocks`.
        unsafe {
            for (input, floats) in inputs.into_iter().zip(blocks).take(composed.inputs) {
                let input = input.add(at * size_of::<i16>());
                (composed.to_f32)(&ToF32Args {
                    input,
                    floats,
                    len: count,
                    access,
                });
            }
            let whole = count.next_multiple_of(composed.lanes);
            let floats = blocks[last];
            let second = if last == 0 { ptr::null() } else { floats.cast_const() };
            (composed.map)(function, blocks[0], second, floats, whole, Access::new(false));
            (composed.from_f32)(&FromF32Args {
                floats,
                x: inputs[0].add(at * size_of::<i16>()),
                gate: if gate.is_null() {
                    gate
                } else {
                    gate.add(at * size_of::<i16>())
                },
                output: output.add(at * size_of::<i16>()),
                len: count,
                access,
                ties,
            });
        }
        at = end;
        end = len.min(end + BLOCK);
    }
}
