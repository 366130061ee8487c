//! Slices of equal length, and rows side by side: a head up to the alignment, a main loop and a tail.

use core::marker::PhantomData;

use super::{RegisterOf, before_alignment, is_aligned, load, store};
use crate::simd::{Register, Simd, SliceLoop, Vector, VectorFn};

/// In each slice. From here on it pays to align the stores, which streaming ones need.
pub(crate) const ALIGNED_BYTES: usize = 512;

/// Registers in a round of the main loop of [`Map::walk_with_narrow_tails`].
const UNROLL: usize = 4;

/// `output[i] = function(inputs[i])`. With `ALIGNED` the slices have [`ALIGNED_BYTES`] or more, or the loop decides itself; with
/// `NARROW` tails are split into ever narrower vectors, where the instruction set has them.
///
/// The arguments: `function` points to an `F`. Each of the inputs can be read, and the output written, for `len` lanes, in one
/// allocation, at any alignment. The output overlaps no input, or is one. After a call with `streaming` comes
/// [`fence`](crate::simd::fence), before any other access to the output.
pub(crate) struct MapSlices<F, const N: usize, const NARROW: bool, const ALIGNED: bool>(PhantomData<F>);

impl<F: VectorFn<N>, const N: usize, const NARROW: bool, const ALIGNED: bool> SliceLoop
    for MapSlices<F, N, NARROW, ALIGNED>
{
    #[inline(always)]
    unsafe fn walk<S: Simd>(
        simd: S,
        function: *const u8,
        first_input: *const u8,
        last_input: *const u8,
        output: *mut u8,
        len: usize,
        streaming: bool,
    ) {
        const { assert!(N == 1 || N == 2) };
        let mut inputs = [first_input.cast(); N];
        inputs[N - 1] = last_input.cast();
        // SAFETY: the promises above.
        unsafe {
            let map = Map {
                simd,
                function: *function.cast::<F>(),
                inputs,
                masks: [usize::MAX; N],
                outputs: [output.cast()],
            };
            if NARROW {
                map.walk_with_narrow_tails::<ALIGNED>(len, streaming);
            } else {
                map.walk(len, streaming);
            }
        }
    }
}

/// A function of inputs, written to outputs.
pub(super) struct Map<S, F: VectorFn<N, M>, const N: usize, const M: usize> {
    pub(super) simd: S,
    pub(super) function: F,
    pub(super) inputs: [*const F::Lane; N],
    /// All ones where the input goes on with the elements, 0 where a register of the same number is read again and again.
    pub(super) masks: [usize; N],
    pub(super) outputs: [*mut F::Lane; M],
}

impl<S: Simd, F: VectorFn<N, M>, const N: usize, const M: usize> Map<S, F, N, M> {
    /// # Safety
    ///
    /// - Each input can be read, and each output written, for `len` lanes, in one allocation, at any alignment; an input whose mask
    ///   is 0 for a register.
    /// - An output overlaps no other one and none of the inputs, or is one of them.
    /// - Where it is `streaming`, a fence comes before any other access to the outputs.
    #[inline(always)]
    pub(super) unsafe fn walk(self, len: usize, streaming: bool) {
        let lanes = RegisterOf::<S, F::Lane>::LANES;
        let mut end = len;
        let mut streams = false;
        if lanes > 1 && len * size_of::<F::Lane>() >= ALIGNED_BYTES {
            end = before_alignment::<S, F::Lane>(self.outputs[0]);
            // Elements may be less aligned than they are wide (f64 on 32-bit x86), and outputs differ.
            streams = S::STREAMS && streaming && self.are_aligned(end);
        }
        let mut at = 0;
        // The head, if there is one, and then the rest, by the same code. A head is shorter than a register.
        loop {
            // SAFETY: `at` goes up to `end` in whole registers, and the rest is shorter than one; `end <= len`. What is streamed comes after
            // an aligned head, in whole registers. The fence is the caller's.
            unsafe {
                let whole = end - (end - at) % lanes;
                if S::STREAMS && streams {
                    self.walk_registers::<true>(at, whole);
                } else {
                    self.walk_registers::<false>(at, whole);
                }
                if lanes > 1 && whole < end {
                    self.call_first(whole, end - whole);
                }
                at = end;
            }
            if end == len {
                return;
            }
            end = len;
        }
    }

    /// Walks elements from `at` on to `end`, a register at a time.
    ///
    /// # Safety
    ///
    /// As for [`walk`](Self::walk), of these elements, which are whole registers; where it is `STREAMING`, outputs are aligned to them.
    #[inline(always)]
    unsafe fn walk_registers<const STREAMING: bool>(&self, mut at: usize, end: usize) {
        let lanes = RegisterOf::<S, F::Lane>::LANES;
        // SAFETY: the elements up to `end` are whole registers.
        unsafe {
            while at != end {
                self.store(self.call(at, STREAMING), at, STREAMING);
                at += lanes;
            }
        }
    }

