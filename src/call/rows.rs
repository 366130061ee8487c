//! Calls on tensors, as rows of matrices. Checks their shapes, and calls the loops: over all rows, or over a block of
//! them at a time if several loops are composed.

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ops::Range;

use super::detect::Kernels;
use super::loops::{COPY, NO_PARAMS, Params, RowsLoops, SliceLoops, SumLoops};
use super::options::CallOptions;
#[cfg(feature = "rayon")]
use super::split::{Split, run_parallel, share};
use super::streaming::streaming_threshold;
use super::views::{Rows, RowsMut, View};
use crate::simd::{Element, fence};
use crate::sweep::{Operand, Plan, RowLanes, RowsArgs, STRIP, SumArgs};

/// The layout of the channels of a tensor in memory.
///
/// ```
/// use rectify::{Channels, Fused, Relu};
///
/// // NCHW: an image of two channels, 1 x 3.
/// let mut x = [1.0_f32, -2.0, 3.0, -4.0, 5.0, -6.0];
/// Fused::new(Relu).bias(&[1.0, 7.0], Channels::First { spatial: 3 }).forward_inplace(&mut x);
/// assert_eq!(x, [2.0, 0.0, 4.0, 3.0, 12.0, 1.0]);
///
/// // NHWC: the same numbers as 1 x 3 pixels of two channels.
/// let mut x = [1.0_f32, -2.0, 3.0, -4.0, 5.0, -6.0];
/// Fused::new(Relu).bias(&[1.0, 7.0], Channels::Last).forward_inplace(&mut x);
/// assert_eq!(x, [2.0, 5.0, 4.0, 3.0, 6.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channels {
    /// NHWC, and the output of a dense layer. The channel of element i is `i % channels`.
    Last,
    /// NCHW. The channel of element i is `i / spatial % channels`.
    First {
        /// The number of elements of a channel in an image: height * width.
        spatial: usize,
    },
}

/// The layout and number of channels. The number is the length of the argument `name`.
#[derive(Clone, Copy)]
pub(crate) struct ChannelsOf {
    pub(crate) layout: Channels,
    pub(crate) name: &'static str,
    pub(crate) count: usize,
}

/// The source of an input.
#[derive(Clone, Copy)]
pub(crate) enum RowsInput<'a, T: Element> {
    /// An argument, with its name.
    Rows(&'static str, Rows<'a, T>),
    /// One row, the same for each row of the outputs.
    Row(&'static str, &'a [T]),
    /// A number for each row of a group: for each channel, if channels come first.
    PerRow(&'a [T]),
    /// The bits of one number for all elements.
    Number(&'a T::Lane),
    /// The first output, in-place.
    Output,
}

/// [`RowsInput`] without the type of the elements.
#[derive(Clone, Copy)]
enum Input {
    Rows(&'static str, View),
    Row(&'static str, *mut u8, usize),
    PerRow(*mut u8),
    Number(*mut u8),
    Output,
}

impl<T: Element> RowsInput<'_, T> {
    fn erased(self) -> Input {
        let start = |slice: &[T]| slice.as_ptr().cast::<u8>().cast_mut();
        match self {
            Self::Rows(name, rows) => Input::Rows(name, rows.view()),
            Self::Row(name, row) => Input::Row(name, start(row), row.len()),
            Self::PerRow(numbers) => Input::PerRow(start(numbers)),
            Self::Number(number) => Input::Number(core::ptr::from_ref(number).cast::<u8>().cast_mut()),
            Self::Output => Input::Output,
        }
    }
}

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
}

/// A reduction over channels, computed in the same pass as the outputs.
#[derive(Clone, Copy)]
struct Sums {
    loops: &'static SumLoops,
    totals: *mut u8,
    /// Whether a channel is a column; otherwise it is a row of a group.
    of_columns: bool,
    /// Whether the summands are computed from the first two inputs, before the output is written; otherwise they are
    /// the output.
    of_inputs: bool,
}

/// A call on tensors: checked shapes.
pub(crate) struct RowsCall<'a, T> {
    plan: Plan,
    /// The layout and number of the channels, if the call has channels.
    channels: Option<ChannelsOf>,
    is_inplace: bool,
    tensors: PhantomData<&'a mut [T]>,
}

