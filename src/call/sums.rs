//! Reductions: the outputs of a walk, and in the same pass the sum of each channel.

use core::mem::MaybeUninit;
use core::ops::Range;

use super::block::BLOCK_BYTES;
use super::loops::{Params, SliceLoops, SumLoops};
use super::parts::{Axis, elements, for_each_part, for_each_tile, is_flat, outputs_as_inputs, part};
use super::tile::{Kernel, Walk, slice_inputs};
use crate::simd::{Access, REGISTER_BYTES};
use crate::sweep::{Operand, Plan, RowLanes, STRIP, SumArgs};

/// The size of a tile whose output is summed, of contiguous tensors. So little that the CPU loads the next tile while
/// it sums this one.
const SUMMED_BYTES: usize = 1 << 11;

/// The number of rows that are summed before their sum is added to the total: the error of a sum grows with its length.
const ROWS_OF_SUM: usize = 256;

// A tile of a strip has all of its columns, so that the sums of a strip begin with its first column. A tile of a long
// row begins with the first of a row's lanes.
const _: () = {
    assert!(STRIP * size_of::<u64>() <= BLOCK_BYTES);
    assert!((BLOCK_BYTES / size_of::<u64>()).is_multiple_of(row_lanes_of(size_of::<f32>())));
    assert!((SUMMED_BYTES / size_of::<u64>()).is_multiple_of(row_lanes_of(size_of::<f32>())));
};

/// The lanes of the widest register, of 16 bits.
const MAX_LANES: usize = REGISTER_BYTES / size_of::<u16>();

/// Room for a sum for each column of a strip, on cache lines of their own.
#[repr(align(64))]
struct StripSums(MaybeUninit<[u64; STRIP]>);

/// The number of accumulators of a row, for sums of `size` bytes.
const fn row_lanes_of(size: usize) -> usize {
    size_of::<RowLanes>() / size
}

/// A reduction over channels, computed in the same pass as the outputs.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    pub(super) loops: &'static SumLoops,
    pub(super) totals: *mut u8,
    /// Whether a channel is a column; otherwise it is a row of a group.
    pub(super) of_columns: bool,
    /// Whether the summands are computed from the first two inputs, before the output is written; otherwise they are
    /// the output.
    pub(super) of_inputs: bool,
}

impl Sums {
    pub(super) fn total(&self, channel: usize) -> *mut u8 {
        self.totals.wrapping_add(channel * self.loops.size)
    }

    /// Whether rows are so short that the rows of a group are joined. This is part of the reduction order.
    pub(super) fn are_joined(&self, plan: &Plan) -> bool {
        !self.of_columns && (1..row_lanes_of(self.loops.size)).contains(&plan.columns)
    }
}

