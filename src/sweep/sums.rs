//! Reductions over channels: the gradients of a bias and of slopes. These passes write only the sums.

use core::marker::PhantomData;
use core::mem::MaybeUninit;

use super::{Plan, RegisterOf};
use crate::simd::{Float, FloatLane, Format, Lane, Pass, Register, Simd, SumFn, Vector, inputs};

/// The summand x itself.
pub(crate) struct Identity<T>(PhantomData<T>);

impl<T: Format> SumFn<1> for Identity<T> {
    type Format = T;

    #[inline(always)]
    fn summand<V: Register<Lane = T::Lane>>(_: V::Simd, [x]: [V; 1], index: usize) -> V::Float {
        x.widen::<T>(index)
    }
}

pub(crate) struct SumArgs {
    pub(crate) plan: *const Plan,
    /// Lanes of [`Format::ComputedIn`].
    pub(crate) sums: *mut u8,
    /// For [`SumRows`]: the accumulators of a single row that this call continues, or null.
    pub(crate) lanes: *mut u8,
}

/// The lanes of the summands' format, and of its compute format.
type LaneOf<F, const N: usize> = <<F as SumFn<N>>::Format as Format>::Lane;
type SumOf<F, const N: usize> = <<F as SumFn<N>>::Format as Format>::ComputedIn;

/// The register of sums.
type FloatOf<S, F, const N: usize> = <RegisterOf<S, LaneOf<F, N>> as Register>::Float;

/// The number of columns that are summed at a time: their sums stay in the L1 cache. A multiple of every register's
/// lanes.
pub(crate) const STRIP: usize = 1024;

/// The number of registers of sums that are added up at a time: an addition takes longer than the next one wants to
/// wait.
const WIDE: usize = 4;

/// Adds each row to `sums`, which has a sum for each column. The reduction order is that of the rows.
///
/// Contract: `plan` can be read and has one group, and its inputs can be read. `sums` can be read and written for a lane for each
/// column, rounded up to whole registers, and nothing else accesses it.
pub(crate) struct SumColumns<F, const N: usize>(PhantomData<F>);

impl<F: SumFn<N>, const N: usize> Pass for SumColumns<F, N> {
    type Args = SumArgs;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &SumArgs) {
        // SAFETY: `plan` can be read: the contract of the pass.
        let plan = unsafe { *args.plan };
        let sums = args.sums.cast::<SumOf<F, N>>();
        let lanes = RegisterOf::<S, LaneOf<F, N>>::LANES;
        let floats = RegisterOf::<S, LaneOf<F, N>>::FLOATS;
        let mut at = 0;
        while at < plan.columns {
            // SAFETY: `left` columns exist from `at` on. Each branch adds at most `left`, checked by its condition. The
            // sums end with a whole register.
            unsafe {
                let left = plan.columns - at;
                if left >= WIDE / floats * lanes {
                    if const { RegisterOf::<S, LaneOf<F, N>>::FLOATS == 2 } {
                        add_columns::<S, F, N, { WIDE / 2 }>(simd, &plan, sums, at);
                    } else {
                        add_columns::<S, F, N, WIDE>(simd, &plan, sums, at);
                    }
                    at += WIDE / floats * lanes;
                } else if left >= lanes {
                    add_columns::<S, F, N, 1>(simd, &plan, sums, at);
                    at += lanes;
                } else {
                    add_last_columns::<S, F, N>(simd, &plan, sums, at, left);
                    at = plan.columns;
                }
            }
        }
    }
}

