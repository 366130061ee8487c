//! Calls on the rows of matrices.

use core::marker::PhantomData;
use core::mem::MaybeUninit;

use crate::element::Element;
use crate::kernels::{Kernels, Way};
use crate::streaming::streaming_threshold;
#[cfg(feature = "rayon")]
use crate::sweep::Axis;
use crate::sweep::{LONG_BYTES, MapRows, Operand, Plan, RepeatedRow, SumColumns, SumFn, SumRows, VectorFn};

#[cfg(feature = "rayon")]
use super::split::{Split, run_parallel};
use super::{Entries, Rows, RowsMut, run};

/// How the channels of a tensor lie in memory.
///
/// ```
/// use rectify::{Channels, Fused, Relu};
///
/// // NCHW: an image of two channels, 1 x 3.
/// let mut x = [1.0_f32, -2.0, 3.0, -4.0, 5.0, -6.0];
/// Fused::new(Relu).bias(&[1.0, 7.0], Channels::First { spatial: 3 }).forward_inplace(&mut x);
/// assert_eq!(x, [2.0, 0.0, 4.0, 3.0, 12.0, 1.0]);
///
/// // NHWC: the same numbers as three pixels of two channels.
/// let mut x = [1.0_f32, -2.0, 3.0, -4.0, 5.0, -6.0];
/// Fused::new(Relu).bias(&[1.0, 7.0], Channels::Last).forward_inplace(&mut x);
/// assert_eq!(x, [2.0, 5.0, 4.0, 3.0, 6.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channels {
    /// Next to each other, as in NHWC and in the output of a dense layer: the channel of element i is `i % channels`.
    Last,
    /// One after the other, as in NCHW: that of element i is `i / spatial % channels`.
    First {
        /// How many elements of a channel come one after another: height times width.
        spatial: usize,
    },
}

/// Where an input comes from.
#[derive(Clone, Copy)]
pub(crate) enum RowsSource<'a, T> {
    /// An argument of that name.
    Rows(&'static str, Rows<'a, T>),
    /// The same row every time.
    Row(&'static str, &'a [T]),
    /// What is in the first output.
    Output,
}

/// `outputs = function(inputs)`, row by row.
pub(crate) struct RowsCall<'a, T, const N: usize, const M: usize> {
    plan: Plan<T, N, M>,
    /// That the tensor has, if it matters.
    channels: Option<(Channels, usize)>,
    operands: PhantomData<&'a mut [T]>,
}

impl<'a, T: Element, const N: usize, const M: usize> RowsCall<'a, T, N, M> {
    /// With so many channels. Panics when they don't divide the tensors, or these have different shapes.
    #[track_caller]
    pub(crate) fn new(
        channels: Option<(Channels, usize)>,
        inputs: [RowsSource<'a, T>; N],
        outputs: [(&'static str, RowsMut<'a, T>); M],
    ) -> Self {
        let (output_name, elements) = (outputs[0].0, outputs[0].1.elements());
        let columns = match channels {
            Some((Channels::Last, channels)) => {
                assert!(
                    divides(Some(channels), elements),
                    "{channels} channels don't divide the {elements} elements of `{output_name}`"
                );
                channels
            }
            Some((Channels::First { spatial }, channels)) => {
                assert!(
                    divides(spatial.checked_mul(channels), elements),
                    "{channels} channels of {spatial} elements don't divide the {elements} of `{output_name}`"
                );
                spatial
            }
            None => common_columns(&inputs, &outputs),
        };
        let mut is_inplace = false;
        let mut plan_outputs = [Operand::new(core::ptr::null_mut(), 0); M];
        let mut rows = 0;
        for (operand, (name, output)) in plan_outputs.iter_mut().zip(outputs) {
            check_elements((name, output.elements()), (output_name, elements));
            let output = output.reshape(name, columns);
            rows = output.rows();
            *operand = Operand::new(output.start(), output.stride());
        }
        let mut plan_inputs = [Operand::new(core::ptr::null_mut(), 0); N];
        for (operand, input) in plan_inputs.iter_mut().zip(inputs) {
            match input {
                RowsSource::Rows(name, input) => {
                    check_elements((name, input.elements()), (output_name, elements));
                    let input = input.reshape(name, columns);
                    *operand = Operand::new(input.start().cast_mut(), input.stride());
                }
                RowsSource::Row(name, row) => {
                    assert!(
                        row.len() == columns,
                        "`{name}` has {} elements, not {columns}",
                        row.len()
                    );
                    *operand = Operand::new(row.as_ptr().cast_mut(), 0);
                }
                RowsSource::Output => {
                    *operand = plan_outputs[0];
                    is_inplace = true;
                }
            }
        }
        let (groups, rows_of_group) = match channels {
            Some((Channels::First { .. }, channels)) => (rows.checked_div(channels).unwrap_or(0), channels),
            _ => (1, rows),
        };
        let plan = Plan {
            inputs: plan_inputs.map(|operand| operand.in_groups(rows_of_group)),
            outputs: plan_outputs.map(|operand| operand.in_groups(rows_of_group)),
            groups,
            rows: rows_of_group,
            columns,
            channels: None,
            streaming: false,
        };
        let streaming = !is_inplace && plan.traffic() >= streaming_threshold();
        Self {
            plan: Plan { streaming, ..plan },
            channels,
            operands: PhantomData,
        }
    }

    /// With a number for each channel, which come first.
    pub(crate) fn with_numbers(mut self, numbers: &'a [T]) -> Self {
        assert!(matches!(self.channels, Some((Channels::First { .. }, channels)) if channels == numbers.len()));
        self.plan.channels = Some(numbers.as_ptr());
        self
    }

    pub(crate) fn map<F: VectorFn<N, M>>(self, function: F, way: Way) {
        let mut repeated: RepeatedRow<T> = [const { MaybeUninit::uninit() }; _];
        // SAFETY: `new` was given the tensors, and rows of so many columns. `repeated` stays as it is until both plans have been walked.
        for plan in unsafe { self.plan.with_long_rows(&mut repeated) } {
            if plan.rows > 0 {
                Self { plan, ..self }.pass(function, Written, way);
            }
        }
    }

    fn pass<F: Copy + Send, P: Pass<T, F, N, M>>(self, function: F, pass: P, way: Way) {
        let streaming = self.plan.streaming && self.plan.can_stream();
        let work = Work {
            plan: Plan { streaming, ..self.plan },
            function,
            pass,
        };
        let kernels = way.kernels.unwrap_or_default();
        #[cfg(feature = "rayon")]
        if way.is_parallel {
            return run_parallel(work, kernels);
        }
        work.run(kernels);
    }
}

impl<T: Element, const N: usize> RowsCall<'_, T, N, 1> {
    /// As [`map`](Self::map), by the loops of whole slices, which are compiled once for all users.
    pub(crate) fn map_compiled<F: VectorFn<N>>(self, entries: &'static Entries<F, N>, function: F, way: Way) {
        self.pass(function, Compiled(entries), way);
    }

