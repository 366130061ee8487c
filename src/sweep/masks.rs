//! A bit an element, the first one in the lowest bit of the first byte.

use super::{ALIGNED_BYTES, Body, VectorOf, before_alignment, load, store, walk, walk_compact};
use crate::activation::OneBitFunction;
use crate::element::Element;
use crate::simd::{Lane, Simd, Vector, Walk};

/// Bits that are put together before they are stored.
const WORD: usize = u64::BITS as usize;

/// The elements that come before stores are aligned, if that pays; at most `len`.
#[inline(always)]
fn head<S: Simd, T: Element>(target: *const T::Lane, len: usize) -> usize {
    const {
        assert!(size_of::<VectorOf<S, T>>() <= ALIGNED_BYTES);
    }
    if len * size_of::<T>() >= ALIGNED_BYTES {
        before_alignment::<S, T>(target)
    } else {
        0
    }
}

/// Walks elements from `at` on to `end`, at most a word of bits.
///
/// # Safety
///
/// As for [`walk`].
#[inline(always)]
unsafe fn walk_bits<S: Simd, B: Body<Simd = S>>(body: &mut B, at: usize, end: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        if end - at == WORD {
            // The compiler knows how many blocks that is, and leaves out what is for rests.
            walk::<<B::Lane as Lane>::Vector<S>, B>(body, at, at + WORD);
        } else {
            walk_compact(body, at, end);
        }
    }
}

/// A function's value and a bit for [`OneBitFunction::is_live`]; gives how many are.
pub(crate) struct ForwardMask<T: Element, A> {
    function: A,
    input: *const T::Lane,
    output: *mut T::Lane,
    mask: *mut u8,
    len: usize,
    streaming: bool,
}

impl<T: Element, A: OneBitFunction> ForwardMask<T, A> {
    /// # Safety
    ///
    /// As long as the value lives, `input` can be read and `output` written for `len` lanes; they overlap nowhere or are the same. `mask`
    /// can be written for `len.div_ceil(8)` bytes, and overlaps none of them.
    pub(crate) unsafe fn new(
        function: A,
        input: *const T,
        output: *mut T,
        mask: *mut u8,
        len: usize,
        streaming: bool,
    ) -> Self {
        Self {
            function,
            input: input.cast(),
            output: output.cast(),
            mask,
            len,
            streaming,
        }
    }
}

impl<T: Element, A: OneBitFunction> Walk for ForwardMask<T, A> {
    type Output = usize;

    #[inline(always)]
    fn walk<S: Simd>(&self, simd: S) -> usize {
        let mut body = ForwardBody::<S, T, A> {
            simd,
            function: self.function.round::<T>(),
            input: self.input,
            output: self.output,
            first: 0,
            bits: 0,
            streaming: false,
        };
        let before = head::<S, T>(self.output, self.len);
        // SAFETY: `new` was promised as many elements.
        let mut bits = unsafe { body.walk(0, before) };
        let mut live = bits.count_ones() as usize;
        body.streaming = self.streaming && before_alignment::<S, T>(self.output.wrapping_add(before)) == 0;
        let mut at = before;
        let mut mask = self.mask;
        while self.len - at >= WORD {
            // SAFETY: `new` was promised as many elements.
            let next = unsafe { body.walk(at, at + WORD) };
            live += next.count_ones() as usize;
            at += WORD;
            // SAFETY: `at` elements or more have been walked, so there are 8 bytes for these bits.
            unsafe {
                mask.cast::<u64>().write_unaligned((bits | next << before).to_le());
                mask = mask.add(size_of::<u64>());
            }
            // In two steps: none are left of a whole word.
            bits = next >> 1 >> (WORD - 1 - before);
        }
        // SAFETY: `new` was promised as many elements.
        let last = unsafe { body.walk(at, self.len) };
        live += last.count_ones() as usize;
        let bits = u128::from(bits) | u128::from(last) << before;
        let bytes = (before + self.len - at).div_ceil(8);
        // SAFETY: the bytes for what hasn't been stored: `at` - `before` bits have.
        unsafe { mask.copy_from_nonoverlapping(bits.to_le_bytes().as_ptr(), bytes) };
        if self.streaming {
            simd.fence();
        }
        live
    }
}

