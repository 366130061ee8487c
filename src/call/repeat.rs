//! Repeating: several short rows are computed as one, where an input has the same row for all of them.

use super::block::{BLOCK_BYTES, LINE_BYTES};
use super::parts::{Axis, is_contiguous, part, walked};
use crate::sweep::{Operand, Plan};

/// Rows of fewer bytes are computed several at a time: to start a row takes longer than its elements.
pub(super) const SHORT_BYTES: usize = 1 << 10;

/// A row that is repeated has at least so many bytes: the loops take as long to start a row as for half of them.
const REPEATED_BYTES: usize = 1 << 11;

/// An input of one short row for all rows of the outputs. It is repeated in a block, so that several rows are computed
/// as one.
#[derive(Clone, Copy)]
pub(super) struct Repeated {
    index: usize,
    times: usize,
}

impl Repeated {
    /// Returns the input that can be repeated. All other operands have to be contiguous, or packed.
    pub(super) fn new(plan: &Plan, size: usize, is_packed: bool) -> Option<Self> {
        let is_row = |input: &Operand| !input.start.is_null() && input.row_stride == 0 && !input.is_broadcast;
        if plan.rows < 2 {
            return None;
        }
        let index = plan.inputs.iter().position(is_row)?;
        let is_short = plan.groups == 1 && plan.columns.saturating_mul(size) < SHORT_BYTES;
        let lie_close = is_packed || walked(plan).all(|operand| is_contiguous(operand, plan, size));
        let rows_of = |bytes: usize| bytes.checked_div(plan.columns * size);
        if !is_short || !lie_close {
            return None;
        }
        let enough = rows_of(REPEATED_BYTES)?.max(plan.rows / 4);
        let mut times = rows_of(BLOCK_BYTES)?.min(enough).min(plan.rows);
        // 64 rows are a whole number of cache lines, whatever their length.
        if times > LINE_BYTES {
            times -= times % LINE_BYTES;
        }
        (times > 1).then_some(Self { index, times })
    }

    /// Repeats the row in `block`.
    ///
    /// # Safety
    ///
    /// The plan is the one for which this was made. Its inputs can be read, and `block` written for `BLOCK_BYTES`. The
    /// row is at its start, or does not overlap it.
    pub(super) unsafe fn fill(self, plan: &Plan, size: usize, block: *mut u8) {
        let bytes = plan.columns * size;
        let row = plan.inputs[self.index].start;
        let end = self.times * bytes;
        // SAFETY: the row has `plan.columns` elements, and the block has room for `times` rows: see `new`. What is
        // copied is before its copy.
        unsafe {
            if row != block {
                block.copy_from_nonoverlapping(row, bytes);
            }
            let mut at = bytes;
            while at < end {
                let count = at.min(end - at);
                block.add(at).copy_from_nonoverlapping(block, count);
                at += count;
            }
        }
    }

    /// Calls `then` with the rows of a plan, several as one, whose input is in `block`.
    pub(super) fn for_each_part(self, plan: &Plan, size: usize, block: *mut u8, then: impl Fn(&Plan)) {
        let Self { index, times } = self;
        // Rows of `times` rows, and one of those that are left.
        let rows = plan.rows / times;
        let left = plan.rows - rows * times;
        for (first, rows, times) in [(0, rows, times), (rows * times, left.min(1), left)] {
            if rows == 0 {
                continue;
            }
            let mut long = part(plan, Axis::Rows, first, rows, size);
            long.columns *= times;
            for operand in long.inputs.iter_mut().chain(&mut long.outputs) {
                operand.row_stride *= times;
            }
            long.inputs[index].start = block;
            then(&long);
        }
    }
}
