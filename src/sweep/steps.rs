//! Elements with a step between them: copies of them, and functions of them where they are. What lies between them is not accessed.
//!
//! On AVX-512, registers load and store some of their lanes, where the step is small. Else elements are walked one by one.

use core::hint::black_box;
use core::marker::PhantomData;

use super::RegisterOf;
use super::slices::walk_narrow;
use crate::isa::Isa;
use crate::simd::{Lane, Padded, Pass, REGISTER_BYTES, Register, Simd, Vector, VectorFn, first_of, inputs, prefetch};

/// Copies elements with a step between them to where they are contiguous, or back.
///
/// Contract: that of [`StepsArgs`].
pub(crate) struct CopySteps<L, const GATHER: bool>(PhantomData<L>);

/// `runs` of `len` elements, of both at least one, with steps in bytes from element to element and from run to run; at `contiguous`, one
/// run after the other. One side can be read and the other one written, and they don't overlap. Steps are multiples of an element, on AVX-512 as
/// [`copies_fit_registers`] wants them.
pub(crate) struct StepsArgs {
    pub(crate) strided: *mut u8,
    pub(crate) step: isize,
    pub(crate) run_step: isize,
    pub(crate) contiguous: *mut u8,
    pub(crate) len: usize,
    pub(crate) runs: usize,
}

/// Runs of fewer bytes are copied one element after the other, whatever their step.
const STEPPED_BYTES: usize = 1 << 6;

/// The least number of elements in a run that are walked one by one, if the other axis has as many.
pub(crate) const FEW: usize = 8;

/// The greatest step, in lanes of this size, for which registers are faster than single elements: four of them fit.
const fn greatest_step(size: usize) -> usize {
    (REGISTER_BYTES / size - 1) / 3
}

/// Whether [`CopySteps`] can walk so many elements of a size, with a step in bytes, by registers that load and store some of their lanes.
pub(crate) fn copies_fit_registers(step: isize, len: usize, size: usize) -> bool {
    step != 0 && step.unsigned_abs() <= greatest_step(size) * size && len * size >= STEPPED_BYTES
}

/// Whether registers load and store some of their lanes.
const fn has_lanes<S: Simd>() -> bool {
    S::ISA as usize == Isa::Avx512 as usize
}

/// How far ahead is prefetched: about what a tile extends over. Between two tiles the CPU does not look ahead.
const PREFETCH_BYTES: usize = 1 << 13;

impl<L: Lane, const GATHER: bool> Pass for CopySteps<L, GATHER> {
    type Args = StepsArgs;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &StepsArgs) {
        // SAFETY: the elements of the contract.
        unsafe {
            if const { has_lanes::<S>() } {
                Self::walk_registers(simd, args);
            } else {
                Self::walk_elements(args);
            }
        }
    }
}

