//! Tables of compiled loops by instruction set. There is one static for each function, direction and format, so that
//! the linker keeps only those that a program calls.

use core::fmt::Debug;
use core::mem::MaybeUninit;

use super::detect::Kernels;
#[cfg(all(feature = "half", feature = "smooth"))]
use super::widened::enter_widened;
use crate::function::*;
use crate::isa::Isa;
#[cfg(rectify_avx2)]
use crate::simd::Avx2;
#[cfg(rectify_avx512)]
use crate::simd::Avx512;
#[cfg(rectify_neon)]
use crate::simd::Neon;
#[cfg(rectify_portable)]
use crate::simd::Portable;
use crate::simd::{Access, Element, FORMATS, FloatLane, Format, Lane, Pass, Scalar, Simd, Vector, VectorFn};
#[cfg(feature = "smooth")]
use crate::sweep::MapLong;
use crate::sweep::{
    ALIGNED_BYTES, BitsArgs, ChooseByBits, CountNonzero, Identity, LiveBits, MapMixed, MapRows, MapSlices, RowsArgs,
    SumArgs, SumColumns, SumRows, add_sum, fold, walk_tail,
};
#[cfg(feature = "strided")]
use crate::sweep::{CopySteps, MapNarrowSteps, MapSteps, MapStepsArgs, StepsArgs};

const ISAS: usize = Isa::ALL.len();

/// [`Simd::enter`] of some loop.
pub(super) type SliceEntry = unsafe fn(*const u8, *const u8, *const u8, *mut u8, usize, Access);

/// The loops over slices of one function, direction and format.
pub struct SliceLoops {
    /// For slices of less than [`ALIGNED_BYTES`].
    short: [SliceEntry; ISAS + 1],
    long: [SliceEntry; ISAS + 1],
    /// Whether a second input of a function of one input is a gate: its factor.
    #[cfg(feature = "smooth")]
    pub(crate) takes_gate: bool,
    /// How many times as long as ReLU they take for a byte, approximately.
    #[cfg(feature = "rayon")]
    pub(super) weight: usize,
}

/// The index of the loops for slices that are too short for the registers of [`Isa::Avx512`]: AVX2's for ReLU, for
/// others those of AVX-512.
const INSTEAD_OF_AVX512: usize = ISAS;

/// [`Pass::walk`] of some pass for one format, or `None` where it is not compiled.
pub struct PassLoops<Args, Output = ()>([Option<PassEntry<Args, Output>>; ISAS]);

/// [`Pass::walk`] of some pass.
type PassEntry<Args, Output> = unsafe fn(&Args) -> Output;

pub(crate) type RowsLoops = PassLoops<RowsArgs>;

/// Where a function has no loop for its value at the sum of the inputs.
const NOT_FUSED: RowsLoops = PassLoops([None; ISAS]);

/// Write the mask of a function.
pub(crate) type LiveLoops = PassLoops<BitsArgs, usize>;

/// The gradient from a mask.
pub(crate) type ByBitLoops = PassLoops<BitsArgs>;

/// Evaluates `$do` with each instruction set that is compiled in as the type `$S`.
macro_rules! for_each_isa {
    ($S:ident => $do:expr) => {
        for_each_isa!(
            $S => $do, [] Scalar [rectify_portable] Portable [rectify_neon] Neon [rectify_avx2] Avx2 [rectify_avx512] Avx512
        );
    };
    ($S:ident => $do:expr, $([$($cfg:ident)?] $isa:ident)+) => {
        $(
            #[cfg(all($($cfg)?))]
            {
                type $S = $isa;
                $do;
            }
        )+
    };
}

/// With `NARROW`, short slices have a loop of their own, and tails are split into narrower vectors.
const fn slice_loops<F: VectorFn<N>, const N: usize, const NARROW: bool>() -> SliceLoops {
    let mut loops = SliceLoops {
        short: [slices_not_built_in; ISAS + 1],
        long: [slices_not_built_in; ISAS + 1],
        #[cfg(feature = "smooth")]
        takes_gate: false,
        #[cfg(feature = "rayon")]
        weight: 1,
    };
    for_each_isa!(S => {
        loops.long[S::ISA as usize] = S::enter::<MapSlices<F, N, NARROW, true>>;
        loops.short[S::ISA as usize] = if NARROW {
            S::enter::<MapSlices<F, N, NARROW, false>>
        } else {
            S::enter::<MapSlices<F, N, NARROW, true>>
        };
    });
    let instead = if NARROW { Isa::Avx2 } else { Isa::Avx512 };
    loops.long[INSTEAD_OF_AVX512] = loops.long[instead as usize];
    loops.short[INSTEAD_OF_AVX512] = loops.short[instead as usize];
    loops
}

