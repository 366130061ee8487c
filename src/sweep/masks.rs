//! Masks: a bit for each element, the first one in the lowest bit of the first byte.

use core::marker::PhantomData;

use super::{ALIGNED_BYTES, RegisterOf, before_alignment, is_aligned, load, store};
use crate::simd::{ChooseFn, Lane, LiveFn, Pass, Register, Simd, Vector};

/// The number of bits that are loaded or stored together.
const WORD: usize = u64::BITS as usize;

pub struct BitsArgs {
    /// The function of the pass.
    pub(crate) function: *const u8,
    pub(crate) mask: *mut u8,
    pub(crate) input: *const u8,
    pub(crate) output: *mut u8,
    pub(crate) len: usize,
    pub(crate) streaming: bool,
}

/// Writes the bit of each element of `input` to `mask`. Returns the number of bits that are 1.
///
/// Contract: `function` points to an `F`. `input` can be read for `len` lanes. `mask` can be written for
/// `len.div_ceil(8)` bytes, which don't overlap the input. `output` is not used.
pub(crate) struct LiveBits<F>(PhantomData<F>);

impl<F: LiveFn> Pass for LiveBits<F> {
    type Args = BitsArgs;
    type Output = usize;

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &BitsArgs) -> usize {
        let (input, mut mask) = (args.input.cast::<F::Lane>(), args.mask);
        // SAFETY: `function` points to an `F`: the contract of the pass.
        let function = unsafe { *args.function.cast::<F>() };
        let mut count = 0;
        let mut at = 0;
        // SAFETY: `at + WORD <= len`, checked by the loop, and then `at + left == len`. `mask` is at the byte of the
        // bit of `at`, which is a multiple of WORD.
        unsafe {
            while args.len - at >= WORD {
                let bits = live_bits::<S, F>(simd, function, input.add(at), WORD);
                mask.cast::<u64>().write_unaligned(bits.to_le());
                mask = mask.add(WORD / 8);
                count += bits.count_ones() as usize;
                at += WORD;
            }
            let left = args.len - at;
            let bits = live_bits::<S, F>(simd, function, input.add(at), left);
            mask.copy_from_nonoverlapping(bits.to_le_bytes().as_ptr(), left.div_ceil(8));
            count + bits.count_ones() as usize
        }
    }
}

/// Returns the bits of `len` elements, at most a word.
///
/// If `len` is the constant WORD, the compiler unrolls the loop.
///
/// # Safety
///
/// `input` can be read for `len` lanes.
#[inline(always)]
unsafe fn live_bits<S: Simd, F: LiveFn>(simd: S, function: F, input: *const F::Lane, len: usize) -> u64 {
    let lanes = RegisterOf::<S, F::Lane>::LANES;
    let mut bits = 0;
    let mut at = 0;
    // SAFETY: `at + lanes <= len`, checked by the loop; the tail has `len - at < lanes` elements.
    unsafe {
        while len - at >= lanes {
            let x = RegisterOf::<S, F::Lane>::load(simd, input.add(at));
            bits |= RegisterOf::<S, F::Lane>::to_bits(simd, function.is_live(simd, x)) << at;
            at += lanes;
        }
        if lanes > 1 && at < len {
            let x = RegisterOf::<S, F::Lane>::load_first(simd, input.add(at), len - at);
            let live = RegisterOf::<S, F::Lane>::to_bits(simd, function.is_live(simd, x));
            bits |= (live & ((1 << (len - at)) - 1)) << at;
        }
    }
    bits
}

/// Writes the output from the bits of a mask and an input.
///
/// Contract: `function` points to an `F`. `mask` can be read for `len.div_ceil(8)` bytes; `input` can be read, and
/// `output` written, for `len` lanes. Input and output are the same or don't overlap. The mask doesn't overlap the output.
/// With `streaming`, [`fence`](crate::simd::fence) comes before any other access to the output.
pub(crate) struct ChooseByBits<F>(PhantomData<F>);

