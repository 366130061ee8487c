//! A function of rows, with the sum of what belongs to each channel in the same pass: the gradients of a bias and of slopes.

use super::rows::Plan;
use super::{Body, VectorFn, load, store, walk, walk_rest};
use crate::element::{Element, Format};
use crate::simd::{Float, FloatLane, Lane, Simd, Vector, Walk};

/// A function whose results, or what comes with them, are summed.
pub trait SumFn<const N: usize>: VectorFn<N> {
    /// What is added for the elements that go to the float vector at `index`.
    fn summand<T: Element, V: Vector<Lane = T::Lane>>(
        rounded: Self::Rounded<T>,
        simd: V::Simd,
        inputs: [V; N],
        output: V,
        index: usize,
    ) -> V::Float;
}

/// Sums don't grow longer than this before they are added to the total: their error grows with their length.
const BLOCK: usize = 256;

/// Columns whose sums are in the stack at a time.
const STRIP: usize = 1024;

/// Lanes in which the elements of a row are summed: more than one vector of any instruction set, since an addition takes longer
/// than the next one wants to wait.
const fn row_lanes<T: Format>() -> usize {
    128 / size_of::<T::ComputedIn>()
}

/// Sums on cache lines of their own.
#[repr(align(64))]
struct Aligned<L, const LEN: usize>([L; LEN]);

pub(crate) struct SumParts<T: Element, F, const N: usize> {
    function: F,
    plan: Plan<T, N, 1>,
    sums: *mut T::ComputedIn,
}

impl<T: Element, F: SumFn<N>, const N: usize> SumParts<T, F, N> {
    /// # Safety
    ///
    /// As for `MapRows`; `sums` can be written for each column or each row of a group, and nothing else has access to it as long as the
    /// value lives.
    pub(crate) unsafe fn new(function: F, plan: Plan<T, N, 1>, sums: *mut T::ComputedIn) -> Self {
        Self { function, plan, sums }
    }
}

/// A sum for each column, over the rows of the only group: of 256 rows at a time, in their order; these sums are added in theirs.
pub(crate) struct SumColumns<T: Element, F, const N: usize>(pub(crate) SumParts<T, F, N>);

impl<T: Element, F: SumFn<N>, const N: usize> Walk for SumColumns<T, F, N> {
    type Output = ();

    #[inline(always)]
    fn walk<S: Simd>(&self, simd: S) {
        const ROWS: usize = 4;
        let SumParts { function, plan, sums } = &self.0;
        let function = function.round::<T>();
        for first_column in (0..plan.columns).step_by(STRIP) {
            let width = STRIP.min(plan.columns - first_column);
            // SAFETY: `new` was promised a sum for each column.
            let totals = unsafe { core::slice::from_raw_parts_mut(sums.add(first_column), width) };
            totals.fill(T::ComputedIn::ZERO);
            for first_row in (0..plan.rows).step_by(BLOCK) {
                let mut sums = Aligned([T::ComputedIn::ZERO; STRIP]);
                let end = plan.rows.min(first_row + BLOCK);
                let mut row = first_row;
                macro_rules! rows {
                    ($count:expr) => {
                        let mut body = ColumnsBody::<S, T, F, N, { $count }> {
                            simd,
                            function,
                            inputs: [[core::ptr::null(); N]; $count],
                            outputs: [core::ptr::null_mut(); $count],
                            sums: sums.0.as_mut_ptr(),
                            streaming: plan.streaming && width * size_of::<T>() % 64 == 0,
                        };
                        for i in 0..$count {
                            for (pointer, input) in body.inputs[i].iter_mut().zip(plan.input_row(0, row + i)) {
                                *pointer = input.wrapping_add(first_column);
                            }
                            let [output] = plan.output_row(0, row + i);
                            body.outputs[i] = output.wrapping_add(first_column);
                            body.streaming &= body.outputs[i].addr() % 64 == 0;
                        }
                        // SAFETY: the columns from the first one on, as `new` was promised; there are as many sums.
                        unsafe { walk::<<T::Lane as Lane>::Vector<S>, _>(&mut body, 0, width) };
                        row += $count;
                    };
                }
                while end - row >= ROWS {
                    rows!(ROWS);
                }
                while row < end {
                    rows!(1);
                }
                for (total, sum) in totals.iter_mut().zip(sums.0) {
                    *total = total.add(sum);
                }
            }
            for total in totals {
                *total = total.with_one_nan();
            }
        }
        if plan.streaming {
            simd.fence();
        }
    }
}