impl SliceLoops {
    /// The same loops for slices of any length, of a smooth function.
    #[cfg(feature = "smooth")]
    const fn of_any_length<T: Format>(mut loops: [SliceEntry; ISAS + 1], takes_gate: bool) -> Self {
        loops[INSTEAD_OF_AVX512] = loops[Isa::Avx512 as usize];
        Self {
            short: loops,
            long: loops,
            takes_gate,
            // Elements of `f64` take more operations, and those of 16 bits have fewer bytes.
            #[cfg(feature = "rayon")]
            weight: if size_of::<T>() == size_of::<f32>() { 2 } else { 4 },
        }
    }
}

/// Loops over slices for smooth functions of the arithmetic `C`.
#[cfg(feature = "smooth")]
const fn smooth_loops<C: Code, T: Format, F: VectorFn<N, Lane = T::Lane>, const N: usize>() -> SliceLoops {
    if C::IS_SHORT {
        slice_loops::<F, N, false>()
    } else {
        long_loops::<T, F, N>()
    }
}

/// Loops over slices for functions of a lot of code.
#[cfg(feature = "smooth")]
const fn long_loops<T: Format, F: VectorFn<N, Lane = T::Lane>, const N: usize>() -> SliceLoops {
    let mut loops: [SliceEntry; ISAS + 1] = [slices_not_built_in; ISAS + 1];
    for_each_isa!(S => loops[S::ISA as usize] = S::enter::<MapLong<F, ProductOf<T>, N>>);
    SliceLoops::of_any_length::<T>(loops, N == 1)
}

/// Loops over slices of 16-bit elements, by the loops of `f32`.
#[cfg(all(feature = "half", feature = "smooth"))]
const fn block_loops<T: Format<Lane = i16>, F: OfBlocks<N>, const N: usize>() -> SliceLoops {
    let mut loops: [SliceEntry; ISAS + 1] = [slices_not_built_in; ISAS + 1];
    for_each_isa!(S => loops[S::ISA as usize] = enter_widened::<S, T, F, N>);
    SliceLoops::of_any_length::<T>(loops, N == 1)
}

const fn pass_loops<P: Pass>() -> PassLoops<P::Args, P::Output> {
    pass_loops_from::<P>(Isa::Scalar)
}

/// A pass that is compiled only for instruction sets from `first` on.
const fn pass_loops_from<P: Pass>(first: Isa) -> PassLoops<P::Args, P::Output> {
    let mut loops: [Option<PassEntry<P::Args, P::Output>>; ISAS] = [None; ISAS];
    for_each_isa!(S => {
        if S::ISA as usize >= first as usize {
            loops[S::ISA as usize] = Some(S::run::<P>);
        }
    });
    PassLoops(loops)
}

/// The entry for an instruction set that is not compiled in. Not reachable, since no `Kernels` has one.
unsafe fn slices_not_built_in(_: *const u8, _: *const u8, _: *const u8, _: *mut u8, _: usize, _: Access) {
    not_built_in()
}

#[cold]
fn not_built_in() -> ! {
    unreachable!("a Kernels exists only for an instruction set that is built in");
}

impl SliceLoops {
    /// Calls the loop for the instruction set that `kernels` proves to be available.
    ///
    /// # Safety
    ///
    /// The arguments meet the contract of [`MapSlices`], with elements of `size` bytes. After a single input comes a null
    /// pointer, or a gate if the loops take one. With non-temporal stores, [`fence`](crate::simd::fence) comes before any other
    /// access to the output.
    #[inline(always)]
    pub(super) unsafe fn call(
        &self,
        kernels: Kernels,
        params: *const u8,
        [first_input, last_input]: [*const u8; 2],
        output: *mut u8,
        (len, size): (usize, usize),
        access: Access,
    ) {
        let bytes = len * size;
        let table = if bytes >= ALIGNED_BYTES {
            &self.long
        } else {
            &self.short
        };
        let index = if bytes < kernels.avx2_below() {
            INSTEAD_OF_AVX512
        } else {
            kernels.isa() as usize
        };
        // SAFETY: the arguments meet the contract of `MapSlices`, and by what follows a single input that of `MapLong`: this
        // function's contract. `kernels` proves that its instruction set is available; if `avx2_below` is not 0, that is
        // AVX-512, and AVX2 is available too.
        unsafe { table[index](params, first_input, last_input, output, len, access) }
    }
}

impl<Args, Output> PassLoops<Args, Output> {
    /// Calls the pass for the instruction set that `kernels` proves to be available.
    ///
    /// # Safety
    ///
    /// `args` meets the contract of the pass. Where that wants a fence, it comes before any other access to the
    /// outputs.
    #[inline(always)]
    pub(super) unsafe fn call(&self, kernels: Kernels, args: &Args) -> Output {
        match self.0[kernels.isa() as usize] {
            // SAFETY: `args` meets the contract of the pass: this function's contract. `kernels` proves that its
            // instruction set is available.
            Some(pass) => unsafe { pass(args) },
            None => not_built_in(),
        }
    }

