//! Calls on tensors of any layout: a step between elements, negative strides, axes in any order.
//!
//! Axes are sorted by the stride of the output, and merged where one continues the other. Runs that are contiguous in all tensors are
//! given to the function's loop. Others are computed where they are (`is_direct`), or go through a block in the L1 cache: elements are
//! gathered, the loop runs, results are scattered. Only the elements themselves are accessed: what lies between them may belong to someone
//! else.

use super::block::{BLOCK_BYTES, Block, LINE_BYTES};
use super::detect::Kernels;
use super::loops::{MapStepsLoops, Params, STEPS, SliceLoops};
use super::pack::copy_rows;
use super::slices::{Direction, is_beyond_caches};
use crate::simd::{Access, Element, fence};
use crate::sweep::{ALIGNED_BYTES, FEW, MapStepsArgs, StepsArgs, TENSORS, copies_fit_registers, map_fits_registers};

const OUTPUT: usize = TENSORS - 1;

/// Of more axes, the first ones are walked one index after the other.
const AXES: usize = 6;

/// The size of a tile. A block has room for those of two inputs, and the output goes where one of them was.
const TILE_BYTES: usize = BLOCK_BYTES / 2;

/// The number of cache lines in a tile, where each has few elements. Lines at great distances share few sets of the caches.
const TILE_LINES: usize = 1 << 7;

/// Contiguous runs of fewer bytes go through a block, several at a time.
const RUN_BYTES: usize = 1 << 6;

/// Elements of at most so many bytes are walked in the caller, where their functions are computed there: by ndarray's loop, if it has one.
pub(super) const IN_CALLER_BYTES: usize = 1 << 8;

/// So many bytes of elements are computed where they are, if they can be.
const FEW_BYTES: usize = 1 << 10;

/// More runs, each in a page of its own, are walked where they are: translations of their addresses are not in the CPU's caches, and
/// between two tiles the CPU does not look ahead.
const FAR_RUNS: usize = 1 << 11;

const PAGE_BYTES: usize = 1 << 12;

/// Contiguous runs of fewer bytes are not streamed.
const STREAMED_BYTES: usize = 1 << 14;

/// The length of runs where a tensor is closer along another axis, so that a line of that tensor stays in the cache until all of it is
/// used.
const STRIP: usize = 32;

/// An address in each tensor, or a step from one to another, in bytes.
type Each<T> = [T; TENSORS];

/// Elements at equal distances in each tensor.
#[derive(Clone, Copy)]
struct Axis {
    len: usize,
    steps: Each<isize>,
}

impl Axis {
    // All zeros, which need no template in memory.
    const NONE: Self = Self {
        len: 0,
        steps: [0; TENSORS],
    };

    const SINGLE: Self = Self { len: 1, ..Self::NONE };

    /// Axes are sorted by this. Where a step is 0, elements are read again: as late as can be.
    #[inline(always)]
    fn distance(&self) -> (usize, usize) {
        let bytes = |tensor: usize| self.steps[tensor].unsigned_abs().wrapping_sub(1);
        (bytes(OUTPUT), bytes(0))
    }

    #[inline(always)]
    fn continues(&self, inner: &Self) -> bool {
        (0..TENSORS).all(|i| self.steps[i] == inner.steps[i].wrapping_mul(inner.len as isize))
    }
}

/// Puts an item behind `count` others that are sorted by a key, but before those with a greater one.
#[inline(always)]
pub(super) fn insert_by<T: Copy, K: PartialOrd>(sorted: &mut [T], count: usize, item: T, key: impl Fn(&T) -> K) {
    let mut at = count;
    while at > 0 && key(&item) < key(&sorted[at - 1]) {
        sorted[at] = sorted[at - 1];
        at -= 1;
    }
    sorted[at] = item;
}

/// Merges axes where one continues the other. Returns their number. There always is a second one, if only of one element.
#[inline(always)]
fn merge(axes: &mut [Axis; AXES], count: usize) -> usize {
    if count == 0 {
        axes[0] = Axis::SINGLE;
    }
    let mut last = 0;
    for i in 1..count {
        if axes[i].continues(&axes[last]) {
            axes[last].len *= axes[i].len;
        } else {
            last += 1;
            // What was just written is not copied if it need not be: a copy waits for the stores.
            if last != i {
                axes[last] = axes[i];
            }
        }
    }
    if last == 0 {
        last = 1;
        axes[last] = Axis::SINGLE;
    }
    last + 1
}

