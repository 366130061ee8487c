//! How slices are walked.

mod masks;
mod rows;
mod sums;

pub(crate) use masks::{BackwardMask, CountNonzero, ForwardMask};
#[cfg(feature = "rayon")]
pub(crate) use rows::Axis;
pub(crate) use rows::{MapRows, Operand, Plan};
pub use sums::SumFn;
pub(crate) use sums::{SumColumns, SumParts, SumRows};

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
    /// The slices have them, and they have not been walked yet.
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

/// [`walk_rest`] walks fewer vectors than this.
pub(crate) const REST_VECTORS: usize = 2 * UNROLL;

/// Walks elements from `at` on to `len`: blocks of vectors, then what [`walk_rest`] does.
///
/// # Safety
///
/// The slices of `body` have `len` elements, and those from `at` on have not been walked; `at` <= `len`.
#[inline(always)]
pub(crate) unsafe fn walk<V: Vector, B: Body<Simd = V::Simd, Lane = V::Lane>>(body: &mut B, mut at: usize, len: usize) {
    while len - at >= UNROLL * V::LANES {
        // SAFETY: at + UNROLL * LANES <= len.
        unsafe { body.block::<V, UNROLL>(at) };
        at += UNROLL * V::LANES;
    }
    // SAFETY: the same slices; less than a block is left.
    unsafe { walk_rest::<V, B>(body, at, len) }
}

/// Walks elements from `at` on to `len`, less than `REST_VECTORS` vectors: in pieces of which each is half of the one before, and
/// taken once where its bit is set in the number of elements left.
///
/// The pieces don't overlap: a load that wants bytes from two stores before it waits for both, and in place the next call's
/// loads come soon. Masked stores keep later loads waiting too.
///
/// # Safety
///
/// As for [`walk`].
#[inline(always)]
pub(crate) unsafe fn walk_rest<V: Vector, B: Body<Simd = V::Simd, Lane = V::Lane>>(
    body: &mut B,
    mut at: usize,
    len: usize,
) {
    type Narrower<V> = <V as Vector>::Narrower;
    type Narrower2<V> = Narrower<Narrower<V>>;
    type Narrower3<V> = Narrower<Narrower2<V>>;
    type Narrower4<V> = Narrower<Narrower3<V>>;

    let left = len - at;
    debug_assert!(left < REST_VECTORS * V::LANES);
    if left == 0 {
        return;
    }
    // The smallest piece so far.
    let mut least = REST_VECTORS * V::LANES;
    macro_rules! piece {
        ($vector:ty, $count:literal) => {
            const {
                assert!(<$vector>::LANES.is_power_of_two());
            }
            let piece = $count * <$vector>::LANES;
            if piece < least {
                debug_assert!(2 * piece == least);
                least = piece;
                if left & piece != 0 {
                    // SAFETY: at + COUNT * LANES <= len: the pieces are different powers of two, each a bit of `left`.
                    unsafe { body.block::<$vector, $count>(at) };
                    at += piece;
                }
            }
        };
    }
    const {
        assert!(REST_VECTORS == 8);
    }
    piece!(V, 4);
    piece!(V, 2);
    piece!(V, 1);
    // From 32 bytes down to 2.
    piece!(Narrower<V>, 2);
    piece!(Narrower<V>, 1);
    piece!(Narrower2<V>, 1);
    piece!(Narrower3<V>, 1);
    piece!(Narrower4<V>, 1);
    debug_assert!(least == 1 && at == len);
}

/// Walks whole pieces of `STREAM_BYTES`, up to `end`. Gives where it stopped.
///
/// # Safety
///
/// As for [`walk`], from 0 on.
#[inline(always)]
unsafe fn walk_head<B: Body>(body: &mut B, end: usize) -> usize {
    let lanes = <<B::Lane as Lane>::Narrow<B::Simd> as Vector>::LANES;
    let mut at = 0;
    while end - at >= lanes {
        // SAFETY: at + LANES <= `end`.
        unsafe { body.block::<<B::Lane as Lane>::Narrow<B::Simd>, 1>(at) };
        at += lanes;
    }
    at
}