impl<F: ChooseFn> Pass for ChooseByBits<F> {
    type Args = BitsArgs;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &BitsArgs) {
        let lanes = RegisterOf::<S, F::Lane>::LANES;
        // SAFETY: `function` points to an `F`: the contract of the pass.
        let function = unsafe { *args.function.cast::<F>() };
        let (input, output) = (args.input.cast::<F::Lane>(), args.output.cast::<F::Lane>());
        let mut end = args.len;
        let mut streams = false;
        if lanes > 1 && args.len * size_of::<F::Lane>() >= ALIGNED_BYTES {
            end = before_alignment::<S, F::Lane>(output);
            streams = S::STREAMS && args.streaming && is_aligned::<S, F::Lane>(output.wrapping_add(end));
        }
        let mut at = 0;
        // First the head, if there is one, which is shorter than a register; then all other elements.
        loop {
            // SAFETY: `at + WORD <= end`, checked by the loop, then `at < end`; `end <= len`. `streams` is true only if
            // the output is aligned at the end of the head; from there on `at` goes up in words, which are whole
            // registers.
            unsafe {
                while end - at >= WORD {
                    let bits = bits(args.mask, at, WORD);
                    choose::<S, F>(simd, function, bits, input.add(at), output.add(at), WORD, streams);
                    at += WORD;
                }
                if at < end {
                    let bits = bits(args.mask, at, end - at);
                    choose::<S, F>(simd, function, bits, input.add(at), output.add(at), end - at, streams);
                    at = end;
                }
            }
            if end == args.len {
                return;
            }
            end = args.len;
        }
    }
}

/// Writes the outputs of `len` elements, at most a word.
///
/// If `len` is the constant WORD, the compiler unrolls the loop.
///
/// # Safety
///
/// `output` can be written for `len` lanes, and `input` read. With `streaming`, `output` is aligned to
/// a register if `len` is a register or more.
#[inline(always)]
unsafe fn choose<S: Simd, F: ChooseFn>(
    simd: S,
    function: F,
    bits: u64,
    input: *const F::Lane,
    output: *mut F::Lane,
    len: usize,
    streaming: bool,
) {
    let lanes = RegisterOf::<S, F::Lane>::LANES;
    let mut at = 0;
    // SAFETY: `at + lanes <= len`, checked by the loop; the tail has `len - at < lanes` elements. `at` is a multiple of
    // a register.
    unsafe {
        while len - at >= lanes {
            let is_live = RegisterOf::<S, F::Lane>::from_bits(simd, bits, at);
            let x: RegisterOf<S, F::Lane> = load(simd, input.add(at), streaming);
            store(function.choose(simd, is_live, x), output.add(at), streaming);
            at += lanes;
        }
        if lanes > 1 && at < len {
            let is_live = RegisterOf::<S, F::Lane>::from_bits(simd, bits, at);
            let x = RegisterOf::<S, F::Lane>::load_first(simd, input.add(at), len - at);
            function.choose(simd, is_live, x).store_first(output.add(at), len - at);
        }
    }
}

/// Returns the bits of `count` elements from `at` on, at most a word.
///
/// # Safety
///
/// `mask` can be read for `at + count` bits.
#[inline(always)]
unsafe fn bits(mask: *const u8, at: usize, count: usize) -> u64 {
    let (first, shift) = (at / 8, at % 8);
    if count == WORD {
        // SAFETY: the bits end at `at + WORD`, which is in the byte `first + 8`, or at its start if `shift` is 0.
        unsafe {
            let bits = u64::from_le(mask.add(first).cast::<u64>().read_unaligned());
            if shift == 0 {
                return bits;
            }
            let last = u64::from(mask.add(first + size_of::<u64>()).read());
            return bits >> shift | last << (WORD - shift);
        }
    }
    let mut bytes = [0; size_of::<u128>()];
    // SAFETY: the bits end at `at + count`, in the last byte that is copied. These are 9 bytes at most, for which
    // `bytes` has room.
    unsafe {
        mask.add(first)
            .copy_to_nonoverlapping(bytes.as_mut_ptr(), (at + count).div_ceil(8) - first);
    }
    (u128::from_le_bytes(bytes) >> shift) as u64
}

/// Returns the number of elements that are neither +0.0 nor -0.0.
///
/// Contract: `input` can be read for `len` lanes. The other arguments are not used.
pub(crate) struct CountNonzero<L>(PhantomData<L>);

impl<L: Lane> Pass for CountNonzero<L> {
    type Args = BitsArgs;
    type Output = usize;

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &BitsArgs) -> usize {
        let lanes = RegisterOf::<S, L>::LANES;
        let input = args.input.cast::<L>();
        let mut count = 0;
        let mut at = 0;
        while at < args.len {
            let left = args.len - at;
            // SAFETY: `at + left == len`, and a whole register is loaded only if `left >= lanes`.
            let x = unsafe {
                if left >= lanes {
                    RegisterOf::<S, L>::load(simd, input.add(at))
                } else {
                    RegisterOf::<S, L>::load_first(simd, input.add(at), left)
                }
            };
            // x + x as integers is x without its sign, times 2.
            let is_nonzero = x.wrapping_add(x).nonzero();
            count += RegisterOf::<S, L>::to_bits(simd, is_nonzero).count_ones() as usize;
            at += lanes.min(left);
        }
        count
    }
}