#[inline(always)]
fn is_contiguous(steps: &Each<isize>, size: usize) -> bool {
    steps.iter().all(|&step| step == size as isize)
}

#[inline(always)]
fn move_by(at: &mut Each<*mut u8>, steps: &Each<isize>, count: usize) {
    for i in 0..TENSORS {
        at[i] = at[i].wrapping_offset(steps[i].wrapping_mul(count as isize));
    }
}

/// A tensor of any layout, with a stride per axis, in elements.
#[derive(Clone, Copy)]
pub(super) struct Layout<'a> {
    pub(super) start: *mut u8,
    pub(super) strides: &'a [isize],
}

/// The number of elements.
pub(super) fn len_of(shape: &[usize]) -> usize {
    if shape.contains(&0) {
        return 0;
    }
    // A tensor that repeats elements may have more than an address space.
    shape.iter().fold(1, |len: usize, &count| len.saturating_mul(count))
}

/// Whether a call out-of-place is beyond the caches. Inputs that repeat elements don't count: they are read from the caches.
fn is_large<T>(shape: &[usize], inputs: &[Layout]) -> bool {
    let repeats = |input: &&Layout| {
        shape
            .iter()
            .zip(input.strides)
            .any(|(&len, &stride)| len > 1 && stride == 0)
    };
    let inputs = inputs.len() - inputs.iter().filter(repeats).count();
    is_beyond_caches(inputs, len_of(shape).saturating_mul(size_of::<T>()))
}

/// Runs a function on tensors of a shape. Contiguous parts of the output may be streamed if `may_stream`: not in-place, nor to new memory.
///
/// # Safety
///
/// - Each tensor has a stride per axis. Its elements are in one allocation, aligned, and initialized if it is an input. The inputs can be read and
///   the output written.
/// - The elements of the output are distinct. It is an input with the same strides, or no element of it is one of an input.
pub(super) unsafe fn run<T: Element, D: Direction<N>, const N: usize>(
    direction: D,
    shape: &[usize],
    inputs: [Layout; N],
    output: Layout,
    may_stream: bool,
) {
    let is_streamed = may_stream && is_large::<T>(shape, &inputs);
    let mut params = Params::uninit();
    direction.write_params::<T>(&mut params);
    let function = Function {
        loops: direction.loops::<T>(),
        steps: direction.step_loops::<T>(),
        steps_in_caller: D::steps_in_caller::<T>(),
        params: params.as_ptr(),
        has_two_inputs: N == 2,
        size: size_of::<T>(),
        kernels: Kernels::best(),
    };
    // SAFETY: the tensors are those of this function's contract, `N` is 1 or 2, and the rest belongs to the direction and the format.
    unsafe { function.walk(shape, [inputs[0], inputs[N - 1], output], is_streamed) };
    if is_streamed {
        fence();
    }
}

struct Function {
    loops: &'static SliceLoops,
    /// For elements at a step, if it is compiled.
    steps: &'static MapStepsLoops,
    /// Scalar code for those, if it is compiled with the caller.
    steps_in_caller: Option<unsafe fn(&MapStepsArgs)>,
    params: *const u8,
    has_two_inputs: bool,
    /// The size of an element in bytes.
    size: usize,
    kernels: Kernels,
}

impl Function {
    /// # Safety
    ///
    /// As for [`run`]. The fields belong together. With `is_streamed`, a fence follows.
    unsafe fn walk(&self, shape: &[usize], tensors: [Layout; TENSORS], is_streamed: bool) {
        if let Some(args) = self.few(shape, &tensors, is_streamed) {
            // SAFETY: these are the elements of the tensors, by this function's contract. The parameters are those of the loops.
            return unsafe { self.map_steps(&args) };
        }
        // SAFETY: this function's contract.
        unsafe { self.walk_many(shape, &tensors, is_streamed) };
    }