    /// Whether the pass is compiled for some instruction set.
    pub(crate) fn is_compiled(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }

    /// Whether the pass is compiled for the instruction set.
    pub(super) fn has(&self, kernels: Kernels) -> bool {
        self.0[kernels.isa() as usize].is_some()
    }
}

/// The reductions of a format.
pub(crate) struct SumLoops {
    pub(super) columns: PassLoops<SumArgs>,
    pub(super) rows: PassLoops<SumArgs>,
    /// The size of a sum in bytes.
    pub(super) size: usize,
    /// Adds `len` sums to `len` totals.
    pub(super) add: unsafe fn(totals: *mut u8, sums: *const u8, len: usize),
    /// Adds the sum of the accumulators of a row, [`RowLanes`](crate::sweep::RowLanes), to a total.
    pub(super) add_lanes: unsafe fn(total: *mut u8, lanes: *mut u8),
    /// Writes the sum of `columns` columns to each of `rows` totals, each column by the accumulator of its place. A NaN is
    /// the canonical quiet NaN.
    pub(super) add_columns: unsafe fn(totals: *mut u8, sums: *const u8, rows: usize, columns: usize),
    /// Replaces every NaN by the canonical quiet NaN.
    pub(super) finish: unsafe fn(totals: *mut u8, len: usize),
}

const fn sum_loops<L: FloatLane, C: Pass<Args = SumArgs, Output = ()>, R: Pass<Args = SumArgs, Output = ()>>()
-> SumLoops {
    SumLoops {
        columns: pass_loops::<C>(),
        rows: pass_loops::<R>(),
        size: size_of::<L>(),
        add: add_sums::<L>,
        add_lanes: add_lanes::<L>,
        add_columns: add_columns::<L>,
        finish: finish_sums::<L>,
    }
}

/// # Safety
///
/// `totals` can be written, and `sums` read, for `len` lanes of `L`.
unsafe fn add_sums<L: FloatLane>(totals: *mut u8, sums: *const u8, len: usize) {
    let (totals, sums) = (totals.cast::<L>(), sums.cast::<L>());
    for i in 0..len {
        // SAFETY: `i < len`, and `totals` and `sums` have `len` lanes: this function's contract.
        unsafe { add_sum(totals.add(i), sums.add(i).read_unaligned()) };
    }
}

/// # Safety
///
/// `totals` can be written for `rows` lanes of `L`, and `sums` read for `rows * columns`, aligned.
unsafe fn add_columns<L: FloatLane>(totals: *mut u8, sums: *const u8, rows: usize, columns: usize) {
    let (totals, sums) = (totals.cast::<L>(), sums.cast::<L>());
    for row in 0..rows {
        // SAFETY: `row < rows`, and each has `columns` sums: this function's contract.
        unsafe {
            let sums = core::slice::from_raw_parts(sums.add(row * columns), columns);
            let (whole, left) = sums.as_chunks::<COLUMN_LANES>();
            let mut lanes = [L::ZERO; COLUMN_LANES];
            for sums in whole {
                for i in 0..COLUMN_LANES {
                    lanes[i] = lanes[i].add(sums[i]);
                }
            }
            for (lane, &sum) in lanes.iter_mut().zip(left) {
                *lane = lane.add(sum);
            }
            let total = lanes[0].add(lanes[2]).add(lanes[1].add(lanes[3]));
            totals.add(row).write_unaligned(total.with_canonical_nan());
        }
    }
}

/// The number of accumulators of the columns of a row.
const COLUMN_LANES: usize = 4;

/// # Safety
///
/// `total` can be written for a lane of `L`, and `lanes` are the accumulators of a row, aligned.
unsafe fn add_lanes<L: FloatLane>(total: *mut u8, lanes: *mut u8) {
    // SAFETY: `total` is one lane, and `lanes` are as many as `fold` wants: this function's contract.
    unsafe { add_sum(total.cast(), fold::<L>(lanes.cast())) };
}

/// # Safety
///
/// `totals` can be written for `len` lanes of `L`.
unsafe fn finish_sums<L: FloatLane>(totals: *mut u8, len: usize) {
    let totals = totals.cast::<L>();
    for i in 0..len {
        // SAFETY: `i < len`, and `totals` has `len` lanes: this function's contract.
        unsafe {
            totals
                .add(i)
                .write_unaligned(totals.add(i).read_unaligned().with_canonical_nan())
        };
    }
}