    /// With other masks of the second input and the third.
    #[inline(always)]
    pub(super) fn with_masks(mut self, second: usize, third: usize) -> Self {
        self.masks[1 % N] = second;
        self.masks[2 % N] = third;
        self
    }

    #[inline(always)]
    fn are_aligned(&self, at: usize) -> bool {
        let mut are_aligned = true;
        for output in self.outputs {
            are_aligned &= is_aligned::<S, F::Lane>(output.wrapping_add(at));
        }
        are_aligned
    }

    /// The results for the registers at the element `at`.
    ///
    /// # Safety
    ///
    /// Each of the inputs can be read there for a register.
    #[inline(always)]
    unsafe fn call(&self, at: usize, streaming: bool) -> [RegisterOf<S, F::Lane>; M] {
        // SAFETY: the caller's promise; an input whose mask is 0 is a register at its beginning.
        unsafe {
            let mut inputs = [load(self.simd, self.inputs[0].add(at & self.masks[0]), streaming); N];
            for i in 1..N {
                inputs[i] = load(self.simd, self.inputs[i].add(at & self.masks[i]), streaming);
            }
            self.function.call(self.simd, inputs)
        }
    }

    /// # Safety
    ///
    /// Each of the outputs can be written at the element `at` for a register, and with `streaming` is aligned to it.
    #[inline(always)]
    unsafe fn store(&self, results: [RegisterOf<S, F::Lane>; M], at: usize, streaming: bool) {
        for i in 0..M {
            // SAFETY: the caller's promise.
            unsafe { store(results[i], self.outputs[i].add(at), streaming) };
        }
    }

    /// The `count` elements from `at` on.
    ///
    /// # Safety
    ///
    /// They exist, and are fewer than a register has lanes.
    #[inline(always)]
    unsafe fn call_first(&self, at: usize, count: usize) {
        // SAFETY: the caller's promise; an input whose mask is 0 is a register at its beginning.
        unsafe {
            let mut inputs = [self.load_first(0, at, count); N];
            for i in 1..N {
                inputs[i] = self.load_first(i, at, count);
            }
            let results: [_; M] = self.function.call(self.simd, inputs);
            for i in 0..M {
                results[i].store_first(self.outputs[i].add(at), count);
            }
        }
    }
}

impl<S: Simd, F: VectorFn<N, M>, const N: usize, const M: usize> Map<S, F, N, M> {
    /// # Safety
    ///
    /// As for [`call_first`](Self::call_first), of the input at `index`.
    #[inline(always)]
    unsafe fn load_first(&self, index: usize, at: usize, count: usize) -> RegisterOf<S, F::Lane> {
        // SAFETY: the caller's promise.
        unsafe {
            RegisterOf::<S, F::Lane>::load_first(self.simd, self.inputs[index].add(at & self.masks[index]), count)
        }
    }
}

impl<S: Simd, F: VectorFn<N>, const N: usize> Map<S, F, N, 1> {
    /// As [`walk`](Self::walk), with heads and tails split by the bits of their lengths. `ALIGNED` says whether there are
    /// [`ALIGNED_BYTES`].
    ///
    /// # Safety
    ///
    /// As for [`walk`](Self::walk).
    #[inline(always)]
    unsafe fn walk_with_narrow_tails<const ALIGNED: bool>(self, len: usize, streaming: bool) {
        let Self {
            simd,
            function,
            inputs,
            outputs: [output],
            ..
        } = self;
        let lanes = RegisterOf::<S, F::Lane>::LANES;
        // SAFETY: `at + COUNT * lanes <= len`, checked by each loop; the head is shorter than a register, and the tail than a round. What
        // is streamed is aligned to a register. The fence is the caller's.
        unsafe {
            let mut at = 0;
            if ALIGNED {
                at = before_alignment::<S, F::Lane>(output).min(len);
                walk_tail::<RegisterOf<S, F::Lane>, F, N, 1>(simd, function, inputs, output, 0, at);
                if S::STREAMS && streaming && self.are_aligned(at) {
                    while len - at >= 2 * lanes {
                        let (first, second) = (self.call(at, true), self.call(at + lanes, true));
                        self.store(first, at, true);
                        self.store(second, at + lanes, true);
                        at += 2 * lanes;
                    }
                    // The fewer ordinary stores at the end of a long row, the better.
                    if len - at >= lanes {
                        self.store(self.call(at, true), at, true);
                        at += lanes;
                    }
                }
            }
            while len - at >= UNROLL * lanes {
                block_of_4::<RegisterOf<S, F::Lane>, F, N>(simd, function, inputs, output, at);
                at += UNROLL * lanes;
            }
            walk_tail::<RegisterOf<S, F::Lane>, F, N, UNROLL>(simd, function, inputs, output, at, len);
        }
    }
}

