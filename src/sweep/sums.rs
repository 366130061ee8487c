//! Reductions over channels: the gradients of a bias and of slopes. These passes write only the sums.

use core::marker::PhantomData;

use super::{Plan, RegisterOf};
use crate::simd::{Float, FloatLane, Format, Lane, Pass, Register, Simd, SumFn, Vector};

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
    pub(crate) plan: Plan,
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

/// Adds each row to `sums`, which has a sum for each column. The reduction order is that of the rows.
///
/// Contract: the plan has one group, and its inputs can be read. `sums` can be read and written for a lane for each
/// column, rounded up to whole registers, and nothing else accesses it.
pub(crate) struct SumColumns<F, const N: usize>(PhantomData<F>);

impl<F: SumFn<N>, const N: usize> Pass for SumColumns<F, N> {
    type Args = SumArgs;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &SumArgs) {
        let plan = args.plan;
        let sums = args.sums.cast::<SumOf<F, N>>();
        let lanes = RegisterOf::<S, LaneOf<F, N>>::LANES;
        let mut at = 0;
        while at < plan.columns {
            // SAFETY: `left` columns exist from `at` on. Each branch adds at most `left`, checked by its condition. The
            // sums end with a whole register.
            unsafe {
                let left = plan.columns - at;
                if left >= 4 * lanes {
                    // An addition takes longer than the next one wants to wait.
                    add_columns::<S, F, N, 4>(simd, &plan, sums, at);
                    at += 4 * lanes;
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

/// Adds the columns of `COUNT` registers. Their sums stay in registers from the first row to the last.
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
    let floats = RegisterOf::<S, LaneOf<F, N>>::FLOATS;
    let lanes = RegisterOf::<S, LaneOf<F, N>>::LANES;
    // SAFETY: `at + i * lanes` is in the columns of `COUNT` registers: this function's contract.
    unsafe {
        let mut totals = [[load_float::<RegisterOf<S, LaneOf<F, N>>, _>(simd, sums.add(at), 0); 2]; COUNT];
        for i in 0..COUNT {
            for index in 0..floats {
                totals[i][index] = load_float::<RegisterOf<S, LaneOf<F, N>>, _>(simd, sums.add(at + i * lanes), index);
            }
        }
        for row in 0..plan.rows {
            for i in 0..COUNT {
                let inputs = load_inputs::<S, F, N>(simd, plan, (0, row), at + i * lanes);
                for index in 0..floats {
                    totals[i][index] = totals[i][index].add(F::summand(simd, inputs, index));
                }
            }
        }
        for i in 0..COUNT {
            for index in 0..floats {
                store_float::<RegisterOf<S, LaneOf<F, N>>, _>(totals[i][index], sums.add(at + i * lanes), index);
            }
        }
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
    let floats = RegisterOf::<S, LaneOf<F, N>>::FLOATS;
    // SAFETY: `count` columns exist at `at`, and the sums of a register: this function's contract.
    unsafe {
        let mut totals = [load_float::<RegisterOf<S, LaneOf<F, N>>, _>(simd, sums.add(at), 0); 2];
        if floats == 2 {
            totals[1] = load_float::<RegisterOf<S, LaneOf<F, N>>, _>(simd, sums.add(at), 1);
        }
        for row in 0..plan.rows {
            let inputs = load_first::<S, F, N>(simd, plan, (0, row), at, count);
            for index in 0..floats {
                totals[index] = totals[index].add(F::summand(simd, inputs, index));
            }
        }
        for index in 0..floats {
            store_float::<RegisterOf<S, LaneOf<F, N>>, _>(totals[index], sums.add(at), index);
        }
    }
}

/// The pointer to a row of the input at `index`.
#[inline(always)]
fn input<F: SumFn<N>, const N: usize>(plan: &Plan, (group, row): (usize, usize), index: usize) -> *const LaneOf<F, N> {
    plan.inputs[index].row(group, row).cast_const().cast()
}

/// Loads `count` columns of each input.
///
/// # Safety
///
/// The plan has `count` columns from `at` on, fewer than a register has lanes.
#[inline(always)]
unsafe fn load_first<S: Simd, F: SumFn<N>, const N: usize>(
    simd: S,
    plan: &Plan,
    row: (usize, usize),
    at: usize,
    count: usize,
) -> [RegisterOf<S, LaneOf<F, N>>; N] {
    // SAFETY: `count < LANES` columns exist at `at`: this function's contract.
    unsafe {
        let mut inputs =
            [RegisterOf::<S, LaneOf<F, N>>::load_first(simd, input::<F, N>(plan, row, 0).add(at), count); N];
        for i in 1..N {
            inputs[i] = RegisterOf::<S, LaneOf<F, N>>::load_first(simd, input::<F, N>(plan, row, i).add(at), count);
        }
        inputs
    }
}

/// The number of accumulators of a row.
///
/// These are several registers on any instruction set, so that an addition need not wait for the result of the previous
/// one.
pub(crate) const fn row_lanes<L>() -> usize {
    128 / size_of::<L>()
}

/// The greatest number of registers for the accumulators of a row: those of 128 bits.
const MAX_REGISTERS: usize = 8;

/// Adds the sum of each row to `sums`, which has a sum for each row of a group.
///
/// Reduction order: element i of a row is added to accumulator `i % row_lanes`. Then the second half of the
/// accumulators is added to the first half, until one is left.
///
/// Contract: the plan's inputs can be read. Either `lanes` is null, and `sums` can be read and written for a lane for
/// each row of a group; or the plan has one row, and `lanes` can be read and written for its [`row_lanes`]
/// accumulators. Nothing else accesses them.
pub(crate) struct SumRows<F, const N: usize>(PhantomData<F>);

/// Accumulators on cache lines of their own.
#[repr(align(64))]
struct Aligned<L>([L; 32]);

impl<F: SumFn<N>, const N: usize> Pass for SumRows<F, N> {
    type Args = SumArgs;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &SumArgs) {
        let SumArgs { plan, sums, lanes } = *args;
        let (sums, carried) = (sums.cast::<SumOf<F, N>>(), lanes.cast::<SumOf<F, N>>());
        let lanes = const { row_lanes::<SumOf<F, N>>() };
        let registers = const { registers_of_row::<S, F, N>() };
        for group in 0..plan.groups {
            for row in 0..plan.rows {
                // SAFETY: the row has the plan's columns, and there are carried accumulators or a sum for each row: the
                // contract of the pass.
                unsafe {
                    if registers <= MAX_REGISTERS {
                        let mut totals = [FloatOf::<S, F, N>::splat(simd, Lane::ZERO); MAX_REGISTERS];
                        if !carried.is_null() {
                            for i in 0..registers {
                                totals[i] = load_float::<FloatOf<S, F, N>, _>(simd, carried, i);
                            }
                        }
                        add_row::<S, F, N>(simd, &plan, (group, row), &mut totals);
                        if carried.is_null() {
                            add_sum(sums.add(row).cast(), fold_registers::<S, F, N>(totals));
                        } else {
                            for i in 0..registers {
                                store_float::<FloatOf<S, F, N>, _>(totals[i], carried, i);
                            }
                        }
                    } else {
                        let mut row_sums = Aligned([SumOf::<F, N>::ZERO; 32]);
                        if !carried.is_null() {
                            row_sums.0.as_mut_ptr().copy_from_nonoverlapping(carried, lanes);
                        }
                        let row_sums = row_sums.0.as_mut_ptr();
                        add_row_in_memory::<S, F, N>(simd, &plan, (group, row), row_sums);
                        if carried.is_null() {
                            add_sum(sums.add(row), fold(row_sums));
                        } else {
                            carried.copy_from_nonoverlapping(row_sums, lanes);
                        }
                    }
                }
            }
        }
    }
}

/// The number of registers for the accumulators of a row.
const fn registers_of_row<S: Simd, F: SumFn<N>, const N: usize>() -> usize {
    row_lanes::<SumOf<F, N>>() / <FloatOf<S, F, N> as Vector>::LANES
}

/// # Safety
///
/// `total` can be read and written for a lane.
#[inline(always)]
unsafe fn add_sum<L: FloatLane>(total: *mut L, sum: L) {
    // SAFETY: `total` is a lane: this function's contract.
    unsafe { total.write_unaligned(total.read_unaligned().add(sum)) };
}

/// [`fold`], of accumulators in registers.
#[inline(always)]
fn fold_registers<S: Simd, F: SumFn<N>, const N: usize>(
    mut totals: [FloatOf<S, F, N>; MAX_REGISTERS],
) -> <FloatOf<S, F, N> as Vector>::Lane {
    let mut half = const { registers_of_row::<S, F, N>() / 2 };
    while half > 0 {
        for i in 0..half {
            totals[i] = totals[i].add(totals[i + half]);
        }
        half /= 2;
    }
    totals[0].fold()
}

/// Returns the sum of [`row_lanes`] accumulators: adds the second half to the first half until one is left.
///
/// # Safety
///
/// `lanes` can be read and written for [`row_lanes`] lanes.
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

/// Adds the elements of a row to its accumulators.
///
/// # Safety
///
/// The row can be read for all columns.
#[inline(always)]
unsafe fn add_row<S: Simd, F: SumFn<N>, const N: usize>(
    simd: S,
    plan: &Plan,
    row: (usize, usize),
    totals: &mut [FloatOf<S, F, N>; MAX_REGISTERS],
) {
    let lanes = const { row_lanes::<SumOf<F, N>>() };
    let step = RegisterOf::<S, LaneOf<F, N>>::LANES;
    const {
        assert!(RegisterOf::<S, LaneOf<F, N>>::LANES <= row_lanes::<SumOf<F, N>>());
    }
    let len = plan.columns;
    let mut at = 0;
    // SAFETY: `at + lanes <= len` in the first loop, and `at + count == len` in the second one.
    unsafe {
        while len - at >= lanes {
            for i in 0..lanes / step {
                let inputs = load_inputs::<S, F, N>(simd, plan, row, at + i * step);
                add_inputs::<S, F, N>(simd, inputs, totals, i);
            }
            at += lanes;
        }
        for i in 0..lanes / step {
            let count = len - at;
            if count < step {
                if count > 0 {
                    let inputs = load_first::<S, F, N>(simd, plan, row, at, count);
                    add_inputs::<S, F, N>(simd, inputs, totals, i);
                }
                break;
            }
            add_inputs::<S, F, N>(simd, load_inputs::<S, F, N>(simd, plan, row, at), totals, i);
            at += step;
        }
    }
}

/// Adds the elements of a register to the accumulators at `i`.
#[inline(always)]
fn add_inputs<S: Simd, F: SumFn<N>, const N: usize>(
    simd: S,
    inputs: [RegisterOf<S, LaneOf<F, N>>; N],
    totals: &mut [FloatOf<S, F, N>; MAX_REGISTERS],
    i: usize,
) {
    let floats = RegisterOf::<S, LaneOf<F, N>>::FLOATS;
    for index in 0..floats {
        totals[i * floats + index] = totals[i * floats + index].add(F::summand(simd, inputs, index));
    }
}

/// [`add_row`] where there are more accumulators than registers, and a register is one lane.
///
/// # Safety
///
/// The row can be read for all columns, and `sums` can be read and written for [`row_lanes`] lanes.
#[inline(always)]
unsafe fn add_row_in_memory<S: Simd, F: SumFn<N>, const N: usize>(
    simd: S,
    plan: &Plan,
    row: (usize, usize),
    sums: *mut SumOf<F, N>,
) {
    const {
        assert!(RegisterOf::<S, LaneOf<F, N>>::LANES == 1 || registers_of_row::<S, F, N>() <= MAX_REGISTERS);
    }
    for at in 0..plan.columns {
        // SAFETY: `at` is a column, and there is an accumulator at any remainder.
        unsafe {
            let sum = sums.add(at % const { row_lanes::<SumOf<F, N>>() });
            let inputs = load_inputs::<S, F, N>(simd, plan, row, at);
            let total = load_float::<RegisterOf<S, LaneOf<F, N>>, _>(simd, sum, 0);
            store_float::<RegisterOf<S, LaneOf<F, N>>, _>(total.add(F::summand(simd, inputs, 0)), sum, 0);
        }
    }
}

/// Loads a register of columns of each input.
///
/// # Safety
///
/// The plan has the columns of a register from `at` on.
#[inline(always)]
unsafe fn load_inputs<S: Simd, F: SumFn<N>, const N: usize>(
    simd: S,
    plan: &Plan,
    row: (usize, usize),
    at: usize,
) -> [RegisterOf<S, LaneOf<F, N>>; N] {
    // SAFETY: LANES columns exist at `at`: this function's contract.
    unsafe {
        let mut inputs = [RegisterOf::<S, LaneOf<F, N>>::load(simd, input::<F, N>(plan, row, 0).add(at)); N];
        for i in 1..N {
            inputs[i] = RegisterOf::<S, LaneOf<F, N>>::load(simd, input::<F, N>(plan, row, i).add(at));
        }
        inputs
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
