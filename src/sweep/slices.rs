//! The loops over slices and rows: a head up to the alignment of the output, a main loop of registers, and a tail.
//!
//! [`Map::walk`] computes head and tail in one padded register each. Its code is small. It is the loop of all rows, and
//! of the slices of all functions except ReLU.
//!
//! [`Map::walk_with_narrow_tails`] splits head and tail into narrower vectors by the bits of their length, and unrolls
//! the main loop. It is faster for short slices. It is the loop of ReLU's slices, if the instruction set has narrow
//! vectors.
//!
//! [`Map::walk_once`] has one loop for head, registers and tail. It is the loop of smooth functions.

use core::marker::PhantomData;

#[cfg(feature = "smooth")]
use super::prefetch_after;
use super::{RegisterOf, before_alignment, is_aligned, load, store};
#[cfg(feature = "strided")]
use crate::simd::Lane;
use crate::simd::{Access, Padded, REGISTER_BYTES, Register, Simd, SliceLoop, Vector, VectorFn, first_of, inputs};

/// The size of a slice from which on stores are aligned. Below, the head takes longer than aligned stores save.
pub(crate) const ALIGNED_BYTES: usize = 512;

// So a head, which is shorter than a register, is within the slices.
const _: () = assert!(ALIGNED_BYTES >= REGISTER_BYTES);

/// The number of registers from which on broadcasts are kept in registers: to copy them takes as long as to load them so often.
const HOIST_FROM: usize = 8;

/// The number of registers in an iteration of the main loop of [`Map::walk_with_narrow_tails`].
const UNROLL: usize = 4;

/// `output[i] = function(inputs[i])`.
///
/// With `NARROW`, tails are split into narrower vectors if the instruction set has them, and `ALIGNED` says whether
/// stores are aligned. Without, the loop aligns its stores from [`ALIGNED_BYTES`] on.
///
/// Contract: `function` points to an `F`. Each input can be read, and the output written, for `len` lanes in one
/// allocation, at any alignment. The output overlaps no input, or is one. With non-temporal stores,
/// [`fence`](crate::simd::fence) comes before any other access to the output. With one input, the last input is not used.
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
        access: Access,
    ) {
        // SAFETY: `function` points to an `F`; the pointers, `len` and the fence are those of the contract above.
        unsafe {
            let map = Map::of_slices(simd, *function.cast::<F>(), first_input, last_input, output);
            if const { NARROW } {
                map.walk_with_narrow_tails::<ALIGNED>(len, access.is_streaming());
            } else {
                map.walk::<true>(len, access.is_streaming());
            }
        }
    }
}

/// [`MapSlices`] for functions of a lot of code: it stands in the loop once, which computes head and tail too.
///
/// Contract: that of [`MapSlices`]. Where `function` has one input, the last input is null or a gate, for which the same
/// holds as for an input: `output[i] = G(function(input[i]), gate[i])`.
#[cfg(feature = "smooth")]
pub(crate) struct MapLong<F, G, const N: usize>(PhantomData<(F, G)>);

#[cfg(feature = "smooth")]
impl<F: VectorFn<N>, G: VectorFn<2, Lane = F::Lane> + Default, const N: usize> SliceLoop for MapLong<F, G, N> {
    #[inline(always)]
    unsafe fn walk<S: Simd>(
        simd: S,
        function: *const u8,
        first_input: *const u8,
        last_input: *const u8,
        output: *mut u8,
        len: usize,
        access: Access,
    ) {
        // SAFETY: `function` points to an `F`; the pointers, `len` and the fence are those of the contract above, and so
        // is the gate where there is one input.
        unsafe {
            Map::of_slices(simd, *function.cast::<F>(), first_input, last_input, output).walk_once::<G>(
                len,
                last_input.cast(),
                access,
            );
        }
    }
}

/// A loop: `outputs[i] = function(inputs[i])`.
pub(super) struct Map<S, F: VectorFn<N, M>, const N: usize, const M: usize> {
    pub(super) simd: S,
    pub(super) function: F,
    pub(super) inputs: [*const F::Lane; N],
    /// ANDed with the offset into each input: all ones, or 0 for an input that is a single register, read again and
    /// again.
    pub(super) offset_masks: [usize; N],
    pub(super) outputs: [*mut F::Lane; M],
}