    /// Apart from `walk`, so that few elements don't wait for the registers and the memory that this needs.
    ///
    /// # Safety
    ///
    /// As for [`walk`](Self::walk).
    #[inline(never)]
    unsafe fn walk_many(&self, shape: &[usize], tensors: &[Layout; TENSORS], is_streamed: bool) {
        // Before the first axis is walked, which may be long.
        if shape.contains(&0) {
            return;
        }
        if shape.len() > AXES {
            for i in 0..shape[0] {
                let part = tensors.map(|Layout { start, strides }| Layout {
                    start: start.wrapping_offset(strides[0].wrapping_mul((i * self.size) as isize)),
                    strides: &strides[1..],
                });
                // SAFETY: the elements at index `i < shape[0]` of the first axis.
                unsafe { self.walk(&shape[1..], part, is_streamed) };
            }
            return;
        }
        let mut axes = [Axis::NONE; AXES];
        let mut count = 0;
        let mut starts = tensors.map(|tensor| tensor.start);
        for (i, &len) in shape.iter().enumerate().rev() {
            // Its strides may be anything.
            if len == 1 {
                continue;
            }
            let mut steps = tensors.map(|tensor| tensor.strides[i].wrapping_mul(self.size as isize));
            if steps[OUTPUT] < 0 {
                // So that each step along the output goes forward.
                move_by(&mut starts, &steps, len - 1);
                steps = steps.map(|step| -step);
            }
            insert_by(&mut axes, count, Axis { len, steps }, Axis::distance);
            count += 1;
        }
        let count = merge(&mut axes, count);
        // SAFETY: these are all elements of the tensors, in an order that is the same for each.
        unsafe { self.walk_axes(&mut axes[..count], starts, is_streamed) };
    }

    /// How to walk a few elements of one axis or two, which are sooner walked than sorted and merged.
    #[inline(always)]
    fn few(&self, shape: &[usize], tensors: &[Layout; TENSORS], is_streamed: bool) -> Option<MapStepsArgs> {
        let [rows, columns] = match *shape {
            [len] => [1, len],
            [rows, columns] => [rows, columns],
            _ => return None,
        };
        let bytes = rows.saturating_mul(columns).saturating_mul(self.size);
        if bytes == 0 || bytes > TILE_BYTES {
            return None;
        }
        let step = |tensor: &Layout, is_inner: bool| match *tensor.strides {
            [outer, inner] => if is_inner { inner } else { outer }.wrapping_mul(self.size as isize),
            [inner] if is_inner => inner.wrapping_mul(self.size as isize),
            _ => 0,
        };
        let [outer, inner] = [false, true].map(|is_inner| step(&tensors[OUTPUT], is_inner));
        let is_closer = outer.unsigned_abs() < inner.unsigned_abs();
        let is_short = columns < FEW.min(rows) && inner != self.size as isize;
        let is_swapped = rows > 1 && (columns == 1 || is_closer || is_short);
        // Each field is written once: a copy of some would wait for the stores.
        let args = MapStepsArgs {
            function: self.params,
            starts: [tensors[0].start, tensors[1].start, tensors[2].start],
            steps: [
                step(&tensors[0], !is_swapped),
                step(&tensors[1], !is_swapped),
                step(&tensors[2], !is_swapped),
            ],
            run_steps: [
                step(&tensors[0], is_swapped),
                step(&tensors[1], is_swapped),
                step(&tensors[2], is_swapped),
            ],
            len: if is_swapped { rows } else { columns },
            runs: if is_swapped { columns } else { rows },
        };
        let is_direct = match self.steps_in_caller {
            // Where the runs are neighbours, copies are faster.
            Some(_) if args.run_steps[OUTPUT] == self.size as isize => bytes <= IN_CALLER_BYTES,
            Some(_) => bytes <= IN_CALLER_BYTES || self.is_direct(&args.steps, args.len, is_streamed),
            None if bytes <= FEW_BYTES => self.steps.is_compiled(),
            None => self.is_direct(&args.steps, args.len, is_streamed),
        };
        is_direct.then_some(args)
    }

    /// Whether runs with these steps are walked where they are. Else they go through a block: where copies by registers are faster, and
    /// where vectors gain more than copies of elements close by cost.
    #[inline(always)]
    fn is_direct(&self, steps: &Each<isize>, len: usize, is_streamed: bool) -> bool {
        let is_written_at_step = steps[OUTPUT] != self.size as isize;
        if is_streamed && !is_written_at_step {
            return false;
        }
        let can_copy_by_registers = STEPS[self.size.ilog2() as usize - 1].gather.has(self.kernels)
            && steps
                .iter()
                .all(|&step| step == self.size as isize || copies_fit_registers(step, len, self.size));
        if self.steps_in_caller.is_some() {
            let is_sparse = steps[..OUTPUT].iter().all(|step| step.unsigned_abs() >= LINE_BYTES);
            return len >= FEW && !can_copy_by_registers && (is_written_at_step || is_sparse);
        }
        if !self.steps.is_compiled() {
            return false;
        }
        if is_contiguous(steps, self.size) {
            return len * self.size >= RUN_BYTES;
        }
        // Vectors fill the block with an element that is repeated, and the rest is contiguous.
        if len * self.size >= RUN_BYTES && steps.iter().all(|&step| step == 0 || step == self.size as isize) {
            return false;
        }
        map_fits_registers(steps, len, self.size) || !can_copy_by_registers
    }