impl<'a, T: Element> RowsCall<'a, T> {
    /// Checks the tensors. Panics if the channels don't divide them, or their shapes don't agree.
    #[track_caller]
    pub(crate) fn new<const N: usize, const M: usize>(
        channels: Option<ChannelsOf>,
        inputs: [RowsInput<'a, T>; N],
        outputs: [(&'static str, RowsMut<'a, T>); M],
    ) -> Self {
        let inputs = inputs.map(RowsInput::erased);
        let outputs = outputs.map(|(name, output)| (name, output.view()));
        let (plan, is_inplace) = plan(channels, &inputs, &outputs, size_of::<T>());
        Self {
            plan,
            channels,
            is_inplace,
            tensors: PhantomData,
        }
    }

    pub(crate) fn map(self, kernel: Kernel<'_>, options: CallOptions) {
        self.run(kernel, None, options);
    }

    /// Writes the sum of each channel of the output to `sums`. Panics if its length is not the number of channels.
    #[track_caller]
    pub(crate) fn map_and_sum_outputs(
        self,
        kernel: Kernel<'_>,
        loops: &'static SumLoops,
        sums: (&str, &mut [T::Sum]),
        options: CallOptions,
    ) {
        let sums = self.sums(loops, sums, false);
        self.run(kernel, Some(sums), options);
    }

    /// Writes the sum of each channel to `sums`, with the summands that `loops` compute from the first two inputs.
    /// Panics if its length is not the number of channels.
    #[track_caller]
    pub(crate) fn map_and_sum_inputs(
        self,
        kernel: Kernel<'_>,
        loops: &'static SumLoops,
        sums: (&str, &mut [T::Sum]),
        options: CallOptions,
    ) {
        let sums = self.sums(loops, sums, true);
        self.run(kernel, Some(sums), options);
    }

    #[track_caller]
    fn sums(&self, loops: &'static SumLoops, (name, sums): (&str, &mut [T::Sum]), of_inputs: bool) -> Sums {
        let Some(ChannelsOf { layout, count, .. }) = self.channels else {
            unreachable!("sums of channels that aren't there")
        };
        check_channels(name, sums.len(), count);
        Sums {
            loops,
            totals: sums.as_mut_ptr().cast(),
            of_columns: layout == Channels::Last,
            of_inputs,
        }
    }

    fn run(self, kernel: Kernel<'_>, sums: Option<Sums>, options: CallOptions) {
        let work = Work {
            plan: self.plan,
            size: size_of::<T>(),
            kernel,
            sums,
            copy: const { COPY[T::INDEX] },
            is_beyond_caches: !self.is_inplace && traffic(&self.plan, size_of::<T>()) >= streaming_threshold(),
        };
        let kernels = options.kernels.unwrap_or_default();
        #[cfg(feature = "rayon")]
        if options.is_parallel {
            return run_parallel(work, kernels);
        }
        work.walk(kernels, work.is_beyond_caches);
    }
}

#[track_caller]
fn check_channels(name: &str, found: usize, channels: usize) {
    assert!(found == channels, "`{name}` has {found} elements, not {channels}");
}

/// Returns the shape of the tensors as groups of rows, and whether an input is the output. Panics if the shapes don't
/// agree.
#[track_caller]
fn plan(channels: Option<ChannelsOf>, inputs: &[Input], outputs: &[(&'static str, View)], size: usize) -> (Plan, bool) {
    let (output_name, elements) = (outputs[0].0, outputs[0].1.shape.len());
    let columns = match channels {
        Some(ChannelsOf {
            layout: Channels::Last,
            name,
            count,
        }) => {
            assert!(
                divides(Some(count), elements),
                "`{output_name}` has {elements} elements: no multiple of the {count} channels of `{name}`"
            );
            count
        }
        Some(ChannelsOf {
            layout: Channels::First { spatial },
            name,
            count,
        }) => {
            assert!(
                divides(spatial.checked_mul(count), elements),
                "`{output_name}` has {elements} elements: no multiple of the {count} channels of `{name}` times spatial \
                 {spatial}"
            );
            spatial
        }
        None => common_columns(inputs, outputs),
    };
    let mut plan = Plan {
        inputs: [Operand::NONE; _],
        outputs: [Operand::NONE; _],
        groups: 1,
        rows: 0,
        columns,
    };
    for (i, &(name, output)) in outputs.iter().enumerate() {
        (plan.outputs[i], plan.rows) = operand((name, output), (output_name, elements), columns, size);
    }
    let mut is_inplace = false;
    for (i, &input) in inputs.iter().enumerate() {
        plan.inputs[i] = match input {
            Input::Rows(name, input) => operand((name, input), (output_name, elements), columns, size).0,
            Input::Row(name, start, len) => {
                assert!(len == columns, "`{name}` has {len} elements, not {columns}");
                Operand { start, ..Operand::NONE }
            }
            Input::PerRow(start) => Operand {
                start,
                row_stride: size,
                is_broadcast: true,
                ..Operand::NONE
            },
            Input::Number(start) => Operand {
                start,
                is_broadcast: true,
                ..Operand::NONE
            },
            Input::Output => {
                is_inplace = true;
                plan.outputs[0]
            }
        };
    }
    if let Some(ChannelsOf {
        layout: Channels::First { .. },
        count,
        ..
    }) = channels
    {
        plan.groups = plan.rows.checked_div(count).unwrap_or(0);
        plan.rows = count;
    }
    for operand in plan.inputs.iter_mut().chain(&mut plan.outputs) {
        // An input with a number for each row starts again with each group. With one group the stride is not used.
        if !operand.is_broadcast {
            operand.group_stride = plan.rows.wrapping_mul(operand.row_stride);
        }
    }
    (plan, is_inplace)
}

/// Returns the rows of a tensor, and their number. Panics if it has not as many elements as the first output, or no rows
/// of so many columns.
#[track_caller]
fn operand((name, view): (&str, View), output: (&str, usize), columns: usize, size: usize) -> (Operand, usize) {
    check_elements((name, view.shape.len()), output);
    let shape = view.shape.reshape(name, columns);
    let operand = Operand {
        start: view.start,
        // With no columns, the stride is not used and may have any value.
        row_stride: shape.stride.wrapping_mul(size),
        ..Operand::NONE
    };
    (operand, shape.rows)
}

fn divides(divisor: Option<usize>, elements: usize) -> bool {
    elements == 0 || divisor.is_some_and(|divisor| divisor != 0 && elements.is_multiple_of(divisor))
}

/// The columns of the first strided tensor; if all are contiguous, the number of all elements.
fn common_columns(inputs: &[Input], outputs: &[(&str, View)]) -> usize {
    let inputs = inputs.iter().filter_map(|input| match input {
        Input::Rows(_, input) => Some(input),
        _ => None,
    });
    let mut views = inputs.chain(outputs.iter().map(|(_, output)| output));
    views
        .find(|view| !view.shape.is_contiguous())
        .map_or(outputs[0].1.shape.len(), |view| view.shape.columns)
}

#[track_caller]
fn check_elements((name, elements): (&str, usize), (other_name, other_elements): (&str, usize)) {
    assert!(
        elements == other_elements,
        "tensors of unequal size: `{name}` has {elements} elements, `{other_name}` has {other_elements}"
    );
}

/// The inputs and outputs that have an element for each element of the tensors.
fn walked(plan: &Plan) -> impl Iterator<Item = &Operand> {
    let operands = plan.inputs.iter().chain(&plan.outputs);
    operands.filter(|operand| operand.row_stride != 0 && !operand.is_broadcast)
}

/// The number of bytes to read and write, without broadcast inputs and repeated rows.
fn traffic(plan: &Plan, size: usize) -> usize {
    let elements = plan.groups * plan.rows * plan.columns;
    elements.saturating_mul(walked(plan).count() * size)
}

/// Whether all operands are contiguous, over rows and groups.
fn is_flat(plan: &Plan, size: usize) -> bool {
    let inputs = plan.inputs.iter().filter(|input| !input.start.is_null());
    let outputs = plan.outputs.iter().filter(|output| !output.start.is_null());
    let mut operands = inputs.chain(outputs);
    operands.all(|operand| is_contiguous(operand, plan, size))
}

fn is_contiguous(operand: &Operand, plan: &Plan, size: usize) -> bool {
    !operand.is_broadcast
        && (plan.groups * plan.rows <= 1 || operand.row_stride == plan.columns * size)
        && (plan.groups <= 1 || operand.group_stride == plan.rows * operand.row_stride)
}

/// The size of a block of a tensor where loops are composed. The blocks of all operands together stay in the L1 cache.
const BLOCK_BYTES: usize = 1 << 13;

/// The size of a tile whose output is summed, of contiguous tensors. So little that the CPU loads the next tile while it
/// sums this one.
const SUMMED_BYTES: usize = 1 << 11;

/// Rows of this size or more are streamed one by one.
const LONG_BYTES: usize = 1 << 14;

/// Rows of fewer bytes are computed several at a time: to start a row takes longer than its elements.
const SHORT_BYTES: usize = 1 << 10;

/// The number of rows that are summed before their sum is added to the total: the error of a sum grows with its length.
const ROWS_OF_SUM: usize = 256;

// A tile of a strip has all of its columns, so that the sums of a strip begin with its first column. A tile of a long row
// begins with the first of a row's lanes.
const _: () = {
    assert!(STRIP * size_of::<u64>() <= BLOCK_BYTES);
    assert!((BLOCK_BYTES / size_of::<u64>()).is_multiple_of(row_lanes_of(size_of::<f32>())));
    assert!((SUMMED_BYTES / size_of::<u64>()).is_multiple_of(row_lanes_of(size_of::<f32>())));
};

/// Room for a block of elements.
#[repr(align(64))]
struct Block([MaybeUninit<u8>; BLOCK_BYTES + LINE_BYTES]);

const LINE_BYTES: usize = 64;

impl Block {
    fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; _])
    }