/// Adds the columns of `COUNT` registers, at most [`WIDE`]. Their sums stay in registers from the first row to the last.
///
/// # Safety
///
/// The plan has the columns of `COUNT` registers from `at` on, and `sums` has as many sums.
#[inline(always)]
unsafe fn add_columns<S: Simd, F: SumFn<N>, const N: usize, const COUNT: usize>(
    simd: S,
    plan: &Plan,
    sums: *mut SumOf<F, N>,
    at: usize,
) {
    let lanes = RegisterOf::<S, LaneOf<F, N>>::LANES;
    // Without a loop over registers, as in `inputs!`.
    macro_rules! add {
        ($($index:literal $total:ident),+) => {
            $(let mut $total = load_sums::<S, F, N>(simd, sums.add(at + $index % COUNT * lanes));)+
            for row in 0..plan.rows {
                let inputs = inputs!(N, i => input::<F, N>(plan, (0, row), i).add(at));
                $(if const { $index < COUNT } {
                    $total = add_registers::<S, F, N>(simd, inputs, $index * lanes, $total);
                })+
            }
            $(if const { $index < COUNT } {
                store_sums::<S, F, N>($total, sums.add(at + $index * lanes));
            })+
        };
    }
    const { assert!(COUNT <= WIDE && WIDE <= 4) };
    // SAFETY: `at + index * lanes` is in the columns of `COUNT` registers: this function's contract.
    unsafe {
        add!(0 a, 1 b, 2 c, 3 d);
    }
}

/// Adds the tail: fewer columns than a register has lanes.
///
/// # Safety
///
/// The plan has `count` columns from `at` on, fewer than a register has lanes, and `sums` has the sums of a register.
#[inline(always)]
unsafe fn add_last_columns<S: Simd, F: SumFn<N>, const N: usize>(
    simd: S,
    plan: &Plan,
    sums: *mut SumOf<F, N>,
    at: usize,
    count: usize,
) {
    // SAFETY: `count` columns exist at `at`, and the sums of a register: this function's contract.
    unsafe {
        let mut total = load_sums::<S, F, N>(simd, sums.add(at));
        for row in 0..plan.rows {
            let inputs = inputs!(N, i => input::<F, N>(plan, (0, row), i).add(at));
            total = add_first::<S, F, N>(simd, inputs, 0, count, total);
        }
        store_sums::<S, F, N>(total, sums.add(at));
    }
}

/// The pointer to a row of the input at `index`.
#[inline(always)]
fn input<F: SumFn<N>, const N: usize>(plan: &Plan, (group, row): (usize, usize), index: usize) -> *const LaneOf<F, N> {
    plan.inputs[index].row(group, row).cast_const().cast()
}

/// The sums of a register of elements: one or two registers.
type Sums<S, F, const N: usize> = [FloatOf<S, F, N>; 2];

/// Adds the summands of `inputs` to `sums`.
#[inline(always)]
fn add<S: Simd, F: SumFn<N>, const N: usize>(
    simd: S,
    inputs: [RegisterOf<S, LaneOf<F, N>>; N],
    [first, second]: Sums<S, F, N>,
) -> Sums<S, F, N> {
    let first = first.add(F::summand(simd, inputs, 0));
    if const { RegisterOf::<S, LaneOf<F, N>>::FLOATS == 2 } {
        [first, second.add(F::summand(simd, inputs, 1))]
    } else {
        [first, second]
    }
}

/// [`add`] for a register of elements at `at`.
///
/// # Safety
///
/// Each input can be read for a register at `at`.
#[inline(always)]
unsafe fn add_registers<S: Simd, F: SumFn<N>, const N: usize>(
    simd: S,
    inputs: [*const LaneOf<F, N>; N],
    at: usize,
    sums: Sums<S, F, N>,
) -> Sums<S, F, N> {
    // SAFETY: a register can be read at `at`: this function's contract.
    let inputs = unsafe { inputs!(N, i => RegisterOf::<S, LaneOf<F, N>>::load(simd, inputs[i].add(at))) };
    add::<S, F, N>(simd, inputs, sums)
}

/// [`add`] for `count` elements at `at`.
///
/// # Safety
///
/// Each input can be read for `count` lanes at `at`, fewer than a register has.
#[inline(always)]
unsafe fn add_first<S: Simd, F: SumFn<N>, const N: usize>(
    simd: S,
    inputs: [*const LaneOf<F, N>; N],
    at: usize,
    count: usize,
    sums: Sums<S, F, N>,
) -> Sums<S, F, N> {
    // SAFETY: `count < LANES` lanes can be read at `at`: this function's contract.
    let inputs = unsafe { inputs!(N, i => RegisterOf::<S, LaneOf<F, N>>::load_first(simd, inputs[i].add(at), count)) };
    add::<S, F, N>(simd, inputs, sums)
}

