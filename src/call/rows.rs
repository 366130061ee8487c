//! Tensors as rows of matrices: their shapes are checked, and rows are brought to the loops, a block at a time where several loops are
//! composed.

use core::marker::PhantomData;
use core::mem::MaybeUninit;

use super::detect::Kernels;
use super::loops::{COPY, NO_PARAMS, Params, RowsLoops, SliceLoops, SumLoops};
#[cfg(feature = "rayon")]
use super::split::{Split, run_parallel, share};
use super::streaming::streaming_threshold;
use super::views::{Rows, RowsMut, View};
use super::way::Way;
use crate::simd::{Element, fence};
use crate::sweep::{Operand, Plan, RowsArgs, STRIP, SumArgs, row_lanes};

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

/// How many channels tensors have, by the length of the argument of that name.
#[derive(Clone, Copy)]
pub(crate) struct ChannelsOf {
    pub(crate) layout: Channels,
    pub(crate) name: &'static str,
    pub(crate) count: usize,
}

/// Where an input comes from.
#[derive(Clone, Copy)]
pub(crate) enum RowsInput<'a, T: Element> {
    /// An argument of that name.
    Rows(&'static str, Rows<'a, T>),
    /// The same row every time.
    Row(&'static str, &'a [T]),
    /// A number for each row of a group: of each channel, where these come first.
    PerRow(&'a [T]),
    /// The bits of the same number everywhere.
    Number(&'a T::Lane),
    /// What is in the first output.
    Output,
}

/// The same without the elements' type.
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

/// How the outputs of some rows are made of the inputs.
#[derive(Clone, Copy)]
pub(crate) enum Map<'a> {
    /// By a loop over rows.
    Rows(&'static RowsLoops, &'a Params),
    /// By a loop over slices, of one or two inputs.
    Slices(&'static SliceLoops, &'a Params),
    /// By `fused` where it is compiled; else the sum of the inputs goes to a block, and the function's loop goes from there to the output.
    Fused {
        fused: &'static RowsLoops,
        sum: &'static RowsLoops,
        value: &'static SliceLoops,
        params: &'a Params,
    },
}

/// Sums of channels that are computed beside the outputs.
#[derive(Clone, Copy)]
struct Sums {
    loops: &'static SumLoops,
    totals: *mut u8,
    /// Whether each column is a channel, or else each row of a group.
    of_columns: bool,
    /// Whether the first two inputs are summed, before the output is written, or else the output.
    of_inputs: bool,
}

/// Rows of tensors, checked, and what is done with them.
pub(crate) struct RowsCall<'a, T> {
    plan: Plan,
    /// That the tensors have, if it matters.
    channels: Option<ChannelsOf>,
    is_inplace: bool,
    tensors: PhantomData<&'a mut [T]>,
}

impl<'a, T: Element> RowsCall<'a, T> {
    /// With so many channels. Panics when they don't divide the tensors, or these have different shapes.
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

    pub(crate) fn map(self, map: Map<'_>, way: Way) {
        self.run(map, None, way);
    }

    /// Puts the sum of each channel of the output into `sums`. Panics when there are more or fewer.
    #[track_caller]
    pub(crate) fn map_and_sum_outputs(
        self,
        map: Map<'_>,
        loops: &'static SumLoops,
        sums: (&str, &mut [T::Sum]),
        way: Way,
    ) {
        let sums = self.sums(loops, sums, false);
        self.run(map, Some(sums), way);
    }

