//! How slices are walked.

mod masks;
mod rows;
mod sums;

pub(crate) use masks::{BackwardMask, CountNonzero, ForwardMask};
#[cfg(feature = "rayon")]
pub(crate) use rows::Axis;
pub(crate) use rows::{LONG_BYTES, MapRows, Operand, Plan, RepeatedRow};
pub use sums::SumFn;
pub(crate) use sums::{SumColumns, SumRows};

use crate::element::{Element, Format};
use crate::simd::{Lane, Simd, Vector};

/// A function that makes a vector of each of the `M` outputs from one of each of the `N` inputs, lane by lane.
pub trait VectorFn<const N: usize, const M: usize = 1>: Copy + Send + Sync + 'static {
    /// Whether it [`compute`](crate::simd::compute)s, rather than choose among bits.
    const COMPUTES: bool;

    /// The function with its parameters as the format has them.
    type Rounded<T: Element>: Copy;

    fn round<T: Element>(self) -> Self::Rounded<T>;

    /// The function for the rows of a channel, from the number that belongs to it.
    #[inline(always)]
    fn with_channel<T: Element>(rounded: Self::Rounded<T>, _: T::Lane) -> Self::Rounded<T> {
        rounded
    }

    fn call<T: Element, V: Vector<Lane = T::Lane>>(rounded: Self::Rounded<T>, simd: V::Simd, inputs: [V; N]) -> [V; M];
}

/// What is done on a walk. Closures are no substitute: they and what the standard library does with them need not be inlined,
/// and the operations on vectors are calls where they are not.
pub(crate) trait Body {
    type Simd: Simd;
    type Lane: Lane;

    /// With the elements of `COUNT` vectors from `at` on.
    ///
    /// # Safety
    ///
    /// The slices have them, and they have not been walked yet. Where the body streams, what it writes is aligned at `at` to the vector, if
    /// that has 16 bytes or more.
    unsafe fn block<V: Vector<Simd = Self::Simd, Lane = Self::Lane>, const COUNT: usize>(&mut self, at: usize);
}

/// In each slice. From here on it pays to align the stores, which streaming ones need.
pub(crate) const ALIGNED_BYTES: usize = 512;

/// The least that goes past the caches, with this alignment.
pub(crate) const STREAM_BYTES: usize = 16;

/// A vector of the elements on an instruction set.
type VectorOf<S, T> = <<T as Format>::Lane as Lane>::Vector<S>;

/// How many elements come before the first one at which `target` is aligned to a vector; at any rate the least number that could
/// be.
#[inline(always)]
fn before_alignment<S: Simd, T: Element>(target: *const T::Lane) -> usize {
    (target.addr().wrapping_neg() % size_of::<VectorOf<S, T>>()).div_ceil(size_of::<T>())
}

/// Vectors in a block.
const UNROLL: usize = 4;

/// Walks elements from `at` on to `len`, each of them once: blocks of vectors, then what [`walk_rest`] does.
///
/// # Safety
///
/// The slices of `body` have `len` elements, and those from `at` on have not been walked; `at` <= `len`.
#[inline(always)]
pub(crate) unsafe fn walk<V: Vector, B: Body<Simd = V::Simd, Lane = V::Lane>>(body: &mut B, at: usize, len: usize) {
    // SAFETY: the same slices; less than a block is left for the rest.
    unsafe {
        let at = walk_blocks::<V, B, UNROLL>(body, at, len);
        walk_rest::<V, B, UNROLL>(body, at, len);
    }
}

/// Walks elements from `at` on to `len` while there are blocks of `COUNT` vectors, and gives where it ended.
///
/// # Safety
///
/// As for [`walk`].
#[inline(always)]
unsafe fn walk_blocks<V: Vector, B: Body<Simd = V::Simd, Lane = V::Lane>, const COUNT: usize>(
    body: &mut B,
    mut at: usize,
    len: usize,
) -> usize {
    while len - at >= COUNT * V::LANES {
        // SAFETY: at + COUNT * LANES <= len.
        unsafe { body.block::<V, COUNT>(at) };
        at += COUNT * V::LANES;
    }
    at
}

