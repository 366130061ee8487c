//! Packing: strided rows, or the pieces of joined ones, are copied to where they are contiguous, and back.

use super::block::{BLOCK_BYTES, LINE_BYTES};
use super::detect::Kernels;
use super::parts::{contiguous, is_walked, operands, walked};
use crate::isa::Isa;
use crate::sweep::{OPERANDS, Operand, Plan};

/// The greatest [`packed_row_bytes`].
const STRIDED_BYTES: usize = 1 << 8;

// The least tile has room for a packed row.
const _: () = assert!(BLOCK_BYTES / OPERANDS / LINE_BYTES * LINE_BYTES >= STRIDED_BYTES);

/// Whether the instruction set has loads and stores of the first lanes of a register. Elsewhere they go by memory,
/// which takes as long as to copy a row of any size that counts as short.
pub(super) fn has_first_lanes(kernels: Kernels) -> bool {
    matches!(kernels.isa(), Isa::Avx2 | Isa::Avx512)
}

/// Strided rows of fewer bytes are packed.
pub(super) fn packed_row_bytes(kernels: Kernels) -> usize {
    if has_first_lanes(kernels) {
        1 << 5
    } else {
        STRIDED_BYTES
    }
}

/// The size of a tile of packed rows: a block has room for one of each operand.
pub(super) fn packed_bytes(plan: &Plan) -> usize {
    BLOCK_BYTES / walked(plan).count() / LINE_BYTES * LINE_BYTES
}

/// The rows of a plan, if each was joined of several: pieces of so many bytes, so many a row.
#[derive(Clone, Copy)]
pub(super) struct Pieces {
    bytes: usize,
    count: usize,
    /// From a piece to the next one, of each input and output.
    strides: [usize; OPERANDS],
}

impl Pieces {
    /// Rows that were not joined.
    pub(super) fn whole(plan: &Plan, size: usize) -> Self {
        Self {
            bytes: plan.columns.saturating_mul(size),
            count: 1,
            strides: [0; OPERANDS],
        }
    }

    /// The rows of a group, each a piece of one joined row.
    pub(super) fn joined(plan: &Plan, size: usize) -> Self {
        let mut strides = [0; OPERANDS];
        for (i, operand) in operands(plan) {
            strides[i] = operand.row_stride;
        }
        Self {
            bytes: plan.columns * size,
            count: plan.rows,
            strides,
        }
    }

    /// Whether pieces of the operand at `index` lie apart.
    fn are_split(&self, index: usize) -> bool {
        self.count > 1 && self.strides[index] != self.bytes
    }

    /// Whether rows of the operand at `index`, or their pieces, lie apart.
    fn are_strided(&self, operand: &Operand, index: usize, rows: usize) -> bool {
        is_walked(operand) && (self.are_split(index) || rows > 1 && operand.row_stride != self.count * self.bytes)
    }

    /// Copies rows, each of them its pieces, from the operand at an index to where they are contiguous, or back.
    ///
    /// # Safety
    ///
    /// Both operands have so many rows, of `count * bytes` bytes each, and `bytes` is at least 2. One can be read and
    /// the other one written, and they don't overlap.
    unsafe fn copy(&self, (operand, index): (Operand, usize), packed: Operand, rows: usize, to_packed: bool) {
        let &Self { bytes, count, strides } = self;
        // All pieces of all rows at once, if they are at equal distances.
        let (rows, count, stride) = match strides[index] {
            _ if count == 1 => (1, rows, operand.row_stride),
            stride if operand.row_stride == count * stride => (1, rows * count, stride),
            stride => (rows, count, stride),
        };
        for row in 0..rows {
            let (there, here) = ((operand.row(0, row), stride), (packed.row(0, row), bytes));
            let (from, to) = if to_packed { (there, here) } else { (here, there) };
            // SAFETY: these are pieces of the rows: this function's contract.
            unsafe { copy_rows(from, to, count, bytes) };
        }
    }
}

/// How the tiles of a plan are packed.
#[derive(Clone, Copy)]
pub(super) struct Packing {
    pieces: Pieces,
    /// The size of a tile. A block has room for those of all operands.
    pub(super) bytes_of_tile: usize,
}

impl Packing {
    /// Returns `None` if the rows are long, or lie close.
    #[inline]
    pub(super) fn new(plan: &Plan, pieces: Pieces, size: usize, kernels: Kernels) -> Option<Self> {
        if plan.groups != 1 || pieces.count == 1 && (plan.rows == 1 || pieces.bytes >= packed_row_bytes(kernels)) {
            return None;
        }
        // Long rows of contiguous pieces are left as they are.
        let is_short = plan.columns * size < packed_row_bytes(kernels);
        let is_worth = operands(plan)
            .any(|(i, operand)| pieces.are_strided(operand, i, plan.rows) && (is_short || pieces.are_split(i)));
        if !is_worth {
            return None;
        }
        let bytes_of_tile = packed_bytes(plan);
        Some(Self { pieces, bytes_of_tile })
    }

