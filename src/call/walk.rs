//! A walk over a plan: joins, packs or repeats short rows, and computes the outputs at once or tile by tile.

use super::block::{BLOCK_BYTES, Block, LINE_BYTES};
use super::detect::Kernels;
use super::join::{are_joined, for_each_joined};
use super::loops::SliceLoops;
use super::pack::{Packing, Pieces, has_first_lanes};
use super::parts::{for_each_tile, is_flat};
use super::repeat::{Repeated, SHORT_BYTES};
use super::sums::Sums;
use super::tile::{Kernel, Walk};
use crate::simd::fence;
use crate::sweep::{Operand, Plan};

/// Rows of this size or more are streamed one by one.
const LONG_BYTES: usize = 1 << 14;

/// So few rows are walked one by one: to join, repeat or pack them takes longer.
fn few_rows(kernels: Kernels) -> usize {
    if has_first_lanes(kernels) { 16 } else { 4 }
}

/// What a call has to compute, of any part of its tensors.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    /// The size of an element in bytes.
    pub(super) size: usize,
    pub(super) kernel: Kernel<'a>,
    pub(super) sums: Option<Sums>,
    pub(super) copy: &'static SliceLoops,
}

impl Work<'_> {
    pub(super) fn walk(&self, plan: &Plan, kernels: Kernels, streaming: bool) {
        let Self {
            size, ref sums, copy, ..
        } = *self;
        let kernel = match self.kernel {
            Kernel::Composed { fused, params, .. } if fused.has(kernels) => Kernel::Rows(fused, params),
            kernel => kernel,
        };
        // Used through these pointers only, as long as the walk.
        let (mut block, mut outputs, mut rows) = (Block::new(), Block::new(), Block::new());
        let mut walk = Walk {
            kernel,
            kernels,
            size,
            copy,
            streaming,
            block: block.start(),
            outputs: outputs.start(),
            repeated: None,
            rows: rows.start(),
            packing: None,
        };
        if sums.is_none() && plan.groups * plan.rows <= few_rows(kernels) {
            walk.map_all(plan);
        } else if sums
            .as_ref()
            .map_or_else(|| are_joined(plan, size, kernels), |sums| sums.are_joined(plan))
        {
            walk.walk_joined(plan, sums.as_ref());
        } else {
            walk.walk(plan, sums.as_ref(), Pieces::whole(plan, size));
        }
        if streaming {
            fence();
        }
    }
}

impl Walk<'_> {
    fn walk(&mut self, plan: &Plan, sums: Option<&Sums>, pieces: Pieces) {
        // Sums of rows are walked as they lie.
        let is_packable = sums.is_none_or(|sums| sums.of_columns);
        self.packing = if is_packable {
            Packing::new(plan, pieces, self.size, self.kernels)
        } else {
            None
        };
        // Rows that are copied one by one take longer than their stores. Streaming needs the block that packed tiles go
        // to.
        self.streaming &= self.packing.is_none();
        self.repeat_row(plan);
        match sums {
            None => self.map_all(plan),
            Some(sums) if sums.of_columns => self.sum_columns(plan, sums),
            Some(sums) => self.sum_rows(plan, sums),
        }
    }

    /// Walks groups of short rows: those of a group are joined to one row. A sum of a row is that of its columns, over
    /// all groups.
    fn walk_joined(&mut self, plan: &Plan, sums: Option<&Sums>) {
        let (size, numbers, columns) = (self.size, self.rows, plan.columns);
        let walk = &mut |first, joined: &Plan, pieces| {
            let Some(sums) = sums else {
                return self.walk(joined, None, pieces);
            };
            let totals = sums.total(first);
            // What is summed is not composed, so that this block is free.
            debug_assert!(self.kernel.is_summed_without_block());
            let of_columns = if columns > 1 { self.block } else { totals };
            let sums_of_columns = Sums {
                totals: of_columns,
                of_columns: true,
                ..*sums
            };
            self.walk(joined, Some(&sums_of_columns), pieces);
            if columns > 1 {
                // SAFETY: there is a total for each row, checked by `RowsCall::sums`. The block is aligned and has a
                // sum for each of up to `STRIP` columns, which `walk` has written, without groups too.
                unsafe { (sums.loops.add_columns)(totals, of_columns, joined.columns / columns, columns) };
            }
        };
        // SAFETY: the inputs can be read, checked by `make_plan`. The block is free: what `walk` repeats there is of
        // one part. Rows without columns are not joined.
        unsafe { for_each_joined(plan, size, numbers, walk) };
    }

    /// Fills `rows` if an input can be repeated.
    #[inline(never)]
    fn repeat_row(&mut self, plan: &Plan) {
        self.repeated = None;
        if matches!(self.kernel, Kernel::Slices(..)) {
            return;
        }
        self.repeated = Repeated::new(plan, self.size, self.packing.is_some());
        if let Some(repeated) = self.repeated {
            // SAFETY: the inputs can be read, checked by `make_plan`. A block has room for `BLOCK_BYTES`. What the plan
            // has in it are numbers of joined rows, each at the start of its room: the rows that are repeated in a joined plan are
            // those that `for_each_joined` made of numbers, in the same order.
            unsafe { repeated.fill(plan, self.rows) };
        }
    }

    fn map_all(&self, plan: &Plan) {
        let (kernel, size) = (&self.kernel, self.size);
        if let Some(packing) = &self.packing {
            for_each_tile(plan, size, packing.bytes_of_tile, &mut |_, tile| {
                self.packed(tile, &|tile| self.map(tile, false));
            });
            return;
        }
        let is_one_loop = kernel.is_one_loop();
        let is_flat_slices = matches!(kernel, Kernel::Slices(..)) && is_flat(plan, size);
        let streams_rows = is_flat_slices || self.repeated.is_some() || self.can_stream_rows(plan);
        if is_flat_slices || is_one_loop && (!self.streaming || streams_rows || !self.can_stream_from_block(plan)) {
            self.map(plan, self.streaming && streams_rows);
            return;
        }
        for_each_tile(plan, size, BLOCK_BYTES, &mut |_, tile| {
            if is_one_loop {
                self.stream_from_block(tile, &|_| ());
            } else {
                self.map(tile, self.streaming && self.can_stream(tile));
            }
        });
    }

    /// Whether rows can be streamed one by one: they are long, so that a cache line shared by two rows does not matter,
    /// or they are made of whole cache lines.
    fn can_stream_rows(&self, plan: &Plan) -> bool {
        let bytes = plan.columns.saturating_mul(self.size);
        let are_lines = |output: &Operand| {
            let strides = [output.row_stride, output.group_stride];
            output.start.addr().is_multiple_of(LINE_BYTES)
                && strides.iter().all(|stride| stride.is_multiple_of(LINE_BYTES))
        };
        bytes >= LONG_BYTES || bytes >= SHORT_BYTES && plan.outputs.iter().all(are_lines)
    }
}