/// Some rows at a time, so that the sums are loaded and stored less often.
struct ColumnsBody<S, T: Element, F: VectorFn<N>, const N: usize, const ROWS: usize> {
    simd: S,
    function: F::Rounded<T>,
    inputs: [[*const T::Lane; N]; ROWS],
    outputs: [*mut T::Lane; ROWS],
    sums: *mut T::ComputedIn,
    streaming: bool,
}

impl<S: Simd, T: Element, F: SumFn<N>, const N: usize, const ROWS: usize> Body for ColumnsBody<S, T, F, N, ROWS> {
    type Simd = S;
    type Lane = T::Lane;

    #[inline(always)]
    unsafe fn block<V: Vector<Simd = S, Lane = T::Lane>, const COUNT: usize>(&mut self, at: usize) {
        for i in 0..COUNT {
            let at = at + i * V::LANES;
            // SAFETY: the rows have LANES elements there, and there are as many sums.
            unsafe {
                let target = self.sums.add(at);
                let mut sums = [load_float::<V, _>(self.simd, target, 0); 2];
                for index in 1..V::FLOATS {
                    sums[index] = load_float::<V, _>(self.simd, target, index);
                }
                for row in 0..ROWS {
                    let inputs = load(self.simd, self.inputs[row], at);
                    let [output] = F::call::<T, V>(self.function, self.simd, inputs);
                    store(output, self.outputs[row].add(at), self.streaming);
                    for index in 0..V::FLOATS {
                        let summand = F::summand::<T, V>(self.function, self.simd, inputs, output, index);
                        sums[index] = sums[index].add(summand);
                    }
                }
                for index in 0..V::FLOATS {
                    store_float::<V, _>(sums[index], target, index);
                }
            }
        }
    }
}

/// A sum for each row of a group, over the groups in their order. A row is summed in stretches of 256 * `row_lanes` elements, in their
/// order; a stretch's elements in as many lanes, the first one in the first lane; then the second half of the lanes is added to the
/// first one until one lane is left.
pub(crate) struct SumRows<T: Element, F, const N: usize>(pub(crate) SumParts<T, F, N>);

impl<T: Element, F: SumFn<N>, const N: usize> Walk for SumRows<T, F, N> {
    type Output = ();

    #[inline(always)]
    fn walk<S: Simd>(&self, simd: S) {
        let SumParts { function, plan, sums } = &self.0;
        let function = function.round::<T>();
        // SAFETY: `new` was promised a sum for each row.
        let totals = unsafe { core::slice::from_raw_parts_mut(*sums, plan.rows) };
        totals.fill(T::ComputedIn::ZERO);
        for group in 0..plan.groups {
            for (row, total) in totals.iter_mut().enumerate() {
                let mut row_sum = T::ComputedIn::ZERO;
                let stretch = BLOCK * row_lanes::<T>();
                for first in (0..plan.columns).step_by(stretch) {
                    let mut inputs = plan.input_row(group, row);
                    for input in &mut inputs {
                        *input = input.wrapping_add(first);
                    }
                    let [output] = plan.output_row(group, row);
                    let body = RowBody::<S, T, F, N> {
                        simd,
                        // SAFETY: `new` was promised the channels.
                        function: unsafe { plan.with_channel::<F>(function, row) },
                        inputs,
                        output: output.wrapping_add(first),
                        lanes: Aligned([T::ComputedIn::ZERO; 32]),
                        first: 0,
                        streaming: plan.streaming,
                    };
                    // SAFETY: the columns from the first one on, as `new` was promised.
                    let sum = unsafe { body.sum(stretch.min(plan.columns - first)) };
                    row_sum = row_sum.add(sum);
                }
                *total = total.add(row_sum);
            }
        }
        for total in totals {
            *total = total.with_one_nan();
        }
        if plan.streaming {
            simd.fence();
        }
    }
}