/// The number of accumulators of a row.
///
/// These are several registers on any instruction set, so that an addition need not wait for the result of the previous
/// one.
const fn row_lanes<L>() -> usize {
    128 / size_of::<L>()
}

/// The number of registers of elements for the accumulators of a row.
const fn row_registers<S: Simd, F: SumFn<N>, const N: usize>() -> usize {
    row_lanes::<SumOf<F, N>>() / <RegisterOf<S, LaneOf<F, N>> as Vector>::LANES
}

/// The greatest number of registers of elements for the accumulators of a row: those of 128 bits.
const MAX_REGISTERS: usize = 8;

/// Adds the sum of each row to `sums`, which has a sum for each row of a group.
///
/// Reduction order: element i of a row is added to accumulator `i % row_lanes`. Then the second half of the
/// accumulators is added to the first half, until one is left.
///
/// Contract: `plan` and its inputs can be read. Either `lanes` is null, and `sums` can be read and written for a lane for
/// each row of a group; or the plan has one group and row, and `lanes` can be read and written for its [`row_lanes`]
/// accumulators. Nothing else accesses them.
pub(crate) struct SumRows<F, const N: usize>(PhantomData<F>);

/// Room for the accumulators of a row, on cache lines of their own.
#[repr(align(64))]
pub(crate) struct RowLanes(pub(crate) [u64; row_lanes::<u64>()]);

impl<F: SumFn<N>, const N: usize> Pass for SumRows<F, N> {
    type Args = SumArgs;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &SumArgs) {
        let sums = args.sums.cast::<SumOf<F, N>>();
        // SAFETY: `plan` can be read. Each row has the plan's columns, and there are carried accumulators or a sum for
        // each row: the contract of the pass.
        unsafe {
            // Read anew for each row, through the pointer and volatile: else the compiler makes copies of these loops for
            // each outcome of each comparison.
            let plan = args.plan;
            for group in 0..(*plan).groups {
                for row in 0..(*plan).rows {
                    let carried = (&raw const args.lanes).read_volatile().cast::<SumOf<F, N>>();
                    let inputs = inputs!(N, i => input::<F, N>(&*plan, (group, row), i));
                    if const { row_registers::<S, F, N>() <= MAX_REGISTERS } {
                        sum_row::<S, F, N>(simd, inputs, (*plan).columns, carried, sums.wrapping_add(row));
                    } else {
                        sum_row_in_memory::<S, F, N>(simd, inputs, (*plan).columns, carried, sums.wrapping_add(row));
                    }
                }
            }
        }
    }
}

/// Returns the sum of [`row_lanes`] accumulators: adds the second half to the first half until one is left.
///
/// # Safety
///
/// `lanes` is aligned, and can be read and written for [`row_lanes`] lanes.
#[inline(always)]
pub(crate) unsafe fn fold<L: FloatLane>(lanes: *mut L) -> L {
    // Each with a known count, so that the compiler makes vectors of it.
    macro_rules! add_second_half {
        ($($half:literal)+) => {
            $(if $half < const { row_lanes::<L>() } {
                for i in 0..$half {
                    // SAFETY: `i + half` is below the number of lanes.
                    unsafe { *lanes.add(i) = (*lanes.add(i)).add(*lanes.add(i + $half)) };
                }
            })+
        };
    }
    const { assert!(row_lanes::<L>() <= 32) };
    add_second_half!(16 8 4 2 1);
    // SAFETY: there is a lane.
    unsafe { *lanes }
}