/// Walks elements from `at` on to `len`, less than `BOUND` vectors, each of them once: in pieces of which each is half of the one before,
/// and taken once where its bit is set in the number of elements left.
///
/// The pieces don't overlap: a load that wants bytes from two stores before it waits for both, and in place the next call's
/// loads come soon. Masked stores keep later loads waiting too.
///
/// # Safety
///
/// As for [`walk`], and there are fewer than `BOUND` vectors.
#[inline(always)]
pub(crate) unsafe fn walk_rest<V: Vector, B: Body<Simd = V::Simd, Lane = V::Lane>, const BOUND: usize>(
    body: &mut B,
    mut at: usize,
    len: usize,
) {
    type Narrower<V> = <V as Vector>::Narrower;
    type Narrower2<V> = Narrower<Narrower<V>>;
    type Narrower3<V> = Narrower<Narrower2<V>>;
    type Narrower4<V> = Narrower<Narrower3<V>>;

    let left = len - at;
    debug_assert!(left < BOUND * V::LANES);
    if left == 0 {
        return;
    }
    // Those of a list that are smaller than all before them, and than the bound. What is left out is not even compiled.
    macro_rules! pieces {
        ([$($greater:expr),+]) => {
            const {
                assert!(least(&[$($greater),+]) == 1);
            }
        };
        ([$($greater:expr),+] $vector:ty, $count:literal; $($rest:tt)*) => {
            if const { comes_next($count * <$vector>::LANES, &[$($greater),+]) }
                && left & ($count * <$vector>::LANES) != 0
            {
                // SAFETY: at + COUNT * LANES <= len: each piece is smaller than those before it, by the condition, and a power of two,
                // as `LANES` is; so each is another bit of `left`, and all of them are no more than `left`.
                unsafe { body.block::<$vector, $count>(at) };
                at += $count * <$vector>::LANES;
            }
            pieces!([$($greater,)+ $count * <$vector>::LANES] $($rest)*);
        };
    }
    // Narrower ones have from 32 bytes down to 2.
    pieces!(
        [BOUND * V::LANES]
        V, 4;
        V, 2;
        V, 1;
        Narrower<V>, 2;
        Narrower<V>, 1;
        Narrower2<V>, 1;
        Narrower3<V>, 1;
        Narrower4<V>, 1;
    );
    debug_assert!(at == len);
}

/// Whether `piece` is smaller than each of the `greater` ones. Then it has to be half of the least of them, so that none is left out.
#[inline]
const fn comes_next(piece: usize, greater: &[usize]) -> bool {
    let least = least(greater);
    assert!(piece >= least || 2 * piece == least);
    piece < least
}

const fn least(pieces: &[usize]) -> usize {
    let mut least = pieces[0];
    let mut i = 1;
    while i < pieces.len() {
        if pieces[i] < least {
            least = pieces[i];
        }
        i += 1;
    }
    least
}

/// Walks elements from `at` on to `len`, with less code than [`walk`]: for functions that users compile themselves.
///
/// # Safety
///
/// As for [`walk`].
#[inline(always)]
unsafe fn walk_compact<S: Simd, B: Body<Simd = S>>(body: &mut B, at: usize, len: usize) {
    // SAFETY: the same slices, and each goes on where the one before it ended.
    unsafe {
        let at = walk_blocks::<<B::Lane as Lane>::Vector<S>, B, 1>(body, at, len);
        let at = walk_blocks::<<B::Lane as Lane>::Narrow<S>, B, 1>(body, at, len);
        walk_blocks::<<B::Lane as Lane>::One<S>, B, 1>(body, at, len);
    }
}

/// What is done with a row of some tensors.
trait RowBody: Body + Sized {
    /// Whether all that is written is aligned at the element `at`.
    fn are_aligned(&self, at: usize, bytes: usize) -> bool;

    /// The first output.
    fn output(&self) -> *const Self::Lane;

    /// Past the caches, from now on.
    fn set_streaming(&mut self, streaming: bool);

