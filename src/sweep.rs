//! How slices are walked.

use crate::element::Element;
use crate::simd::{Simd, Vector};

/// A function that makes a vector of the output from one of each of the `N` inputs, lane by lane.
pub trait VectorFn<const N: usize>: Copy + Send + Sync + 'static {
    fn call<T: Element, V: Vector<Lane = T::Lane>>(self, simd: V::Simd, inputs: [V; N]) -> V;
}

/// Vectors in a block.
pub(crate) const UNROLL: usize = 4;

/// Walks slices of `len` elements: blocks of vectors, then what [`sweep_rest`] does. With `LONG` the stores are aligned, and
/// with slices that go `past_caches` they do as well.
///
/// # Safety
///
/// - Each of `inputs` can be read, and `output` written, for `len` lanes in one allocation, at any alignment.
/// - `output` overlaps none of `inputs`, or is one of them: each lane is read before it is written, and not after.
#[inline(always)]
pub(crate) unsafe fn sweep<T: Element, V: Vector<Lane = T::Lane>, F: VectorFn<N>, const N: usize, const LONG: bool>(
    simd: V::Simd,
    function: F,
    inputs: [*const T::Lane; N],
    output: *mut T::Lane,
    len: usize,
    past_caches: bool,
) {
    let mut at = 0;
    macro_rules! blocks {
        ($store:ident) => {
            while len - at >= UNROLL * V::LANES {
                // SAFETY: at + UNROLL * LANES <= len. Where it streams, `output` + `at` is aligned.
                unsafe {
                    let results = block::<T, V, F, N, UNROLL>(simd, function, inputs, at);
                    for (i, result) in results.into_iter().enumerate() {
                        result.$store(output.add(at + i * V::LANES));
                    }
                }
                at += UNROLL * V::LANES;
            }
        };
    }
    if LONG {
        let vector_bytes = V::LANES * size_of::<T>();
        at = len.min(output.addr().wrapping_neg() % vector_bytes / size_of::<T>());
        // SAFETY: `at` <= `len`, and less than a vector.
        unsafe { sweep_rest::<T, V, F, N>(simd, function, inputs, output, 0, at) };
        if past_caches {
            blocks!(stream);
            simd.fence();
        }
    }
    blocks!(store);
    // SAFETY: the same pointers; less than a block is left.
    unsafe { sweep_rest::<T, V, F, N>(simd, function, inputs, output, at, len) }
}

/// Walks what is left of slices of `len` elements from `at` on, less than twice `UNROLL` vectors: in pieces of which each is
/// half of the one before, and taken once where its bit is set in the number of elements left.
///
/// # Safety
///
/// As for [`sweep`]; `at` <= `len`.
#[inline(always)]
pub(crate) unsafe fn sweep_rest<T: Element, V: Vector<Lane = T::Lane>, F: VectorFn<N>, const N: usize>(
    simd: V::Simd,
    function: F,
    inputs: [*const T::Lane; N],
    output: *mut T::Lane,
    mut at: usize,
    len: usize,
) {
    let left = len - at;
    debug_assert!(left < 2 * UNROLL * V::LANES);
    macro_rules! piece {
        ($vector:ty, $count:literal, less than $lanes:expr) => {
            let piece = $count * <$vector>::LANES;
            if piece < $lanes && left & piece != 0 {
                // SAFETY: at + COUNT * LANES <= len, since the pieces before this one are the higher bits of `left`.
                unsafe {
                    let results = block::<T, $vector, F, N, $count>(simd, function, inputs, at);
                    for (i, result) in results.into_iter().enumerate() {
                        result.store(output.add(at + i * <$vector>::LANES));
                    }
                }
                at += piece;
            }
        };
    }
    piece!(V, 4, less than usize::MAX);
    piece!(V, 2, less than usize::MAX);
    piece!(V, 1, less than usize::MAX);
    // From 32 bytes down to 2.
    piece!(Narrower<V>, 2, less than V::LANES);
    piece!(Narrower<V>, 1, less than V::LANES);
    piece!(Narrower<Narrower<V>>, 1, less than Narrower::<V>::LANES);
    piece!(Narrower<Narrower<Narrower<V>>>, 1, less than Narrower::<Narrower<V>>::LANES);
    piece!(Narrower<Narrower<Narrower<Narrower<V>>>>, 1, less than Narrower::<Narrower<Narrower<V>>>::LANES);
    debug_assert!(at == len);
}

type Narrower<V> = <V as Vector>::Narrower;

/// The results for `COUNT` vectors from the element `at` on, all loaded before the first of them is stored.
///
/// # Safety
///
/// Each of `inputs` can be read from `at` for `COUNT` * `LANES` lanes.
#[inline(always)]
unsafe fn block<T: Element, V: Vector<Lane = T::Lane>, F: VectorFn<N>, const N: usize, const COUNT: usize>(
    simd: V::Simd,
    function: F,
    inputs: [*const T::Lane; N],
    at: usize,
) -> [V; COUNT] {
    // SAFETY: i < COUNT.
    unsafe {
        let mut results = [call_at::<T, V, F, N>(simd, function, inputs, at); COUNT];
        for (i, result) in results.iter_mut().enumerate().skip(1) {
            *result = call_at::<T, V, F, N>(simd, function, inputs, at + i * V::LANES);
        }
        results
    }
}

/// The result for the vectors at the element `at`. A function, not a closure: closures and what the standard library does
/// with them need not be inlined, and the operations on vectors are calls where they are not.
///
/// # Safety
///
/// Each of `inputs` can be read from `at` for `LANES` lanes.
#[inline(always)]
unsafe fn call_at<T: Element, V: Vector<Lane = T::Lane>, F: VectorFn<N>, const N: usize>(
    simd: V::Simd,
    function: F,
    inputs: [*const T::Lane; N],
    at: usize,
) -> V {
    // SAFETY: the caller promises that LANES lanes can be read from `at`.
    unsafe {
        let mut vectors = [V::load(simd, inputs[0].add(at)); N];
        for i in 1..N {
            vectors[i] = V::load(simd, inputs[i].add(at));
        }
        function.call::<T, V>(simd, vectors)
    }
}