impl<L: Lane, const GATHER: bool> CopySteps<L, GATHER> {
    /// # Safety
    ///
    /// The contract of [`StepsArgs`], with registers that load and store some of their lanes.
    #[inline(always)]
    unsafe fn walk_registers<S: Simd>(simd: S, args: &StepsArgs) {
        let lanes = RegisterOf::<S, L>::LANES;
        let step = args.step / size_of::<L>() as isize;
        let distance = step.unsigned_abs();
        // The first one has the lowest address.
        let Chosen {
            count, bits: chosen, ..
        } = Chosen::of::<S, L>(distance);
        let indices = indices::<S, L, GATHER>(simd, count, step);
        let lowest = step.min(0).wrapping_mul(count as isize - 1);
        let from_register = step.wrapping_mul(count as isize);
        for run in 0..args.runs {
            let strided = args.strided.wrapping_offset(args.run_step.wrapping_mul(run as isize));
            let mut strided = strided.cast::<L>();
            let mut contiguous = args.contiguous.cast::<L>().wrapping_add(run * args.len);
            let mut left = args.len;
            // SAFETY: `count <= left`, and all lanes if `is_whole`, checked by the loops below. The chosen lanes are the next `count`
            // elements. What a whole register stores after `count` contiguous elements is overwritten by those that follow.
            let mut copy = |is_whole: bool| unsafe {
                let register = strided.wrapping_offset(lowest);
                match (GATHER, is_whole) {
                    (true, _) => {
                        prefetch(register.wrapping_byte_add(PREFETCH_BYTES));
                        let elements = RegisterOf::<S, L>::load_lanes(simd, register, chosen).permute(indices);
                        if is_whole {
                            elements.store(contiguous);
                        } else {
                            elements.store_first(contiguous, count);
                        }
                    }
                    (false, true) => RegisterOf::<S, L>::load(simd, contiguous)
                        .permute(indices)
                        .store_lanes(register, chosen),
                    (false, false) => RegisterOf::<S, L>::load_first(simd, contiguous, count)
                        .permute(indices)
                        .store_lanes(register, chosen),
                }
                strided = strided.wrapping_offset(from_register);
                contiguous = contiguous.wrapping_add(count);
            };
            while left >= lanes + count {
                copy(true);
                copy(true);
                left -= 2 * count;
            }
            while left >= lanes {
                copy(true);
                left -= count;
            }
            // Fewer than the lanes of a register.
            while left >= count {
                copy(false);
                left -= count;
            }
            for i in 0..left {
                let strided = strided.wrapping_offset(step.wrapping_mul(i as isize));
                let contiguous = contiguous.wrapping_add(i);
                // SAFETY: `i < left`: elements of the contract.
                unsafe {
                    if GATHER {
                        contiguous.write_unaligned(strided.read_unaligned());
                    } else {
                        strided.write_unaligned(contiguous.read_unaligned());
                    }
                }
            }
        }
    }

    /// # Safety
    ///
    /// The contract of [`StepsArgs`].
    #[inline(always)]
    unsafe fn walk_elements(args: &StepsArgs) {
        let size = size_of::<L>() as isize;
        // The inner loop is over the longer axis, or the closer one.
        let is_closer = args.run_step.unsigned_abs() < args.step.unsigned_abs();
        let is_swapped = args.runs >= FEW && (is_closer || args.len < FEW);
        let inner = (args.len, args.step, size);
        let outer = (args.runs, args.run_step, (args.len as isize).wrapping_mul(size));
        let (inner, outer) = if is_swapped { (outer, inner) } else { (inner, outer) };
        for i in 0..outer.0 as isize {
            let there = (args.strided.wrapping_offset(i.wrapping_mul(outer.1)), inner.1);
            let here = (args.contiguous.wrapping_offset(i.wrapping_mul(outer.2)), inner.2);
            let (from, to) = if GATHER { (there, here) } else { (here, there) };
            // SAFETY: elements of both sides: this function's contract.
            unsafe { copy_lanes::<L>(from, to, inner.0) };
        }
    }
}

/// Copies `len` elements at equal distances, in bytes.
///
/// # Safety
///
/// They can be read at `from` and written at `to`, and don't overlap. There is at least one.
#[inline(always)]
unsafe fn copy_lanes<L: Copy>((from, from_step): (*mut u8, isize), (to, to_step): (*mut u8, isize), len: usize) {
    // SAFETY: this function's contract.
    unsafe {
        if to_step == size_of::<L>() as isize && from_step == 0 {
            // One element, repeated: by vectors.
            let lane = from.cast::<L>().read_unaligned();
            for i in 0..len {
                to.cast::<L>().wrapping_add(i).write_unaligned(lane);
            }
        } else if to_step == size_of::<L>() as isize {
            copy_steps::<L>((from, multiples(from_step)), (to, contiguous::<L>()), len);
        } else if from_step == size_of::<L>() as isize {
            copy_steps::<L>((from, contiguous::<L>()), (to, multiples(to_step)), len);
        } else {
            copy_steps::<L>((from, multiples(from_step)), (to, multiples(to_step)), len);
        }
    }
}

/// The number of elements in a round.
const UNROLL: usize = 4;

/// The steps to the elements of a round and the next round.
type Steps = [isize; UNROLL + 1];

#[inline(always)]
const fn contiguous<L>() -> Steps {
    let size = size_of::<L>() as isize;
    [0, size, 2 * size, 3 * size, 4 * size]
}

