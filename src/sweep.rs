//! How slices are walked.

use crate::element::Element;
use crate::simd::{Simd, Vector};

/// A function that makes a vector of the output from one of each of the `N` inputs, lane by lane.
pub trait VectorFn<const N: usize>: Copy + Send + Sync + 'static {
    fn call<T: Element, V: Vector<Lane = T::Lane>>(self, simd: V::Simd, inputs: [V; N]) -> V;
}

/// Vectors that are loaded before the first of them is stored.
const UNROLL: usize = 4;

/// Walks slices of `len` elements: blocks of vectors, then what [`sweep_short`] does. With `LONG` the stores are aligned.
/// With slices that go `past_caches` the stores do as well, or in place what comes next is read ahead.
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
        ($store:ident $(, prefetch: $prefetch:ident)?) => {
            while len - at >= UNROLL * V::LANES {
                $($prefetch::<T, V>(simd, output.wrapping_add(at));)?
                // SAFETY: at + UNROLL * LANES <= len, and i < UNROLL. Where it streams, `output` + `at` is aligned.
                unsafe {
                    let mut results = [call_at::<T, V, F, N>(simd, function, inputs, at); UNROLL];
                    for (i, result) in results.iter_mut().enumerate().skip(1) {
                        *result = call_at::<T, V, F, N>(simd, function, inputs, at + i * V::LANES);
                    }
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
        // SAFETY: `at` <= `len`.
        unsafe { sweep_short::<T, V, F, N>(simd, function, inputs, output, 0, at) };
        if past_caches {
            if inputs.contains(&output.cast_const()) {
                blocks!(store, prefetch: prefetch_ahead);
            } else {
                blocks!(stream);
                simd.fence();
            }
        }
    }
    blocks!(store);
    // SAFETY: the same pointers.
    unsafe { sweep_short::<T, V, F, N>(simd, function, inputs, output, at, len) }
}

/// Walks the rest of slices of `len` elements, from `at` on: whole vectors, then ever narrower ones.
///
/// # Safety
///
/// As for [`sweep`]; `at` <= `len`.
#[inline(always)]
pub(crate) unsafe fn sweep_short<T: Element, V: Vector<Lane = T::Lane>, F: VectorFn<N>, const N: usize>(
    simd: V::Simd,
    function: F,
    inputs: [*const T::Lane; N],
    output: *mut T::Lane,
    mut at: usize,
    len: usize,
) {
    macro_rules! whole_vectors {
        ($vector:ty) => {
            // SAFETY: at + LANES <= len.
            unsafe { call_at::<T, $vector, F, N>(simd, function, inputs, at).store(output.add(at)) };
            at += <$vector>::LANES;
        };
        ($vector:ty, after $wider:ty) => {
            if <$vector>::LANES < <$wider>::LANES {
                while len - at >= <$vector>::LANES {
                    whole_vectors!($vector);
                    if 2 * <$vector>::LANES >= <$wider>::LANES {
                        // Nothing is left for a second one; without this the compiler prepares for many.
                        break;
                    }
                }
            }
        };
    }
    while len - at >= V::LANES {
        whole_vectors!(V);
    }
    if at == len {
        return;
    }
    // From 32 bytes down to 2.
    whole_vectors!(Narrower<V>, after V);
    whole_vectors!(Narrower<Narrower<V>>, after Narrower<V>);
    whole_vectors!(Narrower<Narrower<Narrower<V>>>, after Narrower<Narrower<V>>);
    whole_vectors!(Narrower<Narrower<Narrower<Narrower<V>>>>, after Narrower<Narrower<Narrower<V>>>);
}

type Narrower<V> = <V as Vector>::Narrower;

/// How far ahead, in bytes: 2 to 8 KiB made no difference.
const PREFETCH_BYTES: usize = 4096;

/// Has the cache lines read that the blocks after the one at `block` are in. They may be beyond the end of the slice.
#[inline(always)]
fn prefetch_ahead<T, V: Vector>(simd: V::Simd, block: *mut V::Lane) {
    const LINE_BYTES: usize = 64;
    let start = block.cast::<u8>().wrapping_add(PREFETCH_BYTES);
    for line in 0..UNROLL * V::LANES * size_of::<T>() / LINE_BYTES {
        simd.prefetch(start.wrapping_add(line * LINE_BYTES));
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
