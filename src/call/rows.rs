//! Calls on tensors, as rows of matrices: checks their shapes, decides on streaming and threads, and walks them.

use core::marker::PhantomData;

#[cfg(feature = "rayon")]
use super::block::LINE_BYTES;
#[cfg(feature = "rayon")]
use super::detect::Kernels;
use super::error::ShapeError;
use super::loops::{COPY, SumLoops};
use super::options::CallOptions;
#[cfg(feature = "rayon")]
use super::parts::{Axis, part};
use super::parts::{elements, walked};
use super::shapes::{Channels, ChannelsOf, Input, RowsInput, check_count, make_plan};
#[cfg(feature = "rayon")]
use super::split::{Split, run_parallel, share};
use super::streaming::streaming_threshold;
use super::sums::Sums;
use super::tile::Kernel;
use super::views::{Destination, RowsMut};
use super::walk::Work;
use crate::simd::Element;
use crate::sweep::{OPERANDS, Plan};

/// A call on tensors: checked shapes.
///
/// The plan is the caller's: to return it takes longer than to walk a short row.
pub(crate) struct RowsCall<'a, T> {
    plan: &'a Plan,
    /// The layout and number of the channels, if the call has channels.
    channels: Option<ChannelsOf>,
    is_inplace: bool,
    tensors: PhantomData<&'a mut [T]>,
}