    /// Calls `then` with copies, in `block`, of those operands of a tile that are not contiguous.
    ///
    /// # Safety
    ///
    /// The tile is of the plan for which this was made, and has at most `bytes_of_tile` bytes and at least an element.
    /// Its inputs can be read and its outputs written, and `block` for `BLOCK_BYTES`. `then` writes the outputs that it
    /// is given.
    #[inline(never)]
    pub(super) unsafe fn pack(&self, tile: &Plan, size: usize, block: *mut u8, then: &dyn Fn(&Plan)) {
        let pieces = &self.pieces;
        let mut packed = *tile;
        // Tiles have whole rows: a joined row has at most `STRIP` elements, and other packed ones fewer than
        // `packed_row_bytes`.
        debug_assert!(tile.groups == 1 && tile.columns * size == pieces.count * pieces.bytes);
        debug_assert!(tile.rows * tile.columns * size <= self.bytes_of_tile);
        let inputs = tile.inputs.len();
        let mut room = block;
        for (i, input) in tile.inputs.iter().enumerate() {
            if pieces.are_strided(input, i, tile.rows) {
                packed.inputs[i] = contiguous(room, tile, size);
                // SAFETY: the rows of the tile can be read, and have at least an element. The block has room for tiles
                // of all operands: `packed_bytes`, and the assertions above.
                unsafe { pieces.copy((*input, i), packed.inputs[i], tile.rows, true) };
                room = room.wrapping_add(self.bytes_of_tile);
            }
        }
        for (i, output) in tile.outputs.iter().enumerate() {
            if pieces.are_strided(output, inputs + i, tile.rows) {
                // In-place, the output is an input, and goes where that went.
                let input = tile.inputs.iter().position(|input| input.start == output.start);
                packed.outputs[i] = match input {
                    Some(input) => packed.inputs[input],
                    None => contiguous(room, tile, size),
                };
                room = room.wrapping_add(self.bytes_of_tile);
            }
        }
        then(&packed);
        for (i, output) in tile.outputs.iter().enumerate() {
            if pieces.are_strided(output, inputs + i, tile.rows) {
                // SAFETY: the rows of the tile can be written, and are in the block; as above.
                unsafe { pieces.copy((*output, inputs + i), packed.outputs[i], tile.rows, false) };
            }
        }
    }
}

/// Copies rows of `bytes` bytes. Each side is where its first row starts, and the stride in bytes, which may wrap around.
///
/// # Safety
///
/// `bytes >= 2`. The rows can be read at `from` and written at `to`, and don't overlap.
pub(super) unsafe fn copy_rows(
    (from, from_stride): (*mut u8, usize),
    (to, to_stride): (*mut u8, usize),
    rows: usize,
    bytes: usize,
) {
    let at = |start: *mut u8, stride: usize, row: usize| start.wrapping_add(row.wrapping_mul(stride));
    // By the greatest power of two that a row has room for: once, or at its start and at its end.
    macro_rules! copy {
        ($($half:literal)+) => {
            $(if bytes == $half {
                return for row in 0..rows {
                    // SAFETY: rows of `$half` bytes: this function's contract.
                    unsafe { copy::<$half>(at(from, from_stride, row), at(to, to_stride, row)) };
                };
            }
            if bytes < 2 * $half {
                return for row in 0..rows {
                    // SAFETY: rows of more than `$half` bytes: this function's contract.
                    unsafe {
                        let (from, to) = (at(from, from_stride, row), at(to, to_stride, row));
                        copy::<$half>(from, to);
                        copy::<$half>(from.add(bytes - $half), to.add(bytes - $half));
                    }
                };
            })+
        };
    }
    copy!(2 4 8 16 32);
    for row in 0..rows {
        // SAFETY: rows of `bytes` bytes: this function's contract.
        unsafe { at(to, to_stride, row).copy_from_nonoverlapping(at(from, from_stride, row), bytes) };
    }
}

/// # Safety
///
/// `N` bytes can be read at `from` and written at `to`.
#[inline(always)]
unsafe fn copy<const N: usize>(from: *const u8, to: *mut u8) {
    // SAFETY: this function's contract.
    unsafe { to.cast::<[u8; N]>().write(from.cast::<[u8; N]>().read()) };
}
