//! Repeating: several short rows are computed as one, where an input has the same row for all of them.

use super::block::{BLOCK_BYTES, LINE_BYTES};
use super::parts::{Axis, is_contiguous, part, walked};
use crate::sweep::{Operand, Plan};

/// Rows of fewer bytes are computed several at a time: to start a row takes longer than its elements.
pub(super) const SHORT_BYTES: usize = 1 << 10;

/// A row that is repeated has at least so many bytes: the loops take as long to start a row as for half of them.
const REPEATED_BYTES: usize = 1 << 11;

/// Inputs of one short row for all rows of the outputs. Each is repeated in a room of a block, so that several rows are
/// computed as one.
#[derive(Clone, Copy)]
pub(super) struct Repeated {
    times: usize,
    /// The size of a room.
    room: usize,
}

/// Whether the input is one row for all rows.
fn is_repeated(input: &Operand) -> bool {
    !input.start.is_null() && input.row_stride == 0 && !input.is_broadcast
}

/// The size of the room that each of `count` operands has in a block, whole cache lines.
pub(super) fn room_of(count: usize) -> usize {
    BLOCK_BYTES / count / LINE_BYTES * LINE_BYTES
}

impl Repeated {
    /// Returns `None` if no input can be repeated. All other operands have to be contiguous, or packed.
    pub(super) fn new(plan: &Plan, size: usize, is_packed: bool) -> Option<Self> {
        if plan.rows < 2 {
            return None;
        }
        let rows = || plan.inputs.iter().filter(|input| is_repeated(input));
        let bytes = rows().map(|row| row.bytes(plan.columns)).max()?;
        let is_short = plan.groups == 1 && bytes < SHORT_BYTES;
        let lie_close = is_packed || walked(plan).all(|operand| is_contiguous(operand, plan, size));
        if !is_short || !lie_close {
            return None;
        }
        let room = room_of(rows().count());
        let enough = REPEATED_BYTES.checked_div(plan.columns * size)?.max(plan.rows / 4);
        let mut times = room.checked_div(bytes)?.min(enough).min(plan.rows);
        // 64 rows are a whole number of cache lines, whatever their length.
        if times > LINE_BYTES {
            times -= times % LINE_BYTES;
        }
        (times > 1).then_some(Self { times, room })
    }

    /// Repeats the rows in `block`.
    ///
    /// # Safety
    ///
    /// The plan is the one for which this was made. Its inputs can be read, and `block` written for `BLOCK_BYTES`. A row
    /// is at the start of its room, or overlaps none.
    pub(super) unsafe fn fill(self, plan: &Plan, block: *mut u8) {
        let rows = plan.inputs.iter().filter(|input| is_repeated(input));
        for (i, row) in rows.enumerate() {
            let bytes = row.bytes(plan.columns);
            let end = self.times * bytes;
            let target = block.wrapping_add(i * self.room);
            // SAFETY: the row has `plan.columns` elements, and its room is for `times` rows: see `new`. What is copied is
            // before its copy.
            unsafe {
                if row.start != target {
                    target.copy_from_nonoverlapping(row.start, bytes);
                }
                let mut at = bytes;
                while at < end {
                    let count = at.min(end - at);
                    target.add(at).copy_from_nonoverlapping(target, count);
                    at += count;
                }
            }
        }
    }

    /// Calls `then` with the rows of a plan, several as one, whose repeated inputs are in `block`.
    pub(super) fn for_each_part(self, plan: &Plan, block: *mut u8, then: impl Fn(&Plan)) {
        let Self { times, room } = self;
        // Rows of `times` rows, and one of those that are left.
        let rows = plan.rows / times;
        let left = plan.rows - rows * times;
        for (first, rows, times) in [(0, rows, times), (rows * times, left.min(1), left)] {
            if rows == 0 {
                continue;
            }
            let mut long = part(plan, Axis::Rows, first, rows);
            long.columns *= times;
            let repeated = long.inputs.iter_mut().filter(|input| is_repeated(input));
            for (i, input) in repeated.enumerate() {
                input.start = block.wrapping_add(i * room);
            }
            for operand in long.inputs.iter_mut().chain(&mut long.outputs) {
                operand.row_stride *= times;
            }
            then(&long);
        }
    }
}