    /// Puts the sum of what `loops` make of the first two inputs into `sums`, for each channel. Panics when there are more or fewer.
    #[track_caller]
    pub(crate) fn map_and_sum_inputs(
        self,
        map: Map<'_>,
        loops: &'static SumLoops,
        sums: (&str, &mut [T::Sum]),
        way: Way,
    ) {
        let sums = self.sums(loops, sums, true);
        self.run(map, Some(sums), way);
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

    fn run(self, map: Map<'_>, sums: Option<Sums>, way: Way) {
        let work = Work {
            plan: self.plan,
            size: size_of::<T>(),
            map,
            sums,
            copy: const { COPY[T::INDEX] },
            is_beyond_caches: !self.is_inplace && traffic(&self.plan, size_of::<T>()) >= streaming_threshold(),
        };
        let kernels = way.kernels.unwrap_or_default();
        #[cfg(feature = "rayon")]
        if way.is_parallel {
            return run_parallel(work, kernels);
        }
        work.walk(kernels, work.is_beyond_caches);
    }
}

#[track_caller]
fn check_channels(name: &str, found: usize, channels: usize) {
    assert!(found == channels, "`{name}` has {found} elements, not {channels}");
}

/// The shapes of the tensors as groups of rows, and whether an input is the output. Panics when they don't fit.
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
                "`{name}` has {count} elements: so many channels don't divide the {elements} elements of `{output_name}`"
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
                "`{name}` has {count} elements: so many channels of {spatial} elements don't divide the {elements} of \
                 `{output_name}`"
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
    let operand = |name: &str, view: View| {
        check_elements((name, view.shape.len()), (output_name, elements));
        let shape = view.shape.reshape(name, columns);
        let operand = Operand {
            start: view.start,
            // Where there are no columns, a stride is of no row and may be any.
            row_stride: shape.stride.wrapping_mul(size),
            ..Operand::NONE
        };
        (operand, shape.rows)
    };
    for (i, &(name, output)) in outputs.iter().enumerate() {
        (plan.outputs[i], plan.rows) = operand(name, output);
    }
    let mut is_inplace = false;
    for (i, &input) in inputs.iter().enumerate() {
        plan.inputs[i] = match input {
            Input::Rows(name, input) => operand(name, input).0,
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
        // It means nothing where there is one group at most. What is the same for each group begins again.
        if !operand.is_broadcast {
            operand.group_stride = plan.rows.wrapping_mul(operand.row_stride);
        }
    }
    (plan, is_inplace)
}

fn divides(divisor: Option<usize>, elements: usize) -> bool {
    elements == 0 || divisor.is_some_and(|divisor| divisor != 0 && elements.is_multiple_of(divisor))
}

/// Those of the operand that has something between its rows, else all.
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

/// Operands that are walked with the elements, inputs and outputs.
fn walked(plan: &Plan) -> impl Iterator<Item = &Operand> {
    let operands = plan.inputs.iter().chain(&plan.outputs);
    operands.filter(|operand| operand.row_stride != 0 && !operand.is_broadcast)
}

/// In bytes, without rows that are the same every time.
fn traffic(plan: &Plan, size: usize) -> usize {
    let elements = plan.groups * plan.rows * plan.columns;
    elements.saturating_mul(walked(plan).count() * size)
}

/// Whether the elements of all operands lie one after the other, from row to row and group to group.
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

/// Of a tensor's rows that are walked at a time where loops are composed: all operands together stay in the L1 cache.
const BLOCK_BYTES: usize = 1 << 13;

/// Rows that are longer are streamed one by one.
const LONG_BYTES: usize = 1 << 14;

/// Rows of fewer bytes take longer to begin with than to walk.
const SHORT_BYTES: usize = 1 << 10;

/// Rows whose sums are added before they go to the total: the error of a sum grows with its length.
const ROWS_OF_SUM: usize = 256;

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
    /// Of an element, in bytes.
    size: usize,
    map: Map<'a>,
    sums: Option<Sums>,
    copy: &'static SliceLoops,
    is_beyond_caches: bool,
}

// SAFETY: it is made of the tensors of a `RowsCall` and of sums, shared ones and exclusive ones, whose elements are `Send` and `Sync`, and
// of parameters, which are plain numbers; the call waits for it. Of what is written to, parts have nothing in common, which `Work::split`
// promises.
#[cfg(feature = "rayon")]
unsafe impl Send for Work<'_> {}

/// What a walk of some work keeps.
struct Walk<'a> {
    work: Work<'a>,
    kernels: Kernels,
    /// Whether the outputs are written by non-temporal stores.
    streaming: bool,
    block: Block,
    /// Another one, for outputs that are streamed from there.
    outputs: Block,
    /// What `rows` holds.
    repeated: Option<Repeated>,
    rows: Block,
}

