//! A function of rows, with the sum of what belongs to each channel in the same pass: the gradients of a bias and of slopes.

use super::rows::Plan;
use super::{Body, RowBody, VectorFn, VectorOf, load_each, store, walk_compact};
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

/// For the sums of a row, of which vectors of 128 bits take so many.
const MAX_REGISTERS: usize = 8;

/// Sums on cache lines of their own.
#[repr(align(64))]
struct Aligned<L, const LEN: usize>([L; LEN]);

struct SumParts<T: Element, F, const N: usize> {
    function: F,
    plan: Plan<T, N, 1>,
    sums: *mut T::ComputedIn,
}

impl<T: Element, F: SumFn<N>, const N: usize> SumParts<T, F, N> {
    fn new(function: F, plan: Plan<T, N, 1>, sums: *mut T::ComputedIn) -> Self {
        // `sums` is that of a slice of `Sum`.
        const { assert!(align_of::<T::Sum>() >= align_of::<T::ComputedIn>()) }
        Self { function, plan, sums }
    }
}

/// A sum for each column, over the rows of the only group: of 256 rows at a time, in their order; these sums are added in theirs.
pub(crate) struct SumColumns<T: Element, F, const N: usize>(SumParts<T, F, N>);

impl<T: Element, F: SumFn<N>, const N: usize> SumColumns<T, F, N> {
    /// # Safety
    ///
    /// As for `MapRows`, and there is one group. `sums` can be written for each column, and nothing else has access to it as long as the
    /// value lives.
    pub(crate) unsafe fn new(function: F, plan: Plan<T, N, 1>, sums: *mut T::ComputedIn) -> Self {
        Self(SumParts::new(function, plan, sums))
    }
}

impl<T: Element, F: SumFn<N>, const N: usize> Walk for SumColumns<T, F, N> {
    type Output = ();