    fn start(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

#[derive(Clone, Copy)]
struct Work<'a> {
    plan: Plan,
    /// The size of an element in bytes.
    size: usize,
    kernel: Kernel<'a>,
    sums: Option<Sums>,
    copy: &'static SliceLoops,
    is_beyond_caches: bool,
}

// SAFETY: the pointers come from the tensors of a `RowsCall` and from sums, whose elements are `Send` and `Sync`.
// Parameters are plain numbers. The call waits for all parts. Parts have no output and no sum in common: `Work::split`
// divides at groups, rows or columns, or at channels if there are sums.
#[cfg(feature = "rayon")]
unsafe impl Send for Work<'_> {}

/// The state of some work on a thread.
struct Walk<'a> {
    work: Work<'a>,
    kernels: Kernels,
    /// Whether the outputs are written with non-temporal stores.
    streaming: bool,
    // Pointers, since a reference to what holds a block would end the pointers to it.
    block: *mut u8,
    /// A block of the output, which is copied from there with non-temporal stores.
    outputs: *mut u8,
    /// The input that is repeated in `rows`.
    repeated: Option<Repeated>,
    rows: *mut u8,
}

impl Work<'_> {
    fn walk(mut self, kernels: Kernels, streaming: bool) {
        if let Kernel::Composed { fused, params, .. } = self.kernel
            && fused.has(kernels)
        {
            self.kernel = Kernel::Rows(fused, params);
        }
        // Used through these pointers only, as long as the walk.
        let (mut block, mut outputs, mut rows) = (Block::new(), Block::new(), Block::new());
        let mut walk = Walk {
            work: self,
            kernels,
            streaming,
            block: block.start(),
            outputs: outputs.start(),
            repeated: None,
            rows: rows.start(),
        };
        walk.repeat_row();
        match self.sums {
            None => walk.map_all(),
            Some(sums) if sums.of_columns => walk.sum_columns(sums),
            Some(sums) => walk.sum_rows(sums),
        }
        if streaming {
            fence();
        }
    }
}