/// An array of `&$loops` for each format `$T`. Each is a static of its own. `$halves` are those of 16 bits, if they are
/// others.
macro_rules! per_format {
    ($T:ident => $type:ty: $loops:expr) => {
        per_format!($T => $type: $loops, of 16 bits: $loops)
    };
    ($T:ident => $type:ty: $loops:expr, of 16 bits: $halves:expr) => {{
        const {
            assert!(<f32 as Format>::INDEX == 0 && <f64 as Format>::INDEX == 1);
            #[cfg(feature = "half")]
            assert!(<half::f16 as Format>::INDEX == 2 && <half::bf16 as Format>::INDEX == 3);
        }
        static F32: $type = {
            type $T = f32;
            $loops
        };
        static F64: $type = {
            type $T = f64;
            $loops
        };
        #[cfg(feature = "half")]
        static F16: $type = {
            type $T = half::f16;
            $halves
        };
        #[cfg(feature = "half")]
        static BF16: $type = {
            type $T = half::bf16;
            $halves
        };
        // By `Format::INDEX`.
        [
            &F32,
            &F64,
            #[cfg(feature = "half")]
            &F16,
            #[cfg(feature = "half")]
            &BF16,
        ]
    }};
}

type LaneOf<T> = <T as Format>::Lane;