/// Writes a function of inputs to outputs; with `STREAM` past the caches, which takes aligned outputs.
pub(crate) struct Map<S, T: Element, F: VectorFn<N, M>, const N: usize, const M: usize, const STREAM: bool = false> {
    simd: S,
    function: F::Rounded<T>,
    inputs: [*const T::Lane; N],
    outputs: [*mut T::Lane; M],
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
        }
    }

    /// Walks `len` elements. With `ALIGNED` the first output's stores are, if there are enough of them, and where it is `streaming`
    /// those of all go past the caches.
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
        let mut at = 0;
        if ALIGNED && (streaming || len * size_of::<T>() >= ALIGNED_BYTES) {
            let vector_bytes = V::LANES * size_of::<T>();
            at = len.min(self.outputs[0].addr().wrapping_neg() % vector_bytes / size_of::<T>());
            let mut stream = Map::<S, T, F, N, M, true> {
                simd: self.simd,
                function: self.function,
                inputs: self.inputs,
                outputs: self.outputs,
            };
            // SAFETY: `at` <= `len`, and less than a vector is before it. `walk` goes on where the others ended. What is streamed is
            // aligned: at first to 16 bytes, then to a vector, and pieces come in the order of their sizes.
            unsafe {
                let mut head = 0;
                if streaming && self.are_aligned(0, STREAM_BYTES) {
                    head = walk_head(&mut stream, at);
                }
                walk_rest::<V, _>(&mut self, head, at);
                // Where elements are less aligned than they are wide (f64 on 32-bit x86) none of them may be at a vector's start.
                if streaming && self.are_aligned(at, vector_bytes) {
                    return walk::<V, _>(&mut stream, at, len);
                }
            }
        }
        // SAFETY: what is before `at` was walked.
        unsafe { walk::<V, Self>(&mut self, at, len) }
    }

    /// Whether all outputs are, at the element `at`.
    #[inline(always)]
    fn are_aligned(&self, at: usize, bytes: usize) -> bool {
        let mut are_aligned = true;
        for output in self.outputs {
            are_aligned &= output.wrapping_add(at).addr() % bytes == 0;
        }
        are_aligned
    }
}

impl<S: Simd, T: Element, F: VectorFn<N, M>, const N: usize, const M: usize, const STREAM: bool> Body
    for Map<S, T, F, N, M, STREAM>
{
    type Simd = S;
    type Lane = T::Lane;

    /// All loaded before the first of them is stored.
    #[inline(always)]
    unsafe fn block<V: Vector<Simd = S, Lane = T::Lane>, const COUNT: usize>(&mut self, at: usize) {
        // SAFETY: i < COUNT, and the inputs can be read, the outputs written there; of the alignment, see `sweep`.
        unsafe {
            let mut results = [self.call_at::<V>(at); COUNT];
            for (i, result) in results.iter_mut().enumerate().skip(1) {
                *result = self.call_at::<V>(at + i * V::LANES);
            }
            for (i, result) in results.into_iter().enumerate() {
                for (vector, output) in result.into_iter().zip(self.outputs) {
                    store(vector, output.add(at + i * V::LANES), STREAM);
                }
            }
        }
    }
}

impl<S: Simd, T: Element, F: VectorFn<N, M>, const N: usize, const M: usize, const STREAM: bool>
    Map<S, T, F, N, M, STREAM>
{
    /// The results for the vectors at the element `at`.
    ///
    /// # Safety
    ///
    /// Each of the inputs can be read from `at` for `LANES` lanes.
    #[inline(always)]
    unsafe fn call_at<V: Vector<Simd = S, Lane = T::Lane>>(&self, at: usize) -> [V; M] {
        // SAFETY: the caller promises that LANES lanes can be read from `at`.
        F::call::<T, V>(self.function, self.simd, unsafe { load(self.simd, self.inputs, at) })
    }
}

/// A vector of each of `inputs` at the element `at`.
///
/// # Safety
///
/// Each can be read from `at` for `LANES` lanes.
#[inline(always)]
pub(crate) unsafe fn load<V: Vector, const N: usize>(simd: V::Simd, inputs: [*const V::Lane; N], at: usize) -> [V; N] {
    // SAFETY: the caller promises that LANES lanes can be read from `at`.
    unsafe {
        let mut vectors = [V::load(simd, inputs[0].add(at)); N];
        for i in 1..N {
            vectors[i] = V::load(simd, inputs[i].add(at));
        }
        vectors
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