    #[inline(always)]
    fn walk<S: Simd>(&self, simd: S) {
        // Copies, which no store can change.
        let SumParts { function, plan, sums } = self.0;
        let function = function.round::<T>();
        for first_column in (0..plan.columns).step_by(STRIP) {
            let width = STRIP.min(plan.columns - first_column);
            // SAFETY: `new` was promised a sum for each column.
            let totals = unsafe { core::slice::from_raw_parts_mut(sums.add(first_column), width) };
            totals.fill(T::ComputedIn::ZERO);
            for first_row in (0..plan.rows).step_by(BLOCK) {
                let mut sums = Aligned([T::ComputedIn::ZERO; STRIP]);
                for row in first_row..plan.rows.min(first_row + BLOCK) {
                    let mut body = SumBody::<S, T, F, N>::new(simd, function, &plan, (0, row, first_column));
                    body.sums = sums.0.as_mut_ptr();
                    // SAFETY: the columns from the first one on, as `new` was promised, and as many sums.
                    unsafe {
                        let at = body.walk_unaligned(width, plan.streaming);
                        walk_compact(&mut body, at, width);
                    }
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

/// A sum for each row of a group, over the groups in their order. A row is summed in stretches of 256 * `row_lanes` elements, in their
/// order; a stretch's elements in as many lanes, the first one in the first lane; then the second half of the lanes is added to the
/// first one until one lane is left.
pub(crate) struct SumRows<T: Element, F, const N: usize>(SumParts<T, F, N>);

impl<T: Element, F: SumFn<N>, const N: usize> SumRows<T, F, N> {
    /// # Safety
    ///
    /// As for `MapRows`. `sums` can be written for each row of a group, and nothing else has access to it as long as the value lives.
    pub(crate) unsafe fn new(function: F, plan: Plan<T, N, 1>, sums: *mut T::ComputedIn) -> Self {
        Self(SumParts::new(function, plan, sums))
    }
}

impl<T: Element, F: SumFn<N>, const N: usize> Walk for SumRows<T, F, N> {
    type Output = ();

    #[inline(always)]
    fn walk<S: Simd>(&self, simd: S) {
        // Copies, which no store can change.
        let SumParts { function, plan, sums } = self.0;
        let function = function.round::<T>();
        let stretch = BLOCK * row_lanes::<T>();
        // SAFETY: `new` was promised a sum for each row.
        let totals = unsafe { core::slice::from_raw_parts_mut(sums, plan.rows) };
        totals.fill(T::ComputedIn::ZERO);
        for group in 0..plan.groups {
            for (row, total) in totals.iter_mut().enumerate() {
                // SAFETY: `new` was promised the channels.
                let function = unsafe { plan.with_channel::<F>(function, row) };
                let mut row_sum = T::ComputedIn::ZERO;
                for first in (0..plan.columns).step_by(stretch) {
                    let body = SumBody::<S, T, F, N>::new(simd, function, &plan, (group, row, first));
                    // SAFETY: the columns from the first one on, as `new` was promised.
                    let sum = unsafe { body.sum_in_lanes(stretch.min(plan.columns - first), plan.streaming) };
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

/// A row from some column on, each element of which has a sum: to walk it, `sums` has to have one for each place up to `mask`. Pieces
/// come at multiples of their length from `first` on, so that none goes over the end of the sums. Where it is streamed, a fence follows.
struct SumBody<S, T: Element, F: VectorFn<N>, const N: usize> {
    simd: S,
    function: F::Rounded<T>,
    inputs: [*const T::Lane; N],
    output: *mut T::Lane,
    sums: *mut T::ComputedIn,
    /// Where the element that goes to the first of the sums is.
    first: usize,
    /// Bits of where the sums end and begin again.
    mask: usize,
    streaming: bool,
}

impl<S: Simd, T: Element, F: SumFn<N>, const N: usize> SumBody<S, T, F, N> {
    /// Without sums, so far.
    #[inline(always)]
    fn new(
        simd: S,
        function: F::Rounded<T>,
        plan: &Plan<T, N, 1>,
        (group, row, column): (usize, usize, usize),
    ) -> Self {
        let mut inputs = plan.input_row(group, row);
        for input in &mut inputs {
            *input = input.wrapping_add(column);
        }
        let [output] = plan.output_row(group, row);
        Self {
            simd,
            function,
            inputs,
            output: output.wrapping_add(column),
            sums: core::ptr::null_mut(),
            first: 0,
            mask: usize::MAX,
            streaming: false,
        }
    }

    /// # Safety
    ///
    /// There are `len` elements, and where they are `streaming` a fence follows.
    #[inline(always)]
    unsafe fn sum_in_lanes(mut self, len: usize, streaming: bool) -> T::ComputedIn {
        let lanes = row_lanes::<T>();
        let mut sums = Aligned([T::ComputedIn::ZERO; 32]);
        self.sums = sums.0.as_mut_ptr();
        self.mask = lanes - 1;
        // SAFETY: there are `len` elements, and sums again and again. `walk_lanes` goes on after the head, whose end goes to the first of the
        // sums then, and `walk` after that: it comes to multiples of a piece, counted from there, so that as many lanes are left.
        let head = unsafe { self.walk_unaligned(len, streaming) };
        if head > 0 {
            sums.0[..lanes].rotate_left(head);
        }
        self.sums = sums.0.as_mut_ptr();
        self.first = head;
        // SAFETY: see above.
        unsafe {
            let rest = self.walk_lanes(head, len);
            walk_compact(&mut self, rest, len);
        }
        // Whichever lane is the first one: those that are added to each other are as far apart.
        // Each with a known count, so that the compiler can make vectors of it.
        macro_rules! add_second_half {
            ($($half:literal)+) => {
                $(if $half < lanes {
                    for i in 0..$half {
                        sums.0[i] = sums.0[i].add(sums.0[i + $half]);
                    }
                })+
            };
        }
        const {
            assert!(row_lanes::<T>() <= 32);
            assert!(VectorOf::<S, T>::LANES <= row_lanes::<T>());
        }
        add_second_half!(16 8 4 2 1);
        sums.0[0]
    }

    /// Walks as many elements at a time as there are lanes, which are in registers meanwhile. Gives where it stopped.
    ///
    /// # Safety
    ///
    /// There are `len` elements, and those before `at` have been walked; `sums` has the lanes, and the first one belongs to `at`.
    #[inline(always)]
    unsafe fn walk_lanes(&mut self, mut at: usize, len: usize) -> usize {
        type FloatOf<S, T> = <VectorOf<S, T> as Vector>::Float;
        let lanes = row_lanes::<T>();
        let floats = const { row_lanes::<T>() / <FloatOf<S, T> as Vector>::LANES };
        if len - at < lanes || floats > MAX_REGISTERS {
            return at;
        }
        // SAFETY: the elements, and as many lanes as the floats have.
        unsafe {
            let mut sums = [load_float::<FloatOf<S, T>, _>(self.simd, self.sums, 0); MAX_REGISTERS];
            for (i, sum) in sums[..floats].iter_mut().enumerate().skip(1) {
                *sum = load_float::<FloatOf<S, T>, _>(self.simd, self.sums, i);
            }
            while len - at >= lanes {
                for i in 0..lanes / VectorOf::<S, T>::LANES {
                    let summands = self.call_at::<VectorOf<S, T>>(at);
                    for index in 0..VectorOf::<S, T>::FLOATS {
                        let sum = &mut sums[i * VectorOf::<S, T>::FLOATS + index];
                        *sum = sum.add(summands[index]);
                    }
                    at += VectorOf::<S, T>::LANES;
                }
            }
            for (i, sum) in sums[..floats].iter().enumerate() {
                store_float::<FloatOf<S, T>, _>(*sum, self.sums, i);
            }
        }
        at
    }

    /// Writes the output for the vectors at the element `at`, and gives what is added to the sums.
    ///
    /// # Safety
    ///
    /// There are `LANES` elements, and where they are streamed they are aligned to them.
    #[inline(always)]
    unsafe fn call_at<V: Vector<Simd = S, Lane = T::Lane>>(&self, at: usize) -> [V::Float; 2] {
        // SAFETY: the caller's promise.
        unsafe {
            let inputs = load_each::<V, N>(self.simd, self.inputs, at, self.streaming);
            let [output] = F::call::<T, V>(self.function, self.simd, inputs);
            store(output, self.output.add(at), self.streaming);
            let mut summands = [F::summand::<T, V>(self.function, self.simd, inputs, output, 0); 2];
            if V::FLOATS == 2 {
                summands[1] = F::summand::<T, V>(self.function, self.simd, inputs, output, 1);
            }
            summands
        }
    }
}

impl<S: Simd, T: Element, F: SumFn<N>, const N: usize> RowBody for SumBody<S, T, F, N> {
    #[inline(always)]
    fn are_aligned(&self, at: usize, bytes: usize) -> bool {
        self.output.wrapping_add(at).addr().is_multiple_of(bytes)
    }

    #[inline(always)]
    fn output(&self) -> *const T::Lane {
        self.output
    }

    #[inline(always)]
    fn set_streaming(&mut self, streaming: bool) {
        self.streaming = streaming;
    }
}

impl<S: Simd, T: Element, F: SumFn<N>, const N: usize> Body for SumBody<S, T, F, N> {
    type Simd = S;
    type Lane = T::Lane;

    #[inline(always)]
    unsafe fn block<V: Vector<Simd = S, Lane = T::Lane>, const COUNT: usize>(&mut self, at: usize) {
        for i in 0..COUNT {
            let at = at + i * V::LANES;
            // SAFETY: the caller promises the elements, and what the type wants of the sums.
            unsafe {
                let summands = self.call_at::<V>(at);
                let sums = self.sums.add((at - self.first) & self.mask);
                for (index, summand) in summands[..V::FLOATS].iter().enumerate() {
                    let sum = load_float::<V, _>(self.simd, sums, index).add(*summand);
                    store_float::<V, _>(sum, sums, index);
                }
            }
        }
    }
}

/// The float vector at `index` of those for the elements of a `V`.
///
/// # Safety
///
/// `source` can be read for the lanes of `index + 1` of them.
#[inline(always)]
unsafe fn load_float<V: Vector, L>(simd: V::Simd, source: *const L, index: usize) -> V::Float {
    const {
        assert!(size_of::<L>() == size_of::<<V::Float as Vector>::Lane>());
        assert!(V::FLOATS * V::Float::LANES == V::LANES);
    }
    // SAFETY: the caller's promise.
    unsafe {
        V::Float::load(
            simd,
            source.cast::<<V::Float as Vector>::Lane>().add(index * V::Float::LANES),
        )
    }
}

/// # Safety
///
/// `target` can be written for the lanes of `index + 1` of them.
#[inline(always)]
unsafe fn store_float<V: Vector, L>(float: V::Float, target: *mut L, index: usize) {
    const {
        assert!(size_of::<L>() == size_of::<<V::Float as Vector>::Lane>());
        assert!(V::FLOATS * V::Float::LANES == V::LANES);
    }
    // SAFETY: the caller's promise.
    unsafe { float.store(target.cast::<<V::Float as Vector>::Lane>().add(index * V::Float::LANES)) }
}