type PerFormat<L> = [&'static L; FORMATS];

pub(crate) const SUM: PerFormat<RowsLoops> = per_format!(T => RowsLoops: pass_loops::<MapRows<Sum<T>, 3, 1>>());

/// The first input is multiplied by the second one; then the third and the fourth are added.
pub(crate) const AFFINE: PerFormat<RowsLoops> =
    per_format!(T => RowsLoops: pass_loops::<MapMixed<T, Affine, Copied<LaneOf<T>>>>());

pub(crate) const SUMS: PerFormat<SumLoops> = per_format!(
    T => SumLoops: sum_loops::<<T as Format>::ComputedIn, SumColumns<Identity<T>, 1>, SumRows<Identity<T>, 1>>()
);

pub(crate) const PRELU_VALUE: PerFormat<RowsLoops> =
    per_format!(T => RowsLoops: pass_loops::<MapRows<PReluValue<T>, 2, 1>>());

pub(crate) const PRELU_GRADIENT: PerFormat<RowsLoops> =
    per_format!(T => RowsLoops: pass_loops::<MapRows<PReluGradient<T>, 3, 1>>());

pub(crate) const PRELU_SUMS: PerFormat<SumLoops> = per_format!(
    T => SumLoops: sum_loops::<<T as Format>::ComputedIn, SumColumns<PReluSlopes<T>, 2>, SumRows<PReluSlopes<T>, 2>>()
);

pub(crate) const REGLU_VALUE: PerFormat<RowsLoops> =
    per_format!(T => RowsLoops: pass_loops::<MapRows<ReGluValue<T>, 2, 1>>());

pub(crate) const REGLU_GRADIENT: PerFormat<RowsLoops> =
    per_format!(T => RowsLoops: pass_loops::<MapRows<ReGluGradient<T>, 3, 2>>());

pub(crate) const CRELU_VALUE: PerFormat<RowsLoops> =
    per_format!(T => RowsLoops: pass_loops::<MapRows<CreluValue<T>, 1, 2>>());

pub(crate) const CRELU_GRADIENT: PerFormat<RowsLoops> =
    per_format!(T => RowsLoops: pass_loops::<MapRows<CreluGradient<T>, 3, 1>>());

pub(crate) const COUNT_NONZERO: PerFormat<PassLoops<BitsArgs, usize>> =
    per_format!(T => PassLoops<BitsArgs, usize>: pass_loops::<CountNonzero<LaneOf<T>>>());

/// Copies elements with a step between them to where they are contiguous, or back.
#[cfg(feature = "strided")]
pub(super) struct StepsLoops {
    pub(super) gather: PassLoops<StepsArgs>,
    pub(super) scatter: PassLoops<StepsArgs>,
}

/// By the binary logarithm of the size of an element, from 2 bytes on.
#[cfg(feature = "strided")]
pub(super) static STEPS: [StepsLoops; 3] = [steps_loops::<i16>(), steps_loops::<i32>(), steps_loops::<i64>()];

#[cfg(feature = "strided")]
const fn steps_loops<L: Lane>() -> StepsLoops {
    StepsLoops {
        gather: scalar_and_avx512::<CopySteps<L, true>>(),
        scatter: scalar_and_avx512::<CopySteps<L, false>>(),
    }
}

/// A pass that is compiled for single elements, and for registers that load and store some of their lanes.
#[cfg(feature = "strided")]
const fn scalar_and_avx512<P: Pass>() -> PassLoops<P::Args, P::Output> {
    let mut loops = pass_loops_from::<P>(Isa::Avx512);
    loops.0[Isa::Scalar as usize] = Some(Scalar::run::<P>);
    loops
}

/// A function of elements at a step, where they are.
#[cfg(feature = "strided")]
pub(crate) type MapStepsLoops = PassLoops<MapStepsArgs>;

/// Where elements at a step go through a block.
#[cfg(feature = "strided")]
const NOT_AT_STEPS: MapStepsLoops = PassLoops([None; ISAS]);

/// [`MapSteps`] of functions that take less time than copies of elements. Of others, scalar code may have a branch, which random signs make
/// seven times as slow.
#[cfg(feature = "strided")]
const fn at_steps<A: Function, F: VectorFn<N>, const N: usize>() -> MapStepsLoops {
    if A::IS_COMMON {
        scalar_and_avx512::<MapSteps<F, N>>()
    } else {
        NOT_AT_STEPS
    }
}

/// Whether elements of arrays are computed by code that is compiled with the caller. 16 bits take much scalar code, where they are
/// computed in another format.
#[cfg(feature = "strided")]
const fn is_computed_in_caller<A: Function, T: Format>() -> bool {
    A::IS_COMMON || size_of::<T>() >= size_of::<f32>()
}

/// Scalar code for elements at a step, compiled with the caller, of functions that have no loops of [`at_steps`].
#[cfg(feature = "strided")]
const fn steps_in_caller<A: Function, T: Format, P: Pass<Args = MapStepsArgs, Output = ()>>()
-> Option<unsafe fn(&MapStepsArgs)> {
    if !A::IS_COMMON && is_computed_in_caller::<A, T>() {
        Some(Scalar::run::<P>)
    } else {
        None
    }
}

/// Copies lanes, with non-temporal stores where `streaming`.
pub(crate) const COPY: PerFormat<SliceLoops> =
    per_format!(T => SliceLoops: slice_loops::<Copied<LaneOf<T>>, 1, false>());

/// The product of two elements.
#[cfg(feature = "smooth")]
pub(crate) const PRODUCT: PerFormat<SliceLoops> = per_format!(T => SliceLoops: long_loops::<T, ProductOf<T>, 2>());

/// x itself.
#[derive(Clone, Copy)]
struct Copied<L>(core::marker::PhantomData<L>);

impl<L: Lane> VectorFn<1> for Copied<L> {
    type Lane = L;

    #[inline(always)]
    fn call<V: Vector<Lane = L>>(self, _: V::Simd, [x]: [V; 1]) -> [V; 1] {
        [x]
    }
}

/// The function's value at input + bias + residual, in one loop, of functions whose time is that of memory. Others have
/// [`scaled_loops`], or go through a block.
const fn fused_loops<A: Function, T: Format>() -> RowsLoops {
    if A::IS_COMMON {
        pass_loops_from::<MapRows<ValueOfSum<A, T>, 3, 1>>(Isa::Neon)
    } else {
        NOT_FUSED
    }
}

/// The function's value at input * scale + bias + residual, in one loop.
///
/// It is not compiled for scalar and portable code, nor for 16-bit formats of most functions. There the sum goes to a
/// block in the L1 cache first, which takes as long.
const fn scaled_loops<A: Function, T: Format>() -> RowsLoops {
    let is_compiled = A::IS_COMMON || size_of::<T>() >= size_of::<f32>();
    if is_compiled {
        pass_loops_from::<MapMixed<T, Affine, Value<A, T>>>(Isa::Neon)
    } else {
        NOT_FUSED
    }
}

/// Storage for the parameters of a function, as its loops read them.
#[repr(C)]
pub struct Params(MaybeUninit<[u64; 16]>);

impl Params {
    #[inline(always)]
    pub(crate) const fn uninit() -> Self {
        Self(MaybeUninit::uninit())
    }

    #[inline(always)]
    pub(crate) fn new<P: Copy>(params: P) -> Self {
        let mut room = Self::uninit();
        room.write(params);
        room
    }

    #[inline(always)]
    pub(crate) fn write<P: Copy>(&mut self, params: P) {
        const { assert!(size_of::<P>() <= size_of::<Self>() && align_of::<P>() <= align_of::<Self>()) };
        // SAFETY: a `P` fits and is aligned, checked by the assertion.
        unsafe { self.0.as_mut_ptr().cast::<P>().write(params) };
    }

    #[inline(always)]
    pub(super) fn as_ptr(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }
}

/// The parameters of a function without parameters. They have size 0, so any pointer that isn't null will do.
pub(super) const NO_PARAMS: *const u8 = core::ptr::NonNull::<u64>::dangling().as_ptr().cast();

/// The loops of a function. Seals [`Activation`](crate::activation::Activation).
pub trait Compiled: Copy + Debug + Send + Sync + 'static {
    /// Writes the parameters as the loops read them. (A return value would be copied whole, unused bytes too.)
    fn write_loop_params<T: Element>(&self, room: &mut Params);

    fn forward_loops<T: Element>(&self) -> &'static SliceLoops;

    fn backward_loops<T: Element>(&self) -> &'static SliceLoops;

    /// The value at input + bias + residual, on the instruction sets that have a loop for it.
    fn fused_loops<T: Element>(&self) -> &'static RowsLoops;

    /// The value at input * scale + bias + residual, likewise.
    fn scaled_loops<T: Element>(&self) -> &'static RowsLoops;

    /// The value of elements at a step, of functions for which it is compiled.
    #[cfg(feature = "strided")]
    fn forward_steps<T: Element>(&self) -> &'static MapStepsLoops;

    /// The gradient, likewise.
    #[cfg(feature = "strided")]
    fn backward_steps<T: Element>(&self) -> &'static MapStepsLoops;

    /// Whether elements of arrays are computed by code that is compiled with the caller, [`forward_one`](Self::forward_one).
    #[cfg(feature = "ndarray")]
    fn computes_one<T: Element>() -> bool {
        false
    }

    /// The value of one element. Without branches, so that loops over it become vectors.
    #[cfg(feature = "ndarray")]
    fn forward_one<T: Element>(self) -> impl Fn(T) -> T {
        |_| unreachable!("computes_one is false")
    }

    /// The value of elements at a step, by scalar code. `None` where [`forward_steps`](Self::forward_steps) is compiled, or not `computes_one`.
    #[cfg(feature = "strided")]
    fn forward_steps_in_caller<T: Element>() -> Option<unsafe fn(&MapStepsArgs)> {
        None
    }

    /// The gradient, likewise.
    #[cfg(feature = "strided")]
    fn backward_steps_in_caller<T: Element>() -> Option<unsafe fn(&MapStepsArgs)> {
        None
    }

    /// Whether slices for which [`is_few`] returns true are computed by code that is inlined into the caller.
    const WALKS_FEW: bool = false;

    /// # Safety
    ///
    /// The inputs can be read and the output written for `len` lanes. The output overlaps no input, or is one.
    /// `is_few(len)`.
    #[inline(always)]
    unsafe fn forward_few<T: Element>(&self, _inputs: [*const T::Lane; 1], _output: *mut T::Lane, _len: usize) {
        unreachable!("WALKS_FEW is false")
    }

    /// # Safety
    ///
    /// As for [`forward_few`](Self::forward_few).
    #[inline(always)]
    unsafe fn backward_few<T: Element>(&self, _inputs: [*const T::Lane; 2], _output: *mut T::Lane, _len: usize) {
        unreachable!("WALKS_FEW is false")
    }
}