/// Unknown to the compiler as multiples: else it adds the step before each element.
#[inline(always)]
fn multiples(step: isize) -> Steps {
    let [double, triple, round] = [2, 3, 4].map(|count| black_box(step.wrapping_mul(count)));
    [0, step, double, triple, round]
}

/// # Safety
///
/// As for [`copy_lanes`].
#[inline(always)]
unsafe fn copy_steps<L: Copy>(
    (mut from, from_steps): (*mut u8, Steps),
    (mut to, to_steps): (*mut u8, Steps),
    len: usize,
) {
    // SAFETY: `len` elements of each, which the steps lead to: this function's contract.
    unsafe {
        for _ in 0..len / UNROLL {
            for i in 0..UNROLL {
                let lane = from.wrapping_offset(from_steps[i]).cast::<L>().read_unaligned();
                to.wrapping_offset(to_steps[i]).cast::<L>().write_unaligned(lane);
            }
            from = from.wrapping_offset(from_steps[UNROLL]);
            to = to.wrapping_offset(to_steps[UNROLL]);
        }
        for _ in 0..len % UNROLL {
            let lane = from.cast::<L>().read_unaligned();
            to.cast::<L>().write_unaligned(lane);
            from = from.wrapping_offset(from_steps[1]);
            to = to.wrapping_offset(to_steps[1]);
        }
    }
}

/// For each lane, the index of the lane that it is a copy of.
#[inline(always)]
fn indices<S: Simd, L: Lane, const GATHER: bool>(simd: S, count: usize, step: isize) -> RegisterOf<S, L> {
    let distance = step.unsigned_abs();
    let add = |lane: L, ones: usize| (0..ones).fold(lane, |lane, _| lane.wrapping_add(L::LOWEST_BIT));
    let by_distance = add(L::ZERO, distance);
    let mut indices = Padded::<L>::uninit();
    let indices = indices.as_mut_ptr();
    // SAFETY: `Padded` has room for any register, and `(count - 1) * distance` is less than its lanes.
    unsafe {
        RegisterOf::<S, L>::splat(simd, L::ZERO).store(indices);
        let mut there = L::ZERO;
        let mut here = if step < 0 { add(L::ZERO, count - 1) } else { L::ZERO };
        for i in 0..count {
            if GATHER {
                indices.add(if step < 0 { count - 1 - i } else { i }).write(there);
            } else {
                indices.add(i * distance).write(here);
            }
            there = there.wrapping_add(by_distance);
            here = if step < 0 {
                here.wrapping_sub(L::LOWEST_BIT)
            } else {
                here.wrapping_add(L::LOWEST_BIT)
            };
        }
        RegisterOf::<S, L>::load(simd, indices)
    }
}

/// `output[i] = function(inputs[i])` on elements where they are.
///
/// Contract: that of [`MapStepsArgs`], whose `function` points to an `F`.
pub(crate) struct MapSteps<F, const N: usize>(PhantomData<F>);

/// `runs` of `len` elements, with steps in bytes from element to element and from run to run. Two inputs, of which a single one stands for
/// both, and the output. All elements can be read or written, as it is. An output is apart from an input, or has its elements at the same
/// indices. Steps are multiples of an element, and those of the output lead to distinct elements. On AVX-512 [`map_fits_registers`] is true.
pub struct MapStepsArgs {
    pub(crate) function: *const u8,
    pub(crate) starts: [*mut u8; TENSORS],
    pub(crate) steps: [isize; TENSORS],
    pub(crate) run_steps: [isize; TENSORS],
    pub(crate) len: usize,
    pub(crate) runs: usize,
}

impl MapStepsArgs {
    #[inline(always)]
    fn starts_of(&self, run: usize) -> [*mut u8; TENSORS] {
        let mut starts = self.starts;
        for i in 0..TENSORS {
            starts[i] = starts[i].wrapping_offset(self.run_steps[i].wrapping_mul(run as isize));
        }
        starts
    }
}

/// Two inputs, and the output. A single input stands for both.
pub(crate) const TENSORS: usize = 3;

