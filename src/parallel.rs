//! The functions on several threads, with the feature `rayon`.
//!
//! ```
//! let mut x = vec![-1.0_f32; 1 << 22];
//! rectify::parallel::relu_inplace(&mut x);
//! assert!(x.iter().all(|&x| x == 0.0));
//! ```
//!
//! The threads are those of the [rayon] pool in which a function is called. The results are the same, bit for bit.
//!
//! A call that reads and writes less than 2 MiB in all stays on the caller's thread. So does one of less than 24 MiB if
//! the caller is not a thread of a pool: to wake the pool would take longer. Smooth functions take longer: for them half as
//! many bytes are enough in `f32`, a quarter in the other formats. An engine runs within `rayon::ThreadPool::install`, where
//! the pool is awake.
//!
//! Slices are split at cache lines, and tensors at rows or columns. [`Fused`](crate::Fused),
//! [`PRelu`](crate::PRelu), [`ReGlu`](crate::ReGlu), [`Gated`](crate::Gated) and [`Crelu`](crate::Crelu) run on several threads with their
//! method `parallel`.
//!
//! # Locks and borrows
//!
//! A thread that waits for the other parts of its call runs other tasks of the pool meanwhile. If such a task wants a
//! lock that the thread holds, the program hangs. If it borrows a `RefCell` that is borrowed, it panics. So within tasks
//! of a pool, hold neither during a call: take the buffer out, and put it back.
//!
//! ```
//! use rayon::prelude::*;
//! use std::sync::Mutex;
//!
//! let free = Mutex::new(Vec::<Vec<f32>>::new());
//! (0..8).into_par_iter().for_each(|_| {
//!     // The lock is released at the end of the statement.
//!     let taken = free.lock().unwrap().pop();
//!     let mut x = taken.unwrap_or_default();
//!     x.resize(1 << 20, -1.0);
//!     rectify::parallel::relu_inplace(&mut x);
//!     free.lock().unwrap().push(x);
//! });
//! assert!(free.into_inner().unwrap().iter().flatten().all(|&x| x == 0.0));
//! ```
//!
//! The functions outside of this module never wait, so they may be called under a lock. A second pool does not help: a
//! thread that waits for it in `install` runs other tasks of its own pool, too.

use core::mem::MaybeUninit;

use crate::activation::{Activation, OneBitGradient};
use crate::call::{self, Kernels, OrPanic};
use crate::function::Relu;
use crate::simd::Element;

/// [`relu_inplace`](crate::relu_inplace) on several threads.
pub fn relu_inplace<T: Element>(x: &mut [T]) {
    forward_inplace(Relu, x);
}

/// [`relu`](crate::relu) on several threads.
///
/// # Panics
///
/// Panics if the lengths differ, before anything is written.
#[track_caller]
pub fn relu<T: Element>(input: &[T], output: &mut [T]) {
    forward(Relu, input, output);
}

/// [`relu_backward`](crate::relu_backward) on several threads.
///
/// # Panics
///
/// Panics if the lengths differ, before anything is written.
#[track_caller]
pub fn relu_backward<T: Element>(input: &[T], grad_output: &[T], grad_input: &mut [T]) {
    backward(Relu, input, grad_output, grad_input);
}

/// [`relu_backward_inplace`](crate::relu_backward_inplace) on several threads.
///
/// # Panics
///
/// Panics if the lengths differ, before anything is written.
#[track_caller]
pub fn relu_backward_inplace<T: Element>(input: &[T], grad: &mut [T]) {
    backward_inplace(Relu, input, grad);
}

/// [`relu_mask_inplace`](crate::relu_mask_inplace) on several threads.
///
/// # Panics
///
/// Panics if `mask.len() != x.len().div_ceil(8)`, before anything is written.
#[track_caller]
pub fn relu_mask_inplace<T: Element>(x: &mut [T], mask: &mut [u8]) -> usize {
    forward_mask_inplace(Relu, x, mask)
}

/// [`relu_mask`](crate::relu_mask) on several threads.
///
/// # Panics
///
/// Panics if the lengths differ, or if `mask.len() != input.len().div_ceil(8)`, before anything is written.
#[track_caller]
pub fn relu_mask<T: Element>(input: &[T], output: &mut [T], mask: &mut [u8]) -> usize {
    forward_mask(Relu, input, output, mask)
}

/// [`relu_backward_mask`](crate::relu_backward_mask) on several threads.
///
/// # Panics
///
/// Panics if the lengths differ, or if `mask.len() != grad_output.len().div_ceil(8)`, before anything is written.
#[track_caller]
pub fn relu_backward_mask<T: Element>(mask: &[u8], grad_output: &[T], grad_input: &mut [T]) {
    backward_mask(Relu, mask, grad_output, grad_input);
}