struct ForwardBody<S, T: Element, A: OneBitFunction> {
    simd: S,
    function: A::Rounded<T>,
    input: *const T::Lane,
    output: *mut T::Lane,
    /// The element of the lowest bit.
    first: usize,
    bits: u64,
    streaming: bool,
}

impl<S: Simd, T: Element, A: OneBitFunction> ForwardBody<S, T, A> {
    /// The bits of the elements from `at` on to `end`, at most a word.
    ///
    /// # Safety
    ///
    /// They exist, and have not been walked yet.
    #[inline(always)]
    unsafe fn walk(&mut self, at: usize, end: usize) -> u64 {
        self.first = at;
        self.bits = 0;
        // SAFETY: the caller's promise.
        unsafe { walk_bits(self, at, end) };
        self.bits
    }
}

impl<S: Simd, T: Element, A: OneBitFunction> Body for ForwardBody<S, T, A> {
    type Simd = S;
    type Lane = T::Lane;

    #[inline(always)]
    unsafe fn block<V: Vector<Simd = S, Lane = T::Lane>, const COUNT: usize>(&mut self, at: usize) {
        for i in 0..COUNT {
            let at = at + i * V::LANES;
            // SAFETY: the caller promises the elements; streamed are those from an aligned one on.
            unsafe {
                let x = V::load(self.simd, self.input.add(at));
                let value = A::forward_vector::<T, V>(self.function, self.simd, x);
                store(value, self.output.add(at), self.streaming);
                let is_live = A::is_live::<T, V>(self.function, self.simd, x);
                self.bits |= V::to_bits(self.simd, is_live) << (at - self.first);
            }
        }
    }
}

/// The gradient at the input from such bits and the one at the output.
pub(crate) struct BackwardMask<T: Element, A> {
    function: A,
    mask: *const u8,
    grad_output: *const T::Lane,
    grad_input: *mut T::Lane,
    len: usize,
    streaming: bool,
}

impl<T: Element, A: OneBitFunction> BackwardMask<T, A> {
    /// # Safety
    ///
    /// As long as the value lives, `mask` can be read for `len.div_ceil(8)` bytes, `grad_output` read and `grad_input` written for `len`
    /// lanes; the latter two overlap nowhere or are the same, and the mask overlaps no output.
    pub(crate) unsafe fn new(
        function: A,
        mask: *const u8,
        grad_output: *const T,
        grad_input: *mut T,
        len: usize,
        streaming: bool,
    ) -> Self {
        Self {
            function,
            mask,
            grad_output: grad_output.cast(),
            grad_input: grad_input.cast(),
            len,
            streaming,
        }
    }

    /// The bits of the elements from `at` on to `end`, at most a word.
    ///
    /// # Safety
    ///
    /// They exist.
    #[inline(always)]
    unsafe fn bits(&self, at: usize, end: usize) -> u64 {
        let (first, shift) = (at / 8, at % 8);
        if end - at == WORD {
            // SAFETY: these bytes hold bits of a whole word of elements from `at` on.
            unsafe {
                let bits = u64::from_le(self.mask.add(first).cast::<u64>().read_unaligned());
                if shift == 0 {
                    return bits;
                }
                let last = u64::from(self.mask.add(first + size_of::<u64>()).read());
                return bits >> shift | last << (WORD - shift);
            }
        }
        let mut bytes = [0; size_of::<u128>()];
        // SAFETY: these bytes hold the bits from `at` on to `end`, and nine are enough.
        unsafe {
            self.mask
                .add(first)
                .copy_to_nonoverlapping(bytes.as_mut_ptr(), end.div_ceil(8) - first);
        }
        (u128::from_le_bytes(bytes) >> shift) as u64
    }
}

impl<T: Element, A: OneBitFunction> Walk for BackwardMask<T, A> {
    type Output = ();

