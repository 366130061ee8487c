//! The functions on several threads: those of [rayon]'s pool in which they are called.
//!
//! Each thread takes parts that begin on a cache line. With less than 2 MiB to read and write the call stays on the caller's
//! thread; with less than 24 MiB also when the caller is none of the pool's threads, since they have to be woken up then. An
//! engine does better within `rayon::ThreadPool::install`. The results are the same, bit for bit.
//!
//! ```
//! let mut x = vec![-1.0_f32; 1 << 20];
//! rectify::parallel::relu_inplace(&mut x);
//! assert!(x.iter().all(|&x| x == 0.0));
//! ```

use crate::element::Element;
use crate::{Kernels, calls};

/// [`relu_inplace`](crate::relu_inplace) on several threads.
pub fn relu_inplace<T: Element>(x: &mut [T]) {
    calls::relu_inplace(x).run_parallel(Kernels::best());
}

/// [`relu`](crate::relu) on several threads.
///
/// # Panics
///
/// When the lengths differ. Nothing is written then.
#[track_caller]
pub fn relu<T: Element>(input: &[T], output: &mut [T]) {
    calls::relu(input, output).run_parallel(Kernels::best());
}

/// [`relu_backward`](crate::relu_backward) on several threads.
///
/// # Panics
///
/// When the lengths differ. Nothing is written then.
#[track_caller]
pub fn relu_backward<T: Element>(input: &[T], grad_output: &[T], grad_input: &mut [T]) {
    calls::relu_backward(input, grad_output, grad_input).run_parallel(Kernels::best());
}

/// [`relu_backward_inplace`](crate::relu_backward_inplace) on several threads.
///
/// # Panics
///
/// When the lengths differ. Nothing is written then.
#[track_caller]
pub fn relu_backward_inplace<T: Element>(input: &[T], grad: &mut [T]) {
    calls::relu_backward_inplace(input, grad).run_parallel(Kernels::best());
}