    /// Computes elements where they are.
    ///
    /// # Safety
    ///
    /// The contract of [`MapStepsArgs`], with the parameters of this function, which has `steps_in_caller` or compiled `steps`.
    #[inline(always)]
    unsafe fn map_steps(&self, args: &MapStepsArgs) {
        if let Some(steps) = self.steps_in_caller {
            // SAFETY: this function's contract. Scalar code needs no instruction set.
            return unsafe { steps(args) };
        }
        let can_use_registers = self.steps.has(self.kernels) && map_fits_registers(&args.steps, args.len, self.size);
        let kernels = if can_use_registers {
            self.kernels
        } else {
            Kernels::SCALAR
        };
        // SAFETY: this function's contract; the registers are checked above.
        unsafe { self.steps.call(kernels, args) };
    }

    /// # Safety
    ///
    /// As for [`walk`](Self::walk): the tensors have the elements at `starts` and at all multiples of the steps below the lengths.
    #[inline(always)]
    unsafe fn walk_axes(&self, axes: &mut [Axis], mut starts: Each<*mut u8>, is_streamed: bool) {
        let Axis { len, steps } = axes[0];
        let is_closer = |i: usize| axes[1].steps[i] != 0 && axes[1].steps[i].unsigned_abs() < steps[i].unsigned_abs();
        let strip = if axes[1].len > 1 && (0..OUTPUT).any(is_closer) {
            STRIP.min(len)
        } else {
            len
        };
        for first in (0..len).step_by(strip) {
            axes[0].len = strip.min(len - first);
            let tiling = Tiling {
                function: self,
                axes,
                is_streamed,
            };
            // SAFETY: the elements from index `first` on of the first axis.
            unsafe { tiling.walk(starts) };
            move_by(&mut starts, &steps, strip);
        }
    }

    /// Runs the function's loop.
    ///
    /// # Safety
    ///
    /// As for [`SliceLoops::call`], with the second input in any case.
    #[inline(always)]
    unsafe fn call(&self, tensors: Each<*mut u8>, len: usize, is_streamed: bool) {
        let second = if self.has_two_inputs {
            tensors[1]
        } else {
            core::ptr::null_mut()
        };
        // SAFETY: this function's contract. Null follows a single input. The parameters are those of the loops.
        unsafe {
            let inputs = [tensors[0].cast_const(), second.cast_const()];
            let len = (len, self.size);
            self.loops.call(
                self.kernels,
                self.params,
                inputs,
                tensors[OUTPUT],
                len,
                Access::new(is_streamed),
            );
        }
    }
}

/// A run of the first axis: where it begins in each tensor, and its index on the other axes.
#[derive(Clone, Copy)]
struct Cursor {
    at: Each<*mut u8>,
    index: [usize; AXES],
}

/// How some axes are walked.
struct Tiling<'a> {
    function: &'a Function,
    axes: &'a [Axis],
    is_streamed: bool,
}