/// An axis along which a plan can be split.
#[derive(Clone, Copy)]
enum Axis {
    Groups,
    Rows,
    Columns,
}

/// `count` groups, rows or columns of a plan, from `first` on.
fn part(plan: &Plan, axis: Axis, first: usize, count: usize, size: usize) -> Plan {
    let mut part = *plan;
    match axis {
        Axis::Groups => part.groups = count,
        Axis::Rows => part.rows = count,
        Axis::Columns => part.columns = count,
    }
    for operand in part.inputs.iter_mut().chain(&mut part.outputs) {
        let stride = match axis {
            Axis::Groups => operand.group_stride,
            Axis::Rows => operand.row_stride,
            Axis::Columns if operand.is_broadcast || operand.start.is_null() => 0,
            Axis::Columns => size,
        };
        operand.start = operand.start.wrapping_add(first.wrapping_mul(stride));
    }
    part
}

/// The tiles of a plan: several groups, several rows of a group, or several columns of a row, at most a block. Each
/// comes with the index of its first row.
struct Tiles {
    plan: Plan,
    size: usize,
    groups: usize,
    rows: usize,
    columns: usize,
    group: usize,
    row: usize,
    column: usize,
}

impl Tiles {
    fn new(plan: Plan, size: usize) -> Self {
        let elements = BLOCK_BYTES / size;
        let of_group = plan.rows.saturating_mul(plan.columns);
        let (groups, rows, columns) = if of_group <= elements {
            (elements / of_group.max(1), plan.rows, plan.columns)
        } else if plan.columns <= elements {
            (1, elements / plan.columns.max(1), plan.columns)
        } else {
            (1, 1, elements)
        };
        let is_empty = of_group == 0;
        Self {
            plan,
            size,
            groups,
            rows,
            columns,
            group: if is_empty { plan.groups } else { 0 },
            row: 0,
            column: 0,
        }
    }
}

impl Iterator for Tiles {
    type Item = (usize, Plan);

    // Not inlined, as other steps of a walk: inlined into each other they are several times as much code.
    #[inline(never)]
    fn next(&mut self) -> Option<(usize, Plan)> {
        let Plan {
            groups, rows, columns, ..
        } = self.plan;
        if self.group >= groups {
            return None;
        }
        let tile = part(
            &self.plan,
            Axis::Groups,
            self.group,
            self.groups.min(groups - self.group),
            self.size,
        );
        let tile = part(&tile, Axis::Rows, self.row, self.rows.min(rows - self.row), self.size);
        let tile = part(
            &tile,
            Axis::Columns,
            self.column,
            self.columns.min(columns - self.column),
            self.size,
        );
        let first_row = self.row;
        self.column += self.columns;
        if self.column >= columns {
            self.column = 0;
            self.row += self.rows;
        }
        if self.row >= rows {
            self.row = 0;
            self.group += self.groups;
        }
        Some((first_row, tile))
    }
}

/// An input of one short row for all rows of the outputs. It is repeated in a block, so that several rows are computed
/// as one.
#[derive(Clone, Copy)]
struct Repeated {
    index: usize,
    times: usize,
}

