//! The outputs of a tile: calls the loops, from block to block where they are composed or the outputs are streamed.

use core::ptr;

use super::block::LINE_BYTES;
use super::detect::Kernels;
use super::loops::{NO_PARAMS, Params, RowsLoops, SliceLoops};
use super::pack::Packing;
use super::parts::{are_one_row, contiguous, elements, is_contiguous, is_flat, outputs_as_inputs, with_inputs};
use super::repeat::Repeated;
use crate::simd::Access;
use crate::sweep::{Operand, Plan, RowsArgs};

/// The loops that compute the outputs of some rows.
#[derive(Clone, Copy)]
pub(crate) enum Kernel<'a> {
    /// A loop over rows.
    Rows(&'static RowsLoops, &'a Params),
    /// A loop over slices, of one or two inputs.
    Slices(&'static SliceLoops, &'a Params),
    /// `fused` if it is compiled. Otherwise `sum` writes the sum of the inputs to a block, and `value` reads that and
    /// writes the output.
    Composed {
        fused: &'static RowsLoops,
        sum: &'static RowsLoops,
        value: &'static SliceLoops,
        params: &'a Params,
    },
    /// The gradient from the first and the last input, which `scale` multiplies by the second one. The third input is
    /// absent.
    Scaled {
        gradient: &'static SliceLoops,
        scale: &'static RowsLoops,
        params: &'a Params,
    },
    /// The product of the function of the first input and the second one.
    #[cfg(feature = "smooth")]
    Gated {
        value: &'static SliceLoops,
        product: &'static SliceLoops,
        params: &'a Params,
    },
    /// The gradients at both inputs of [`Gated`](Self::Gated), from them and the gradient at the output.
    #[cfg(feature = "smooth")]
    GatedGradients {
        value: &'static SliceLoops,
        gradient: &'static SliceLoops,
        product: &'static SliceLoops,
        params: &'a Params,
    },
}

impl Kernel<'_> {
    /// Whether it is one loop, which needs no block.
    pub(super) fn is_one_loop(&self) -> bool {
        matches!(self, Self::Rows(..) | Self::Slices(..))
    }

    /// That of the loops over slices of its function; see [`SliceLoops`].
    #[cfg(feature = "rayon")]
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Rows(..) => 1,
            Self::Slices(loops, _) | Self::Composed { value: loops, .. } | Self::Scaled { gradient: loops, .. } => {
                loops.weight
            }
            #[cfg(feature = "smooth")]
            Self::Gated { value: loops, .. } | Self::GatedGradients { value: loops, .. } => loops.weight,
        }
    }

    /// Whether [`Walk::map_then`] needs no block.
    pub(super) fn is_summed_without_block(&self) -> bool {
        self.is_one_loop() || matches!(self, Self::Scaled { .. })
    }
}

/// The state of a walk on a thread.
pub(super) struct Walk<'a> {
    pub(super) kernel: Kernel<'a>,
    pub(super) kernels: Kernels,
    /// The size of an element in bytes.
    pub(super) size: usize,
    pub(super) copy: &'static SliceLoops,
    /// Whether the outputs are written with non-temporal stores.
    pub(super) streaming: bool,
    // Pointers, since a reference to what holds a block would end the pointers to it.
    pub(super) block: *mut u8,
    /// A block of the output, which is copied from there with non-temporal stores; or one for packed tiles.
    pub(super) outputs: *mut u8,
    /// The input that is repeated in `rows`.
    pub(super) repeated: Option<Repeated>,
    pub(super) rows: *mut u8,
    pub(super) packing: Option<Packing>,
}

