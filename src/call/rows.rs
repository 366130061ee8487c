//! Calls on tensors, as rows of matrices. Checks their shapes, and calls the loops: over all rows, or over a block of
//! them at a time if several loops are composed.

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ops::Range;

use super::detect::Kernels;
use super::loops::{COPY, NO_PARAMS, Params, RowsLoops, SliceLoops, SumLoops};
use super::options::CallOptions;
use super::short::{CHUNK_BYTES, copy_rows, expand};
#[cfg(feature = "rayon")]
use super::split::{Split, run_parallel, share};
use super::streaming::streaming_threshold;
use super::views::{Rows, RowsMut, View};
use crate::isa::Isa;
use crate::simd::{Element, REGISTER_BYTES, fence};
use crate::sweep::{OPERANDS, Operand, Plan, RowLanes, RowsArgs, STRIP, SumArgs};

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
        let mut call = Self {
            plan: Plan {
                inputs: [Operand::NONE; _],
                outputs: [Operand::NONE; _],
                groups: 1,
                rows: 0,
                columns: 0,
            },
            channels,
            is_inplace: inputs.iter().any(|input| matches!(input, Input::Output)),
            tensors: PhantomData,
        };
        make_plan(channels, &inputs, &outputs, size_of::<T>(), &mut call.plan);
        call
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
            size: size_of::<T>(),
            kernel,
            sums,
            copy: const { COPY[T::INDEX] },
            is_beyond_caches: !self.is_inplace && is_beyond_caches(&self.plan, size_of::<T>()),
        };
        let kernels = options.kernels.unwrap_or_default();
        #[cfg(feature = "rayon")]
        if options.is_parallel {
            return run_parallel(Part { plan: self.plan, work }, kernels);
        }
        // The plan stays where it is: see `make_plan`.
        work.walk(&self.plan, kernels, work.is_beyond_caches);
    }
}

#[track_caller]
fn check_channels(name: &str, found: usize, channels: usize) {
    assert!(found == channels, "`{name}` has {found} elements, not {channels}");
}