/// Adds the elements of a row to the accumulators that it continues, or their sum to `total`.
///
/// # Safety
///
/// Each input can be read for `len` lanes. `carried` is null, and `total` can be read and written for a lane; or
/// `carried` can be read and written for [`row_lanes`] lanes.
#[inline(always)]
unsafe fn sum_row<S: Simd, F: SumFn<N>, const N: usize>(
    simd: S,
    inputs: [*const LaneOf<F, N>; N],
    len: usize,
    carried: *mut SumOf<F, N>,
    total: *mut SumOf<F, N>,
) {
    const { assert!(RegisterOf::<S, LaneOf<F, N>>::LANES <= row_lanes::<SumOf<F, N>>()) };
    let lanes = const { row_lanes::<SumOf<F, N>>() };
    let step = RegisterOf::<S, LaneOf<F, N>>::LANES;
    let zero = [FloatOf::<S, F, N>::splat(simd, Lane::ZERO); 2];
    let mut at = 0;
    // Without a loop over registers, as in `inputs!`.
    macro_rules! sum {
        ($($index:literal $sums:ident),+) => {
            $(let mut $sums = zero;)+
            if !carried.is_null() {
                $(if const { $index < row_registers::<S, F, N>() } {
                    $sums = load_sums::<S, F, N>(simd, carried.add($index * step));
                })+
            }
            while len - at >= lanes {
                $(if const { $index < row_registers::<S, F, N>() } {
                    $sums = add_registers::<S, F, N>(simd, inputs, at + $index * step, $sums);
                })+
                at += lanes;
            }
            // Fewer elements than accumulators are left: each goes to the one of its place.
            $(if const { $index < row_registers::<S, F, N>() } {
                let count = (len - at).saturating_sub($index * step);
                if count >= step {
                    $sums = add_registers::<S, F, N>(simd, inputs, at + $index * step, $sums);
                } else if count > 0 {
                    $sums = add_first::<S, F, N>(simd, inputs, at + $index * step, count, $sums);
                }
            })+
            if carried.is_null() {
                add_sum(total.cast(), fold_registers::<S, F, N>([$($sums),+]));
            } else {
                $(if const { $index < row_registers::<S, F, N>() } {
                    store_sums::<S, F, N>($sums, carried.add($index * step));
                })+
            }
        };
    }
    // SAFETY: `at + lanes <= len` in the loop, and `count` elements are left from `at + index * step` on after it.
    // Elements, accumulators and the total can be read and written: this function's contract.
    unsafe {
        sum!(0 a, 1 b, 2 c, 3 d, 4 e, 5 f, 6 g, 7 h);
    }
}

/// [`fold`], of accumulators in registers.
#[inline(always)]
fn fold_registers<S: Simd, F: SumFn<N>, const N: usize>(
    sums: [Sums<S, F, N>; MAX_REGISTERS],
) -> <FloatOf<S, F, N> as Vector>::Lane {
    let floats = RegisterOf::<S, LaneOf<F, N>>::FLOATS;
    let registers = const { row_registers::<S, F, N>() * RegisterOf::<S, LaneOf<F, N>>::FLOATS };
    let mut totals = [sums[0][0]; MAX_REGISTERS];
    for i in 1..registers {
        totals[i] = sums[i / floats][i % floats];
    }
    let mut half = registers / 2;
    while half > 0 {
        for i in 0..half {
            totals[i] = totals[i].add(totals[i + half]);
        }
        half /= 2;
    }
    totals[0].fold()
}

/// Adds a sum to a total.
///
/// # Safety
///
/// `total` can be read and written for a lane.
#[inline(always)]
pub(crate) unsafe fn add_sum<L: FloatLane>(total: *mut L, sum: L) {
    // SAFETY: `total` is a lane: this function's contract.
    unsafe { total.write_unaligned(total.read_unaligned().add(sum)) };
}