/// Returns the input that can be repeated. All other operands have to be contiguous.
fn repeatable(plan: &Plan, size: usize) -> Option<Repeated> {
    let is_row = |input: &Operand| !input.start.is_null() && input.row_stride == 0 && !input.is_broadcast;
    let index = plan.inputs.iter().position(is_row)?;
    let is_short = plan.groups == 1 && plan.columns.saturating_mul(size) < SHORT_BYTES;
    let lie_close = walked(plan).all(|operand| is_contiguous(operand, plan, size));
    let mut times = (BLOCK_BYTES / size).checked_div(plan.columns)?.min(plan.rows / 4);
    // 64 rows are a whole number of cache lines, whatever their length.
    if times > LINE_BYTES {
        times -= times % LINE_BYTES;
    }
    (is_short && lie_close && times > 1).then_some(Repeated { index, times })
}

impl Walk<'_> {
    fn map_all(&self) {
        let Work { plan, size, kernel, .. } = &self.work;
        let is_one_loop = !matches!(kernel, Kernel::Composed { .. });
        let is_flat_slices = matches!(kernel, Kernel::Slices(..)) && is_flat(plan, *size);
        let streams_rows = is_flat_slices || self.repeated.is_some() || self.can_stream_rows(plan);
        if is_flat_slices || is_one_loop && (!self.streaming || streams_rows || !self.can_stream_from_block(plan)) {
            self.map(plan, self.streaming && streams_rows);
            return;
        }
        for (_, tile) in Tiles::new(*plan, *size) {
            if is_one_loop {
                self.stream_from_block(&tile, &|_, _| ());
            } else {
                let streaming = self.streaming && self.can_stream_from_block(&tile);
                self.map(&tile, streaming);
            }
        }
    }

    /// Whether rows can be streamed one by one: they are long, so that a cache line shared by two rows does not matter, or
    /// they are made of whole cache lines.
    fn can_stream_rows(&self, plan: &Plan) -> bool {
        let bytes = plan.columns.saturating_mul(self.work.size);
        let are_lines = |output: &Operand| {
            let strides = [output.row_stride, output.group_stride];
            output.start.addr().is_multiple_of(LINE_BYTES)
                && strides.iter().all(|stride| stride.is_multiple_of(LINE_BYTES))
        };
        bytes >= LONG_BYTES || bytes >= SHORT_BYTES && plan.outputs.iter().all(are_lines)
    }

    /// Computes the outputs and the sum of each column.
    #[inline(never)]
    fn sum_columns(&self, sums: Sums) {
        let Work { plan, size, .. } = self.work;
        let bytes = sums.loops.size;
        for first in (0..plan.columns).step_by(STRIP) {
            let width = STRIP.min(plan.columns - first);
            let strip = part(&plan, Axis::Columns, first, width, size);
            let totals = sums.totals.wrapping_add(first * bytes);
            // SAFETY: there is a total for each column, checked by `RowsCall::sums`. Zero bytes are +0.0.
            unsafe { totals.write_bytes(0, width * bytes) };
            for first in (0..plan.rows).step_by(ROWS_OF_SUM) {
                let mut of_rows = StripSums([0; STRIP]);
                let of_rows: *mut u8 = of_rows.0.as_mut_ptr().cast();
                let rows = part(&strip, Axis::Rows, first, ROWS_OF_SUM.min(plan.rows - first), size);
                for (_, tile) in Tiles::new(rows, size) {
                    self.map_and_sum(&tile, sums.of_inputs, &|walk, summands| {
                        let args = SumArgs {
                            plan: summands,
                            sums: of_rows,
                            lanes: core::ptr::null_mut(),
                        };
                        // SAFETY: the summands are inputs of the tile or its output, which can be read. The tile is of
                        // a strip, and `of_rows` has STRIP sums, which are whole registers.
                        unsafe { sums.loops.columns.call(walk.kernels, &args) };
                    });
                }
                // SAFETY: the strip has `width` totals and sums.
                unsafe { (sums.loops.add)(totals, of_rows, width) };
            }
            // SAFETY: the strip has `width` totals.
            unsafe { (sums.loops.finish)(totals, width) };
        }
    }

    /// Computes the outputs and the sum of each row of a group, over all groups.
    #[inline(never)]
    fn sum_rows(&self, sums: Sums) {
        let Work { plan, size, .. } = self.work;
        let bytes = sums.loops.size;
        // SAFETY: there is a total for each row of a group, checked by `RowsCall::sums`. Zero bytes are +0.0.
        unsafe { sums.totals.write_bytes(0, plan.rows * bytes) };
        let total = |row| sums.totals.wrapping_add(row * bytes);
        if let Some(mut flat) = self.flat_sums(sums) {
            flat.sum_rows();
        } else if plan.columns <= BLOCK_BYTES / size {
            for (row, tile) in Tiles::new(plan, size) {
                self.sum_tile_rows(&tile, sums, total(row), core::ptr::null_mut());
            }
        } else {
            for group in 0..plan.groups {
                let of_group = part(&plan, Axis::Groups, group, 1, size);
                for row in 0..plan.rows {
                    let of_row = part(&of_group, Axis::Rows, row, 1, size);
                    sum_long_row(sums, plan.columns, total(row), |columns, lanes| {
                        let stretch = part(&of_row, Axis::Columns, columns.start, columns.len(), size);
                        for (_, tile) in Tiles::new(stretch, size) {
                            self.sum_tile_rows(&tile, sums, core::ptr::null_mut(), lanes);
                        }
                    });
                }
            }
        }
        // SAFETY: there are `plan.rows` totals, as above.
        unsafe { (sums.loops.finish)(sums.totals, plan.rows) };
    }

    /// The work as [`FlatSums`], if a loop over slices writes what is summed, and the rows of a group are contiguous.
    fn flat_sums(&self, sums: Sums) -> Option<FlatSums<'_>> {
        let Work { plan, size, kernel, .. } = self.work;
        match kernel {
            // Without groups, columns may have any number.
            Kernel::Slices(loops, params)
                if !sums.of_inputs && plan.groups > 0 && is_flat(&Plan { groups: 1, ..plan }, size) =>
            {
                Some(FlatSums {
                    walk: self,
                    sums,
                    loops,
                    params,
                    tile: Plan {
                        groups: 1,
                        rows: 1,
                        ..outputs_as_inputs(&plan)
                    },
                })
            }
            _ => None,
        }
    }

    fn sum_tile_rows(&self, tile: &Plan, sums: Sums, totals: *mut u8, lanes: *mut u8) {
        self.map_and_sum(tile, sums.of_inputs, &|walk, summands| {
            let args = SumArgs {
                plan: summands,
                sums: totals,
                lanes,
            };
            // SAFETY: the summands are inputs of the tile or its output, which can be read. There is a total for each
            // row of the tile, or the tile has one row, and `lanes` its accumulators.
            unsafe { sums.loops.rows.call(walk.kernels, &args) };
        });
    }

    /// Computes the output of a tile, and calls `sum` with its inputs or its output as summands.
    #[inline(never)]
    fn map_and_sum(&self, tile: &Plan, of_inputs: bool, sum: &dyn Fn(&Self, &Plan)) {
        let from_block = self.streaming && self.can_stream_from_block(tile);
        if of_inputs {
            // Before the output is written, which may be one of the inputs.
            sum(self, tile);
            if from_block {
                self.stream_from_block(tile, &|_, _| ());
            } else {
                self.map(tile, false);
            }
        } else if from_block {
            self.stream_from_block(tile, sum);
        } else {
            self.map(tile, false);
            sum(self, &outputs_as_inputs(tile));
        }
    }

    /// Whether the tile has one output, which is contiguous.
    fn can_stream_from_block(&self, tile: &Plan) -> bool {
        tile.outputs[1].start.is_null() && is_contiguous(&tile.outputs[0], tile, self.work.size)
    }

    /// Writes the output of a tile to a block, calls `then`, and copies the block to the output with non-temporal
    /// stores.
    #[inline(never)]
    fn stream_from_block(&self, tile: &Plan, then: &dyn Fn(&Self, &Plan)) {
        let size = self.work.size;
        let output = tile.outputs[0].start;
        // At the same offset in a cache line as the output.
        let start = self.outputs.wrapping_add(output.addr() % LINE_BYTES);
        let mut in_block = *tile;
        in_block.outputs[0] = contiguous(start, tile, size);
        self.map(&in_block, false);
        then(self, &outputs_as_inputs(&in_block));
        let len = (tile.groups * tile.rows * tile.columns, size);
        // SAFETY: the tile is at most a block, which has room for BLOCK_BYTES after any offset in a line. The output is
        // contiguous, checked by `can_stream_from_block`. `Work::walk` has the fence.
        unsafe {
            self.work
                .copy
                .call(self.kernels, NO_PARAMS, [start.cast_const(); 2], output, len, true)
        };
    }

    /// Computes the outputs of a tile.
    fn map(&self, tile: &Plan, streaming: bool) {
        match self.work.kernel {
            Kernel::Rows(loops, params) => self.call_rows(loops, params.as_ptr(), tile, streaming),
            Kernel::Slices(loops, params) => self.call_slices(loops, params, tile, streaming),
            Kernel::Composed { sum, value, params, .. } => {
                let z = contiguous(self.block, tile, self.work.size);
                let mut to_block = *tile;
                to_block.outputs[0] = z;
                self.call_rows(sum, NO_PARAMS, &to_block, false);
                let from_block = Plan {
                    inputs: [z, Operand::NONE, Operand::NONE],
                    ..*tile
                };
                self.call_slices(value, params, &from_block, streaming);
            }
        }
    }

    /// Fills `rows` if an input can be repeated.
    #[inline(never)]
    fn repeat_row(&mut self) {
        let Work { plan, size, kernel, .. } = &self.work;
        if matches!(kernel, Kernel::Slices(..)) {
            return;
        }
        let Some(repeated) = repeatable(plan, *size) else {
            return;
        };
        let bytes = plan.columns * size;
        let row = plan.inputs[repeated.index].start;
        for i in 0..repeated.times {
            // SAFETY: the row has `plan.columns` elements, checked by `plan`. The block has room for `times` rows: see
            // `repeatable`.
            unsafe { self.rows.add(i * bytes).copy_from_nonoverlapping(row, bytes) };
        }
        self.repeated = Some(repeated);
    }

    fn call_rows(&self, loops: &RowsLoops, function: *const u8, plan: &Plan, streaming: bool) {
        let Some(Repeated { index, times }) = self.repeated else {
            return self.call_pass(loops, function, plan, streaming);
        };
        let rows = plan.rows / times;
        let mut long = part(plan, Axis::Rows, 0, rows, self.work.size);
        long.columns *= times;
        for operand in long.inputs.iter_mut().chain(&mut long.outputs) {
            operand.row_stride *= times;
        }
        long.inputs[index].start = self.rows;
        self.call_pass(loops, function, &long, streaming);
        let left = part(plan, Axis::Rows, rows * times, plan.rows - rows * times, self.work.size);
        self.call_pass(loops, function, &left, streaming);
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
        // - The plan is made of the tensors' shapes, which `plan` has checked; the tensors live as long as the call.
        // - Inputs are shared, or the first output itself. Outputs are exclusive.
        // - A tile or a part is within the plan. An output that is a block has room for a tile.
        // - Several rows are joined only if they are contiguous, checked by `repeatable`; the repeated input has as
        //   many rows.
        // - `Work::walk` has the fence.
        unsafe { loops.call(self.kernels, &args) };
    }

    fn call_slices(&self, loops: &SliceLoops, params: &Params, plan: &Plan, streaming: bool) {
        let size = self.work.size;
        let inputs = slice_inputs(plan);
        let call = |group, row, len| {
            let inputs = inputs.map(|input| input.row(group, row).cast_const());
            let output = plan.outputs[0].row(group, row);
            // SAFETY: as in `call_pass`, for one row, or for all rows if they are contiguous, checked by `is_flat`.
            unsafe { loops.call(self.kernels, params.as_ptr(), inputs, output, (len, size), streaming) };
        };
        if is_flat(plan, size) {
            return call(0, 0, plan.groups * plan.rows * plan.columns);
        }
        for group in 0..plan.groups {
            for row in 0..plan.rows {
                call(group, row, plan.columns);
            }
        }
    }
}