    /// Walks what comes before the first output is aligned, if it pays, and gives how much that is. From there on it streams what is
    /// `streaming`, if all of it is aligned.
    ///
    /// # Safety
    ///
    /// There are `len` elements.
    #[inline(always)]
    unsafe fn walk_unaligned(&mut self, len: usize, streaming: bool) -> usize {
        let lane_bytes = size_of::<Self::Lane>();
        if !streaming && len * lane_bytes < ALIGNED_BYTES {
            return 0;
        }
        let vector_bytes = size_of::<<Self::Lane as Lane>::Vector<Self::Simd>>();
        let end = len.min((self.output().addr().wrapping_neg() % vector_bytes).div_ceil(lane_bytes));
        self.set_streaming(streaming && self.are_aligned(0, STREAM_BYTES));
        // SAFETY: `end` <= `len`. What is streamed is aligned, in pieces of as many bytes.
        unsafe {
            let at = walk_blocks::<<Self::Lane as Lane>::Narrow<Self::Simd>, _, 1>(self, 0, end);
            self.set_streaming(false);
            walk_blocks::<<Self::Lane as Lane>::One<Self::Simd>, _, 1>(self, at, end);
        }
        self.set_streaming(streaming && self.are_aligned(end, vector_bytes));
        end
    }
}

/// Writes a function of inputs to outputs.
pub(crate) struct Map<S, T: Element, F: VectorFn<N, M>, const N: usize, const M: usize> {
    simd: S,
    function: F::Rounded<T>,
    inputs: [*const T::Lane; N],
    outputs: [*mut T::Lane; M],
    /// Past the caches. The outputs are aligned then.
    streaming: bool,
}

impl<S: Simd, T: Element, F: VectorFn<N, M>, const N: usize, const M: usize> Map<S, T, F, N, M> {
    /// # Safety
    ///
    /// - Each of `inputs` can be read, and each of `outputs` written, for as many lanes as are walked, in one allocation, at
    ///   any alignment.
    /// - An output overlaps no other one and none of `inputs`, or is one of them: each lane is read before it is written, and
    ///   not after.
    #[inline(always)]
    pub(crate) unsafe fn new(
        simd: S,
        function: F::Rounded<T>,
        inputs: [*const T::Lane; N],
        outputs: [*mut T::Lane; M],
    ) -> Self {
        Self {
            simd,
            function,
            inputs,
            outputs,
            streaming: false,
        }
    }

    /// Walks `len` elements. With `ALIGNED` the first output's stores are, and where it is `streaming` its whole vectors from there on go past the
    /// caches, if all outputs are aligned.
    ///
    /// # Safety
    ///
    /// There are so many. Where it is `streaming`, [`Simd::fence`] comes before any other access to the outputs.
    #[inline(always)]
    pub(crate) unsafe fn sweep<V: Vector<Simd = S, Lane = T::Lane>, const ALIGNED: bool>(
        mut self,
        len: usize,
        streaming: bool,
    ) {
        if !ALIGNED {
            // SAFETY: there are so many.
            return unsafe { walk::<V, _>(&mut self, 0, len) };
        }
        let vector_bytes = V::LANES * size_of::<T>();
        let mut at = len.min(self.outputs[0].addr().wrapping_neg() % vector_bytes / size_of::<T>());
        // SAFETY: at <= len: less than a vector is before `at`, and less than a block is left in the end; each walk goes on where the one
        // before it ended. What is streamed is aligned to a vector, and the fence is the caller's.
        unsafe {
            walk_rest::<V, _, 1>(&mut self, 0, at);
            // Where elements are less aligned than they are wide (f64 on 32-bit x86) none of them may be at a vector's start.
            if S::STREAMS && streaming && self.are_aligned(at, vector_bytes) {
                self.streaming = true;
                at = walk_blocks::<V, _, UNROLL>(&mut self, at, len);
                // The fewer ordinary stores at the end of a long row, the better.
                at = walk_blocks::<V, _, 1>(&mut self, at, len);
                self.streaming = false;
            } else {
                at = walk_blocks::<V, _, UNROLL>(&mut self, at, len);
            }
            walk_rest::<V, _, UNROLL>(&mut self, at, len);
        }
    }