impl Walk<'_> {
    /// Computes the outputs and the sum of each column.
    #[inline(never)]
    pub(super) fn sum_columns(&self, plan: &Plan, sums: &Sums) {
        let size = self.size;
        let bytes = sums.loops.size;
        let bytes_of_tile = self.packing.map_or(BLOCK_BYTES, |packing| packing.bytes_of_tile);
        let mut of_rows = StripSums(MaybeUninit::uninit());
        let of_rows: *mut u8 = of_rows.0.as_mut_ptr().cast();
        for_each_part(plan, (Axis::Columns, STRIP), &mut |first, strip| {
            let width = strip.columns;
            let totals = sums.total(first);
            if strip.rows == 0 {
                // SAFETY: there is a total for each column, checked by `RowsCall::sums`. Zero bytes are +0.0.
                unsafe { totals.write_bytes(0, width * bytes) };
            }
            for_each_part(strip, (Axis::Rows, ROWS_OF_SUM), &mut |first, rows| {
                // SAFETY: a strip is whole registers, and so is what is a multiple of the lanes of the widest one.
                unsafe { of_rows.write_bytes(0, width.next_multiple_of(MAX_LANES) * bytes) };
                for_each_tile(rows, size, bytes_of_tile, &mut |_, tile| {
                    self.packed(tile, &|tile| {
                        self.map_and_sum(tile, sums.of_inputs, &|summands| {
                            let args = SumArgs {
                                plan: summands,
                                sums: of_rows,
                                lanes: core::ptr::null_mut(),
                            };
                            // SAFETY: the summands are inputs of the tile or its output, which can be read. The tile is
                            // of a strip, and `of_rows` has its sums, which are whole registers.
                            unsafe { sums.loops.columns.call(self.kernels, &args) };
                        });
                    });
                });
                // SAFETY: the strip has `width` totals and sums. Sums are never -0.0, so that to add the first ones to
                // +0.0 would change nothing.
                unsafe {
                    if first == 0 {
                        totals.copy_from_nonoverlapping(of_rows, width * bytes);
                    } else {
                        (sums.loops.add)(totals, of_rows, width);
                    }
                }
            });
            // SAFETY: the strip has `width` totals.
            unsafe { (sums.loops.finish)(totals, width) };
        });
    }

    /// Computes the outputs and the sum of each row of a group, over all groups.
    #[inline(never)]
    pub(super) fn sum_rows(&self, plan: &Plan, sums: &Sums) {
        let size = self.size;
        let bytes = sums.loops.size;
        // SAFETY: there is a total for each row of a group, checked by `RowsCall::sums`. Zero bytes are +0.0.
        unsafe { sums.totals.write_bytes(0, plan.rows * bytes) };
        if let Some(mut flat) = self.flat_sums(plan, sums) {
            flat.sum_rows();
        } else if plan.columns <= BLOCK_BYTES / size {
            for_each_tile(plan, size, BLOCK_BYTES, &mut |row, tile| {
                self.sum_tile_rows(tile, sums, sums.total(row), core::ptr::null_mut());
            });
        } else {
            for group in 0..plan.groups {
                let of_group = part(plan, Axis::Groups, group, 1);
                for row in 0..plan.rows {
                    let of_row = part(&of_group, Axis::Rows, row, 1);
                    sum_long_row(sums, plan.columns, sums.total(row), |columns, lanes| {
                        let stretch = part(&of_row, Axis::Columns, columns.start, columns.len());
                        for_each_tile(&stretch, size, BLOCK_BYTES, &mut |_, tile| {
                            self.sum_tile_rows(tile, sums, core::ptr::null_mut(), lanes);
                        });
                    });
                }
            }
        }
        // SAFETY: there are `plan.rows` totals, as above.
        unsafe { (sums.loops.finish)(sums.totals, plan.rows) };
    }

    /// The work as [`FlatSums`], if a loop over slices writes what is summed, and the rows of a group are contiguous.
    fn flat_sums<'b>(&'b self, plan: &'b Plan, sums: &'b Sums) -> Option<FlatSums<'b>> {
        match self.kernel {
            // Without groups, columns may have any number.
            Kernel::Slices(loops, params)
                if !sums.of_inputs && plan.groups > 0 && is_flat(&Plan { groups: 1, ..*plan }, self.size) =>
            {
                Some(FlatSums {
                    walk: self,
                    plan,
                    sums,
                    loops,
                    params,
                    tile: Plan {
                        groups: 1,
                        rows: 1,
                        ..outputs_as_inputs(plan)
                    },
                })
            }
            _ => None,
        }
    }

    fn sum_tile_rows(&self, tile: &Plan, sums: &Sums, totals: *mut u8, lanes: *mut u8) {
        self.map_and_sum(tile, sums.of_inputs, &|summands| {
            let args = SumArgs {
                plan: summands,
                sums: totals,
                lanes,
            };
            // SAFETY: the summands are inputs of the tile or its output, which can be read. There is a total for each
            // row of the tile, or the tile has one row, and `lanes` its accumulators.
            unsafe { sums.loops.rows.call(self.kernels, &args) };
        });
    }

    /// Computes the output of a tile, and calls `sum` with its inputs or its output as summands.
    #[inline(never)]
    fn map_and_sum(&self, tile: &Plan, of_inputs: bool, sum: &dyn Fn(&Plan)) {
        let from_block = self.streaming && self.can_stream_from_block(tile);
        if of_inputs {
            // Before the output is written, which may be one of the inputs.
            sum(tile);
            if from_block {
                self.stream_from_block(tile, &|_| ());
            } else {
                self.map(tile, false);
            }
        } else if from_block {
            self.stream_from_block(tile, sum);
        } else {
            self.map_then(tile, sum);
        }
    }
}

