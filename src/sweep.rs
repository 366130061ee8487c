//! How slices are walked.

use crate::element::Element;
use crate::simd::{Simd, Vector};

/// A function that makes a vector of the output from one of each of the `N` inputs, lane by lane.
pub trait VectorFn<const N: usize>: Copy + Send + Sync + 'static {
    /// Whether it [`compute`](crate::simd::compute)s, rather than choose among bits.
    const COMPUTES: bool;

    /// The function with its parameters as the format has them.
    type Rounded<T: Element>: Copy;

    fn round<T: Element>(self) -> Self::Rounded<T>;

    fn call<T: Element, V: Vector<Lane = T::Lane>>(rounded: Self::Rounded<T>, simd: V::Simd, inputs: [V; N]) -> V;
}

/// Vectors in a block.
const UNROLL: usize = 4;

/// [`sweep_rest`] walks fewer vectors than this.
pub(crate) const REST_VECTORS: usize = 2 * UNROLL;

/// Computes a block of vectors from `at` on and stores it, then moves `at` to its end.
macro_rules! walk {
    ($vector:ty, $count:expr, $store:ident, $simd:ident, $function:ident, $inputs:ident, $output:ident, $at:ident) => {
        let results = block::<T, $vector, F, N, { $count }>($simd, $function, $inputs, $at);
        for (i, result) in results.into_iter().enumerate() {
            result.$store($output.add($at + i * <$vector>::LANES));
        }
        $at += $count * <$vector>::LANES;
    };
}

/// Walks slices of `len` elements: blocks of vectors, then what [`sweep_rest`] does. With `ALIGNED` the stores are, and where
/// it is `streaming` they go past the caches.
///
/// # Safety
///
/// - Each of `inputs` can be read, and `output` written, for `len` lanes in one allocation, at any alignment.
/// - `output` overlaps none of `inputs`, or is one of them: each lane is read before it is written, and not after.
#[inline(always)]
pub(crate) unsafe fn sweep<
    T: Element,
    V: Vector<Lane = T::Lane>,
    F: VectorFn<N>,
    const N: usize,
    const ALIGNED: bool,
>(
    simd: V::Simd,
    function: F::Rounded<T>,
    inputs: [*const T::Lane; N],
    output: *mut T::Lane,
    len: usize,
    streaming: bool,
) {
    let mut at = 0;
    if ALIGNED {
        let vector_bytes = V::LANES * size_of::<T>();
        at = len.min(output.addr().wrapping_neg() % vector_bytes / size_of::<T>());
        // SAFETY: `at` <= `len`, and less than a vector.
        unsafe { sweep_rest::<T, V, F, N>(simd, function, inputs, output, 0, at) };
        // Where elements are less aligned than they are wide (f64 on 32-bit x86) none of them may be at a vector's start.
        if streaming && output.wrapping_add(at).addr() % vector_bytes == 0 {
            while len - at >= UNROLL * V::LANES {
                // SAFETY: at + UNROLL * LANES <= len, and `output` + `at` is aligned: it was before the loop, and blocks are whole
                // vectors.
                unsafe {
                    walk!(V, UNROLL, stream, simd, function, inputs, output, at);
                }
            }
            simd.fence();
        }
    }
    while len - at >= UNROLL * V::LANES {
        // SAFETY: at + UNROLL * LANES <= len.
        unsafe {
            walk!(V, UNROLL, store, simd, function, inputs, output, at);
        }
    }
    // SAFETY: the same pointers; less than a block is left.
    unsafe { sweep_rest::<T, V, F, N>(simd, function, inputs, output, at, len) }
}

/// Walks what is left of slices of `len` elements from `at` on, less than `REST_VECTORS` vectors: in pieces of which each is
/// half of the one before, and taken once where its bit is set in the number of elements left.
///
/// The pieces don't overlap: a load that wants bytes from two stores before it waits for both, and in place the next call's
/// loads come soon. Masked stores keep later loads waiting too.
///
/// # Safety
///
/// As for [`sweep`]; `at` <= `len`.
#[inline(always)]
pub(crate) unsafe fn sweep_rest<T: Element, V: Vector<Lane = T::Lane>, F: VectorFn<N>, const N: usize>(
    simd: V::Simd,
    function: F::Rounded<T>,
    inputs: [*const T::Lane; N],
    output: *mut T::Lane,
    mut at: usize,
    len: usize,
) {
    type Narrower<V> = <V as Vector>::Narrower;
    type Narrower2<V> = Narrower<Narrower<V>>;
    type Narrower3<V> = Narrower<Narrower2<V>>;
    type Narrower4<V> = Narrower<Narrower3<V>>;

    let left = len - at;
    debug_assert!(left < REST_VECTORS * V::LANES);
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
                    unsafe {
                        walk!($vector, $count, store, simd, function, inputs, output, at);
                    }
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

/// The results for `COUNT` vectors from the element `at` on, all loaded before the first of them is stored.
///
/// # Safety
///
/// Each of `inputs` can be read from `at` for `COUNT` * `LANES` lanes.
#[inline(always)]
unsafe fn block<T: Element, V: Vector<Lane = T::Lane>, F: VectorFn<N>, const N: usize, const COUNT: usize>(
    simd: V::Simd,
    function: F::Rounded<T>,
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
    function: F::Rounded<T>,
    inputs: [*const T::Lane; N],
    at: usize,
) -> V {
    // SAFETY: the caller promises that LANES lanes can be read from `at`.
    unsafe {
        let mut vectors = [V::load(simd, inputs[0].add(at)); N];
        for i in 1..N {
            vectors[i] = V::load(simd, inputs[i].add(at));
        }
        F::call::<T, V>(function, simd, vectors)
    }
}