impl Tiling<'_> {
    /// # Safety
    ///
    /// As for [`Function::walk_axes`].
    unsafe fn walk(&self, starts: Each<*mut u8>) {
        let size = self.function.size;
        let Axis { len, steps } = self.axes[0];
        let mut cursor = Cursor {
            at: starts,
            index: [0; AXES],
        };
        let steps = if len == 1 { [size as isize; TENSORS] } else { steps };
        let is_contiguous = is_contiguous(&steps, size);
        let is_one_run = self.axes[1..].iter().all(|axis| axis.len == 1);
        let is_far = self.axes[1].len > FAR_RUNS && self.axes[1].steps[0].unsigned_abs() >= PAGE_BYTES;
        let is_direct = self.function.is_direct(&steps, len, self.is_streamed)
            || is_far && is_contiguous && self.function.steps.is_compiled();
        let least = if is_direct { ALIGNED_BYTES } else { RUN_BYTES };
        if is_contiguous && (is_one_run || len * size >= least) {
            let is_streamed = self.is_streamed && (is_one_run || len * size >= STREAMED_BYTES);
            let is_inplace = starts[..OUTPUT].contains(&starts[OUTPUT]);
            return loop {
                let runs = self.runs(&cursor);
                for i in 0..runs {
                    // In-place the second of two first: a load that overlaps a masked store waits for it, and the head of a run may be
                    // beside the tail of the run before. Else in order, which the CPU's caches expect.
                    let run = if is_inplace && i ^ 1 < runs { i ^ 1 } else { i };
                    let mut at = cursor.at;
                    move_by(&mut at, &self.axes[1].steps, run);
                    // SAFETY: a run of the tensors, which is contiguous in each.
                    unsafe { self.function.call(at, len, is_streamed) };
                }
                if !self.move_runs(&mut cursor, runs) {
                    break;
                }
            };
        }
        if is_direct {
            return loop {
                let runs = self.runs(&cursor);
                let args = MapStepsArgs {
                    function: self.function.params,
                    starts: cursor.at,
                    steps,
                    run_steps: self.axes[1].steps,
                    len,
                    runs,
                };
                // SAFETY: these are elements of the tensors, by this function's contract. The parameters are those of the loops.
                unsafe { self.function.map_steps(&args) };
                if !self.move_runs(&mut cursor, runs) {
                    break;
                }
            };
        }
        let mut block = Block::new();
        let block = block.start();
        let is_sparse = |step: isize| step.unsigned_abs() >= LINE_BYTES;
        let room = if len > 1 && steps.iter().any(|&step| is_sparse(step)) {
            TILE_LINES
        } else {
            TILE_BYTES / size
        };
        if len <= room {
            let is_dense = core::array::from_fn(|i| self.is_dense(i));
            // SAFETY: as many whole runs as a tile has room for.
            while unsafe { self.walk_tile(&mut cursor, (len, (room / len).min(TILE_LINES)), is_dense, block) } {}
            return;
        }
        let are_contiguous = steps.map(|step| step == size as isize);
        loop {
            let mut part = cursor;
            for first in (0..len).step_by(room) {
                let len = room.min(len - first);
                // SAFETY: a part of a run, from index `first` on.
                unsafe { self.walk_tile(&mut Cursor { ..part }, (len, 1), are_contiguous, block) };
                move_by(&mut part.at, &steps, len);
            }
            if !self.move_runs(&mut cursor, 1) {
                return;
            }
        }
    }

    /// Whether the elements of a tensor are contiguous in the order in which they are walked.
    #[inline(always)]
    fn is_dense(&self, tensor: usize) -> bool {
        let mut expected = self.function.size;
        self.axes.iter().all(|axis| {
            let is_dense = axis.len == 1 || axis.steps[tensor] == expected as isize;
            expected *= axis.len;
            is_dense
        })
    }

    /// The number of runs at equal distances from the cursor on.
    #[inline(always)]
    fn runs(&self, cursor: &Cursor) -> usize {
        self.axes[1].len - cursor.index[1]
    }

    /// Moves by at most [`runs`](Self::runs). Returns whether there are more.
    #[inline(always)]
    fn move_runs(&self, cursor: &mut Cursor, runs: usize) -> bool {
        let axes = self.axes;
        move_by(&mut cursor.at, &axes[1].steps, runs);
        cursor.index[1] += runs;
        let mut i = 1;
        while cursor.index[i] == axes[i].len {
            let Some(next) = axes.get(i + 1) else { return false };
            move_by(&mut cursor.at, &axes[i].steps.map(|step| -step), axes[i].len);
            move_by(&mut cursor.at, &next.steps, 1);
            cursor.index[i] = 0;
            i += 1;
            cursor.index[i] += 1;
        }
        true
    }

    /// Walks so many runs of so many elements, or fewer if there are no more. Moves the cursor behind them. Returns whether there are more.
    ///
    /// # Safety
    ///
    /// As for [`Function::walk_axes`]: each run from the cursor on has so many elements. A tile has room for them. Those of a tensor that
    /// `is_dense` are contiguous. `block` has `BLOCK_BYTES`.
    #[inline(always)]
    unsafe fn walk_tile(
        &self,
        cursor: &mut Cursor,
        (len, runs): (usize, usize),
        is_dense: Each<bool>,
        block: *mut u8,
    ) -> bool {
        let function = self.function;
        let size = function.size;
        let first = *cursor;
        let mut tile = first.at;
        let is_gathered = [!is_dense[0], !is_dense[1] && function.has_two_inputs];
        for i in 0..OUTPUT {
            if is_gathered[i] {
                tile[i] = block.wrapping_add(i * TILE_BYTES);
            }
        }
        let is_scattered = !is_dense[OUTPUT];
        if is_scattered {
            // Where an input is, as in-place, or where none is.
            tile[OUTPUT] = if is_gathered[0] || !is_gathered[1] {
                block
            } else {
                tile[1]
            };
        }
        let (runs, is_more) = self.for_each_patch(cursor, runs, |at, done, here| {
            for i in 0..OUTPUT {
                if is_gathered[i] {
                    let there = self.patch(at, i);
                    let here = (tile[i].wrapping_add(done * len * size), len, here);
                    // SAFETY: these runs can be read, and the block has room for a tile of each input.
                    unsafe { copy_patch::<true>(there, here, size, function.kernels) };
                }
            }
        });
        // SAFETY: the elements of the tile are where they were or in the block, gathered above. The output is apart from the inputs or is
        // one: in the block, where it is written at the index at which it is read. The fence is that of this function's contract.
        unsafe { function.call(tile, len * runs, self.is_streamed && !is_scattered) };
        if is_scattered {
            let mut cursor = first;
            self.for_each_patch(&mut cursor, runs, |at, done, here| {
                let there = self.patch(at, OUTPUT);
                let here = (tile[OUTPUT].wrapping_add(done * len * size), len, here);
                // SAFETY: these runs can be written. They are in the block, where the loop wrote them.
                unsafe { copy_patch::<false>(there, here, size, function.kernels) };
            });
        }
        is_more
    }

    /// Calls `then` with several runs at equal distances, the number of those before and their number, until there were `runs` or no more.
    /// Moves the cursor behind them. Returns how many there were, and whether there are more.
    #[inline(always)]
    fn for_each_patch(
        &self,
        cursor: &mut Cursor,
        runs: usize,
        mut then: impl FnMut(Each<*mut u8>, usize, usize),
    ) -> (usize, bool) {
        let mut done = 0;
        loop {
            let here = self.runs(cursor).min(runs - done);
            then(cursor.at, done, here);
            done += here;
            let is_more = self.move_runs(cursor, here);
            if done == runs || !is_more {
                return (done, is_more);
            }
        }
    }

    #[inline(always)]
    fn patch(&self, at: Each<*mut u8>, tensor: usize) -> Patch {
        (at[tensor], [0, 1].map(|axis| self.axes[axis].steps[tensor]))
    }
}