/// Fewer vectors than this are computed in the caller: to load the choice of an instruction set and to call its loop
/// takes longer. In WebAssembly the caller's vectors are as wide as those of the loop, so that the caller is not slower.
const FEW_VECTORS: usize = if cfg!(target_family = "wasm") {
    128
} else {
    TAIL_VECTORS
};

/// A tail in the caller has fewer vectors.
const TAIL_VECTORS: usize = 8;

#[inline(always)]
pub(super) fn is_few<T: Element>(len: usize) -> bool {
    len < FEW_VECTORS * <T::Lane as Lane>::InCaller::LANES
}

/// The loops of a function that has masks. Seals [`OneBitGradient`](crate::activation::OneBitGradient).
pub trait CompiledOneBit: Compiled {
    fn live_loops<T: Element>(&self) -> &'static LiveLoops;

    fn live_params<T: Element>(&self) -> Params;

    /// The gradient from a mask.
    fn by_bit_loops<T: Element>(&self) -> &'static ByBitLoops;

    fn by_bit_params<T: Element>(&self) -> Params;
}

macro_rules! compile {
    ([$($name:ident)+] one bit: [$($one_bit:ident)+] smooth: [$($smooth:ident)*] from output: [$($of_output:ident)*]) => {
        $(
            impl $name {
                const FORWARD: PerFormat<SliceLoops> = per_format!(
                    T => SliceLoops: slice_loops::<Value<$name, <$name as Function>::Code<T>>, 1, { <$name as Function>::IS_COMMON }>()
                );

                const BACKWARD: PerFormat<SliceLoops> = per_format!(
                    T => SliceLoops: slice_loops::<Gradient<$name, <$name as Function>::Code<T>>, 2, { <$name as Function>::IS_COMMON }>()
                );

                const FUSED: PerFormat<RowsLoops> =
                    per_format!(T => RowsLoops: fused_loops::<$name, T>());

                const SCALED: PerFormat<RowsLoops> =
                    per_format!(T => RowsLoops: scaled_loops::<$name, T>());

                #[cfg(feature = "strided")]
                const FORWARD_STEPS: PerFormat<MapStepsLoops> = per_format!(
                    T => MapStepsLoops: at_steps::<$name, Value<$name, <$name as Function>::Code<T>>, 1>()
                );

                #[cfg(feature = "strided")]
                const BACKWARD_STEPS: PerFormat<MapStepsLoops> = per_format!(
                    T => MapStepsLoops: at_steps::<$name, Gradient<$name, <$name as Function>::Code<T>>, 2>()
                );
            }

            impl Compiled for $name {
                #[inline(always)]
                fn write_loop_params<T: Element>(&self, room: &mut Params) {
                    room.write(<$name as Function>::params::<T>(*self));
                }

                by_format!();

                #[cfg(feature = "ndarray")]
                #[inline(always)]
                fn computes_one<T: Element>() -> bool {
                    const { is_computed_in_caller::<$name, T>() }
                }

                #[cfg(feature = "ndarray")]
                #[inline(always)]
                fn forward_one<T: Element>(self) -> impl Fn(T) -> T {
                    let value = Value::<$name, T>(<$name as Function>::params::<T>(self));
                    move |x| call_one(value, x)
                }

                #[cfg(feature = "strided")]
                #[inline(always)]
                fn forward_steps_in_caller<T: Element>() -> Option<unsafe fn(&MapStepsArgs)> {
                    const { steps_in_caller::<$name, T, MapNarrowSteps<Value<$name, T>, 1>>() }
                }

                #[cfg(feature = "strided")]
                #[inline(always)]
                fn backward_steps_in_caller<T: Element>() -> Option<unsafe fn(&MapStepsArgs)> {
                    const { steps_in_caller::<$name, T, MapNarrowSteps<Gradient<$name, T>, 2>>() }
                }

                const WALKS_FEW: bool = <$name as Function>::IS_COMMON;

                #[inline(always)]
                unsafe fn forward_few<T: Element>(&self, inputs: [*const T::Lane; 1], output: *mut T::Lane, len: usize) {
                    // SAFETY: the pointers and `len` are those of this function's contract, which is that of
                    // `walk_few`.
                    unsafe { walk_few::<T, _, 1>(Value::<$name, T>(<$name as Function>::params::<T>(*self)), inputs, output, len) }
                }

                #[inline(always)]
                unsafe fn backward_few<T: Element>(&self, inputs: [*const T::Lane; 2], output: *mut T::Lane, len: usize) {
                    // SAFETY: the pointers and `len` are those of this function's contract, which is that of
                    // `walk_few`.
                    unsafe { walk_few::<T, _, 2>(Gradient::<$name, T>(<$name as Function>::params::<T>(*self)), inputs, output, len) }
                }
            }
        )+

        $(
            impl $smooth {
                const FORWARD: PerFormat<SliceLoops> = per_format!(
                    T => SliceLoops: smooth_loops::<<$smooth as Smooth>::Code, T, SmoothValue<<$smooth as Smooth>::Code, T>, 1>(),
                    of 16 bits: block_loops::<T, SmoothValue<<$smooth as Smooth>::Code, f32>, 1>()
                );

                const BACKWARD: PerFormat<SliceLoops> = per_format!(
                    T => SliceLoops: smooth_loops::<<$smooth as Smooth>::Code, T, SmoothGradient<<$smooth as Smooth>::Code, T>, 2>(),
                    of 16 bits: block_loops::<T, SmoothGradient<<$smooth as Smooth>::Code, f32>, 2>()
                );

                // The sum goes to a block first.
                const FUSED: PerFormat<RowsLoops> = [const { &NOT_FUSED }; FORMATS];

                const SCALED: PerFormat<RowsLoops> = Self::FUSED;

                #[cfg(feature = "strided")]
                const FORWARD_STEPS: PerFormat<MapStepsLoops> = [const { &NOT_AT_STEPS }; FORMATS];

                #[cfg(feature = "strided")]
                const BACKWARD_STEPS: PerFormat<MapStepsLoops> = Self::FORWARD_STEPS;
            }

            impl Compiled for $smooth {
                #[inline(always)]
                fn write_loop_params<T: Element>(&self, room: &mut Params) {
                    room.write(<$smooth as Smooth>::params::<T::ComputedIn>(*self));
                }

                by_format!();
            }
        )*

        $(
            impl FromOutput<$of_output> {
                const FORWARD: PerFormat<SliceLoops> = $of_output::FORWARD;

                const BACKWARD: PerFormat<SliceLoops> = per_format!(
                    T => SliceLoops: long_loops::<T, SmoothGradient<FromOutput<$of_output>, T>, 2>(),
                    of 16 bits: block_loops::<T, SmoothGradient<FromOutput<$of_output>, f32>, 2>()
                );

                const FUSED: PerFormat<RowsLoops> = $of_output::FUSED;

                const SCALED: PerFormat<RowsLoops> = $of_output::SCALED;

                #[cfg(feature = "strided")]
                const FORWARD_STEPS: PerFormat<MapStepsLoops> = $of_output::FORWARD_STEPS;

                #[cfg(feature = "strided")]
                const BACKWARD_STEPS: PerFormat<MapStepsLoops> = $of_output::BACKWARD_STEPS;
            }

            impl Compiled for FromOutput<$of_output> {
                #[inline(always)]
                fn write_loop_params<T: Element>(&self, room: &mut Params) {
                    self.0.write_loop_params::<T>(room);
                }

                by_format!();
            }
        )*

        $(
            impl $one_bit {
                const LIVE: PerFormat<LiveLoops> =
                    per_format!(T => LiveLoops: pass_loops::<LiveBits<<$one_bit as OneBit>::Live<LaneOf<T>>>>());

                const BY_BIT: PerFormat<ByBitLoops> =
                    per_format!(T => ByBitLoops: pass_loops::<ChooseByBits<<$one_bit as OneBit>::ByBit<T>>>());
            }

            impl CompiledOneBit for $one_bit {
                #[inline]
                fn live_loops<T: Element>(&self) -> &'static LiveLoops {
                    const { Self::LIVE[T::INDEX] }
                }

                #[inline]
                fn live_params<T: Element>(&self) -> Params {
                    Params::new(OneBit::live::<T>(*self))
                }

                #[inline]
                fn by_bit_loops<T: Element>(&self) -> &'static ByBitLoops {
                    const { Self::BY_BIT[T::INDEX] }
                }

                #[inline]
                fn by_bit_params<T: Element>(&self) -> Params {
                    Params::new(OneBit::by_bit::<T>(*self))
                }
            }
        )+
    };
}

