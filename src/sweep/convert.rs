//! Conversions of elements of 16 bits to `f32` and back, for functions that are computed in `f32` a block at a time.

use core::marker::PhantomData;

use super::{RegisterOf, is_aligned, load_up_to, prefetch_after, store};
use crate::simd::{Access, Float, FloatLane, Format, Pass, REGISTER_BYTES, Register, Simd, Vector, VectorFn};

/// Converts elements to `f32`. Within a register of elements the numbers come in any order, which [`FromF32`] undoes.
///
/// Contract: that of [`ToF32Args`].
pub(crate) struct ToF32<T>(PhantomData<T>);

/// `input` can be read for `len` lanes, and `floats` written for `len` rounded up to [`BLOCK_STEP`]. They don't overlap.
pub(crate) struct ToF32Args {
    pub(crate) input: *const u8,
    pub(crate) floats: *mut u8,
    pub(crate) len: usize,
    pub(crate) access: Access,
}

/// The lanes of the widest register of elements.
pub(crate) const BLOCK_STEP: usize = REGISTER_BYTES / size_of::<i16>();

impl<T: Format<Lane = i16>> Pass for ToF32<T> {
    type Args = ToF32Args;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &ToF32Args) {
        let lanes = RegisterOf::<S, i16>::LANES;
        let (input, floats, len) = (args.input.cast::<i16>(), args.floats.cast::<f32>(), args.len);
        for at in (0..len).step_by(lanes) {
            // SAFETY: `at < len`, and there is room for numbers of whole registers: the contract.
            unsafe {
                prefetch_after::<S, i16>(input.add(at), args.access);
                let [first, second] = load_up_to::<S, i16>(simd, input.add(at), len - at).split::<T>();
                first.store(floats.add(at).cast());
                if const { RegisterOf::<S, i16>::FLOATS == 2 } {
                    second.store(floats.add(at + lanes / 2).cast());
                }
            }
        }
    }
}

/// Rounds results in `f32` to elements. Where x, the element of a result, is NaN, it is x. With a gate, the output is that
/// of `G` for such an element and the gate.
///
/// Contract: that of [`FromF32Args`].
pub(crate) struct FromF32<T, G>(PhantomData<(T, G)>);

/// `floats` are as many results as [`ToF32`] has written numbers, in the order of those. The result of a NaN is that NaN.
/// `x` can be read, and `output` written, for `len` lanes. `gate` is null or can be read for as many. The output
/// doesn't overlap `floats`, nor `x` or the gate unless it is that. With non-temporal stores, [`fence`](crate::simd::fence) comes
/// before any other access to the output.
pub(crate) struct FromF32Args {
    pub(crate) floats: *const u8,
    pub(crate) x: *const u8,
    pub(crate) gate: *const u8,
    pub(crate) output: *mut u8,
    pub(crate) len: usize,
    pub(crate) access: Access,
    /// Some elements x of `f16`, and what each becomes instead. The result of each is half-way between two of `f16`.
    pub(crate) ties: &'static [[u16; 2]],
}

impl<T: Format<Lane = i16>, G: VectorFn<2, Lane = i16> + Default> Pass for FromF32<T, G> {
    type Args = FromF32Args;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &FromF32Args) {
        let lanes = RegisterOf::<S, i16>::LANES;
        let (floats, x, output) = (args.floats.cast::<f32>(), args.x.cast::<i16>(), args.output.cast());
        let gate = args.gate.cast::<i16>();
        let streams = const { S::STREAMS } && args.access.is_streaming() && is_aligned::<S, i16>(output);
        for at in (0..args.len).step_by(lanes) {
            let left = args.len - at;
            // SAFETY: `at < len`, and there are results for whole registers: the contract. A gate that isn't null can be
            // read like x. If `streams`, the output is aligned after any registers.
            unsafe {
                let first = FloatOf::<S>::load(simd, floats.add(at).cast());
                let second = if const { RegisterOf::<S, i16>::FLOATS == 2 } {
                    FloatOf::<S>::load(simd, floats.add(at + lanes / 2).cast())
                } else {
                    first
                };
                let mut rounded = RegisterOf::<S, i16>::join::<T>([first, second]);
                // A NaN of `bf16` is the upper half of that in `f32`. One of `f16` may have become quiet.
                if const { !T::IS_BF16 } {
                    let x = load_up_to::<S, i16>(simd, x.add(at), left);
                    if !args.ties.is_empty() && (has_tie(simd, first, second) | has_least(simd, x)) {
                        rounded = patched(simd, args.ties, x, rounded);
                    }
                    let splat = |lane| RegisterOf::<S, i16>::splat(simd, lane);
                    let is_nan = x.bitand(splat(i16::MAX)).gt(splat(T::INFINITY));
                    rounded = rounded.replace(is_nan, x);
                }
                if !gate.is_null() {
                    prefetch_after::<S, i16>(gate.add(at), args.access);
                    [rounded] = G::default().call(simd, [rounded, load_up_to::<S, i16>(simd, gate.add(at), left)]);
                }
                if left >= lanes {
                    store(rounded, output.add(at), streams);
                } else {
                    rounded.store_first(output.add(at), left);
                }
            }
        }
    }
}

type FloatOf<S> = <RegisterOf<S, i16> as Register>::Float;

/// Whether one of the numbers is half-way between two of `f16`, or an ulp above, if it is normal there.
#[inline(always)]
fn has_tie<F: Float>(simd: F::Simd, first: F, second: F) -> bool {
    let splat = |bits| F::splat(simd, F::Lane::from_bits(bits));
    // The bits that `f16` doesn't have, but the last one.
    let is_other = |number: F| number.bitand(splat(0x1ffe)).xor(splat(0x1000)).nonzero();
    let are_others = F::and(simd, is_other(first), is_other(second));
    F::to_bits(simd, are_others) != u64::MAX >> (u64::BITS as usize - F::LANES)
}

/// Whether one of x is the least number of `f16`: its half is half-way to zero.
#[inline(always)]
fn has_least<V: Register<Lane = i16>>(simd: V::Simd, x: V) -> bool {
    let are_others = x.xor(V::splat(simd, 1)).nonzero();
    V::to_bits(simd, are_others) != u64::MAX >> (u64::BITS as usize - V::LANES)
}

/// `rounded`, with the values of those x that are in the list.
#[inline(always)]
fn patched<V: Vector<Lane = i16>>(simd: V::Simd, ties: &[[u16; 2]], x: V, mut rounded: V) -> V {
    for [tie, value] in ties.iter().map(|tie| tie.map(u16::cast_signed)) {
        let is_other = x.xor(V::splat(simd, tie)).nonzero();
        rounded = V::splat(simd, value).replace(is_other, rounded);
    }
    rounded
}