/// Walks elements from `at` on to `len`, fewer than `BOUND` vectors, each of them once. Chunks are split off by the bits of the
/// remaining length, each half as long as the one before.
///
/// Chunks don't overlap: a load that wants bytes from two stores before it waits for both, and in place the next call's
/// loads come soon. Masked stores keep later loads waiting too.
///
/// # Safety
///
/// As for [`Map::walk`], of these elements; `at <= len`, and there are fewer than `BOUND` vectors.
#[inline(always)]
pub(crate) unsafe fn walk_tail<V: Vector, F: VectorFn<N, Lane = V::Lane>, const N: usize, const BOUND: usize>(
    simd: V::Simd,
    function: F,
    inputs: [*const V::Lane; N],
    output: *mut V::Lane,
    mut at: usize,
    len: usize,
) {
    type Narrower<V> = <V as Vector>::Narrower;
    type Narrower2<V> = Narrower<Narrower<V>>;
    type Narrower3<V> = Narrower<Narrower2<V>>;
    type Narrower4<V> = Narrower<Narrower3<V>>;

    let remaining = len - at;
    debug_assert!(remaining < BOUND * V::LANES);
    if remaining == 0 {
        return;
    }
    // Those of the list that are smaller than all before them, and than the bound.
    macro_rules! chunks {
        ([$($greater:expr),+]) => {};
        ([$($greater:expr),+] $block:ident::<$vector:ty>, $count:literal; $($rest:tt)*) => {
            if const { $count * <$vector>::LANES < least(&[$($greater),+]) }
                && remaining & ($count * <$vector>::LANES) != 0
            {
                // SAFETY: `at + COUNT * LANES <= len`: each chunk is smaller than those before it, by the condition, and a power of
                // two, as `LANES` is; so each is another bit of `remaining`, and all of them are no more than `remaining`.
                unsafe { $block::<$vector, F, N>(simd, function, inputs, output, at) };
                at += $count * <$vector>::LANES;
            }
            chunks!([$($greater,)+ $count * <$vector>::LANES] $($rest)*);
        };
    }
    chunks!(
        [BOUND * V::LANES]
        block_of_4::<V>, 4;
        block_of_2::<V>, 2;
        block_of_1::<V>, 1;
        block_of_2::<Narrower<V>>, 2;
        block_of_1::<Narrower<V>>, 1;
        block_of_1::<Narrower2<V>>, 1;
        block_of_1::<Narrower3<V>>, 1;
        block_of_1::<Narrower4<V>>, 1;
    );
    // None, where narrow vectors go down to one lane in steps of half.
    while at < len {
        // SAFETY: `at < len`.
        unsafe { block_of_1::<<V::Lane as crate::simd::Lane>::One<V::Simd>, F, N>(simd, function, inputs, output, at) };
        at += 1;
    }
}

const fn least(lengths: &[usize]) -> usize {
    let mut least = lengths[0];
    let mut i = 1;
    while i < lengths.len() {
        if lengths[i] < least {
            least = lengths[i];
        }
        i += 1;
    }
    least
}

/// The result for the vectors at the element `at`.
///
/// # Safety
///
/// Each of the inputs can be read from `at` for a vector.
#[inline(always)]
unsafe fn call_at<V: Vector, F: VectorFn<N, Lane = V::Lane>, const N: usize>(
    simd: V::Simd,
    function: F,
    inputs: [*const V::Lane; N],
    at: usize,
) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        let mut vectors = [V::load(simd, inputs[0].add(at)); N];
        for i in 1..N {
            vectors[i] = V::load(simd, inputs[i].add(at));
        }
        let [result] = function.call(simd, vectors);
        result
    }
}

/// Declares what walks some vectors: all are loaded before the first of them is stored. Written out, since arrays of vectors go
/// through memory where loops over them are not unrolled.
macro_rules! block {
    ($name:ident: $($index:literal $result:ident),+) => {
        /// The elements of so many vectors from `at` on.
        ///
        /// # Safety
        ///
        /// The inputs can be read and the output written for them.
        #[inline(always)]
        unsafe fn $name<V: Vector, F: VectorFn<N, Lane = V::Lane>, const N: usize>(
            simd: V::Simd,
            function: F,
            inputs: [*const V::Lane; N],
            output: *mut V::Lane,
            at: usize,
        ) {
            // SAFETY: the caller's promise.
            unsafe {
                $(let $result = call_at::<V, F, N>(simd, function, inputs, at + $index * V::LANES);)+
                $($result.store(output.add(at + $index * V::LANES));)+
            }
        }
    };
}

block!(block_of_1: 0 a);
block!(block_of_2: 0 a, 1 b);
block!(block_of_4: 0 a, 1 b, 2 c, 3 d);