/// Adds the sum of a long row to its total. It is summed in stretches of 256 elements for each accumulator:
/// `sum_stretch` adds some columns to the accumulators.
fn sum_long_row(sums: Sums, columns: usize, total: *mut u8, mut sum_stretch: impl FnMut(Range<usize>, *mut u8)) {
    let stretch = ROWS_OF_SUM * row_lanes_of(sums.loops.size);
    let mut row_total = 0_u64;
    let row_total: *mut u8 = core::ptr::from_mut(&mut row_total).cast();
    for first in (0..columns).step_by(stretch) {
        let mut lanes = RowLanes([0; _]);
        let lanes: *mut u8 = lanes.0.as_mut_ptr().cast();
        sum_stretch(first..columns.min(first + stretch), lanes);
        // SAFETY: `row_total` has room for a sum of any format, and `lanes` for the accumulators of a row.
        unsafe { (sums.loops.add_lanes)(row_total, lanes) };
    }
    // SAFETY: `total` is the total of this row, and `row_total` one sum.
    unsafe { (sums.loops.add)(total, row_total, 1) };
}

/// The output of a loop over slices, and the sums of its rows. The rows of a group are contiguous, so that a tile is one
/// slice of each tensor.
///
/// A tile of [`Tiles`] takes a hundred nanoseconds more: as long as to sum 16 KB.
struct FlatSums<'a> {
    walk: &'a Walk<'a>,
    sums: Sums,
    loops: &'static SliceLoops,
    params: &'a Params,
    /// The rows of a tile, as summands.
    tile: Plan,
}