/// Whether [`MapSteps`] can walk so many elements of a size, with these steps, by registers that load and store some of their lanes.
///
/// Not for a part of a register: its store would delay the load of the next run, if that is within a register of it.
#[inline(always)]
pub(crate) fn map_fits_registers(steps: &[isize; TENSORS], len: usize, size: usize) -> bool {
    let step = steps[0];
    steps[1] == step
        && steps[2] == step
        && step > 0
        && step <= (greatest_step(size) * size) as isize
        && len * step as usize >= REGISTER_BYTES
}

impl<F: VectorFn<N>, const N: usize> Pass for MapSteps<F, N> {
    type Args = MapStepsArgs;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &MapStepsArgs) {
        // SAFETY: `function` points to an `F`: the contract.
        let function = unsafe { args.function.cast::<F>().read() };
        let size = size_of::<F::Lane>();
        // SAFETY: the elements of each run, with steps as each of the functions wants them: of AVX-512 by the contract, else checked here.
        unsafe {
            if const { has_lanes::<S>() } {
                debug_assert!(map_fits_registers(&args.steps, args.len, size));
                let chosen = Chosen::of::<S, F::Lane>(args.steps[0] as usize / size);
                for run in 0..args.runs {
                    map_registers::<S, F, N>(simd, function, args.starts_of(run), &chosen, args.len);
                }
            } else if args.steps.iter().all(|&step| step == size as isize) {
                for run in 0..args.runs {
                    let starts = args.starts_of(run).map(<*mut u8>::cast::<F::Lane>);
                    let inputs = first_of([starts[0].cast_const(), starts[1].cast_const(), starts[1].cast_const()]);
                    walk_narrow::<S, F, N>(simd, function, inputs, starts[2], args.len);
                }
            } else {
                let steps = args.steps.map(multiples);
                for run in 0..args.runs {
                    map_elements::<S, F, N>(simd, function, args.starts_of(run), &steps, args.len);
                }
            }
        }
    }
}

/// [`MapSteps`] by narrow vectors that are made of single elements, for functions of more than a few instructions. A vector has at
/// most four lanes.
pub(crate) struct MapNarrowSteps<F, const N: usize>(PhantomData<F>);

impl<F: VectorFn<N>, const N: usize> Pass for MapNarrowSteps<F, N> {
    type Args = MapStepsArgs;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &MapStepsArgs) {
        // SAFETY: `function` points to an `F`: the contract.
        let function = unsafe { args.function.cast::<F>().read() };
        let steps = args.steps.map(multiples);
        let lanes = <F::Lane as Lane>::Narrow::<S>::LANES;
        // In the last vector of a run, lanes that are left are the last element again.
        let left = (args.len % lanes).max(1);
        let last_steps = steps.map(|steps| core::array::from_fn(|at| steps[at.min(left - 1)]));
        for run in 0..args.runs {
            let mut starts = args.starts_of(run);
            // SAFETY: as many elements as a vector has, `len / lanes` times; then `left` of them, if any are left.
            unsafe {
                for _ in 0..args.len / lanes {
                    map_narrow::<S, F, N>(simd, function, &starts, &steps);
                    for i in 0..TENSORS {
                        starts[i] = starts[i].wrapping_offset(steps[i][lanes]);
                    }
                }
                if !args.len.is_multiple_of(lanes) {
                    map_narrow::<S, F, N>(simd, function, &starts, &last_steps);
                }
            }
        }
    }
}

/// The lanes of a register that are elements: from the first one on, each `step` lanes after the one before.
struct Chosen {
    step: usize,
    count: usize,
    bits: u64,
}

impl Chosen {
    /// As many as a register has.
    #[inline(always)]
    fn of<S: Simd, L: Lane>(step: usize) -> Self {
        let count = RegisterOf::<S, L>::LANES.div_ceil(step);
        let bits = (0..count).fold(0, |bits, i| bits | 1 << (i * step));
        Self { step, count, bits }
    }

    /// The first `count` of them, which is not 0.
    #[inline(always)]
    fn first(&self, count: usize) -> u64 {
        self.bits & ((2 << ((count - 1) * self.step)) - 1)
    }
}