/// Makes the plan: the shape of the tensors as groups of rows. Panics if the shapes don't agree.
// Where it stays: a copy of what was just written waits for the stores.
#[track_caller]
fn make_plan(
    channels: Option<ChannelsOf>,
    inputs: &[Input],
    outputs: &[(&'static str, View)],
    size: usize,
    plan: &mut Plan,
) {
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
    plan.columns = columns;
    for (i, (name, output)) in outputs.iter().enumerate() {
        (plan.outputs[i], plan.rows) = operand((name, output), (output_name, elements), (plan.rows, columns), size);
    }
    for (i, input) in inputs.iter().enumerate() {
        plan.inputs[i] = match *input {
            Input::Rows(name, ref input) => {
                operand((name, input), (output_name, elements), (plan.rows, columns), size).0
            }
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
            Input::Output => plan.outputs[0],
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
}

/// Returns the rows of a tensor, and their number, which is `likely_rows` if another one was asked before. Panics if it has
/// not as many elements as the first output, or no rows of so many columns.
#[track_caller]
fn operand(
    (name, view): (&str, &View),
    output: (&str, usize),
    (likely_rows, columns): (usize, usize),
    size: usize,
) -> (Operand, usize) {
    check_elements((name, view.shape.len()), output);
    let (rows, stride) = view.shape.rows_of(name, (likely_rows, columns));
    let operand = Operand {
        start: view.start,
        // With no columns, the stride is not used and may have any value.
        row_stride: stride.wrapping_mul(size),
        ..Operand::NONE
    };
    (operand, rows)
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

/// Whether it has an element for each element of the tensors.
fn is_walked(operand: &Operand) -> bool {
    operand.row_stride != 0 && !operand.is_broadcast
}

/// The inputs and outputs that have an element for each element of the tensors.
fn walked(plan: &Plan) -> impl Iterator<Item = &Operand> {
    let operands = operands(plan).map(|(_, operand)| operand);
    operands.filter(|operand| is_walked(operand))
}

/// The number of bytes to read and write, without broadcast inputs and repeated rows.
fn traffic(plan: &Plan, size: usize) -> usize {
    let elements = plan.groups * plan.rows * plan.columns;
    elements.saturating_mul(walked(plan).count() * size)
}

/// Whether [`traffic`] reaches the threshold. Most calls have so few elements that they need not be counted.
fn is_beyond_caches(plan: &Plan, size: usize) -> bool {
    let elements = plan.groups * plan.rows * plan.columns;
    let threshold = streaming_threshold();
    elements.saturating_mul(OPERANDS * size) >= threshold && traffic(plan, size) >= threshold
}

/// Whether all rows of a group may be taken for one: they are contiguous, or the same number.
fn are_one_row(plan: &Plan, size: usize) -> bool {
    operands(plan).all(|(_, operand)| {
        let is_number = operand.is_broadcast && operand.row_stride == 0;
        operand.start.is_null() || is_number || is_contiguous(operand, plan, size)
    })
}

/// Whether all operands are contiguous, over rows and groups.
fn is_flat(plan: &Plan, size: usize) -> bool {
    operands(plan).all(|(_, operand)| operand.start.is_null() || is_contiguous(operand, plan, size))
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

/// A row that is repeated has at least so many bytes: the loops take as long to start a row as for half of them.
const REPEATED_BYTES: usize = 1 << 11;

/// Rows of fewer bytes that have a number each are joined: channels first with a small image.
const JOINED_BYTES: usize = 1 << 8;

/// If they are not so short, where there are so many groups that have the same numbers.
const GROUPS_WORTH_JOINING: usize = 4;

/// Whether the instruction set has loads and stores of the first lanes of a register. Elsewhere they go by memory, which
/// takes as long as to copy a row of any size that counts as short.
fn has_first_lanes(kernels: Kernels) -> bool {
    matches!(kernels.isa(), Isa::Avx2 | Isa::Avx512)
}

/// Strided rows of fewer bytes are copied to where they are contiguous.
fn packed_row_bytes(kernels: Kernels) -> usize {
    if has_first_lanes(kernels) { 1 << 5 } else { JOINED_BYTES }
}

/// So few rows are walked one by one: to join, repeat or pack them takes longer.
fn few_rows(kernels: Kernels) -> usize {
    if has_first_lanes(kernels) { 16 } else { 4 }
}

/// The number of rows that are summed before their sum is added to the total: the error of a sum grows with its length.
const ROWS_OF_SUM: usize = 256;

// A tile of a strip has all of its columns, so that the sums of a strip begin with its first column. A tile of a long row
// begins with the first of a row's lanes.
const _: () = {
    assert!(STRIP * size_of::<u64>() <= BLOCK_BYTES && CHUNK_BYTES <= LINE_BYTES);
    // Of packed rows, the least tile has one.
    assert!(BLOCK_BYTES / OPERANDS / LINE_BYTES * LINE_BYTES >= JOINED_BYTES);
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
    /// The size of an element in bytes.
    size: usize,
    kernel: Kernel<'a>,
    sums: Option<Sums>,
    copy: &'static SliceLoops,
    is_beyond_caches: bool,
}

/// The state of some work on a thread.
struct Walk<'a> {
    work: &'a Work<'a>,
    /// That of the work, or one of its loops.
    kernel: Kernel<'a>,
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
    /// How tiles come to be contiguous.
    packing: Option<Pieces>,
}

/// The rows of a plan, if each was joined of several: pieces of so many bytes, so many a row.
#[derive(Clone, Copy)]
struct Pieces {
    bytes: usize,
    count: usize,
    /// From a piece to the next one, of each input and output.
    strides: [usize; OPERANDS],
    /// If they are packed, the size of a tile. A block has room for those of all operands that are packed.
    bytes_of_tile: usize,
}

impl Pieces {
    /// Rows that were not joined.
    fn whole(plan: &Plan, size: usize) -> Self {
        Self {
            bytes: plan.columns.saturating_mul(size),
            count: 1,
            strides: [0; OPERANDS],
            bytes_of_tile: 0,
        }
    }

    /// Whether pieces of the operand at `index` lie apart.
    fn are_split(&self, index: usize) -> bool {
        self.count > 1 && self.strides[index] != self.bytes
    }

    /// Whether rows of the operand at `index`, or their pieces, lie apart.
    fn are_strided(&self, operand: &Operand, index: usize, rows: usize) -> bool {
        is_walked(operand) && (self.are_split(index) || rows > 1 && operand.row_stride != self.count * self.bytes)
    }
}

/// The inputs, then the outputs, with their indices.
fn operands(plan: &Plan) -> impl Iterator<Item = (usize, &Operand)> {
    plan.inputs.iter().chain(&plan.outputs).enumerate()
}

impl Work<'_> {
    fn walk(&self, plan: &Plan, kernels: Kernels, streaming: bool) {
        let kernel = match self.kernel {
            Kernel::Composed { fused, params, .. } if fused.has(kernels) => Kernel::Rows(fused, params),
            kernel => kernel,
        };
        // Used through these pointers only, as long as the walk.
        let (mut block, mut outputs, mut rows) = (Block::new(), Block::new(), Block::new());
        let mut walk = Walk {
            work: self,
            kernel,
            kernels,
            streaming,
            block: block.start(),
            outputs: outputs.start(),
            repeated: None,
            rows: rows.start(),
            packing: None,
        };
        if self.sums.is_none() && plan.groups * plan.rows <= few_rows(kernels) {
            walk.map_all(plan);
        } else if self.joins(plan, kernels) {
            walk.walk_joined(plan);
        } else {
            walk.walk(plan, self.sums, Pieces::whole(plan, self.size));
        }
        if streaming {
            fence();
        }
    }

    /// Whether rows with a number or a sum each are so short that the rows of a group are joined to one. For sums this is
    /// part of the reduction order.
    fn joins(&self, plan: &Plan, kernels: Kernels) -> bool {
        if let Some(sums) = self.sums {
            return !sums.of_columns && (1..row_lanes_of(sums.loops.size)).contains(&plan.columns);
        }
        let is_number = |input: &Operand| input.is_broadcast && input.row_stride != 0;
        let bytes = plan.columns.saturating_mul(self.size);
        let is_strided = || walked(plan).any(|operand| operand.row_stride != bytes);
        (1..JOINED_BYTES).contains(&bytes)
            && plan.inputs.iter().any(is_number)
            && (bytes < packed_row_bytes(kernels)
                || (bytes <= LINE_BYTES || plan.groups >= GROUPS_WORTH_JOINING) && !is_strided())
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
    narrow(&mut part, axis, first, count, size);
    part
}

/// [`part`], in place.
fn narrow(part: &mut Plan, axis: Axis, first: usize, count: usize, size: usize) {
    match axis {
        Axis::Groups => part.groups = count,
        Axis::Rows => part.rows = count,
        Axis::Columns => part.columns = count,
    }
    if first == 0 {
        return;
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
}

/// Calls `then` with parts of `step` groups, rows or columns, and where each begins.
fn for_each_part(plan: &Plan, (axis, step): (Axis, usize), size: usize, then: &mut dyn FnMut(usize, &Plan)) {
    let len = match axis {
        Axis::Groups => plan.groups,
        Axis::Rows => plan.rows,
        Axis::Columns => plan.columns,
    };
    if len <= step {
        if len > 0 {
            then(0, plan);
        }
        return;
    }
    for first in (0..len).step_by(step) {
        then(first, &part(plan, axis, first, step.min(len - first), size));
    }
}

/// Calls `then` with the tiles of a plan: several groups, several rows of a group, or several columns of a row, at most so
/// many bytes. Each comes with the index of its first row.
// Not inlined, as other steps of a walk: inlined into each other they are several times as much code.
#[inline(never)]
fn for_each_tile(plan: &Plan, size: usize, bytes: usize, then: &mut dyn FnMut(usize, &Plan)) {
    let elements = bytes >> size.trailing_zeros();
    let of_group = plan.rows.saturating_mul(plan.columns);
    let (groups, rows, columns) = if of_group.saturating_mul(plan.groups) <= elements {
        (plan.groups, plan.rows, plan.columns)
    } else if of_group <= elements {
        (elements / of_group, plan.rows, plan.columns)
    } else if plan.columns <= elements {
        (1, elements / plan.columns, plan.columns)
    } else {
        (1, 1, elements)
    };
    if of_group == 0 {
        return;
    }
    for_each_part(plan, (Axis::Groups, groups), size, &mut |_, plan| {
        for_each_part(plan, (Axis::Rows, rows), size, &mut |row, plan| {
            for_each_part(plan, (Axis::Columns, columns), size, &mut |_, plan| then(row, plan));
        });
    });
}

/// An input of one short row for all rows of the outputs. It is repeated in a block, so that several rows are computed
/// as one.
#[derive(Clone, Copy)]
struct Repeated {
    index: usize,
    times: usize,
}

/// Returns the input that can be repeated. All other operands have to be contiguous, or packed.
fn repeatable(plan: &Plan, size: usize, is_packed: bool) -> Option<Repeated> {
    let is_row = |input: &Operand| !input.start.is_null() && input.row_stride == 0 && !input.is_broadcast;
    if plan.rows < 2 {
        return None;
    }
    let index = plan.inputs.iter().position(is_row)?;
    let is_short = plan.groups == 1 && plan.columns.saturating_mul(size) < SHORT_BYTES;
    let lie_close = is_packed || walked(plan).all(|operand| is_contiguous(operand, plan, size));
    let rows_of = |bytes: usize| bytes.checked_div(plan.columns * size);
    if !is_short || !lie_close {
        return None;
    }
    let enough = rows_of(REPEATED_BYTES)?.max(plan.rows / 4);
    let mut times = rows_of(BLOCK_BYTES)?.min(enough).min(plan.rows);
    // 64 rows are a whole number of cache lines, whatever their length.
    if times > LINE_BYTES {
        times -= times % LINE_BYTES;
    }
    (times > 1).then_some(Repeated { index, times })
}

impl Walk<'_> {
    fn walk(&mut self, plan: &Plan, sums: Option<Sums>, pieces: Pieces) {
        // Sums of rows are walked as they lie.
        let is_packable = sums.is_none_or(|sums| sums.of_columns);
        self.packing = if is_packable {
            self.packed_pieces(plan, pieces)
        } else {
            None
        };
        // Rows that are copied one by one take longer than their stores. Streaming needs the block that packed tiles go to.
        self.streaming &= self.packing.is_none();
        self.repeat_row(plan);
        match sums {
            None => self.map_all(plan),
            Some(sums) if sums.of_columns => self.sum_columns(plan, sums),
            Some(sums) => self.sum_rows(plan, sums),
        }
    }

    /// The pieces, if tiles are copied to where they are contiguous.
    fn packed_pieces(&self, plan: &Plan, pieces: Pieces) -> Option<Pieces> {
        if plan.groups != 1 || pieces.count == 1 && (plan.rows == 1 || pieces.bytes >= packed_row_bytes(self.kernels)) {
            return None;
        }
        // Long rows of contiguous pieces are left as they are.
        let is_short = plan.columns * self.work.size < packed_row_bytes(self.kernels);
        let is_worth = operands(plan)
            .any(|(i, operand)| pieces.are_strided(operand, i, plan.rows) && (is_short || pieces.are_split(i)));
        if !is_worth {
            return None;
        }
        let bytes_of_tile = packed_bytes(plan);
        Some(Pieces {
            bytes_of_tile,
            ..pieces
        })
    }

    /// Walks groups of short rows: those of a group are joined to one row, whose numbers are repeated for each column. A sum
    /// of a row is that of its columns, over all groups.
    #[inline(never)]
    fn walk_joined(&mut self, plan: &Plan) {
        let Work { size, sums, .. } = *self.work;
        let (rows, columns) = (plan.rows, plan.columns);
        if rows == 0 {
            return;
        }
        let bytes = columns * size;
        let is_strided = rows > 1 && walked(plan).any(|operand| operand.row_stride != bytes);
        let elements = if is_strided { packed_bytes(plan) / size } else { STRIP };
        // No tile, strip or block has less room than a joined row: what is packed are whole rows, and the numbers of one go to a block,
        // as do the sums of its columns.
        let elements = elements.min(STRIP);
        // As many rows in each part.
        let parts = rows.div_ceil(elements / columns);
        let rows_of_part = rows.div_ceil(parts);
        for first in (0..rows).step_by(rows_of_part) {
            let count = rows_of_part.min(rows - first);
            let mut joined = part(plan, Axis::Rows, first, count, size);
            let mut strides = [0; OPERANDS];
            for (i, operand) in operands(&joined) {
                strides[i] = operand.row_stride;
            }
            (joined.groups, joined.rows, joined.columns) = (1, plan.groups, count * columns);
            for operand in joined.inputs.iter_mut().chain(&mut joined.outputs) {
                if operand.is_broadcast && operand.row_stride != 0 {
                    let mut start = operand.start;
                    if columns > 1 {
                        start = self.rows;
                        // SAFETY: there are `count` numbers, one for each row, checked by `make_plan`. `count * columns` is at most `STRIP`,
                        // and a block has room for a strip and a line: the assertions at `Block`.
                        unsafe { expand(operand.start, count, columns, size, start) };
                    }
                    *operand = Operand { start, ..Operand::NONE };
                } else {
                    (operand.row_stride, operand.group_stride) = (operand.group_stride, 0);
                }
            }
            let pieces = Pieces {
                bytes,
                count,
                strides,
                bytes_of_tile: 0,
            };
            let Some(sums) = sums else {
                self.walk(&joined, None, pieces);
                continue;
            };
            let totals = sums.totals.wrapping_add(first * sums.loops.size);
            // What is summed is not composed, so that this block is free.
            debug_assert!(!matches!(self.kernel, Kernel::Composed { .. }));
            let of_columns = if columns > 1 { self.block } else { totals };
            let sums_of_columns = Sums {
                totals: of_columns,
                of_columns: true,
                ..sums
            };
            self.walk(&joined, Some(sums_of_columns), pieces);
            if columns > 1 {
                // SAFETY: there is a total for each row, checked by `RowsCall::sums`. The block is aligned and has a sum for each of
                // up to `STRIP` columns, which `walk` has written, without groups too.
                unsafe { (sums.loops.add_columns)(totals, of_columns, count, columns) };
            }
        }
    }

    /// Calls `then` with the tile, or with copies of its operands that are not contiguous.
    fn packed(&self, tile: &Plan, then: &dyn Fn(&Self, &Plan)) {
        match &self.packing {
            None => then(self, tile),
            Some(pieces) => self.pack(tile, pieces, then),
        }
    }

    #[inline(never)]
    fn pack(&self, tile: &Plan, pieces: &Pieces, then: &dyn Fn(&Self, &Plan)) {
        let mut packed = *tile;
        // Tiles have whole rows: a joined row has at most `STRIP` elements, and other packed ones fewer than `packed_row_bytes`.
        debug_assert!(tile.groups == 1 && tile.columns * self.work.size == pieces.count * pieces.bytes);
        debug_assert!(tile.rows * tile.columns * self.work.size <= pieces.bytes_of_tile && !self.streaming);
        let inputs = tile.inputs.len();
        let mut room = self.outputs;
        for (i, input) in tile.inputs.iter().enumerate() {
            if pieces.are_strided(input, i, tile.rows) {
                packed.inputs[i] = contiguous(room, tile, self.work.size);
                // SAFETY: the rows of the tile can be read, and have at least an element. The block has room for tiles of all
                // operands: `packed_bytes`, and the assertions above.
                unsafe { pieces.copy((*input, i), packed.inputs[i], tile.rows, true) };
                room = room.wrapping_add(pieces.bytes_of_tile);
            }
        }
        for (i, output) in tile.outputs.iter().enumerate() {
            if pieces.are_strided(output, inputs + i, tile.rows) {
                // In-place, the output is an input, and goes where that went.
                let input = tile.inputs.iter().position(|input| input.start == output.start);
                packed.outputs[i] = match input {
                    Some(input) => packed.inputs[input],
                    None => contiguous(room, tile, self.work.size),
                };
                room = room.wrapping_add(pieces.bytes_of_tile);
            }
        }
        then(self, &packed);
        for (i, output) in tile.outputs.iter().enumerate() {
            if pieces.are_strided(output, inputs + i, tile.rows) {
                // SAFETY: the rows of the tile can be written, and are in the block; as above.
                unsafe { pieces.copy((*output, inputs + i), packed.outputs[i], tile.rows, false) };
            }
        }
    }

    fn map_all(&self, plan: &Plan) {
        let (kernel, size) = (&self.kernel, &self.work.size);
        if let Some(pieces) = &self.packing {
            for_each_tile(plan, *size, pieces.bytes_of_tile, &mut |_, tile| {
                self.packed(tile, &|walk, tile| walk.map(tile, false));
            });
            return;
        }
        let is_one_loop = !matches!(kernel, Kernel::Composed { .. });
        let is_flat_slices = matches!(kernel, Kernel::Slices(..)) && is_flat(plan, *size);
        let streams_rows = is_flat_slices || self.repeated.is_some() || self.can_stream_rows(plan);
        if is_flat_slices || is_one_loop && (!self.streaming || streams_rows || !self.can_stream_from_block(plan)) {
            self.map(plan, self.streaming && streams_rows);
            return;
        }
        for_each_tile(plan, *size, BLOCK_BYTES, &mut |_, tile| {
            if is_one_loop {
                self.stream_from_block(tile, &|_, _| ());
            } else {
                let streaming = self.streaming && self.can_stream_from_block(tile);
                self.map(tile, streaming);
            }
        });
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
    fn sum_columns(&self, plan: &Plan, sums: Sums) {
        let size = self.work.size;
        let bytes = sums.loops.size;
        let bytes_of_tile = self.packing.map_or(BLOCK_BYTES, |pieces| pieces.bytes_of_tile);
        let mut of_rows = StripSums(MaybeUninit::uninit());
        let of_rows: *mut u8 = of_rows.0.as_mut_ptr().cast();
        for_each_part(plan, (Axis::Columns, STRIP), size, &mut |first, strip| {
            let width = strip.columns;
            let totals = sums.totals.wrapping_add(first * bytes);
            if strip.rows == 0 {
                // SAFETY: there is a total for each column, checked by `RowsCall::sums`. Zero bytes are +0.0.
                unsafe { totals.write_bytes(0, width * bytes) };
            }
            for_each_part(strip, (Axis::Rows, ROWS_OF_SUM), size, &mut |first, rows| {
                // SAFETY: a strip is whole registers, and so is what is a multiple of the lanes of the widest one.
                unsafe { of_rows.write_bytes(0, width.next_multiple_of(MAX_LANES) * bytes) };
                for_each_tile(rows, size, bytes_of_tile, &mut |_, tile| {
                    self.packed(tile, &|walk, tile| {
                        walk.map_and_sum(tile, sums.of_inputs, &|walk, summands| {
                            let args = SumArgs {
                                plan: summands,
                                sums: of_rows,
                                lanes: core::ptr::null_mut(),
                            };
                            // SAFETY: the summands are inputs of the tile or its output, which can be read. The tile is
                            // of a strip, and `of_rows` has its sums, which are whole registers.
                            unsafe { sums.loops.columns.call(walk.kernels, &args) };
                        });
                    });
                });
                // SAFETY: the strip has `width` totals and sums. Sums are never -0.0, so that to add the first ones to +0.0
                // would change nothing.
                unsafe {
                    if first == 0 {
                        totals.copy_from_nonoverlapping(of_rows, width * bytes);
                    } else {
                        (sums.loops.add)(totals, of_rows, width);
                    }
                }
            });
            // SAFETY: the strip has `width` totals.
            unsafe { (sums.loops.finish)(totals, width) };
        });
    }

    /// Computes the outputs and the sum of each row of a group, over all groups.
    #[inline(never)]
    fn sum_rows(&self, plan: &Plan, sums: Sums) {
        let size = self.work.size;
        let bytes = sums.loops.size;
        // SAFETY: there is a total for each row of a group, checked by `RowsCall::sums`. Zero bytes are +0.0.
        unsafe { sums.totals.write_bytes(0, plan.rows * bytes) };
        let total = |row| sums.totals.wrapping_add(row * bytes);
        if let Some(mut flat) = self.flat_sums(plan, sums) {
            flat.sum_rows();
        } else if plan.columns <= BLOCK_BYTES / size {
            for_each_tile(plan, size, BLOCK_BYTES, &mut |row, tile| {
                self.sum_tile_rows(tile, sums, total(row), core::ptr::null_mut());
            });
        } else {
            for group in 0..plan.groups {
                let of_group = part(plan, Axis::Groups, group, 1, size);
                for row in 0..plan.rows {
                    let of_row = part(&of_group, Axis::Rows, row, 1, size);
                    sum_long_row(sums, plan.columns, total(row), |columns, lanes| {
                        let stretch = part(&of_row, Axis::Columns, columns.start, columns.len(), size);
                        for_each_tile(&stretch, size, BLOCK_BYTES, &mut |_, tile| {
                            self.sum_tile_rows(tile, sums, core::ptr::null_mut(), lanes);
                        });
                    });
                }
            }
        }
        // SAFETY: there are `plan.rows` totals, as above.
        unsafe { (sums.loops.finish)(sums.totals, plan.rows) };
    }

    /// The work as [`FlatSums`], if a loop over slices writes what is summed, and the rows of a group are contiguous.
    fn flat_sums<'b>(&'b self, plan: &'b Plan, sums: Sums) -> Option<FlatSums<'b>> {
        match self.kernel {
            // Without groups, columns may have any number.
            Kernel::Slices(loops, params)
                if !sums.of_inputs && plan.groups > 0 && is_flat(&Plan { groups: 1, ..*plan }, self.work.size) =>
            {
                Some(FlatSums {
                    walk: self,
                    plan,
                    sums,
                    loops,
                    params,
                    tile: Plan {
                        groups: 1,
                        rows: 1,
                        ..outputs_as_inputs(plan)
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
        match self.kernel {
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
    fn repeat_row(&mut self, plan: &Plan) {
        self.repeated = None;
        if matches!(self.kernel, Kernel::Slices(..)) {
            return;
        }
        let size = self.work.size;
        let Some(repeated) = repeatable(plan, size, self.packing.is_some()) else {
            return;
        };
        let bytes = plan.columns * size;
        let row = plan.inputs[repeated.index].start;
        let end = repeated.times * bytes;
        // SAFETY: the row has `plan.columns` elements, checked by `make_plan`, or is in the block already. The block has room for
        // `times` rows: see `repeatable`. What is copied is before its copy.
        unsafe {
            if row != self.rows {
                self.rows.copy_from_nonoverlapping(row, bytes);
            }
            let mut at = bytes;
            while at < end {
                let count = at.min(end - at);
                self.rows.add(at).copy_from_nonoverlapping(self.rows, count);
                at += count;
            }
        }
        self.repeated = Some(repeated);
    }

    fn call_rows(&self, loops: &RowsLoops, function: *const u8, plan: &Plan, streaming: bool) {
        let Some(Repeated { index, times }) = self.repeated else {
            if self.packing.is_none() || !are_one_row(plan, self.work.size) {
                return self.call_pass(loops, function, plan, streaming);
            }
            let long = Plan {
                rows: 1,
                columns: plan.rows * plan.columns,
                ..*plan
            };
            return self.call_pass(loops, function, &long, streaming);
        };
        // Rows of `times` rows, and one of those that are left.
        let rows = plan.rows / times;
        let left = plan.rows - rows * times;
        for (first, rows, times) in [(0, rows, times), (rows * times, left.min(1), left)] {
            if rows == 0 {
                continue;
            }
            let mut long = part(plan, Axis::Rows, first, rows, self.work.size);
            long.columns *= times;
            for operand in long.inputs.iter_mut().chain(&mut long.outputs) {
                operand.row_stride *= times;
            }
            long.inputs[index].start = self.rows;
            self.call_pass(loops, function, &long, streaming);
        }
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
        // - The plan is made of the tensors' shapes, which `make_plan` has checked; the tensors live as long as the call.
        // - Inputs are shared, or the first output itself. Outputs are exclusive.
        // - A tile or a part is within the plan. An output that is a block has room for a tile.
        // - Several rows are one only if they are contiguous or packed, checked by `repeatable`, `are_one_row` and `walk_joined`; the repeated input has as
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
/// A tile of [`for_each_tile`] takes a hundred nanoseconds more: as long as to sum 16 KB.
struct FlatSums<'a> {
    walk: &'a Walk<'a>,
    plan: &'a Plan,
    sums: Sums,
    loops: &'static SliceLoops,
    params: &'a Params,
    /// The rows of a tile, as summands.
    tile: Plan,
}

impl FlatSums<'_> {
    fn sum_rows(&mut self) {
        let (plan, size) = (self.plan, self.walk.work.size);
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
        if plan.rows > 0 && is_flat(plan, size) {
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
            work: Work { size, copy, .. },
            kernels,
            streaming,
            outputs,
            ..
        } = self.walk;
        let plan = self.plan;
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
        // - The plan is made of the tensors' shapes, which `make_plan` has checked. The tile is within it, and has several
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

impl Pieces {
    /// Copies rows, each of them its pieces, from the operand at an index to where they are contiguous, or back.
    ///
    /// # Safety
    ///
    /// Both operands have so many rows, of `count * bytes` bytes each, and `bytes` is at least 2. One can be read and the other one
    /// written, and they don't overlap.
    unsafe fn copy(&self, (operand, index): (Operand, usize), packed: Operand, rows: usize, to_packed: bool) {
        let &Self {
            bytes, count, strides, ..
        } = self;
        // All pieces of all rows at once, if they are at equal distances.
        let (rows, count, stride) = match strides[index] {
            _ if count == 1 => (1, rows, operand.row_stride),
            stride if operand.row_stride == count * stride => (1, rows * count, stride),
            stride => (rows, count, stride),
        };
        for row in 0..rows {
            let (there, here) = ((operand.row(0, row), stride), (packed.row(0, row), bytes));
            let (from, to) = if to_packed { (there, here) } else { (here, there) };
            // SAFETY: these are pieces of the rows: this function's contract.
            unsafe { copy_rows(from, to, count, bytes) };
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

/// The lanes of the widest register, of 16 bits.
const MAX_LANES: usize = REGISTER_BYTES / size_of::<u16>();

/// The size of a tile of strided rows: a block has room for one of each operand.
fn packed_bytes(plan: &Plan) -> usize {
    BLOCK_BYTES / walked(plan).count() / LINE_BYTES * LINE_BYTES
}

/// Room for a sum for each column of a strip, on cache lines of their own.
#[repr(align(64))]
struct StripSums(MaybeUninit<[u64; STRIP]>);

/// The number of accumulators of a row, for sums of `size` bytes.
const fn row_lanes_of(size: usize) -> usize {
    size_of::<RowLanes>() / size
}

/// Some work, and the part of the tensors that a thread walks.
#[cfg(feature = "rayon")]
struct Part<'a> {
    plan: Plan,
    work: Work<'a>,
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

    fn traffic(&self) -> usize {
        traffic(&self.plan, self.work.size)
    }

    fn is_beyond_caches(&self) -> bool {
        self.work.is_beyond_caches
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
        let sums_from = |first: usize| {
            self.work.sums.map(|sums| Sums {
                totals: sums.totals.wrapping_add(first * sums.loops.size),
                ..sums
            })
        };
        let of = |first, count| Self {
            plan: part(&self.plan, axis, first, count, self.work.size),
            work: Work {
                sums: sums_from(first),
                ..self.work
            },
        };
        (of(0, middle), of(middle, len - middle))
    }

    fn join((): (), (): ()) {}

    fn enter(self, kernels: Kernels, streaming: bool) {
        self.work.walk(&self.plan, kernels, streaming);
    }
}