    /// Puts into `sums` what is added up for each channel. Panics when there are more or fewer.
    #[track_caller]
    pub(crate) fn sum<F: SumFn<N>>(self, function: F, (name, sums): (&str, &mut [T::Sum]), way: Way) {
        let Some((layout, channels)) = self.channels else {
            unreachable!("sums of channels that aren't there")
        };
        assert!(
            sums.len() == channels,
            "`{name}` has {} elements, not {channels}",
            sums.len()
        );
        let start = sums.as_mut_ptr().cast();
        self.pass(function, Sums { start, layout }, way);
    }
}

fn divides(divisor: Option<usize>, elements: usize) -> bool {
    elements == 0 || divisor.is_some_and(|divisor| divisor != 0 && elements.is_multiple_of(divisor))
}

/// Those of the operand that has something between its rows, else all.
fn common_columns<T, const N: usize, const M: usize>(
    inputs: &[RowsSource<'_, T>; N],
    outputs: &[(&str, RowsMut<'_, T>); M],
) -> usize {
    for input in inputs {
        if let RowsSource::Rows(_, input) = input
            && !input.is_contiguous()
        {
            return input.columns();
        }
    }
    for (_, output) in outputs {
        if !output.is_contiguous() {
            return output.columns();
        }
    }
    outputs[0].1.elements()
}

#[track_caller]
fn check_elements((name, elements): (&str, usize), (other_name, other_elements): (&str, usize)) {
    assert!(
        elements == other_elements,
        "tensors of unequal size: `{name}` has {elements} elements, `{other_name}` has {other_elements}"
    );
}

/// What a pass leaves beside its outputs.
///
/// # Safety
///
/// `axis` is one along which the parts of the tensors have nothing in common, nor what `from` gives with what is before it. A
/// value may be used on another thread.
unsafe trait Pass<T: Element, F, const N: usize, const M: usize>: Copy {
    /// Whether there is a sum for each column, or each row.
    #[cfg(feature = "rayon")]
    fn axis(self, plan: &Plan<T, N, M>) -> Axis {
        plan.widest_axis()
    }

    /// For the part of the tensors that begins there on the axis.
    #[cfg(feature = "rayon")]
    fn from(self, _first: usize) -> Self {
        self
    }

    /// # Safety
    ///
    /// As for [`MapRows::new`], and where there are sums as for [`SumColumns::new`] or [`SumRows::new`].
    unsafe fn run(self, function: F, plan: Plan<T, N, M>, kernels: Kernels);
}

/// Nothing but the outputs.
#[derive(Clone, Copy)]
struct Written;

// SAFETY: the elements have nothing in common.
unsafe impl<T: Element, F: VectorFn<N, M>, const N: usize, const M: usize> Pass<T, F, N, M> for Written {
    unsafe fn run(self, function: F, plan: Plan<T, N, M>, kernels: Kernels) {
        // SAFETY: the caller's promises.
        run(&unsafe { MapRows::new(function, plan) }, kernels);
    }
}

/// The same, by compiled loops.
struct Compiled<F: 'static, const N: usize>(&'static Entries<F, N>);

impl<F, const N: usize> Clone for Compiled<F, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F, const N: usize> Copy for Compiled<F, N> {}

// SAFETY: the elements have nothing in common.
unsafe impl<T: Element, F: VectorFn<N>, const N: usize> Pass<T, F, N, 1> for Compiled<F, N> {
    unsafe fn run(self, function: F, plan: Plan<T, N, 1>, kernels: Kernels) {
        let Self(entries) = self;
        let streaming = plan.streaming && plan.columns * size_of::<T>() >= LONG_BYTES;
        for group in 0..plan.groups {
            for row in 0..plan.rows {
                let (inputs, [output]) = (plan.input_row(group, row), plan.output_row(group, row));
                // SAFETY: the caller's promises.
                unsafe { entries.call::<T>(kernels, function, inputs, output, plan.columns, streaming) };
            }
        }
    }
}

/// The sums of the channels, which lie like this.
#[derive(Clone, Copy)]
struct Sums<L> {
    start: *mut L,
    layout: Channels,
}

// SAFETY: there is a sum for each place on the axis.
unsafe impl<T: Element, F: SumFn<N>, const N: usize> Pass<T, F, N, 1> for Sums<T::ComputedIn> {
    #[cfg(feature = "rayon")]
    fn axis(self, _: &Plan<T, N, 1>) -> Axis {
        match self.layout {
            Channels::Last => Axis::Columns,
            Channels::First { .. } => Axis::Rows,
        }
    }

    #[cfg(feature = "rayon")]
    fn from(self, first: usize) -> Self {
        Self {
            start: self.start.wrapping_add(first),
            ..self
        }
    }

    unsafe fn run(self, function: F, plan: Plan<T, N, 1>, kernels: Kernels) {
        match self.layout {
            // SAFETY: the caller's promises. `RowsCall` makes one group of channels that come last.
            Channels::Last => run(&unsafe { SumColumns::new(function, plan, self.start) }, kernels),
            // SAFETY: the caller's promises.
            Channels::First { .. } => run(&unsafe { SumRows::new(function, plan, self.start) }, kernels),
        }
    }
}

struct Work<T, F, P, const N: usize, const M: usize> {
    plan: Plan<T, N, M>,
    function: F,
    pass: P,
}

impl<T: Element, F: Copy + Send, P: Pass<T, F, N, M>, const N: usize, const M: usize> Work<T, F, P, N, M> {
    fn run(self, kernels: Kernels) {
        // SAFETY: `RowsCall::new` was given the tensors, which live as long as the call, and made the plan of their shapes, which it has
        // checked: inputs are shared, or the first output itself, and outputs exclusive. Or an input is a row that `RowsCall::map` holds
        // until the work is done. `RowsCall::sum` has checked the number of sums, which are exclusive. Where the work was split, this is
        // a part of it.
        unsafe { self.pass.run(self.function, self.plan, kernels) }
    }
}

// SAFETY: the tensors of `RowsCall`, the row of `RowsCall::map` and the sums, shared ones and exclusive ones, can go to another thread,
// for which the call waits; of those that are written to, parts have nothing in common, which `Plan::split` and `Pass` promise. So can
// a `Pass`.
#[cfg(feature = "rayon")]
unsafe impl<T: Element, F: Send, P: Pass<T, F, N, M>, const N: usize, const M: usize> Send for Work<T, F, P, N, M> {}

#[cfg(feature = "rayon")]
impl<T: Element, F: Copy + Send, P: Pass<T, F, N, M>, const N: usize, const M: usize> Split for Work<T, F, P, N, M> {
    type Output = ();

    fn traffic(&self) -> usize {
        self.plan.traffic()
    }

    fn is_past_caches(&self) -> bool {
        self.plan.streaming
    }

    fn split(self, first_parts: usize, parts: usize) -> (Self, Self) {
        let axis = self.pass.axis(&self.plan);
        let (middle, first, second) = self.plan.split(axis, first_parts, parts);
        let part = |plan, pass| Self { plan, pass, ..self };
        (part(first, self.pass), part(second, self.pass.from(middle)))
    }

    fn join((): (), (): ()) {}

    fn enter(mut self, kernels: Kernels, streaming: bool) {
        self.plan.streaming = streaming;
        self.run(kernels);
    }
}