/// Computes elements with the same step in each tensor. Registers load and store them and nothing else.
///
/// # Safety
///
/// The contract of [`MapStepsArgs`] for `len` elements, whose step is that of `chosen`.
#[inline(always)]
unsafe fn map_registers<S: Simd, F: VectorFn<N>, const N: usize>(
    simd: S,
    function: F,
    starts: [*mut u8; TENSORS],
    chosen: &Chosen,
    len: usize,
) {
    let call = |first: usize, bits: u64| {
        let address = |i: usize| starts[i].cast::<F::Lane>().wrapping_add(first * chosen.step);
        // SAFETY: the lanes of `bits` are elements, from index `first` on.
        unsafe {
            let inputs = inputs!(N, i => RegisterOf::<S, F::Lane>::load_lanes(simd, address(i), bits));
            let [result] = function.call(simd, inputs);
            result.store_lanes(address(2), bits);
        }
    };
    let mut at = 0;
    while len - at >= chosen.count {
        call(at, chosen.bits);
        at += chosen.count;
    }
    if at < len {
        call(at, chosen.first(len - at));
    }
}

/// Computes a narrow vector of elements of 4 bytes or more, at these steps. All are read before the first is written.
///
/// # Safety
///
/// In each tensor, there are elements at the steps, which can be read or written, as in [`MapStepsArgs`]. Where two elements of the output
/// are the same, those of each input are, too.
#[inline(always)]
unsafe fn map_narrow<S: Simd, F: VectorFn<N>, const N: usize>(
    simd: S,
    function: F,
    starts: &[*mut u8; TENSORS],
    steps: &[Steps; TENSORS],
) {
    let address = |i: usize, at: usize| starts[i].wrapping_offset(steps[i][at]).cast::<F::Lane>();
    let count = <F::Lane as Lane>::Narrow::<S>::LANES;
    assert!(count <= UNROLL);
    // SAFETY: elements of the contract. The array has room for a vector: the assertion.
    unsafe {
        let inputs = inputs!(N, i => {
            let mut lanes = [F::Lane::ZERO; UNROLL];
            for at in 0..count {
                lanes[at] = address(i, at).read_unaligned();
            }
            <F::Lane as Lane>::Narrow::<S>::load(simd, lanes.as_ptr())
        });
        let [result] = function.call(simd, inputs);
        let mut lanes = [F::Lane::ZERO; UNROLL];
        result.store(lanes.as_mut_ptr());
        for at in 0..count {
            address(2, at).write_unaligned(lanes[at]);
        }
    }
}

/// Computes elements one by one, with steps in each tensor.
///
/// # Safety
///
/// The contract of [`MapStepsArgs`] for `len` elements.
#[inline(always)]
unsafe fn map_elements<S: Simd, F: VectorFn<N>, const N: usize>(
    simd: S,
    function: F,
    mut starts: [*mut u8; TENSORS],
    steps: &[Steps; TENSORS],
    len: usize,
) {
    type One<S, F, const N: usize> = <<F as VectorFn<N>>::Lane as Lane>::One<S>;

    let call = |starts: &[*mut u8; TENSORS], at: usize| {
        let address = |i: usize| starts[i].wrapping_offset(steps[i][at]).cast::<F::Lane>();
        // SAFETY: `at` is less than the number of elements that are left, by the loops below.
        unsafe {
            let inputs = inputs!(N, i => One::<S, F, N>::load(simd, address(i)));
            let [result] = function.call(simd, inputs);
            result.store(address(2));
        }
    };
    let move_by = |starts: &mut [*mut u8; TENSORS], count: usize| {
        for i in 0..TENSORS {
            starts[i] = starts[i].wrapping_offset(steps[i][count]);
        }
    };
    for _ in 0..len / UNROLL {
        for at in 0..UNROLL {
            call(&starts, at);
        }
        move_by(&mut starts, UNROLL);
    }
    for _ in 0..len % UNROLL {
        call(&starts, 0);
        move_by(&mut starts, 1);
    }
}