impl<S: Simd, F: VectorFn<N, M>, const N: usize, const M: usize> Map<S, F, N, M> {
    /// With `SPLIT`, functions of 16-bit lanes have a loop of their own for non-temporal stores, without a branch in it.
    ///
    /// # Safety
    ///
    /// - Each input can be read, and each output written, for `len` lanes in one allocation, at any alignment. An input
    ///   whose mask is 0 can be read for a register.
    /// - An output overlaps no other output, and no input unless it is that input.
    /// - With `streaming`, a fence comes before any other access to the outputs.
    #[inline(always)]
    pub(super) unsafe fn walk<const SPLIT: bool>(self, len: usize, streaming: bool) {
        let lanes = RegisterOf::<S, F::Lane>::LANES;
        let mut end = len;
        let mut streams = false;
        if const { RegisterOf::<S, F::Lane>::LANES > 1 } && len * size_of::<F::Lane>() >= ALIGNED_BYTES {
            end = before_alignment::<S, F::Lane>(self.outputs[0]);
            // Not every output is aligned there: other outputs have other heads, and an f64 on 32-bit x86 may be
            // aligned to 4 bytes.
            streams = const { S::STREAMS } && streaming && self.are_aligned(end);
        }
        let mut at = 0;
        // First the head, if there is one, which is shorter than a register; then all other elements, by the same code.
        loop {
            // SAFETY: `at <= whole <= end <= len`; `whole - at` is a multiple of a register, and `end - whole` less
            // than one. `streams` is true only if the outputs are aligned at the end of the head. The fence is in this
            // function's contract.
            unsafe {
                let whole = end - (end - at) % lanes;
                if const { N == 3 && F::HOISTS_BROADCASTS } && !streams && whole - at >= HOIST_FROM * lanes {
                    // Not where it streams: there the stores take longer than the loads of broadcasts.
                    match (self.offset_masks[1 % N], self.offset_masks[2 % N]) {
                        (0, 0) => self.walk_with_masks(0, 0, at, whole),
                        (0, _) => self.walk_with_masks(0, usize::MAX, at, whole),
                        (_, 0) => self.walk_with_masks(usize::MAX, 0, at, whole),
                        _ => self.walk_with_masks(usize::MAX, usize::MAX, at, whole),
                    }
                } else if const { SPLIT && S::STREAMS && size_of::<F::Lane>() == size_of::<i16>() } {
                    // Two loops. Of a short one the compiler makes two itself, which takes it less time. These are long.
                    if streams {
                        self.walk_registers(at, whole, true);
                    } else {
                        self.walk_registers(at, whole, false);
                    }
                } else {
                    self.walk_registers(at, whole, streams);
                }
                if const { RegisterOf::<S, F::Lane>::LANES > 1 } && whole < end {
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

    /// Computes the elements from `at` to `end`, a register at a time.
    ///
    /// # Safety
    ///
    /// As for [`walk`](Self::walk), for these elements, which are whole registers. With `streaming`, the outputs are
    /// aligned at `at`.
    #[inline(always)]
    unsafe fn walk_registers(&self, mut at: usize, end: usize, streaming: bool) {
        let lanes = RegisterOf::<S, F::Lane>::LANES;
        // SAFETY: `at + lanes <= end`, since `end - at` is a multiple of `lanes`: this function's contract.
        unsafe {
            while at != end {
                self.store(self.call(at, streaming), at, streaming);
                at += lanes;
            }
        }
    }

    /// [`walk_registers`](Self::walk_registers) with the offset masks of the second and third inputs, as constants.
    ///
    /// A broadcast input goes to a variable, whose address no store has: so the compiler moves its load out of the loop.
    ///
    /// # Safety
    ///
    /// As for [`walk_registers`](Self::walk_registers). The masks are those of `self`.
    #[inline(always)]
    unsafe fn walk_with_masks(&self, second: usize, third: usize, at: usize, end: usize) {
        let mut map = Self {
            offset_masks: first_of([usize::MAX, second, third]),
            ..*self
        };
        let mut rooms = [const { Padded::uninit() }; 2];
        // SAFETY: an input whose mask is 0 can be read for a register. The elements are those of this function.
        unsafe {
            if second == 0 {
                RegisterOf::<S, F::Lane>::load(self.simd, self.inputs[1 % N]).store(rooms[0].as_mut_ptr());
                map.inputs[1 % N] = rooms[0].as_mut_ptr();
            }
            if third == 0 {
                RegisterOf::<S, F::Lane>::load(self.simd, self.inputs[2 % N]).store(rooms[1].as_mut_ptr());
                map.inputs[2 % N] = rooms[1].as_mut_ptr();
            }
            map.walk_registers(at, end, false);
        }
    }

    #[inline(always)]
    fn are_aligned(&self, at: usize) -> bool {
        let last = self.outputs[const { M - 1 }];
        is_aligned::<S, F::Lane>(self.outputs[0].wrapping_add(at)) && is_aligned::<S, F::Lane>(last.wrapping_add(at))
    }

    /// Returns the results for a register of elements at `at`.
    ///
    /// # Safety
    ///
    /// Each input can be read for a register: at `at`, or at its start if its mask is 0.
    #[inline(always)]
    unsafe fn call(&self, at: usize, streaming: bool) -> [RegisterOf<S, F::Lane>; M] {
        // SAFETY: `at & mask` is `at` or 0, where a register can be read: this function's contract.
        unsafe {
            let inputs = inputs!(N, i => load(self.simd, self.inputs[i].add(at & self.offset_masks[i]), streaming));
            self.function.call(self.simd, inputs)
        }
    }

    /// # Safety
    ///
    /// Each output can be written for a register at `at`, and with `streaming` is aligned there.
    #[inline(always)]
    unsafe fn store(&self, results: [RegisterOf<S, F::Lane>; M], at: usize, streaming: bool) {
        // SAFETY: a register can be written at `at`, aligned if `streaming`: this function's contract.
        unsafe {
            store(results[0], self.outputs[0].add(at), streaming);
            if const { M > 1 } {
                store(
                    results[const { 1 % M }],
                    self.outputs[const { 1 % M }].add(at),
                    streaming,
                );
            }
        }
    }

    /// Computes `count` elements from `at` on, fewer than a register has lanes.
    ///
    /// # Safety
    ///
    /// Each input can be read, and each output written, for `count` lanes at `at`; `count < LANES`. An input whose mask
    /// is 0 can be read for a register.
    #[inline(always)]
    unsafe fn call_first(&self, at: usize, count: usize) {
        // SAFETY: `count < LANES` lanes can be read and written: this function's contract.
        unsafe {
            let inputs = inputs!(N, i => self.load_first(i, at, count));
            let results: [_; M] = self.function.call(self.simd, inputs);
            results[0].store_first(self.outputs[0].add(at), count);
            if const { M > 1 } {
                results[const { 1 % M }].store_first(self.outputs[const { 1 % M }].add(at), count);
            }
        }
    }

    /// # Safety
    ///
    /// As for [`call_first`](Self::call_first), of the input at `index`.
    #[inline(always)]
    unsafe fn load_first(&self, index: usize, at: usize, count: usize) -> RegisterOf<S, F::Lane> {
        // SAFETY: `count < LANES` lanes can be read at `at`, or at the start if the mask is 0: this function's
        // contract.
        unsafe {
            RegisterOf::<S, F::Lane>::load_first(
                self.simd,
                self.inputs[index].add(at & self.offset_masks[index]),
                count,
            )
        }
    }
}

impl<S: Simd, F: VectorFn<N>, const N: usize> Map<S, F, N, 1> {
    #[inline(always)]
    fn of_slices(simd: S, function: F, first_input: *const u8, last_input: *const u8, output: *mut u8) -> Self {
        const { assert!(N == 1 || N == 2) };
        Self {
            simd,
            function,
            inputs: first_of([first_input.cast(), last_input.cast(), last_input.cast()]),
            offset_masks: [usize::MAX; N],
            outputs: [output.cast()],
        }
    }

    /// [`walk`](Self::walk), with one call of the function in the code. Where that has one input, `gate` is null or a second
    /// one: the output is that of `G` for the function's result and the gate.
    ///
    /// # Safety
    ///
    /// As for [`walk`](Self::walk), with a gate as for an input. With several inputs, `gate` is not used.
    #[cfg(feature = "smooth")]
    #[inline(always)]
    unsafe fn walk_once<G: VectorFn<2, Lane = F::Lane> + Default>(
        self,
        len: usize,
        gate: *const F::Lane,
        access: Access,
    ) {
        let lanes = RegisterOf::<S, F::Lane>::LANES;
        let (mut head, mut streams) = (0, false);
        if const { RegisterOf::<S, F::Lane>::LANES > 1 } && len * size_of::<F::Lane>() >= ALIGNED_BYTES {
            head = before_alignment::<S, F::Lane>(self.outputs[0]);
            streams = const { S::STREAMS } && access.is_streaming() && self.are_aligned(head);
        }
        let mut at = 0;
        while at < len {
            let count = if at < head { head } else { lanes.min(len - at) };
            // SAFETY: `at + count <= len`: the head is shorter than `ALIGNED_BYTES`. It is shorter than a register, too, so
            // that `count < lanes` unless it is whole. `streams` is true only if the output is aligned at the end of the
            // head, and so after any registers. A gate that isn't null can be read like an input: this function's
            // contract, which has the fence, too.
            unsafe {
                let is_whole = const { RegisterOf::<S, F::Lane>::LANES == 1 } || count == lanes;
                let inputs = if is_whole {
                    inputs!(N, i => {
                        prefetch_after::<S, F::Lane>(self.inputs[i].add(at), access);
                        load(self.simd, self.inputs[i].add(at), false)
                    })
                } else {
                    inputs!(N, i => self.load_first(i, at, count))
                };
                let mut result = self.function.call(self.simd, inputs);
                if const { N == 1 } && !gate.is_null() {
                    let gate = if is_whole {
                        prefetch_after::<S, F::Lane>(gate.add(at), access);
                        load(self.simd, gate.add(at), false)
                    } else {
                        RegisterOf::<S, F::Lane>::load_first(self.simd, gate.add(at), count)
                    };
                    result = G::default().call(self.simd, [result[0], gate]);
                }
                if is_whole {
                    self.store(result, at, streams);
                } else {
                    result[0].store_first(self.outputs[0].add(at), count);
                }
            }
            at += count;
        }
    }

    /// [`walk`](Self::walk), with head and tail split into narrower vectors. `ALIGNED` says whether there are
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
        // SAFETY: `at + COUNT * lanes <= len`, checked by each loop. The head is shorter than a register, and the tail
        // than an iteration. Non-temporal stores start where the output is aligned, checked by `are_aligned`. The fence
        // is in this function's contract.
        unsafe {
            let mut at = 0;
            if ALIGNED {
                at = before_alignment::<S, F::Lane>(output).min(len);
                walk_tail::<RegisterOf<S, F::Lane>, F, N, 1>(simd, function, inputs, output, 0, at);
                if const { S::STREAMS } && streaming && self.are_aligned(at) {
                    while len - at >= 2 * lanes {
                        let (first, second) = (self.call(at, true), self.call(at + lanes, true));
                        self.store(first, at, true);
                        self.store(second, at + lanes, true);
                        at += 2 * lanes;
                    }
                    // Another non-temporal store: ordinary stores to the last lines of a long row take longer.
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

/// Computes a short run of elements by narrow vectors.
///
/// # Safety
///
/// Each input can be read, and the output written, for `len` lanes. The output overlaps no input, or is one.
#[cfg(feature = "strided")]
#[inline(always)]
pub(super) unsafe fn walk_narrow<S: Simd, F: VectorFn<N>, const N: usize>(
    simd: S,
    function: F,
    inputs: [*const F::Lane; N],
    output: *mut F::Lane,
    len: usize,
) {
    type NarrowOf<S, L> = <L as Lane>::Narrow<S>;
    let lanes = NarrowOf::<S, F::Lane>::LANES;
    let mut at = 0;
    // SAFETY: `at + UNROLL * lanes <= len`, checked by the loop; the tail is shorter than an iteration.
    unsafe {
        while len - at >= UNROLL * lanes {
            block_of_4::<NarrowOf<S, F::Lane>, F, N>(simd, function, inputs, output, at);
            at += UNROLL * lanes;
        }
        walk_tail::<NarrowOf<S, F::Lane>, F, N, UNROLL>(simd, function, inputs, output, at, len);
    }
}

/// Computes a tail: the elements from `at` to `len`, fewer than `BOUND` vectors. It is split into chunks by the bits of
/// the remaining length.
///
/// Chunks don't overlap, as a last vector that ends at `len` would. In-place, loads of the next call may follow soon,
/// and a load of bytes from two earlier stores has to wait for both. Masked stores delay later loads too.
///
/// # Safety
///
/// As for [`Map::walk`], for these elements. `at <= len`, and `len - at < BOUND * V::LANES`.
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
    // Uses those chunks of the list that are shorter than all before them, and than the bound. Is the number of elements
    // that are left: the bits of `remaining` that are no chunk's length. All lengths are powers of two.
    macro_rules! chunks {
        ([$($length:expr),+]) => {
            remaining & const { (BOUND * V::LANES - 1) & !(0 $(| $length)+) }
        };
        ([$($greater:expr),+] $block:ident::<$vector:ty>, $count:literal; $($rest:tt)*) => {{
            if const { $count * <$vector>::LANES < least(&[$($greater),+]) }
                && remaining & ($count * <$vector>::LANES) != 0
            {
                // SAFETY: `at + COUNT * LANES <= len`. Each chunk is a power of two, and shorter than those before it,
                // checked by the condition. So it is another bit of `remaining`, and the sum of these bits is at most
                // `remaining`.
                unsafe { $block::<$vector, F, N>(simd, function, inputs, output, at) };
                at += $count * <$vector>::LANES;
            }
            chunks!([$($greater,)+ $count * <$vector>::LANES] $($rest)*)
        }};
    }
    let left = chunks!(
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
    // The compiler sees that none are left if narrow vectors go down to one lane in steps of half.
    for _ in 0..left {
        // SAFETY: `left` elements are left, so `at < len`.
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

/// Returns the result for a vector of elements at `at`.
///
/// # Safety
///
/// Each input can be read for a vector at `at`.
#[inline(always)]
unsafe fn call_at<V: Vector, F: VectorFn<N, Lane = V::Lane>, const N: usize>(
    simd: V::Simd,
    function: F,
    inputs: [*const V::Lane; N],
    at: usize,
) -> V {
    // SAFETY: LANES lanes can be read at `at`: this function's contract.
    unsafe {
        let vectors = inputs!(N, i => V::load(simd, inputs[i].add(at)));
        let [result] = function.call(simd, vectors);
        result
    }
}

/// Declares a function that computes a number of vectors. It loads all of them before it stores the first.
///
/// The vectors are variables of their own: at opt-level s and z loops over arrays are not unrolled, and the arrays go
/// through memory.
macro_rules! block {
    ($name:ident: $($index:literal $result:ident),+) => {
        /// Computes the elements of these vectors from `at` on.
        ///
        /// # Safety
        ///
        /// Each input can be read, and the output written, for these vectors at `at`.
        #[inline(always)]
        unsafe fn $name<V: Vector, F: VectorFn<N, Lane = V::Lane>, const N: usize>(
            simd: V::Simd,
            function: F,
            inputs: [*const V::Lane; N],
            output: *mut V::Lane,
            at: usize,
        ) {
            // SAFETY: each index is below the number of vectors that can be read and written at `at`: this function's
            // contract.
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