/// [`relu_backward_mask_inplace`](crate::relu_backward_mask_inplace) on several threads.
///
/// # Panics
///
/// Panics if `mask.len() != grad.len().div_ceil(8)`, before anything is written.
#[track_caller]
pub fn relu_backward_mask_inplace<T: Element>(mask: &[u8], grad: &mut [T]) {
    backward_mask_inplace(Relu, mask, grad);
}

/// [`Activation::forward_inplace`] on several threads.
pub fn forward_inplace<T: Element>(activation: impl Activation, x: &mut [T]) {
    call::forward_inplace(activation, x)
        .or_panic()
        .run_parallel(Kernels::best());
}

/// [`Activation::forward`] on several threads.
///
/// # Panics
///
/// Panics if the lengths differ, before anything is written.
#[track_caller]
pub fn forward<T: Element>(activation: impl Activation, input: &[T], output: &mut [T]) {
    call::forward(activation, input, output)
        .or_panic()
        .run_parallel(Kernels::best());
}

/// [`Activation::backward`] on several threads.
///
/// # Panics
///
/// Panics if the lengths differ, before anything is written.
#[track_caller]
pub fn backward<T: Element>(activation: impl Activation, input: &[T], grad_output: &[T], grad_input: &mut [T]) {
    call::backward(activation, input, grad_output, grad_input)
        .or_panic()
        .run_parallel(Kernels::best());
}

/// [`Activation::backward_inplace`] on several threads.
///
/// # Panics
///
/// Panics if the lengths differ, before anything is written.
#[track_caller]
pub fn backward_inplace<T: Element>(activation: impl Activation, input: &[T], grad: &mut [T]) {
    call::backward_inplace(activation, input, grad)
        .or_panic()
        .run_parallel(Kernels::best());
}

/// [`Activation::forward_uninit`] on several threads.
///
/// # Panics
///
/// Panics if the lengths differ, before anything is written.
#[track_caller]
pub fn forward_uninit<'a, T: Element>(
    activation: impl Activation,
    input: &[T],
    output: &'a mut [MaybeUninit<T>],
) -> &'a mut [T] {
    call::forward_uninit(activation, input, output)
        .or_panic()
        .run_parallel(Kernels::best())
}

/// [`Activation::backward_uninit`] on several threads.
///
/// # Panics
///
/// Panics if the lengths differ, before anything is written.
#[track_caller]
pub fn backward_uninit<'a, T: Element>(
    activation: impl Activation,
    input: &[T],
    grad_output: &[T],
    grad_input: &'a mut [MaybeUninit<T>],
) -> &'a mut [T] {
    call::backward_uninit(activation, input, grad_output, grad_input)
        .or_panic()
        .run_parallel(Kernels::best())
}

/// [`OneBitGradient::forward_mask`] on several threads.
///
/// # Panics
///
/// Panics if the lengths differ, or if `mask.len() != input.len().div_ceil(8)`, before anything is written.
#[track_caller]
pub fn forward_mask<T: Element>(
    activation: impl OneBitGradient,
    input: &[T],
    output: &mut [T],
    mask: &mut [u8],
) -> usize {
    call::forward_mask(activation, input, output, mask)
        .or_panic()
        .run_parallel(Kernels::best())
}

/// [`OneBitGradient::forward_mask_inplace`] on several threads.
///
/// # Panics
///
/// Panics if `mask.len() != x.len().div_ceil(8)`, before anything is written.
#[track_caller]
pub fn forward_mask_inplace<T: Element>(activation: impl OneBitGradient, x: &mut [T], mask: &mut [u8]) -> usize {
    call::forward_mask_inplace(activation, x, mask)
        .or_panic()
        .run_parallel(Kernels::best())
}

/// [`OneBitGradient::backward_mask`] on several threads.
///
/// # Panics
///
/// Panics if the lengths differ, or if `mask.len() != grad_output.len().div_ceil(8)`, before anything is written.
#[track_caller]
pub fn backward_mask<T: Element>(
    activation: impl OneBitGradient,
    mask: &[u8],
    grad_output: &[T],
    grad_input: &mut [T],
) {
    call::backward_mask(activation, mask, grad_output, grad_input)
        .or_panic()
        .run_parallel(Kernels::best());
}

/// [`OneBitGradient::backward_mask_inplace`] on several threads.
///
/// # Panics
///
/// Panics if `mask.len() != grad.len().div_ceil(8)`, before anything is written.
#[track_caller]
pub fn backward_mask_inplace<T: Element>(activation: impl OneBitGradient, mask: &[u8], grad: &mut [T]) {
    call::backward_mask_inplace(activation, mask, grad)
        .or_panic()
        .run_parallel(Kernels::best());
}