/// The loops of a function, from its constants by format.
macro_rules! by_format {
    () => {
        #[inline(always)]
        fn forward_loops<T: Element>(&self) -> &'static SliceLoops {
            const { Self::FORWARD[T::INDEX] }
        }

        #[inline(always)]
        fn backward_loops<T: Element>(&self) -> &'static SliceLoops {
            const { Self::BACKWARD[T::INDEX] }
        }

        #[inline(always)]
        fn fused_loops<T: Element>(&self) -> &'static RowsLoops {
            const { Self::FUSED[T::INDEX] }
        }

        #[inline(always)]
        fn scaled_loops<T: Element>(&self) -> &'static RowsLoops {
            const { Self::SCALED[T::INDEX] }
        }

        #[cfg(feature = "strided")]
        #[inline(always)]
        fn forward_steps<T: Element>(&self) -> &'static MapStepsLoops {
            const { Self::FORWARD_STEPS[T::INDEX] }
        }

        #[cfg(feature = "strided")]
        #[inline(always)]
        fn backward_steps<T: Element>(&self) -> &'static MapStepsLoops {
            const { Self::BACKWARD_STEPS[T::INDEX] }
        }
    };
}

for_each_function!(compile);

/// The result of a function for one element.
#[cfg(feature = "ndarray")]
#[inline(always)]
fn call_one<T: Element, F: VectorFn<1, Lane = T::Lane>>(function: F, x: T) -> T {
    type One<T> = <<T as Format>::Lane as Lane>::One<Scalar>;

    let simd = Scalar::always();
    let mut result = T::default();
    // SAFETY: an element is as large as its lane, of which these vectors have one. Each bit pattern is an element.
    unsafe {
        let x = One::<T>::load(simd, (&raw const x).cast());
        let [vector] = function.call(simd, [x]);
        vector.store((&raw mut result).cast());
    }
    result
}

/// # Safety
///
/// As for [`Compiled::forward_few`].
#[inline(always)]
unsafe fn walk_few<T: Element, F: VectorFn<N, Lane = T::Lane>, const N: usize>(
    function: F,
    inputs: [*const T::Lane; N],
    output: *mut T::Lane,
    len: usize,
) {
    let simd = Scalar::always();
    let lanes = <T::Lane as Lane>::InCaller::LANES;
    let mut at = 0;
    // SAFETY: `len` elements can be read and written: this function's contract. Those from `at` to the end of a call are among
    // them, and fewer than TAIL_VECTORS vectors: in the loop half of that; after it by its condition, or by `is_few`, which
    // is in the contract, where it is left out.
    unsafe {
        while const { FEW_VECTORS > TAIL_VECTORS } && len - at >= TAIL_VECTORS * lanes {
            let end = at + TAIL_VECTORS / 2 * lanes;
            walk_tail::<<T::Lane as Lane>::InCaller, F, N, TAIL_VECTORS>(simd, function, inputs, output, at, end);
            at = end;
        }
        walk_tail::<<T::Lane as Lane>::InCaller, F, N, TAIL_VECTORS>(simd, function, inputs, output, at, len);
    }
}
