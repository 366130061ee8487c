//! Rows of several tensors, walked side by side.

use core::mem::MaybeUninit;

use super::{Map, STREAM_BYTES, VectorFn};
use crate::element::{Element, Format};
#[cfg(feature = "rayon")]
use crate::simd::share;
use crate::simd::{Simd, Walk};

/// From here on it does not matter what two rows share of a cache line.
pub(crate) const LONG_BYTES: usize = 1 << 14;

/// Rows of fewer bytes take longer to begin with than to walk.
const SHORT_BYTES: usize = 1 << 10;

/// Room for a row again and again.
pub(crate) type RepeatedRow<T> = [MaybeUninit<T>; 1024];

/// Where the rows of a tensor are, in elements.
#[derive(Clone, Copy)]
pub(crate) struct Operand<T> {
    start: *mut T,
    /// From a row to the next one of its group; 0 where it is the same one every time.
    row_stride: usize,
    /// From a group to the next one.
    group_stride: usize,
}

impl<T: Format> Operand<T> {
    /// In a single group.
    pub(crate) fn new(start: *mut T, row_stride: usize) -> Self {
        Self {
            start,
            row_stride,
            group_stride: 0,
        }
    }

    pub(crate) fn in_groups(self, rows: usize) -> Self {
        Self {
            // It means nothing where there is one group at most.
            group_stride: rows.wrapping_mul(self.row_stride),
            ..self
        }
    }

    #[inline(always)]
    fn row(self, group: usize, row: usize) -> *mut T::Lane {
        // Where there are no columns, a stride is of no row and may be any.
        let (group, row) = (group.wrapping_mul(self.group_stride), row.wrapping_mul(self.row_stride));
        self.start.wrapping_add(group.wrapping_add(row)).cast()
    }
}

/// Tensors of the same shape: groups of rows of columns. What belongs to a row's channel is the same in each group.
#[derive(Clone, Copy)]
pub(crate) struct Plan<T, const N: usize, const M: usize> {
    pub(crate) inputs: [Operand<T>; N],
    pub(crate) outputs: [Operand<T>; M],
    pub(crate) groups: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// A number for each row of a group.
    pub(crate) channels: Option<*const T>,
    /// Whether what is written goes past the caches, where it is aligned.
    pub(crate) streaming: bool,
}

impl<T: Element, const N: usize, const M: usize> Plan<T, N, M> {
    #[inline(always)]
    pub(crate) fn input_row(&self, group: usize, row: usize) -> [*const T::Lane; N] {
        let mut pointers = [core::ptr::null(); N];
        for (pointer, input) in pointers.iter_mut().zip(self.inputs) {
            *pointer = input.row(group, row).cast_const();
        }
        pointers
    }

    #[inline(always)]
    pub(crate) fn output_row(&self, group: usize, row: usize) -> [*mut T::Lane; M] {
        let mut pointers = [core::ptr::null_mut(); M];
        for (pointer, output) in pointers.iter_mut().zip(self.outputs) {
            *pointer = output.row(group, row);
        }
        pointers
    }

    /// In bytes, but for rows that are the same every time.
    pub(crate) fn traffic(&self) -> usize {
        let elements = self.groups * self.rows * self.columns;
        let inputs = self.inputs.iter().filter(|input| input.row_stride != 0).count();
        elements.saturating_mul((inputs + M) * size_of::<T>())
    }

    /// Whether rows can go past the caches: what two of them share of a line would be written twice, where it isn't made of whole
    /// pieces.
    pub(crate) fn can_stream(&self) -> bool {
        let are_pieces = |elements: usize| elements.wrapping_mul(size_of::<T>()).is_multiple_of(STREAM_BYTES);
        self.columns.saturating_mul(size_of::<T>()) >= LONG_BYTES
            || are_pieces(self.columns)
                && self.outputs.iter().all(|output| {
                    output.start.addr() % STREAM_BYTES == 0
                        && are_pieces(output.row_stride)
                        && are_pieces(output.group_stride)
                })
    }

