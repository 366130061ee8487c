//! Joining: the short rows of a group become one row, where each has a number or a sum of its own.

use super::block::{BLOCK_BYTES, LINE_BYTES};
use super::detect::Kernels;
use super::pack::{Pieces, packed_bytes, packed_row_bytes};
use super::parts::{Axis, part, walked};
use super::repeat::room_of;
use crate::sweep::{Operand, Plan, STRIP};

/// Rows of fewer bytes that have a number each are joined: channels first with a small image.
const JOINED_BYTES: usize = 1 << 8;

/// If they are not so short, where there are so many groups that have the same numbers.
const GROUPS_WORTH_JOINING: usize = 4;

/// The bytes that [`expand`] writes at a time. It may write as many after the last number.
const CHUNK_BYTES: usize = 32;

// A block has room for a joined row, which is a strip at most: its numbers, or the sums of its columns.
const _: () = assert!(STRIP * size_of::<u64>() <= BLOCK_BYTES && CHUNK_BYTES <= LINE_BYTES);

// Half a block, the room of each of two numbers, has room for a row that is joined, in 8 bytes an element.
const _: () = assert!(JOINED_BYTES / size_of::<u16>() * size_of::<u64>() <= BLOCK_BYTES / 2);

/// Whether each row has a number of its own.
fn is_number(input: &Operand) -> bool {
    input.is_broadcast && input.row_stride != 0
}

/// Whether rows with a number each are so short that the rows of a group are joined.
pub(super) fn are_joined(plan: &Plan, size: usize, kernels: Kernels) -> bool {
    let bytes = plan.columns.saturating_mul(size);
    let is_strided = || walked(plan).any(|operand| operand.row_stride != bytes);
    (1..JOINED_BYTES).contains(&bytes)
        && plan.inputs.iter().any(is_number)
        && (bytes < packed_row_bytes(kernels)
            || (bytes <= LINE_BYTES || plan.groups >= GROUPS_WORTH_JOINING) && !is_strided())
}

/// Calls `then` with parts of a plan, each as one row for each group, its pieces, and where it begins. The numbers of
/// its rows, repeated for each column, are in `block`, and are overwritten with the next part. A part has at most
/// `STRIP` columns.
///
/// # Safety
///
/// The inputs of the plan can be read, and `block` written as a [`Block`](super::block::Block). Rows have columns.
#[inline(never)]
pub(super) unsafe fn for_each_joined(
    plan: &Plan,
    size: usize,
    block: *mut u8,
    then: &mut dyn FnMut(usize, &Plan, Pieces),
) {
    let (rows, columns) = (plan.rows, plan.columns);
    if rows == 0 {
        return;
    }
    let bytes = columns * size;
    let is_strided = rows > 1 && walked(plan).any(|operand| operand.row_stride != bytes);
    let elements = if is_strided { packed_bytes(plan) / size } else { STRIP };
    // No tile, strip or room has less room than a joined row: what is packed are whole rows, and the numbers of one go
    // to a room of a block, as the sums of its columns go to a block.
    let numbers = || plan.inputs.iter().filter(|input| is_number(input));
    let room = room_of(numbers().count().max(1));
    let size_of_number = numbers().map(|input| usize::from(input.size)).max();
    let elements = elements.min(STRIP).min(room / size_of_number.unwrap_or(1));
    // As many rows in each part.
    let parts = rows.div_ceil(elements / columns);
    let rows_of_part = rows.div_ceil(parts);
    for first in (0..rows).step_by(rows_of_part) {
        let count = rows_of_part.min(rows - first);
        let mut joined = part(plan, Axis::Rows, first, count);
        let pieces = Pieces::joined(&joined, size);
        (joined.groups, joined.rows, joined.columns) = (1, plan.groups, count * columns);
        let mut target = block;
        for operand in joined.inputs.iter_mut().chain(&mut joined.outputs) {
            if is_number(operand) {
                let mut start = operand.start;
                if columns > 1 {
                    start = target;
                    // SAFETY: there are `count` numbers, one for each row. `count * columns` are at most a room: `elements`. After
                    // it comes the next one, which is written later, or the line at the end of the block, as long as a chunk.
                    unsafe { expand(operand.start, count, columns, operand.size.into(), start) };
                    target = target.wrapping_add(room);
                }
                *operand = Operand {
                    start,
                    size: operand.size,
                    ..Operand::NONE
                };
            } else {
                (operand.row_stride, operand.group_stride) = (operand.group_stride, 0);
            }
        }
        then(first, &joined, pieces);
    }
}

/// Writes each of `count` numbers of `size` bytes `times` times.
///
/// # Safety
///
/// The numbers can be read, and `target` written for `count * times` of them and [`CHUNK_BYTES`].
unsafe fn expand(numbers: *const u8, count: usize, times: usize, size: usize, target: *mut u8) {
    // SAFETY: this function's contract, with numbers of `size` bytes.
    unsafe {
        match size {
            2 => expand_chunks::<u16, { CHUNK_BYTES / 2 }>(numbers.cast(), count, times, target.cast()),
            4 => expand_chunks::<u32, { CHUNK_BYTES / 4 }>(numbers.cast(), count, times, target.cast()),
            _ => expand_chunks::<u64, { CHUNK_BYTES / 8 }>(numbers.cast(), count, times, target.cast()),
        }
    }
}

/// # Safety
///
/// As for [`expand`].
unsafe fn expand_chunks<L: Copy, const N: usize>(numbers: *const L, count: usize, times: usize, target: *mut L) {
    for i in 0..count {
        // SAFETY: there are `count` numbers. A chunk begins among the `times` of a number; what is too much of it is
        // overwritten by the next number, or within CHUNK_BYTES after the last one.
        unsafe {
            let chunk = [numbers.add(i).read_unaligned(); N];
            let of_number = target.add(i * times);
            let mut at = 0;
            while at < times {
                of_number.add(at).cast::<[L; N]>().write_unaligned(chunk);
                at += N;
            }
        }
    }
}