/// Where the first run of a tensor is, and the steps from an element of a run to the next one and from a run to the next one.
type Patch = (*mut u8, [isize; 2]);

/// Copies so many runs of so many elements to where they are contiguous, or back.
///
/// # Safety
///
/// The elements of the patch and the contiguous ones can be read and written, as the direction wants, and are apart. `len > 0`. `size` is 2, 4 or
/// 8.
#[inline(never)]
unsafe fn copy_patch<const GATHER: bool>(
    (start, steps): Patch,
    (contiguous, len, runs): (*mut u8, usize, usize),
    size: usize,
    kernels: Kernels,
) {
    let bytes = len * size;
    if steps[0] == size as isize || len == 1 && runs == 1 {
        let (there, here) = ((start, steps[1] as usize), (contiguous, bytes));
        let (from, to) = if GATHER { (there, here) } else { (here, there) };
        // SAFETY: rows of at least 2 bytes: this function's contract.
        return unsafe { copy_rows(from, to, runs, bytes) };
    }
    let loops = &STEPS[size.ilog2() as usize - 1];
    let loops = if GATHER { &loops.gather } else { &loops.scatter };
    let args = StepsArgs {
        strided: start,
        step: steps[0],
        run_step: steps[1],
        contiguous,
        len,
        runs,
    };
    let can_use_registers = loops.has(kernels) && copies_fit_registers(steps[0], len, size);
    let kernels = if can_use_registers { kernels } else { Kernels::SCALAR };
    // SAFETY: the elements of the patch: this function's contract. Steps are multiples of the size.
    unsafe { loops.call(kernels, &args) };
}