    /// The same in rows of several, where they are short and nothing lies between two of them; and those that are left. `repeated` becomes
    /// what the long rows have for a row that is the same every time.
    ///
    /// # Safety
    ///
    /// The inputs can be read. The first plan is used as long as `repeated` is there and not written to, which is one of its inputs.
    pub(crate) unsafe fn with_long_rows(self, repeated: &mut RepeatedRow<T>) -> [Self; 2] {
        let (mut long, mut rest) = (self, self);
        let mut times = repeated.len().checked_div(self.columns).unwrap_or(0).min(self.rows / 4);
        if times > STREAM_BYTES {
            // So that they are made of whole pieces.
            times -= times % STREAM_BYTES;
        }
        let is_repeated = |operand: &Operand<T>| operand.row_stride == 0;
        let lies_close = |operand: &Operand<T>| operand.row_stride == self.columns;
        // So many that their bytes can't overflow.
        let can_be_long = times > 1
            && self.groups == 1
            && self.columns * size_of::<T>() < SHORT_BYTES
            && self.channels.is_none()
            // There is room for one.
            && self.inputs.iter().filter(|input| is_repeated(input)).count() <= 1
            && self.inputs.iter().all(|input| is_repeated(input) || lies_close(input))
            && self.outputs.iter().all(lies_close);
        long.rows = if can_be_long { self.rows / times } else { 0 };
        long.columns *= times;
        rest.rows -= long.rows * times;
        for operand in rest.inputs.iter_mut().chain(&mut rest.outputs) {
            operand.start = operand.start.wrapping_add(long.rows * times * operand.row_stride);
        }
        for operand in long.inputs.iter_mut().chain(&mut long.outputs) {
            if is_repeated(operand) && can_be_long {
                for room in repeated.chunks_exact_mut(self.columns).take(times) {
                    // SAFETY: the caller promises a row of so many columns; the room is exclusive and as long.
                    unsafe {
                        room.as_mut_ptr()
                            .copy_from_nonoverlapping(operand.start.cast(), self.columns)
                    };
                }
                operand.start = repeated.as_mut_ptr().cast();
            } else {
                operand.row_stride = long.columns;
            }
            operand.group_stride = 0;
        }
        [long, rest]
    }

    /// `function` with the number of the row's channel, if there is one.
    ///
    /// # Safety
    ///
    /// The channels can be read, and there are more than `row` of them.
    #[inline(always)]
    pub(super) unsafe fn with_channel<F: VectorFn<N, M>>(&self, function: F::Rounded<T>, row: usize) -> F::Rounded<T> {
        match self.channels {
            // SAFETY: the caller promises that it can be read.
            Some(channels) => F::with_channel::<T>(function, unsafe {
                channels.add(row).cast::<T::Lane>().read_unaligned()
            }),
            None => function,
        }
    }
}

#[cfg(feature = "rayon")]
#[derive(Clone, Copy)]
pub(crate) enum Axis {
    Groups,
    Rows,
    Columns,
}

#[cfg(feature = "rayon")]
impl<T: Element, const N: usize, const M: usize> Plan<T, N, M> {
    /// The first one along which there is something to split.
    pub(crate) fn widest_axis(&self) -> Axis {
        match self {
            Plan { groups: 2.., .. } => Axis::Groups,
            Plan { rows: 2.., .. } => Axis::Rows,
            _ => Axis::Columns,
        }
    }

    /// Where the second part begins, and both.
    pub(crate) fn split(self, axis: Axis, first_parts: usize, parts: usize) -> (usize, Self, Self) {
        // So that two threads don't write to the same cache line.
        let step = match axis {
            Axis::Columns => 64 / size_of::<T>(),
            _ => 1,
        };
        let (mut first, mut second) = (self, self);
        let len = match axis {
            Axis::Groups => &mut first.groups,
            Axis::Rows => &mut first.rows,
            Axis::Columns => &mut first.columns,
        };
        let middle = share(*len / step, first_parts, parts) * step;
        *len = middle;
        for operand in second.inputs.iter_mut().chain(&mut second.outputs) {
            let stride = match axis {
                Axis::Groups => operand.group_stride,
                Axis::Rows => operand.row_stride,
                Axis::Columns => 1,
            };
            operand.start = operand.start.wrapping_add(middle * stride);
        }
        match axis {
            Axis::Groups => second.groups -= middle,
            Axis::Rows => {
                second.rows -= middle;
                second.channels = second.channels.map(|channels| channels.wrapping_add(middle));
            }
            Axis::Columns => second.columns -= middle,
        }
        (middle, first, second)
    }
}

/// A function of the inputs, written to the outputs.
pub(crate) struct MapRows<T, F, const N: usize, const M: usize> {
    function: F,
    plan: Plan<T, N, M>,
}

impl<T: Element, F: VectorFn<N, M>, const N: usize, const M: usize> MapRows<T, F, N, M> {
    /// # Safety
    ///
    /// As long as the value lives, the inputs and channels of `plan` can be read and its outputs written, at all of its groups, rows and
    /// columns, those as [`Map::new`] wants them.
    pub(crate) unsafe fn new(function: F, plan: Plan<T, N, M>) -> Self {
        Self { function, plan }
    }
}

impl<T: Element, F: VectorFn<N, M>, const N: usize, const M: usize> Walk for MapRows<T, F, N, M> {
    type Output = ();

    #[inline(always)]
    fn walk<S: Simd>(&self, simd: S) {
        // A copy, which no store can change.
        let plan = self.plan;
        let function = self.function.round::<T>();
        for group in 0..plan.groups {
            for row in 0..plan.rows {
                // SAFETY: `new` was promised all of it.
                unsafe {
                    let function = plan.with_channel::<F>(function, row);
                    Map::<S, T, F, N, M>::new(simd, function, plan.input_row(group, row), plan.output_row(group, row))
                        .sweep_row(plan.columns, plan.streaming);
                }
            }
        }
        if plan.streaming {
            simd.fence();
        }
    }
}