impl FlatSums<'_> {
    fn sum_rows(&mut self) {
        let Work { plan, size, .. } = self.walk.work;
        let sums = self.sums;
        let total = |row| sums.totals.wrapping_add(row * sums.loops.size);
        let tile = SUMMED_BYTES / size;
        // Without columns there may be any number of rows.
        let Some(rows_of_tile) = tile.checked_div(plan.columns) else {
            return;
        };
        let rows_of_tile = rows_of_tile.max(1);
        if plan.columns > BLOCK_BYTES / size {
            for group in 0..plan.groups {
                for row in 0..plan.rows {
                    sum_long_row(sums, plan.columns, total(row), |columns, lanes| {
                        for column in columns.clone().step_by(tile) {
                            self.tile.columns = tile.min(columns.end - column);
                            self.sum_tile((group, row, column), core::ptr::null_mut(), lanes);
                        }
                    });
                }
            }
            return;
        }
        let mut groups_of_tile = 1;
        if plan.rows > 0 && is_flat(&plan, size) {
            groups_of_tile = (rows_of_tile / plan.rows).max(1);
        }
        for group in (0..plan.groups).step_by(groups_of_tile) {
            for row in (0..plan.rows).step_by(rows_of_tile) {
                self.tile.groups = groups_of_tile.min(plan.groups - group);
                self.tile.rows = rows_of_tile.min(plan.rows - row);
                self.sum_tile((group, row, 0), total(row), core::ptr::null_mut());
            }
        }
    }

    /// Computes the output of the tile that begins there, and sums its rows. `tile` has its shape.
    fn sum_tile(&mut self, (group, row, column): (usize, usize, usize), sums: *mut u8, lanes: *mut u8) {
        let Walk {
            work: Work { plan, size, copy, .. },
            kernels,
            streaming,
            outputs,
            ..
        } = self.walk;
        let start = |operand: Operand| operand.row(group, row).wrapping_add(column * size);
        let inputs = slice_inputs(plan).map(|input| start(input).cast_const());
        let output = start(plan.outputs[0]);
        let tile = &mut self.tile;
        let len = (tile.groups * tile.rows * tile.columns, *size);
        // At the same offset in a cache line as the output.
        let block = outputs.wrapping_add(output.addr() % LINE_BYTES);
        let target = if *streaming { block } else { output };
        tile.inputs[0].start = target;
        let args = SumArgs {
            plan: tile,
            sums,
            lanes,
        };
        // SAFETY:
        // - The plan is made of the tensors' shapes, which `plan` has checked. The tile is within it, and has several
        //   rows or groups only if they are contiguous, checked by `flat_sums` and `sum_rows`.
        // - Inputs are shared, or the output itself. A tile is at most `BLOCK_BYTES`, for which a block has room after
        //   any offset in a line.
        // - There is a total for each row of the tile, checked by `RowsCall::sums`; or it has one row, and `lanes` its
        //   accumulators.
        // - `Work::walk` has the fence.
        unsafe {
            self.loops
                .call(*kernels, self.params.as_ptr(), inputs, target, len, false);
            self.sums.loops.rows.call(*kernels, &args);
            if *streaming {
                copy.call(*kernels, NO_PARAMS, [target.cast_const(); 2], output, len, true);
            }
        }
    }
}