/// A stretch of a row.
struct RowBody<S, T: Element, F: VectorFn<N>, const N: usize> {
    simd: S,
    function: F::Rounded<T>,
    inputs: [*const T::Lane; N],
    output: *mut T::Lane,
    lanes: Aligned<T::ComputedIn, 32>,
    /// The element that goes to the first of `lanes`.
    first: usize,
    streaming: bool,
}

impl<S: Simd, T: Element, F: SumFn<N>, const N: usize> RowBody<S, T, F, N> {
    /// # Safety
    ///
    /// The row has `len` elements.
    #[inline(always)]
    unsafe fn sum(mut self, len: usize) -> T::ComputedIn {
        type Vector<S, T> = <<T as Format>::Lane as Lane>::Vector<S>;
        let lanes = row_lanes::<T>();
        let vector_bytes = size_of::<Vector<S, T>>();
        let mut at = 0;
        if self.streaming {
            self.streaming = false;
            at = len.min(self.output.addr().wrapping_neg() % vector_bytes / size_of::<T>());
            // SAFETY: `at` <= `len`, and less than a vector.
            unsafe { walk_rest::<Vector<S, T>, _>(&mut self, 0, at) };
            self.lanes.0[..lanes].rotate_left(at);
            self.first = at;
            self.streaming = self.output.wrapping_add(at).addr() % vector_bytes == 0;
        }
        // SAFETY: what is before `at` was walked.
        unsafe { walk::<Vector<S, T>, _>(&mut self, at, len) };
        let sums = &mut self.lanes.0[..lanes];
        sums.rotate_right(at);
        let mut half = lanes / 2;
        while half > 0 {
            for i in 0..half {
                sums[i] = sums[i].add(sums[i + half]);
            }
            half /= 2;
        }
        sums[0]
    }
}

impl<S: Simd, T: Element, F: SumFn<N>, const N: usize> Body for RowBody<S, T, F, N> {
    type Simd = S;
    type Lane = T::Lane;

    #[inline(always)]
    unsafe fn block<V: Vector<Simd = S, Lane = T::Lane>, const COUNT: usize>(&mut self, at: usize) {
        for i in 0..COUNT {
            let at = at + i * V::LANES;
            // SAFETY: the row has LANES elements there. A walk comes to multiples of LANES, counted from its first element, and they
            // divide the number of lanes, so that as many are left.
            unsafe {
                let inputs = load(self.simd, self.inputs, at);
                let [output] = F::call::<T, V>(self.function, self.simd, inputs);
                store(output, self.output.add(at), self.streaming);
                let lanes = self.lanes.0.as_mut_ptr().add((at - self.first) % row_lanes::<T>());
                for index in 0..V::FLOATS {
                    let summand = F::summand::<T, V>(self.function, self.simd, inputs, output, index);
                    let sum = load_float::<V, _>(self.simd, lanes, index).add(summand);
                    store_float::<V, _>(sum, lanes, index);
                }
            }
        }
    }
}

/// The float vector at `index` of those for the elements of a `V`.
///
/// # Safety
///
/// `source` can be read for `V::LANES` lanes.
#[inline(always)]
unsafe fn load_float<V: Vector, L>(simd: V::Simd, source: *const L, index: usize) -> V::Float {
    const { assert!(size_of::<L>() == size_of::<<V::Float as Vector>::Lane>()) };
    // SAFETY: the caller's promise: FLOATS * V::Float::LANES is V::LANES.
    unsafe {
        V::Float::load(
            simd,
            source.cast::<<V::Float as Vector>::Lane>().add(index * V::Float::LANES),
        )
    }
}

/// # Safety
///
/// `target` can be written for `V::LANES` lanes.
#[inline(always)]
unsafe fn store_float<V: Vector, L>(float: V::Float, target: *mut L, index: usize) {
    const { assert!(size_of::<L>() == size_of::<<V::Float as Vector>::Lane>()) };
    // SAFETY: the caller's promise: FLOATS * V::Float::LANES is V::LANES.
    unsafe { float.store(target.cast::<<V::Float as Vector>::Lane>().add(index * V::Float::LANES)) }
}