impl<'a, T: Element> RowsCall<'a, T> {
    /// Checks the tensors. An error if the channels don't divide them, or their shapes don't agree.
    pub(crate) fn new<const N: usize, const M: usize>(
        plan: &'a mut Plan,
        channels: Option<ChannelsOf>,
        inputs: [RowsInput<'a, T>; N],
        outputs: [(&'static str, RowsMut<'a, T>); M],
    ) -> Result<Self, ShapeError> {
        let inputs = inputs.map(RowsInput::erased);
        let outputs = outputs.map(|(name, output)| (name, output.view()));
        let channels = channels.map(|channels| channels.as_walked(&inputs, &outputs));
        make_plan(channels, &inputs, &outputs, size_of::<T>(), plan)?;
        Ok(Self {
            plan,
            channels,
            is_inplace: inputs.iter().any(|input| matches!(input, Input::Output)),
            tensors: PhantomData,
        })
    }

    pub(crate) fn map(self, kernel: Kernel<'_>, options: CallOptions) {
        self.run(kernel, None, options);
    }

    /// [`map`](Self::map) to a destination that may be uninitialized memory.
    pub(crate) fn map_to<D: Destination<'a, T>, const N: usize>(
        channels: Option<ChannelsOf>,
        inputs: [RowsInput<'a, T>; N],
        (name, mut destination): (&'static str, D),
        kernel: Kernel<'_>,
        options: CallOptions,
    ) -> Result<D::Written, ShapeError> {
        assert!(D::CAN_BE_READ || !inputs.iter().any(|input| matches!(input, RowsInput::Output)));
        let mut plan = Plan::empty();
        RowsCall::new(&mut plan, channels, inputs, [(name, destination.rows())])?.map(kernel, options);
        // SAFETY: the call has written each element.
        Ok(unsafe { destination.written() })
    }

    /// Writes the sum of each channel of the output to `sums`. An error if its length is not the number of channels.
    pub(crate) fn map_and_sum_outputs(
        self,
        kernel: Kernel<'_>,
        loops: &'static SumLoops,
        sums: (&'static str, &mut [T::Sum]),
        options: CallOptions,
    ) -> Result<(), ShapeError> {
        let sums = self.sums(loops, sums, false)?;
        self.run(kernel, Some(sums), options);
        Ok(())
    }

    /// Writes the sum of each channel to `sums`, with the summands that `loops` compute from the first two inputs.
    /// An error if its length is not the number of channels.
    pub(crate) fn map_and_sum_inputs(
        self,
        kernel: Kernel<'_>,
        loops: &'static SumLoops,
        sums: (&'static str, &mut [T::Sum]),
        options: CallOptions,
    ) -> Result<(), ShapeError> {
        let sums = self.sums(loops, sums, true)?;
        self.run(kernel, Some(sums), options);
        Ok(())
    }

    fn sums(
        &self,
        loops: &'static SumLoops,
        (name, sums): (&'static str, &mut [T::Sum]),
        of_inputs: bool,
    ) -> Result<Sums, ShapeError> {
        let Some(ChannelsOf { layout, count, .. }) = self.channels else {
            unreachable!("sums of channels that aren't there")
        };
        check_count(name, sums.len(), count)?;
        Ok(Sums {
            loops,
            totals: sums.as_mut_ptr().cast(),
            of_columns: layout == Channels::Last,
            of_inputs,
        })
    }

    fn run(self, kernel: Kernel<'_>, sums: Option<Sums>, options: CallOptions) {
        let work = Work {
            size: size_of::<T>(),
            kernel,
            sums,
            copy: const { COPY[T::INDEX] },
        };
        let kernels = options.kernels.unwrap_or_default();
        let is_beyond_caches = !self.is_inplace && is_beyond_caches(self.plan, size_of::<T>());
        #[cfg(feature = "rayon")]
        if options.is_parallel {
            let part = Part {
                plan: *self.plan,
                work,
                is_beyond_caches,
            };
            return run_parallel(part, kernels);
        }
        // The plan stays where it is: see `make_plan`.
        work.walk(self.plan, kernels, is_beyond_caches);
    }
}

/// The number of bytes to read and write, without broadcast inputs and repeated rows.
fn traffic(plan: &Plan, size: usize) -> usize {
    elements(plan).saturating_mul(walked(plan).count() * size)
}

/// Whether [`traffic`] reaches the threshold. Most calls have so few elements that they need not be counted.
fn is_beyond_caches(plan: &Plan, size: usize) -> bool {
    let threshold = streaming_threshold();
    elements(plan).saturating_mul(OPERANDS * size) >= threshold && traffic(plan, size) >= threshold
}

/// Some work, and the part of the tensors that a thread walks.
#[cfg(feature = "rayon")]
struct Part<'a> {
    plan: Plan,
    work: Work<'a>,
    is_beyond_caches: bool,
}

// SAFETY: the pointers come from the tensors of a `RowsCall` and from sums, whose elements are `Send` and `Sync`.
// Parameters are plain numbers. The call waits for all parts. Parts have no output and no sum in common: `Part::split`
// divides at groups, rows or columns, or at channels if there are sums.
#[cfg(feature = "rayon")]
unsafe impl Send for Part<'_> {}

#[cfg(feature = "rayon")]
impl Part<'_> {
    /// The axis of the channels if there are sums; otherwise the first axis of more than one.
    fn axis(&self) -> Axis {
        match (self.work.sums, self.plan) {
            (Some(sums), _) if sums.of_columns => Axis::Columns,
            (Some(_), _) => Axis::Rows,
            (None, Plan { groups: 2.., .. }) => Axis::Groups,
            (None, Plan { rows: 2.., .. }) => Axis::Rows,
            _ => Axis::Columns,
        }
    }
}

#[cfg(feature = "rayon")]
impl Split for Part<'_> {
    type Output = ();

    fn weighted_traffic(&self) -> usize {
        traffic(&self.plan, self.work.size).saturating_mul(self.work.kernel.weight())
    }

    fn is_beyond_caches(&self) -> bool {
        self.is_beyond_caches
    }

    fn split(self, first_parts: usize, parts: usize) -> (Self, Self) {
        let axis = self.axis();
        let (len, step) = match axis {
            Axis::Groups => (self.plan.groups, 1),
            Axis::Rows => (self.plan.rows, 1),
            // Multiples of a cache line, so that two threads don't write to the same line.
            Axis::Columns => (self.plan.columns, LINE_BYTES / self.work.size),
        };
        let middle = share(len / step, first_parts, parts) * step;
        let sums_from = |first| {
            self.work.sums.map(|sums| Sums {
                totals: sums.total(first),
                ..sums
            })
        };
        let of = |first, count| Self {
            plan: part(&self.plan, axis, first, count),
            work: Work {
                sums: sums_from(first),
                ..self.work
            },
            ..self
        };
        (of(0, middle), of(middle, len - middle))
    }

    fn join((): (), (): ()) {}

    fn enter(self, kernels: Kernels, streaming: bool) {
        self.work.walk(&self.plan, kernels, streaming);
    }
}