/// Adds the sum of a long row to its total. It is summed in stretches of 256 elements for each accumulator:
/// `sum_stretch` adds some columns to the accumulators.
fn sum_long_row(sums: &Sums, columns: usize, total: *mut u8, mut sum_stretch: impl FnMut(Range<usize>, *mut u8)) {
    let stretch = ROWS_OF_SUM * row_lanes_of(sums.loops.size);
    let mut row_total = 0_u64;
    let row_total: *mut u8 = core::ptr::from_mut(&mut row_total).cast();
    for first in (0..columns).step_by(stretch) {
        let mut lanes = RowLanes([0; _]);
        let lanes: *mut u8 = lanes.0.as_mut_ptr().cast();
        sum_stretch(first..columns.min(first + stretch), lanes);
        // SAFETY: `row_total` has room for a sum of any format, and `lanes` for the accumulators of a row.
        unsafe { (sums.loops.add_lanes)(row_total, lanes) };
    }
    // SAFETY: `total` is the total of this row, and `row_total` one sum.
    unsafe { (sums.loops.add)(total, row_total, 1) };
}

/// The output of a loop over slices, and the sums of its rows. The rows of a group are contiguous, so that a tile is
/// one slice of each tensor.
///
/// A tile of [`for_each_tile`] takes a hundred nanoseconds more: as long as to sum 16 KB.
struct FlatSums<'a> {
    walk: &'a Walk<'a>,
    plan: &'a Plan,
    sums: &'a Sums,
    loops: &'static SliceLoops,
    params: &'a Params,
    /// The rows of a tile, as summands.
    tile: Plan,
}

impl FlatSums<'_> {
    fn sum_rows(&mut self) {
        let (plan, size) = (self.plan, self.walk.size);
        let sums = self.sums;
        let tile = SUMMED_BYTES / size;
        // Without columns there may be any number of rows.
        let Some(rows_of_tile) = tile.checked_div(plan.columns) else {
            return;
        };
        let rows_of_tile = rows_of_tile.max(1);
        if plan.columns > BLOCK_BYTES / size {
            for group in 0..plan.groups {
                for row in 0..plan.rows {
                    sum_long_row(sums, plan.columns, sums.total(row), |columns, lanes| {
                        for column in columns.clone().step_by(tile) {
                            self.tile.columns = tile.min(columns.end - column);
                            self.sum_tile((group, row, column), core::ptr::null_mut(), lanes);
                        }
                    });
                }
            }
            return;
        }
        let mut groups_of_tile = 1;
        if plan.rows > 0 && is_flat(plan, size) {
            groups_of_tile = (rows_of_tile / plan.rows).max(1);
        }
        for group in (0..plan.groups).step_by(groups_of_tile) {
            for row in (0..plan.rows).step_by(rows_of_tile) {
                self.tile.groups = groups_of_tile.min(plan.groups - group);
                self.tile.rows = rows_of_tile.min(plan.rows - row);
                self.sum_tile((group, row, 0), sums.total(row), core::ptr::null_mut());
            }
        }
    }

    /// Computes the output of the tile that begins there, and sums its rows. `tile` has its shape.
    fn sum_tile(&mut self, (group, row, column): (usize, usize, usize), sums: *mut u8, lanes: *mut u8) {
        let (walk, plan) = (self.walk, self.plan);
        let start = |operand: &Operand| operand.row(group, row).wrapping_add(column * walk.size);
        let inputs = slice_inputs(plan, start);
        let output = start(&plan.outputs[0]);
        let target = if walk.streaming { walk.block_of(output) } else { output };
        let tile = &mut self.tile;
        let len = elements(tile);
        tile.inputs[0].start = target;
        let args = SumArgs {
            plan: tile,
            sums,
            lanes,
        };
        // SAFETY:
        // - The plan is made of the tensors' shapes, which `make_plan` has checked. The tile is within it, and has
        //   several rows or groups only if they are contiguous, checked by `flat_sums` and `sum_rows`.
        // - Inputs are shared, or the output itself; null follows a single one. A tile is at most `BLOCK_BYTES`, for which
        //   a block has room after any offset in a line.
        // - There is a total for each row of the tile, checked by `RowsCall::sums`; or it has one row, and `lanes` its
        //   accumulators.
        unsafe {
            let params = self.params.as_ptr();
            self.loops.call(
                walk.kernels,
                params,
                inputs,
                target,
                (len, walk.size),
                Access::new(false),
            );
            self.sums.loops.rows.call(walk.kernels, &args);
            if walk.streaming {
                walk.stream(output, len);
            }
        }
    }
}
