//! A loop over the rows of several tensors.

use core::marker::PhantomData;

use super::slices::Map;
use crate::simd::{Lane, MAX_INPUTS, Padded, Pass, Simd, Vector, VectorFn, first_of, inputs};

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
    /// The size of an element in bytes.
    pub(crate) size: u8,
}

impl Operand {
    pub(crate) const NONE: Self = Self {
        start: core::ptr::null_mut(),
        row_stride: 0,
        group_stride: 0,
        is_broadcast: false,
        size: 0,
    };

    /// The size of a row of so many elements, in bytes. Saturates.
    #[inline(always)]
    pub(crate) fn bytes(self, columns: usize) -> usize {
        columns.saturating_mul(self.size.into())
    }

    #[inline(always)]
    pub(crate) fn row(self, group: usize, row: usize) -> *mut u8 {
        // Without columns, strides may have any value.
        let (group, row) = (group.wrapping_mul(self.group_stride), row.wrapping_mul(self.row_stride));
        self.start.wrapping_add(group.wrapping_add(row))
    }
}

/// The greatest numbers of inputs and outputs of a pass.
const INPUTS: usize = 4;
const OUTPUTS: usize = 2;

const _: () = assert!(INPUTS >= MAX_INPUTS);

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

impl Plan {
    /// Without tensors, for a call to fill.
    pub(crate) const fn empty() -> Self {
        Self {
            inputs: [Operand::NONE; _],
            outputs: [Operand::NONE; _],
            groups: 1,
            rows: 0,
            columns: 0,
        }
    }
}

pub struct RowsArgs {
    /// The function of the pass.
    pub(crate) function: *const u8,
    pub(crate) plan: *const Plan,
    /// Whether aligned outputs are written with non-temporal stores.
    pub(crate) streaming: bool,
}

/// `outputs = function(inputs)`, row by row.
///
/// Contract: `function` points to an `F`, and `plan` can be read. The first `N` inputs can be read, and the first `M`
/// outputs written, at all groups, rows and columns of the plan. An output overlaps no other output, and no input unless
/// it is that input. With `streaming`, [`fence`](crate::simd::fence) comes before any other access to the outputs.
pub(crate) struct MapRows<F, const N: usize, const M: usize>(PhantomData<F>);

/// The rows of all operands, one after the other.
pub(super) struct Cursor {
    /// Of the inputs, then of the outputs.
    pub(super) starts: [*mut u8; OPERANDS],
    /// From a row to the next one.
    to_row: [usize; OPERANDS],
    /// From after the last row of a group to the first of the next group.
    to_group: [usize; OPERANDS],
}

pub(crate) const OPERANDS: usize = INPUTS + OUTPUTS;

/// The index of the first output among the operands.
pub(super) const FIRST_OUTPUT: usize = INPUTS;

impl Cursor {
    /// Not inlined: it is the same for every pass.
    #[inline(never)]
    pub(super) fn new(plan: &Plan) -> Self {
        let mut cursor = Self {
            starts: [core::ptr::null_mut(); _],
            to_row: [0; _],
            to_group: [0; _],
        };
        for (i, operand) in plan.inputs.iter().chain(&plan.outputs).enumerate() {
            // Without columns, strides may have any value.
            let of_group = plan.rows.wrapping_mul(operand.row_stride);
            cursor.starts[i] = operand.start;
            cursor.to_row[i] = operand.row_stride;
            cursor.to_group[i] = operand.group_stride.wrapping_sub(of_group);
        }
        cursor
    }

    /// Goes to the next row of the first `N` inputs and `M` outputs.
    #[inline(always)]
    pub(super) fn next_row<const N: usize, const M: usize>(&mut self) {
        advance::<N, M>(&mut self.starts, &self.to_row);
    }

    /// Goes from after the last row of a group to the first of the next one.
    #[inline(always)]
    pub(super) fn next_group<const N: usize, const M: usize>(&mut self) {
        advance::<N, M>(&mut self.starts, &self.to_group);
    }
}

#[inline(always)]
fn advance<const N: usize, const M: usize>(starts: &mut [*mut u8; OPERANDS], steps: &[usize; OPERANDS]) {
    // Without a loop, as in `inputs!`.
    macro_rules! advance {
        ($($index:expr, if $exists:expr;)+) => {
            $(if const { $exists } {
                starts[const { $index }] = starts[const { $index }].wrapping_add(steps[const { $index }]);
            })+
        };
    }
    advance!(0, if true; 1, if N > 1; 2, if N > 2; 3, if N > 3; FIRST_OUTPUT, if true; FIRST_OUTPUT + 1, if M > 1;);
}

impl<F: VectorFn<N, M>, const N: usize, const M: usize> Pass for MapRows<F, N, M> {
    type Args = RowsArgs;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &RowsArgs) {
        const { assert!(N <= MAX_INPUTS && M <= OUTPUTS) };
        let (plan, streaming) = (args.plan, args.streaming);
        // SAFETY: `function` points to an `F`, and `plan` can be read: the contract of the pass.
        let (function, mut cursor, groups) =
            unsafe { (*args.function.cast::<F>(), Cursor::new(&*plan), (*plan).groups) };
        // Room for a register that has a number in every lane.
        let mut broadcasts = [const { Padded::<F::Lane>::uninit() }; N];
        for _ in 0..groups {
            // SAFETY: `plan` can be read: the contract of the pass.
            for _ in 0..unsafe { (*plan).rows } {
                // `plan` is not a reference, so that it is read anew for each row: else the compiler makes copies of this loop
                // for each outcome of each comparison.
                let inputs = inputs!(N, i => {
                    let start = cursor.starts[i].cast_const().cast();
                    // SAFETY: `plan` can be read: the contract of the pass.
                    if i >= F::FIRST_BROADCAST && unsafe { (*plan).inputs[i].is_broadcast } {
                        // SAFETY: a broadcast row is one number.
                        (unsafe { broadcast::<S, F::Lane>(simd, start, &mut broadcasts[i]) }, 0)
                    } else {
                        (start, usize::MAX)
                    }
                }, as all);
                let outputs = [cursor.starts[FIRST_OUTPUT], cursor.starts[const { FIRST_OUTPUT + 1 }]];
                let map = Map::<S, F, N, M> {
                    simd,
                    function,
                    inputs: first_of([inputs[0].0, inputs[1].0, inputs[2].0]),
                    offset_masks: first_of([inputs[0].1, inputs[1].1, inputs[2].1]),
                    outputs: first_of([outputs[0].cast(), outputs[1].cast(), outputs[1].cast()]),
                };
                // SAFETY: `plan` can be read, and each row has `plan.columns` elements: the contract of the pass. An input
                // with mask 0 is a register: see `broadcast`.
                unsafe { map.walk::<false>((*plan).columns, streaming) };
                cursor.next_row::<N, M>();
            }
            cursor.next_group::<N, M>();
        }
    }
}

/// Stores the number at `start` in every lane of a register. Returns its address.
///
/// # Safety
///
/// A lane can be read at `start`.
#[inline(always)]
unsafe fn broadcast<S: Simd, L: Lane>(simd: S, start: *const L, room: &mut Padded<L>) -> *const L {
    // SAFETY: a lane can be read: this function's contract. There is room for any register.
    unsafe { L::Register::<S>::splat(simd, start.read_unaligned()).store(room.as_mut_ptr()) };
    room.as_mut_ptr()
}