impl Walk<'_> {
    /// Calls `then` with the tile, or with copies of its operands that are not contiguous.
    pub(super) fn packed(&self, tile: &Plan, then: &dyn Fn(&Plan)) {
        let Some(packing) = &self.packing else {
            return then(tile);
        };
        debug_assert!(!self.streaming);
        // SAFETY: the tile is of the plan that is walked, and at most as large as one of its packed tiles. Its rows can
        // be read and written, as in `call_pass`. The block is free, since a walk that packs doesn't stream.
        unsafe { packing.pack(tile, self.size, self.outputs, then) };
    }

    /// Whether the tile has one output, which is contiguous.
    pub(super) fn can_stream_from_block(&self, tile: &Plan) -> bool {
        tile.outputs[1].start.is_null() && self.can_stream(tile)
    }

    /// Whether the outputs of the tile are contiguous.
    pub(super) fn can_stream(&self, tile: &Plan) -> bool {
        let mut outputs = tile.outputs.iter();
        outputs.all(|output| output.start.is_null() || is_contiguous(output, tile, self.size))
    }

    /// The block from which an output is streamed: at the same offset in a cache line.
    pub(super) fn block_of(&self, output: *mut u8) -> *mut u8 {
        self.outputs.wrapping_add(output.addr() % LINE_BYTES)
    }

    /// Copies `len` elements from the block to the output, with non-temporal stores.
    ///
    /// # Safety
    ///
    /// `block_of` the output has been written for so many elements, at most `BLOCK_BYTES`, and the output can be
    /// written.
    pub(super) unsafe fn stream(&self, output: *mut u8, len: usize) {
        let block = [self.block_of(output).cast_const(), ptr::null()];
        // SAFETY: this function's contract. A block has room for `BLOCK_BYTES` after any offset in a line. Null follows the
        // single input of a copy. `Work::walk` has the fence.
        unsafe {
            self.copy.call(
                self.kernels,
                NO_PARAMS,
                block,
                output,
                (len, self.size),
                Access::new(true),
            )
        };
    }

    /// Writes the output of a tile to a block, calls `then`, and copies the block to the output with non-temporal
    /// stores.
    #[inline(never)]
    pub(super) fn stream_from_block(&self, tile: &Plan, then: &dyn Fn(&Plan)) {
        let output = tile.outputs[0].start;
        let mut in_block = *tile;
        in_block.outputs[0] = contiguous(self.block_of(output), tile, self.size);
        self.map_then(&in_block, then);
        // SAFETY: the tile is at most a block, and has been written there. The output is contiguous, checked by
        // `can_stream_from_block`.
        unsafe { self.stream(output, elements(tile)) };
    }

    /// Computes the output of a tile, and calls `then` with it as an input: the gradient before it is scaled, if it is.
    pub(super) fn map_then(&self, tile: &Plan, then: &dyn Fn(&Plan)) {
        let output = tile.outputs[0];
        if let Kernel::Scaled {
            gradient,
            scale,
            params,
        } = self.kernel
        {
            self.gradient(gradient, params, tile, output);
            then(&outputs_as_inputs(tile));
            self.scale(scale, tile, output, false);
        } else {
            self.map(tile, false);
            then(&outputs_as_inputs(tile));
        }
    }

    /// The gradient of [`Kernel::Scaled`] before it is scaled.
    fn gradient(&self, gradient: &SliceLoops, params: &Params, tile: &Plan, output: Operand) {
        let [x, _, _, grad_output] = tile.inputs;
        self.call_slices(
            gradient,
            params,
            &with(tile, [x, grad_output], output),
            Access::new(false),
        );
    }

    /// The scaled gradient of [`Kernel::Scaled`].
    fn scale(&self, scale: &RowsLoops, tile: &Plan, gradient: Operand, streaming: bool) {
        let [_, scales, absent, _] = tile.inputs;
        let inputs = [gradient, scales, absent, absent];
        self.call_rows(scale, NO_PARAMS, &with_inputs(tile, inputs), streaming);
    }

    /// Computes the outputs of a tile.
    pub(super) fn map(&self, tile: &Plan, streaming: bool) {
        let access = Access::new(streaming);
        match self.kernel {
            Kernel::Rows(loops, params) => self.call_rows(loops, params.as_ptr(), tile, streaming),
            Kernel::Slices(loops, params) => self.call_slices(loops, params, tile, access),
            Kernel::Composed { sum, value, params, .. } => {
                let z = contiguous(self.block, tile, self.size);
                let mut to_block = *tile;
                to_block.outputs[0] = z;
                self.call_rows(sum, NO_PARAMS, &to_block, false);
                self.call_slices(value, params, &with_inputs(tile, [z]), self.ahead(tile, z, access));
            }
            Kernel::Scaled {
                gradient,
                scale,
                params,
            } => {
                let block = contiguous(self.block, tile, self.size);
                self.gradient(gradient, params, tile, block);
                self.scale(scale, tile, block, streaming);
            }
            #[cfg(feature = "smooth")]
            Kernel::Gated { value, product, params } => self.gate(value, product, params, tile, access),
            #[cfg(feature = "smooth")]
            Kernel::GatedGradients {
                value,
                gradient,
                product,
                params,
            } => {
                let ([a, b, grad_output, _], [grad_a, grad_b]) = (tile.inputs, tile.outputs);
                self.gate(value, product, params, &with(tile, [a, grad_output], grad_b), access);
                let block = contiguous(self.block, tile, self.size);
                self.call_slices(
                    product,
                    &Params::uninit(),
                    &with(tile, [grad_output, b], block),
                    Access::new(false),
                );
                self.call_slices(gradient, params, &with(tile, [a, block], grad_a), access);
            }
        }
    }

    /// While a function computes from a block, the input of the next tile is prefetched, which probably comes after that of this one.
    fn ahead(&self, tile: &Plan, block: Operand, access: Access) -> Access {
        let [input, ..] = tile.inputs;
        if self.packing.is_some() || !is_contiguous(&input, tile, self.size) {
            return access;
        }
        let next = input.start.addr() + elements(tile) * self.size;
        access.with_distance(next.wrapping_sub(block.start.addr()).cast_signed())
    }

    /// The product of the function of the first input and the second one.
    #[cfg(feature = "smooth")]
    fn gate(&self, value: &SliceLoops, product: &SliceLoops, params: &Params, tile: &Plan, access: Access) {
        if value.takes_gate {
            return self.call_slices(value, params, tile, access);
        }
        let ([a, b, ..], [output, _]) = (tile.inputs, tile.outputs);
        let block = contiguous(self.block, tile, self.size);
        self.call_slices(value, params, &with(tile, [a], block), Access::new(false));
        self.call_slices(product, &Params::uninit(), &with(tile, [block, b], output), access);
    }

    fn call_rows(&self, loops: &RowsLoops, function: *const u8, plan: &Plan, streaming: bool) {
        if let Some(repeated) = self.repeated {
            return repeated.for_each_part(plan, self.rows, |long| {
                self.call_pass(loops, function, long, streaming);
            });
        }
        if self.packing.is_none() || !are_one_row(plan, self.size) {
            return self.call_pass(loops, function, plan, streaming);
        }
        let long = Plan {
            rows: 1,
            columns: plan.rows * plan.columns,
            ..*plan
        };
        self.call_pass(loops, function, &long, streaming);
    }

    fn call_pass(&self, loops: &RowsLoops, function: *const u8, plan: &Plan, streaming: bool) {
        if plan.rows == 0 {
            return;
        }
        let args = RowsArgs {
            function,
            plan,
            streaming,
        };
        // SAFETY:
        // - The plan is made of the tensors' shapes, which `make_plan` has checked; the tensors live as long as the
        //   call.
        // - Inputs are shared, or the first output itself. Outputs are exclusive.
        // - A tile or a part is within the plan. An output that is a block has room for a tile.
        // - Several rows are one only if they are contiguous or packed, checked by `Repeated::new`, `are_one_row` and
        //   `for_each_joined`; the repeated input has as many rows.
        // - `Work::walk` has the fence.
        unsafe { loops.call(self.kernels, &args) };
    }

    fn call_slices(&self, loops: &SliceLoops, params: &Params, plan: &Plan, access: Access) {
        let size = self.size;
        let call = |group, row, len| {
            let inputs = slice_inputs(plan, |input| input.row(group, row));
            let output = plan.outputs[0].row(group, row);
            // SAFETY: as in `call_pass`, for one row, or for all rows if they are contiguous, checked by `is_flat`. A loop
            // of one input gets null after it, by `slice_inputs`, unless the plan has a second one: of such loops only
            // those that take a gate have a plan of two, established by `Gated::run` and `gate`.
            unsafe { loops.call(self.kernels, params.as_ptr(), inputs, output, (len, size), access) };
        };
        if is_flat(plan, size) {
            return call(0, 0, elements(plan));
        }
        for group in 0..plan.groups {
            for row in 0..plan.rows {
                call(group, row, plan.columns);
            }
        }
    }
}

/// The tile with other operands.
fn with<const N: usize>(tile: &Plan, inputs: [Operand; N], output: Operand) -> Plan {
    Plan {
        outputs: [output, Operand::NONE],
        ..with_inputs(tile, inputs)
    }
}

/// The inputs of a loop over slices, from where they start. After a single one, null.
pub(super) fn slice_inputs(plan: &Plan, start: impl Fn(&Operand) -> *mut u8) -> [*const u8; 2] {
    let [first, second, ..] = &plan.inputs;
    let last = if second.start.is_null() {
        ptr::null_mut()
    } else {
        start(second)
    };
    [start(first), last].map(|input| input.cast_const())
}
