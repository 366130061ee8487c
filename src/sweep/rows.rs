//! Rows of several tensors, walked side by side.

use core::marker::PhantomData;

use super::slices::Map;
use crate::simd::{Lane, Pass, REGISTER_BYTES, Simd, Vector, VectorFn};

/// Where the rows of a tensor are; strides are in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    pub(crate) start: *mut u8,
    /// From a row to the next one of its group; 0 where it is the same one every time.
    pub(crate) row_stride: usize,
    /// From a group to the next one.
    pub(crate) group_stride: usize,
    /// Whether a row has one number, which stands for all of its columns.
    pub(crate) is_broadcast: bool,
}

impl Operand {
    pub(crate) const NONE: Self = Self {
        start: core::ptr::null_mut(),
        row_stride: 0,
        group_stride: 0,
        is_broadcast: false,
    };

    #[inline(always)]
    pub(crate) fn row(self, group: usize, row: usize) -> *mut u8 {
        // Where there are no columns, a stride is of no row and may be any.
        let (group, row) = (group.wrapping_mul(self.group_stride), row.wrapping_mul(self.row_stride));
        self.start.wrapping_add(group.wrapping_add(row))
    }
}

/// The most inputs, and outputs, of a pass.
const INPUTS: usize = 3;
const OUTPUTS: usize = 2;

/// Tensors of the same shape: groups of rows of columns. What belongs to a row's channel is the same in each group. Inputs and outputs
/// that a pass has not are [`Operand::NONE`].
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub(crate) inputs: [Operand; INPUTS],
    pub(crate) outputs: [Operand; OUTPUTS],
    pub(crate) groups: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

pub struct RowsArgs {
    /// Its function, as the pass has it.
    pub(crate) function: *const u8,
    pub(crate) plan: Plan,
    /// Whether outputs are written by non-temporal stores, where they are aligned.
    pub(crate) streaming: bool,
}

/// `outputs = function(inputs)`, row by row.
///
/// The arguments: `function` points to an `F`. The first `N` inputs can be read and the first `M` outputs written at all groups, rows
/// and columns; an output overlaps no other one and no input, or is one. After a `streaming` one comes
/// [`fence`](crate::simd::fence), before any other access to the outputs.
pub(crate) struct MapRows<F, const N: usize, const M: usize>(PhantomData<F>);

/// A number in each lane of a register.
#[repr(align(64))]
#[derive(Clone, Copy)]
struct Broadcast<L>([L; 32]);

impl<F: VectorFn<N, M>, const N: usize, const M: usize> Pass for MapRows<F, N, M> {
    type Args = RowsArgs;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &RowsArgs) {
        const {
            assert!(N <= INPUTS && M <= OUTPUTS);
            assert!(size_of::<[F::Lane; 32]>() >= REGISTER_BYTES);
        }
        // Copies, which no store can change.
        let RowsArgs {
            function,
            plan,
            streaming,
        } = *args;
        // SAFETY: `function` points to an `F`.
        let function = unsafe { *function.cast::<F>() };
        let mut broadcasts = [Broadcast([F::Lane::ZERO; 32]); N];
        for group in 0..plan.groups {
            for row in 0..plan.rows {
                let mut map = Map::<S, F, N, M> {
                    simd,
                    function,
                    inputs: [core::ptr::null(); N],
                    masks: [usize::MAX; N],
                    outputs: [core::ptr::null_mut(); M],
                };
                for i in 0..N {
                    map.inputs[i] = plan.inputs[i].row(group, row).cast_const().cast();
                    if i >= F::FIRST_BROADCAST && plan.inputs[i].is_broadcast {
                        let lanes = broadcasts[i].0.as_mut_ptr();
                        // SAFETY: the row has a number, and the array room for a register.
                        unsafe {
                            <F::Lane as Lane>::Register::<S>::splat(simd, map.inputs[i].read_unaligned()).store(lanes)
                        };
                        map.inputs[i] = lanes;
                        map.masks[i] = 0;
                    }
                }
                for i in 0..M {
                    map.outputs[i] = plan.outputs[i].row(group, row).cast();
                }
                // SAFETY: the rows have as many columns, as promised above; a broadcast is a register.
                unsafe {
                    if const { N == 3 && F::HOISTS_BROADCASTS } {
                        // Constants, so that the compiler sees which loads are the same every time.
                        match (map.masks[1 % N], map.masks[2 % N]) {
                            (0, 0) => map.with_masks(0, 0).walk(plan.columns, streaming),
                            (0, _) => map.with_masks(0, usize::MAX).walk(plan.columns, streaming),
                            (_, 0) => map.with_masks(usize::MAX, 0).walk(plan.columns, streaming),
                            _ => map.with_masks(usize::MAX, usize::MAX).walk(plan.columns, streaming),
                        }
                    } else {
                        map.walk(plan.columns, streaming);
                    }
                }
            }
        }
    }
}
