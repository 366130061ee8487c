//! How slices are walked.

use crate::element::Element;
use crate::kernels::Kernels;
use crate::simd::{Entries, Vector};

/// What makes a vector of the output from a vector of each of the `N` inputs.
pub(crate) trait Kernel<const N: usize>: Copy + 'static {
    fn apply<T: Element, V: Vector<Lane = T::Lane>>(self, simd: V::Simd, inputs: [V; N]) -> V;
}

/// `output[i] = kernel(input[i])`
#[inline]
#[track_caller]
pub(crate) fn map<T: Element, K: Kernel<1>>(
    kernels: Kernels,
    entries: &Entries<K, 1>,
    kernel: K,
    input: &[T],
    output: &mut [T],
) {
    assert_same_len("input", input, "output", output);
    let entry = entries.get::<T>(kernels);
    // SAFETY: `kernels` proves the instruction set; both pointers come from slices of that length.
    unsafe {
        entry(
            kernel,
            [input.as_ptr().cast()],
            output.as_mut_ptr().cast(),
            output.len(),
        )
    }
}

/// `x[i] = kernel(x[i])`
#[inline]
pub(crate) fn map_inplace<T: Element, K: Kernel<1>>(kernels: Kernels, entries: &Entries<K, 1>, kernel: K, x: &mut [T]) {
    let entry = entries.get::<T>(kernels);
    let pointer = x.as_mut_ptr().cast::<u8>();
    // SAFETY: `kernels` proves the instruction set; the one slice is input and output.
    unsafe { entry(kernel, [pointer.cast_const()], pointer, x.len()) }
}

/// `grad_input[i] = kernel(input[i], grad_output[i])`
#[inline]
#[track_caller]
pub(crate) fn zip<T: Element, K: Kernel<2>>(
    kernels: Kernels,
    entries: &Entries<K, 2>,
    kernel: K,
    input: &[T],
    grad_output: &[T],
    grad_input: &mut [T],
) {
    assert_same_len("input", input, "grad_output", grad_output);
    assert_same_len("input", input, "grad_input", grad_input);
    let entry = entries.get::<T>(kernels);
    let inputs = [input.as_ptr().cast(), grad_output.as_ptr().cast()];
    // SAFETY: `kernels` proves the instruction set; all three pointers come from slices of that length.
    unsafe { entry(kernel, inputs, grad_input.as_mut_ptr().cast(), grad_input.len()) }
}

/// `grad[i] = kernel(input[i], grad[i])`
#[inline]
#[track_caller]
pub(crate) fn zip_inplace<T: Element, K: Kernel<2>>(
    kernels: Kernels,
    entries: &Entries<K, 2>,
    kernel: K,
    input: &[T],
    grad: &mut [T],
) {
    assert_same_len("input", input, "grad", grad);
    let entry = entries.get::<T>(kernels);
    let pointer = grad.as_mut_ptr().cast::<u8>();
    // SAFETY: `kernels` proves the instruction set; both slices have that length, and `grad` is also the output.
    unsafe {
        entry(
            kernel,
            [input.as_ptr().cast(), pointer.cast_const()],
            pointer,
            grad.len(),
        )
    }
}

#[inline]
#[track_caller]
fn assert_same_len<T>(name: &str, slice: &[T], other_name: &str, other: &[T]) {
    if slice.len() != other.len() {
        unequal_len(name, slice.len(), other_name, other.len());
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn unequal_len(name: &str, len: usize, other_name: &str, other_len: usize) -> ! {
    panic!("slices of unequal length: `{name}` has {len} elements, `{other_name}` has {other_len}");
}

/// Vectors that are loaded before the first of them is stored.
const UNROLL: usize = 4;

/// Walks slices of `len` elements: whole vectors, then a last one that overlaps them.
///
/// # Safety
///
/// - Each of `inputs` can be read, and `output` written, for `len` lanes, at any alignment.
/// - `output` overlaps none of `inputs`, or starts where it does.
#[inline(always)]
pub(crate) unsafe fn sweep<T: Element, V: Vector<Lane = T::Lane>, K: Kernel<N>, const N: usize>(
    simd: V::Simd,
    kernel: K,
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
                kernel.apply::<T, V>(simd, vectors).store_partial(output, len);
            }
        }
        return;
    }

    // Computed before anything is stored: in place its input would be overwritten, and a load from two fresh stores
    // waits for both.
    let last_at = len - V::LANES;
    // SAFETY: last_at + LANES = len.
    let last = unsafe { apply_at::<T, V, K, N>(simd, kernel, inputs, last_at) };

    let mut at = 0;
    while len - at >= UNROLL * V::LANES {
        let mut results = [last; UNROLL];
        for (i, result) in results.iter_mut().enumerate() {
            // SAFETY: at + UNROLL * LANES <= len.
            *result = unsafe { apply_at::<T, V, K, N>(simd, kernel, inputs, at + i * V::LANES) };
        }
        for (i, result) in results.into_iter().enumerate() {
            // SAFETY: at + UNROLL * LANES <= len.
            unsafe { result.store(output.add(at + i * V::LANES)) };
        }
        at += UNROLL * V::LANES;
    }
    while at < last_at {
        // SAFETY: at + LANES < last_at + LANES = len.
        unsafe { apply_at::<T, V, K, N>(simd, kernel, inputs, at).store(output.add(at)) };
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
unsafe fn apply_at<T: Element, V: Vector<Lane = T::Lane>, K: Kernel<N>, const N: usize>(
    simd: V::Simd,
    kernel: K,
    inputs: [*const T::Lane; N],
    at: usize,
) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        let mut vectors = [V::load(simd, inputs[0].add(at)); N];
        for i in 1..N {
            vectors[i] = V::load(simd, inputs[i].add(at));
        }
        kernel.apply::<T, V>(simd, vectors)
    }
}
