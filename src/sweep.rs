//! How slices are walked.

use crate::element::Element;
use crate::simd::Vector;

/// A function that makes a vector of the output from one of each of the `N` inputs, lane by lane.
pub trait VectorFn<const N: usize>: Copy + 'static {
    fn call<T: Element, V: Vector<Lane = T::Lane>>(self, simd: V::Simd, inputs: [V; N]) -> V;
}

/// Vectors that are loaded before the first of them is stored.
const UNROLL: usize = 4;

/// Walks slices of `len` elements: whole vectors, then a last one that overlaps them.
///
/// # Safety
///
/// - Each of `inputs` can be read, and `output` written, for `len` lanes in one allocation, at any alignment.
/// - `output` overlaps none of `inputs`, or is one of them: a vector is read before it is written, and none is read after.
#[inline(always)]
pub(crate) unsafe fn sweep<T: Element, V: Vector<Lane = T::Lane>, F: VectorFn<N>, const N: usize>(
    simd: V::Simd,
    function: F,
    inputs: [*const T::Lane; N],
    output: *mut T::Lane,
    len: usize,
) {
    if len < V::LANES {
        if len > 0 {
            // SAFETY: 0 < len < LANES, and the pointers are good for `len` lanes.
            unsafe {
                let mut vectors = [V::load_partial(simd, inputs[0], len); N];
                for i in 1..N {
                    vectors[i] = V::load_partial(simd, inputs[i], len);
                }
                function.call::<T, V>(simd, vectors).store_partial(output, len);
            }
        }
        return;
    }

    // Computed before anything is stored: in place its input would be overwritten, and a load from two fresh stores
    // waits for both.
    let last_at = len - V::LANES;
    // SAFETY: last_at + LANES = len.
    let last = unsafe { call_at::<T, V, F, N>(simd, function, inputs, last_at) };

    let mut at = 0;
    while len - at >= UNROLL * V::LANES {
        let mut results = [last; UNROLL];
        for (i, result) in results.iter_mut().enumerate() {
            // SAFETY: i < UNROLL, so at + i * LANES + LANES <= at + UNROLL * LANES <= len.
            *result = unsafe { call_at::<T, V, F, N>(simd, function, inputs, at + i * V::LANES) };
        }
        for (i, result) in results.into_iter().enumerate() {
            // SAFETY: as for the load.
            unsafe { result.store(output.add(at + i * V::LANES)) };
        }
        at += UNROLL * V::LANES;
    }
    while at < last_at {
        // SAFETY: at + LANES < last_at + LANES = len.
        unsafe { call_at::<T, V, F, N>(simd, function, inputs, at).store(output.add(at)) };
        at += V::LANES;
    }
    // SAFETY: last_at + LANES = len.
    unsafe { last.store(output.add(last_at)) };
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