    /// Walks the `len` elements of a row, where it is `streaming` past the caches as far as it can.
    ///
    /// # Safety
    ///
    /// As for [`sweep`](Self::sweep).
    #[inline(always)]
    unsafe fn sweep_row(mut self, len: usize, streaming: bool) {
        // SAFETY: there are as many, and `walk_compact` goes on where `walk_unaligned` ended.
        unsafe {
            let at = self.walk_unaligned(len, streaming);
            walk_compact(&mut self, at, len);
        }
    }
}

impl<S: Simd, T: Element, F: VectorFn<N, M>, const N: usize, const M: usize> Body for Map<S, T, F, N, M> {
    type Simd = S;
    type Lane = T::Lane;

    /// All loaded before the first of them is stored.
    #[inline(always)]
    #[expect(
        clippy::needless_range_loop,
        reason = "with iterators the crate takes twice as long to compile"
    )]
    unsafe fn block<V: Vector<Simd = S, Lane = T::Lane>, const COUNT: usize>(&mut self, at: usize) {
        // SAFETY: i < COUNT, and the inputs can be read, the outputs written there; of the alignment, see `sweep` and `walk_unaligned`.
        unsafe {
            let mut results = [self.call_at::<V>(at); COUNT];
            for i in 1..COUNT {
                results[i] = self.call_at::<V>(at + i * V::LANES);
            }
            for i in 0..COUNT {
                for j in 0..M {
                    store(results[i][j], self.outputs[j].add(at + i * V::LANES), self.streaming);
                }
            }
        }
    }
}

impl<S: Simd, T: Element, F: VectorFn<N, M>, const N: usize, const M: usize> Map<S, T, F, N, M> {
    /// The results for the vectors at the element `at`.
    ///
    /// # Safety
    ///
    /// Each of the inputs can be read from `at` for `LANES` lanes.
    #[inline(always)]
    unsafe fn call_at<V: Vector<Simd = S, Lane = T::Lane>>(&self, at: usize) -> [V; M] {
        // SAFETY: the caller promises that LANES lanes can be read from `at`.
        F::call::<T, V>(self.function, self.simd, unsafe {
            load_each(self.simd, self.inputs, at, self.streaming)
        })
    }
}

impl<S: Simd, T: Element, F: VectorFn<N, M>, const N: usize, const M: usize> RowBody for Map<S, T, F, N, M> {
    #[inline(always)]
    fn are_aligned(&self, at: usize, bytes: usize) -> bool {
        let mut are_aligned = true;
        for output in self.outputs {
            are_aligned &= output.wrapping_add(at).addr() % bytes == 0;
        }
        are_aligned
    }

    #[inline(always)]
    fn output(&self) -> *const T::Lane {
        self.outputs[0]
    }

    #[inline(always)]
    fn set_streaming(&mut self, streaming: bool) {
        self.streaming = streaming;
    }
}

/// A vector of each of `inputs` at the element `at`, as [`load`] gives it.
///
/// # Safety
///
/// Each can be read from `at` for `LANES` lanes.
#[inline(always)]
unsafe fn load_each<V: Vector, const N: usize>(
    simd: V::Simd,
    inputs: [*const V::Lane; N],
    at: usize,
    streaming: bool,
) -> [V; N] {
    // SAFETY: the caller promises that LANES lanes can be read from `at`.
    unsafe {
        let mut vectors = [load(simd, inputs[0].add(at), streaming); N];
        for i in 1..N {
            vectors[i] = load(simd, inputs[i].add(at), streaming);
        }
        vectors
    }
}

/// What is streamed comes from far away too.
///
/// # Safety
///
/// As for [`Vector::load`].
#[inline(always)]
unsafe fn load<V: Vector>(simd: V::Simd, source: *const V::Lane, streaming: bool) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        if streaming {
            V::load_ahead(simd, source)
        } else {
            V::load(simd, source)
        }
    }
}

/// # Safety
///
/// As for [`Vector::store`], or with `streaming` as for [`Vector::stream`].
#[inline(always)]
unsafe fn store<V: Vector>(vector: V, target: *mut V::Lane, streaming: bool) {
    // SAFETY: the caller's promises.
    unsafe {
        if streaming {
            vector.stream(target);
        } else {
            vector.store(target);
        }
    }
}