/// The inputs of a loop over slices: a single one twice.
fn slice_inputs(plan: &Plan) -> [Operand; 2] {
    let [first, second, _] = plan.inputs;
    let last = if second.start.is_null() { first } else { second };
    [first, last]
}

/// A contiguous operand that begins at `start`.
fn contiguous(start: *mut u8, plan: &Plan, size: usize) -> Operand {
    let row_stride = plan.columns * size;
    Operand {
        start,
        row_stride,
        group_stride: plan.rows * row_stride,
        is_broadcast: false,
    }
}

/// The plan whose only input is the first output.
fn outputs_as_inputs(plan: &Plan) -> Plan {
    Plan {
        inputs: [plan.outputs[0], Operand::NONE, Operand::NONE],
        outputs: [Operand::NONE; _],
        ..*plan
    }
}

/// Room for a sum for each column of a strip, on cache lines of their own.
#[repr(align(64))]
struct StripSums([u64; STRIP]);

/// The number of accumulators of a row, for sums of `size` bytes.
const fn row_lanes_of(size: usize) -> usize {
    size_of::<RowLanes>() / size
}

#[cfg(feature = "rayon")]
impl Work<'_> {
    /// The axis of the channels if there are sums; otherwise the first axis of more than one.
    fn axis(&self) -> Axis {
        match (self.sums, self.plan) {
            (Some(sums), _) if sums.of_columns => Axis::Columns,
            (Some(_), _) => Axis::Rows,
            (None, Plan { groups: 2.., .. }) => Axis::Groups,
            (None, Plan { rows: 2.., .. }) => Axis::Rows,
            _ => Axis::Columns,
        }
    }
}

#[cfg(feature = "rayon")]
impl Split for Work<'_> {
    type Output = ();

    fn traffic(&self) -> usize {
        traffic(&self.plan, self.size)
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
            Axis::Columns => (self.plan.columns, LINE_BYTES / self.size),
        };
        let middle = share(len / step, first_parts, parts) * step;
        let sums_from = |first: usize| {
            self.sums.map(|sums| Sums {
                totals: sums.totals.wrapping_add(first * sums.loops.size),
                ..sums
            })
        };
        let of = |first, count| Self {
            plan: part(&self.plan, axis, first, count, self.size),
            sums: sums_from(first),
            ..self
        };
        (of(0, middle), of(middle, len - middle))
    }

    fn join((): (), (): ()) {}

    fn enter(self, kernels: Kernels, streaming: bool) {
        self.walk(kernels, streaming);
    }
}