    #[inline(always)]
    fn walk<S: Simd>(&self, simd: S) {
        let mut body = BackwardBody::<S, T, A> {
            simd,
            function: self.function.round::<T>(),
            grad_output: self.grad_output,
            grad_input: self.grad_input,
            first: 0,
            bits: 0,
            streaming: false,
        };
        let before = head::<S, T>(self.grad_input, self.len);
        // SAFETY: `new` was promised `len` elements and their bits, and each call goes on where the one before it ended.
        unsafe {
            body.walk(self.bits(0, before), 0, before);
            body.streaming = self.streaming && before_alignment::<S, T>(self.grad_input.wrapping_add(before)) == 0;
            let mut at = before;
            while self.len - at >= WORD {
                body.walk(self.bits(at, at + WORD), at, at + WORD);
                at += WORD;
            }
            body.walk(self.bits(at, self.len), at, self.len);
        }
        if self.streaming {
            simd.fence();
        }
    }
}

struct BackwardBody<S, T: Element, A: OneBitFunction> {
    simd: S,
    function: A::Rounded<T>,
    grad_output: *const T::Lane,
    grad_input: *mut T::Lane,
    /// The element of the lowest bit.
    first: usize,
    bits: u64,
    streaming: bool,
}

impl<S: Simd, T: Element, A: OneBitFunction> BackwardBody<S, T, A> {
    /// The elements from `at` on to `end`, at most a word, with their bits.
    ///
    /// # Safety
    ///
    /// They exist, and have not been walked yet.
    #[inline(always)]
    unsafe fn walk(&mut self, bits: u64, at: usize, end: usize) {
        self.first = at;
        self.bits = bits;
        // SAFETY: the caller's promise.
        unsafe { walk_bits(self, at, end) };
    }
}

impl<S: Simd, T: Element, A: OneBitFunction> Body for BackwardBody<S, T, A> {
    type Simd = S;
    type Lane = T::Lane;

    #[inline(always)]
    unsafe fn block<V: Vector<Simd = S, Lane = T::Lane>, const COUNT: usize>(&mut self, at: usize) {
        for i in 0..COUNT {
            let at = at + i * V::LANES;
            // SAFETY: the caller promises the elements; streamed are those from an aligned one on.
            unsafe {
                let grad_output = load::<V>(self.simd, self.grad_output.add(at), self.streaming);
                let is_live = V::from_bits(self.simd, self.bits, at - self.first);
                let grad_input = A::backward_bit::<T, V>(self.function, self.simd, is_live, grad_output);
                store(grad_input, self.grad_input.add(at), self.streaming);
            }
        }
    }
}

/// How many elements are no zero.
pub(crate) struct CountNonzero<'a, T>(pub(crate) &'a [T]);

impl<T: Element> Walk for CountNonzero<'_, T> {
    type Output = usize;

    #[inline(always)]
    fn walk<S: Simd>(&self, simd: S) -> usize {
        let mut body = CountBody::<S, T> {
            simd,
            input: self.0.as_ptr().cast(),
            count: 0,
        };
        // SAFETY: the elements are those of a slice.
        unsafe { walk_compact(&mut body, 0, self.0.len()) };
        body.count
    }
}

struct CountBody<S, T: Element> {
    simd: S,
    input: *const T::Lane,
    count: usize,
}

impl<S: Simd, T: Element> Body for CountBody<S, T> {
    type Simd = S;
    type Lane = T::Lane;

    #[inline(always)]
    unsafe fn block<V: Vector<Simd = S, Lane = T::Lane>, const COUNT: usize>(&mut self, at: usize) {
        for i in 0..COUNT {
            // SAFETY: the caller promises the elements.
            let x = unsafe { V::load(self.simd, self.input.add(at + i * V::LANES)) };
            // Without the sign.
            let is_nonzero = x.wrapping_add(x).nonzero();
            self.count += V::to_bits(self.simd, is_nonzero).count_ones() as usize;
        }
    }
}