/// [`sum_row`] where there are more accumulators than registers, and a register is one lane.
///
/// # Safety
///
/// As for [`sum_row`].
#[inline(always)]
unsafe fn sum_row_in_memory<S: Simd, F: SumFn<N>, const N: usize>(
    simd: S,
    inputs: [*const LaneOf<F, N>; N],
    len: usize,
    carried: *mut SumOf<F, N>,
    total: *mut SumOf<F, N>,
) {
    const {
        assert!(RegisterOf::<S, LaneOf<F, N>>::LANES == 1 || row_registers::<S, F, N>() <= MAX_REGISTERS);
        assert!(size_of::<RowLanes>() == row_lanes::<SumOf<F, N>>() * size_of::<SumOf<F, N>>());
    }
    let mut own = MaybeUninit::<RowLanes>::uninit();
    let mut sums = carried;
    // SAFETY: `at < len`, and there is an accumulator at any remainder: in `own`, whose zero bytes are +0.0, or carried.
    // The total can be read and written: this function's contract.
    unsafe {
        if carried.is_null() {
            own.write(RowLanes([0; _]));
            sums = own.as_mut_ptr().cast();
        }
        for at in 0..len {
            let sums = sums.add(at % const { row_lanes::<SumOf<F, N>>() });
            store_sums::<S, F, N>(
                add_registers::<S, F, N>(simd, inputs, at, load_sums::<S, F, N>(simd, sums)),
                sums,
            );
        }
        if carried.is_null() {
            add_sum(total, fold(sums));
        }
    }
}

/// Loads the sums of a register of elements.
///
/// # Safety
///
/// `source` can be read for as many lanes as a register of elements has.
#[inline(always)]
unsafe fn load_sums<S: Simd, F: SumFn<N>, const N: usize>(simd: S, source: *const SumOf<F, N>) -> Sums<S, F, N> {
    // SAFETY: the lanes can be read: this function's contract.
    unsafe {
        let first = load_float::<RegisterOf<S, LaneOf<F, N>>, _>(simd, source, 0);
        if const { RegisterOf::<S, LaneOf<F, N>>::FLOATS == 2 } {
            [first, load_float::<RegisterOf<S, LaneOf<F, N>>, _>(simd, source, 1)]
        } else {
            [first, first]
        }
    }
}

/// Stores the sums of a register of elements.
///
/// # Safety
///
/// `target` can be written for as many lanes as a register of elements has.
#[inline(always)]
unsafe fn store_sums<S: Simd, F: SumFn<N>, const N: usize>([first, second]: Sums<S, F, N>, target: *mut SumOf<F, N>) {
    // SAFETY: the lanes can be written: this function's contract.
    unsafe {
        store_float::<RegisterOf<S, LaneOf<F, N>>, _>(first, target, 0);
        if const { RegisterOf::<S, LaneOf<F, N>>::FLOATS == 2 } {
            store_float::<RegisterOf<S, LaneOf<F, N>>, _>(second, target, 1);
        }
    }
}

/// Loads the `Float` register at `index` of those for the elements of a `V`.
///
/// # Safety
///
/// `source` can be read for the lanes of `index + 1` `Float` registers.
#[inline(always)]
unsafe fn load_float<V: Register, L>(simd: V::Simd, source: *const L, index: usize) -> V::Float {
    const {
        assert!(size_of::<L>() == size_of::<<V::Float as Vector>::Lane>());
    }
    // SAFETY: the register at `index` can be read: this function's contract.
    unsafe {
        V::Float::load(
            simd,
            source.cast::<<V::Float as Vector>::Lane>().add(index * V::Float::LANES),
        )
    }
}

/// Stores the `Float` register at `index` of those for the elements of a `V`.
///
/// # Safety
///
/// `target` can be written for the lanes of `index + 1` `Float` registers.
#[inline(always)]
unsafe fn store_float<V: Register, L>(float: V::Float, target: *mut L, index: usize) {
    const {
        assert!(size_of::<L>() == size_of::<<V::Float as Vector>::Lane>());
    }
    // SAFETY: the register at `index` can be written: this function's contract.
    unsafe { float.store(target.cast::<<V::Float as Vector>::Lane>().add(index * V::Float::LANES)) }
}
