//! A loop over the rows of several tensors.

use core::marker::PhantomData;

use super::slices::Map;
use crate::simd::{Lane, Pass, REGISTER_BYTES, Simd, Vector, VectorFn};

/// The location of a tensor's rows. Strides are in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    pub(crate) start: *mut u8,
    /// From a row to the next one of its group; 0 if all rows are the same one.
    pub(crate) row_stride: usize,
    /// From a group to the next one.
    pub(crate) group_stride: usize,
    /// Whether a row is a single number, broadcast to all columns.
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
        // Without columns, strides may have any value.
        let (group, row) = (group.wrapping_mul(self.group_stride), row.wrapping_mul(self.row_stride));
        self.start.wrapping_add(group.wrapping_add(row))
    }
}

/// The greatest numbers of inputs and outputs of a pass.
const INPUTS: usize = 3;
const OUTPUTS: usize = 2;

/// Tensors of the same shape: groups of rows of columns.
///
/// With channels first, a group is an image, and a row is a channel of it. Unused inputs and outputs are
/// [`Operand::NONE`].
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub(crate) inputs: [Operand; INPUTS],
    pub(crate) outputs: [Operand; OUTPUTS],
    pub(crate) groups: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

pub struct RowsArgs {
    /// The function of the pass.
    pub(crate) function: *const u8,
    pub(crate) plan: Plan,
    /// Whether aligned outputs are written with non-temporal stores.
    pub(crate) streaming: bool,
}

/// `outputs = function(inputs)`, row by row.
///
/// Contract: `function` points to an `F`. The first `N` inputs can be read, and the first `M` outputs written, at all
/// groups, rows and columns of the plan. An output overlaps no other output, and no input unless it is that input. With
/// `streaming`, [`fence`](crate::simd::fence) comes before any other access to the outputs.
pub(crate) struct MapRows<F, const N: usize, const M: usize>(PhantomData<F>);

/// Room for a register that has a number in every lane.
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
        // Local copies: the compiler knows that no store changes them.
        let RowsArgs {
            function,
            plan,
            streaming,
        } = *args;
        // SAFETY: `function` points to an `F`: the contract of the pass.
        let function = unsafe { *function.cast::<F>() };
        let mut broadcasts = [Broadcast([F::Lane::ZERO; 32]); N];
        for group in 0..plan.groups {
            for row in 0..plan.rows {
                let mut map = Map::<S, F, N, M> {
                    simd,
                    function,
                    inputs: [core::ptr::null(); N],
                    offset_masks: [usize::MAX; N],
                    outputs: [core::ptr::null_mut(); M],
                };
                for i in 0..N {
                    map.inputs[i] = plan.inputs[i].row(group, row).cast_const().cast();
                    if i >= F::FIRST_BROADCAST && plan.inputs[i].is_broadcast {
                        let lanes = broadcasts[i].0.as_mut_ptr();
                        // SAFETY: a broadcast row is one number. The array has room for any register, checked by the
                        // assertion.
                        unsafe {
                            <F::Lane as Lane>::Register::<S>::splat(simd, map.inputs[i].read_unaligned()).store(lanes)
                        };
                        map.inputs[i] = lanes;
                        map.offset_masks[i] = 0;
                    }
                }
                for i in 0..M {
                    map.outputs[i] = plan.outputs[i].row(group, row).cast();
                }
                // SAFETY: each row has `plan.columns` elements: the contract of the pass. An input with mask 0 is
                // `lanes`, a register.
                unsafe {
                    if const { N == 3 && F::HOISTS_BROADCASTS } {
                        // With constant offset_masks the compiler moves the loads of broadcasts out of the loop.
                        match (map.offset_masks[1 % N], map.offset_masks[2 % N]) {
                            (0, 0) => map.with_offset_masks(0, 0).walk(plan.columns, streaming),
                            (0, _) => map.with_offset_masks(0, usize::MAX).walk(plan.columns, streaming),
                            (_, 0) => map.with_offset_masks(usize::MAX, 0).walk(plan.columns, streaming),
                            _ => map
                                .with_offset_masks(usize::MAX, usize::MAX)
                                .walk(plan.columns, streaming),
                        }
                    } else {
                        map.walk(plan.columns, streaming);
                    }
                }
            }
        }
    }
}