impl Work<'_> {
    fn walk(mut self, kernels: Kernels, streaming: bool) {
        if let Map::Fused { fused, params, .. } = self.map
            && fused.has(kernels)
        {
            self.map = Map::Rows(fused, params);
        }
        let mut walk = Walk {
            work: self,
            kernels,
            streaming,
            block: Block::new(),
            outputs: Block::new(),
            repeated: None,
            rows: Block::new(),
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

/// What a plan can be split along.
#[derive(Clone, Copy)]
enum Axis {
    Groups,
    Rows,
    Columns,
}

/// The `count` groups, rows or columns of a plan from `first` on.
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

/// Parts of a plan, of so many elements at most: some groups, some rows of a group, or some columns of a row. Each comes with its first row.
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

/// An input that is the same row every time, repeated in a block, so that short rows are walked several at a time.
#[derive(Clone, Copy)]
struct Repeated {
    index: usize,
    times: usize,
}

/// What can be repeated: the only such input of a plan whose other tensors have nothing between their rows.
fn repeatable(plan: &Plan, size: usize) -> Option<Repeated> {
    let is_row = |input: &Operand| !input.start.is_null() && input.row_stride == 0 && !input.is_broadcast;
    let index = plan.inputs.iter().position(is_row)?;
    let is_short = plan.groups == 1 && plan.columns.saturating_mul(size) < SHORT_BYTES;
    let lie_close = walked(plan).all(|operand| is_contiguous(operand, plan, size));
    let mut times = (BLOCK_BYTES / size).checked_div(plan.columns)?.min(plan.rows / 4);
    // Whole lines, where there are so many.
    if times > LINE_BYTES {
        times -= times % LINE_BYTES;
    }
    (is_short && lie_close && times > 1).then_some(Repeated { index, times })
}

impl Walk<'_> {
    fn map_all(&mut self) {
        let Work { plan, size, map, .. } = self.work;
        let is_one_loop = !matches!(map, Map::Fused { .. });
        let is_flat_slices = matches!(map, Map::Slices(..)) && is_flat(&plan, size);
        let streams_rows = is_flat_slices || self.repeated.is_some() || self.can_stream_rows(&plan);
        if is_flat_slices || is_one_loop && (!self.streaming || streams_rows || !self.can_stream_from_block(&plan)) {
            self.map(&plan, self.streaming && streams_rows);
            return;
        }
        for (_, tile) in Tiles::new(plan, size) {
            if is_one_loop {
                self.stream_from_block(&tile, |_, _| ());
            } else {
                let streaming = self.streaming && self.can_stream_from_block(&tile);
                self.map(&tile, streaming);
            }
        }
    }

    /// Whether rows can be streamed one by one: they are long, so that it does not matter what two of them share of a line, or whole
    /// lines.
    fn can_stream_rows(&self, plan: &Plan) -> bool {
        let bytes = plan.columns.saturating_mul(self.work.size);
        let are_lines = |output: &Operand| {
            let strides = [output.row_stride, output.group_stride];
            output.start.addr().is_multiple_of(LINE_BYTES)
                && strides.iter().all(|stride| stride.is_multiple_of(LINE_BYTES))
        };
        bytes >= LONG_BYTES || bytes >= SHORT_BYTES && plan.outputs.iter().all(are_lines)
    }

    /// The sum of each column.
    fn sum_columns(&mut self, sums: Sums) {
        let Work { plan, size, .. } = self.work;
        let bytes = sums.loops.size;
        for first in (0..plan.columns).step_by(STRIP) {
            let width = STRIP.min(plan.columns - first);
            let strip = part(&plan, Axis::Columns, first, width, size);
            let totals = sums.totals.wrapping_add(first * bytes);
            // SAFETY: `RowsCall::sums` has checked that there is a total for each column. Zeros are numbers.
            unsafe { totals.write_bytes(0, width * bytes) };
            for first in (0..plan.rows).step_by(ROWS_OF_SUM) {
                let mut of_rows = SumsOfRows([0; STRIP]);
                let of_rows: *mut u8 = of_rows.0.as_mut_ptr().cast();
                let rows = part(&strip, Axis::Rows, first, ROWS_OF_SUM.min(plan.rows - first), size);
                for (_, tile) in Tiles::new(rows, size) {
                    self.map_and_sum(&tile, sums.of_inputs, |walk, summands| {
                        let args = SumArgs {
                            plan: *summands,
                            sums: of_rows,
                            lanes: core::ptr::null_mut(),
                        };
                        // SAFETY: the summands are inputs of a tile or its output, and there is a sum for each of its columns, in
                        // whole registers.
                        unsafe { sums.loops.columns.call(walk.kernels, &args) };
                    });
                }
                // SAFETY: as many totals and sums.
                unsafe { (sums.loops.add)(totals, of_rows, width) };
            }
            // SAFETY: as many totals.
            unsafe { (sums.loops.finish)(totals, width) };
        }
    }

    /// The sum of each row of a group, over all groups.
    fn sum_rows(&mut self, sums: Sums) {
        let Work { plan, size, .. } = self.work;
        let bytes = sums.loops.size;
        // SAFETY: `RowsCall::sums` has checked that there is a total for each row. Zeros are numbers.
        unsafe { sums.totals.write_bytes(0, plan.rows * bytes) };
        if plan.columns <= BLOCK_BYTES / size {
            for (row, tile) in Tiles::new(plan, size) {
                let totals = sums.totals.wrapping_add(row * bytes);
                self.sum_tile_rows(&tile, sums, totals, core::ptr::null_mut());
            }
        } else {
            for group in 0..plan.groups {
                let of_group = part(&plan, Axis::Groups, group, 1, size);
                for row in 0..plan.rows {
                    let of_row = part(&of_group, Axis::Rows, row, 1, size);
                    self.sum_long_row(&of_row, sums, sums.totals.wrapping_add(row * bytes));
                }
            }
        }
        // SAFETY: as many totals.
        unsafe { (sums.loops.finish)(sums.totals, plan.rows) };
    }

    /// Adds the sum of a row to a total, by stretches of 256 elements a lane.
    fn sum_long_row(&mut self, row: &Plan, sums: Sums, total: *mut u8) {
        let size = self.work.size;
        let stretch = ROWS_OF_SUM * row_lanes_of(sums.loops.size);
        let mut row_total = 0_u64;
        let row_total: *mut u8 = core::ptr::from_mut(&mut row_total).cast();
        for first in (0..row.columns).step_by(stretch) {
            let columns = part(row, Axis::Columns, first, stretch.min(row.columns - first), size);
            let mut lanes = Lanes([0; _]);
            let lanes: *mut u8 = lanes.0.as_mut_ptr().cast();
            for (_, tile) in Tiles::new(columns, size) {
                self.sum_tile_rows(&tile, sums, core::ptr::null_mut(), lanes);
            }
            // SAFETY: a sum, and the lanes of a row.
            unsafe { (sums.loops.add_lanes)(row_total, lanes) };
        }
        // SAFETY: the total of the row, and its sum.
        unsafe { (sums.loops.add)(total, row_total, 1) };
    }

    fn sum_tile_rows(&mut self, tile: &Plan, sums: Sums, totals: *mut u8, lanes: *mut u8) {
        self.map_and_sum(tile, sums.of_inputs, |walk, summands| {
            let args = SumArgs {
                plan: *summands,
                sums: totals,
                lanes,
            };
            // SAFETY: the summands are inputs of a tile or its output; there is a total for each row, or the lanes of the only one.
            unsafe { sums.loops.rows.call(walk.kernels, &args) };
        });
    }

    /// A tile, and its inputs or its output for `sum`.
    fn map_and_sum(&mut self, tile: &Plan, of_inputs: bool, sum: impl FnOnce(&Self, &Plan)) {
        let from_block = self.streaming && self.can_stream_from_block(tile);
        if of_inputs {
            // Before an output that may be one of them.
            sum(self, tile);
            if from_block {
                self.stream_from_block(tile, |_, _| ());
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

    /// Whether the tile's only output lies in one piece.
    fn can_stream_from_block(&self, tile: &Plan) -> bool {
        tile.outputs[1].start.is_null() && is_contiguous(&tile.outputs[0], tile, self.work.size)
    }

    /// The output goes to a block, for `then`, and is streamed from there.
    fn stream_from_block(&mut self, tile: &Plan, then: impl FnOnce(&Self, &Plan)) {
        let size = self.work.size;
        let output = tile.outputs[0].start;
        // As far from a line as the output is.
        let start = self.outputs.start().wrapping_add(output.addr() % LINE_BYTES);
        let mut in_block = *tile;
        in_block.outputs[0] = contiguous(start, tile, size);
        self.map(&in_block, false);
        then(self, &outputs_as_inputs(&in_block));
        let len = (tile.groups * tile.rows * tile.columns, size);
        // SAFETY: the block has as many elements, and the output is in one piece. `Work::walk` has the fence.
        unsafe {
            self.work
                .copy
                .call(self.kernels, NO_PARAMS, [start.cast_const(); 2], output, len, true)
        };
    }

    /// The outputs of a tile from its inputs.
    fn map(&mut self, tile: &Plan, streaming: bool) {
        match self.work.map {
            Map::Rows(loops, params) => self.call_rows(loops, params.as_ptr(), tile, streaming),
            Map::Slices(loops, params) => self.call_slices(loops, params, tile, streaming),
            Map::Fused { sum, value, params, .. } => {
                let z = contiguous(self.block.start(), tile, self.work.size);
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

    /// Fills `rows`, where an input is the same row every time and short.
    fn repeat_row(&mut self) {
        let Work { plan, size, map, .. } = self.work;
        if matches!(map, Map::Slices(..)) {
            return;
        }
        let Some(repeated) = repeatable(&plan, size) else {
            return;
        };
        let bytes = plan.columns * size;
        let row = plan.inputs[repeated.index].start;
        for i in 0..repeated.times {
            // SAFETY: the row has so many columns, and the block room for so many rows.
            unsafe { self.rows.start().add(i * bytes).copy_from_nonoverlapping(row, bytes) };
        }
        self.repeated = Some(repeated);
    }

    fn call_rows(&mut self, loops: &RowsLoops, function: *const u8, plan: &Plan, streaming: bool) {
        let mut left = *plan;
        if let Some(Repeated { index, times }) = self.repeated {
            let rows = plan.rows / times;
            let mut long = part(plan, Axis::Rows, 0, rows, self.work.size);
            long.columns *= times;
            for operand in long.inputs.iter_mut().chain(&mut long.outputs) {
                operand.row_stride *= times;
            }
            long.inputs[index].start = self.rows.start();
            self.call_pass(loops, function, &long, streaming);
            left = part(plan, Axis::Rows, rows * times, plan.rows - rows * times, self.work.size);
        }
        self.call_pass(loops, function, &left, streaming);
    }

    fn call_pass(&self, loops: &RowsLoops, function: *const u8, plan: &Plan, streaming: bool) {
        if plan.rows == 0 {
            return;
        }
        let args = RowsArgs {
            function,
            plan: *plan,
            streaming,
        };
        // SAFETY: `RowsCall::new` was given the tensors, which live as long as the call, and made the plan of their shapes, which it has
        // checked: inputs are shared, or the first output itself, and outputs exclusive. Where the work was split, or the output is
        // a block, this is a part of it; several rows are one where nothing lies between them, and an input that is the same for each
        // is repeated as often. `Work::walk` has the fence.
        unsafe { loops.call(self.kernels, &args) };
    }

    fn call_slices(&self, loops: &SliceLoops, params: &Params, plan: &Plan, streaming: bool) {
        let size = self.work.size;
        let [first, second, _] = plan.inputs;
        let last = if second.start.is_null() { first } else { second };
        let call = |group, row, len| {
            let inputs = [first, last].map(|input| input.row(group, row).cast_const());
            let output = plan.outputs[0].row(group, row);
            // SAFETY: as in `call_rows`, of one row or of all of them, which lie one after the other.
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

/// An operand whose rows lie one after the other from `start` on.
fn contiguous(start: *mut u8, plan: &Plan, size: usize) -> Operand {
    let row_stride = plan.columns * size;
    Operand {
        start,
        row_stride,
        group_stride: plan.rows * row_stride,
        is_broadcast: false,
    }
}

/// A plan that reads the first output.
fn outputs_as_inputs(plan: &Plan) -> Plan {
    Plan {
        inputs: [plan.outputs[0], Operand::NONE, Operand::NONE],
        outputs: [Operand::NONE; _],
        ..*plan
    }
}

/// A sum for each column of a strip, on cache lines of their own.
#[repr(align(64))]
struct SumsOfRows([u64; STRIP]);

/// The lanes of a row.
#[repr(align(64))]
struct Lanes([u64; row_lanes::<u64>()]);

/// [`row_lanes`] of sums of so many bytes.
fn row_lanes_of(size: usize) -> usize {
    size_of::<Lanes>() / size
}

#[cfg(feature = "rayon")]
impl Work<'_> {
    /// The first axis along which there is something to split; where there are sums, that of the channels.
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
            // So that two threads don't write to the same cache line.
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
