//! The rectifier family and its gradients on slices of `f32`, `f64`, `f16` and `bf16`: AVX-512, AVX2, NEON, portable SIMD or
//! scalar code, chosen at run time, with **the same bits on every path**.
//!
//! ```
//! let mut x = [-3.0_f32, -1.0, 0.0, 2.0, 5.0];
//! rectify::relu_inplace(&mut x);
//! assert_eq!(x, [0.0, 0.0, 0.0, 2.0, 5.0]);
//! ```
//!
//! # Meaning
//!
//! ReLU is decided on the bits of each element, never by a floating-point instruction: no rounding mode, flush-to-zero mode or
//! exception flag matters or changes. With
//!
//! > pass(x) = `!(x <= 0)`: true for x > 0 and for every NaN, false for +0.0, -0.0 and x < 0,
//!
//! | function | result per element |
//! | --- | --- |
//! | [`relu`], [`relu_inplace`] | x bit for bit where pass(x), else +0.0 |
//! | [`relu_backward`], [`relu_backward_inplace`] | the gradient bit for bit where pass(x), else +0.0 |
//!
//! So relu(-0.0) is +0.0, a NaN keeps its sign, payload and signalling bit, and a dead unit's gradient is +0.0 whatever
//! comes from above (no `0 * inf`). Since pass(relu(x)) = pass(x), the backward functions take the input or the output of
//! the forward ones alike.
//!
//! The other functions of the family are values with the trait [`Activation`], or of their own kind: [`PRelu`], [`ReGlu`], [`Crelu`].
//! The page of each has its table. [`Fused`] adds a bias and a residual in the same pass; [`OneBitGradient`] keeps a bit of x
//! for backward. Those that choose among bits are as independent of modes and flags. Those that compute are the same on every
//! path of IEEE arithmetic in its default modes, and follow the CPU's otherwise; 32-bit x86 without SSE2 has none, and rounds twice.
//! Where a page says that a NaN comes out of a product quiet, that is what x86 and aarch64 do, sign and payload as they were; Rust
//! leaves it open, and RISC-V gives one NaN for all.
//!
//! # Instruction sets
//!
//! The free functions use [`Isa::best`]. [`Kernels`] has the same functions on one [`Isa`] of your choice.
//! The environment variable `RECTIFY_MAX_ISA=avx2` caps the choice (read once, at the first use, with the feature `std`;
//! an unknown name is reported on stderr and ignored). `RECTIFY_DISABLE=avx512,portable` in the environment of the build
//! leaves instruction sets out.
//!
//! What an instruction set's name stands for takes over where there is enough for it to do: the methods of [`Activation`] run the
//! same code below 128 bytes a slice (64 of `f64`) whatever the choice, inlined into the caller (but for functions that compute), and
//! below 512 bytes AVX-512 is AVX2's vectors.
//!
//! Results that are written to a slice of their own and don't fit into the caches go past them, from
//! [`streaming_threshold`] on.
//!
//! Slices may have any alignment. Nothing is read or written outside of them, and nothing is allocated, but for what is appended to a
//! `Vec`.
//!
//! # Features
//!
//! - `std` (default): reads `RECTIFY_MAX_ISA`. Without it the crate is `no_std`, and still detects the CPU (but for
//!   targets without an operating system, where it takes what the compilation target has).
//! - `alloc` (with `std`): the methods that append to a `Vec`.
//! - `rayon`: the functions on several threads, in the module `parallel`, and the methods `parallel` of the values.
//! - `half` (default): the formats `f16` and `bf16`, the types of the crate [`half`](https://docs.rs/half), which this
//!   crate exports too.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod activation;
#[allow(unsafe_code)]
mod call;
mod function;
mod isa;
mod kernels;
#[cfg(feature = "rayon")]
pub mod parallel;
#[allow(unsafe_code)]
mod simd;
#[allow(unsafe_code)]
mod sweep;
mod tensor;

pub use activation::{Activation, AnyActivation, AnyOneBit, OneBitGradient, ParseActivationError};
pub use call::{
    AsRowsMut, Channels, Kernels, Rows, RowsMut, UnsupportedIsa, set_streaming_threshold, streaming_threshold,
};
pub use function::{ClippedRelu, HardSigmoid, HardSwish, Hardtanh, LeakyRelu, Relu, SquaredRelu, ThresholdedRelu};
#[cfg(feature = "half")]
pub use half::{bf16, f16};
pub use isa::{Isa, ParseIsaError};
pub use simd::Element;
pub use tensor::{Crelu, Fused, PRelu, ReGlu};

/// `x[i] = relu(x[i])`: x where `!(x <= 0)`, else +0.0.
///
/// | x | result |
/// | --- | --- |
/// | > 0, +inf | x |
/// | < 0, -inf, -0.0, +0.0 | +0.0 |
/// | NaN | the same NaN: sign, payload, quiet or signalling |
///
/// ReLU is due to Fukushima (1969) and Nair and Hinton (2010). It is ONNX's operator `Relu` and PyTorch's `relu_`.
///
/// ```
/// let mut x = [-3.0_f32, -1.0, 0.0, 2.0, 5.0];
/// rectify::relu_inplace(&mut x);
/// assert_eq!(x, [0.0, 0.0, 0.0, 2.0, 5.0]);
/// ```
#[inline]
pub fn relu_inplace<T: Element>(x: &mut [T]) {
    Relu.forward_inplace(x);
}

/// `output[i] = relu(input[i])`: x where `!(x <= 0)`, else +0.0, as [`relu_inplace`] computes it.
///
/// ```
/// let mut output = [0.0; 4];
/// rectify::relu(&[-1.5, -0.0, f64::NAN, f64::INFINITY], &mut output);
/// assert_eq!(output[..2], [0.0, 0.0]);
/// assert!(output[2].is_nan());
/// assert_eq!(output[3], f64::INFINITY);
/// ```
///
/// # Panics
///
/// When the lengths differ. Nothing is written then.
#[inline]
#[track_caller]
pub fn relu<T: Element>(input: &[T], output: &mut [T]) {
    Relu.forward(input, output);
}

/// `grad_input[i]` = `grad_output[i]` where `!(input[i] <= 0)`, else +0.0: the gradient of a loss at the input of ReLU,
/// from the one at its output.
///
/// | input | `grad_input` |
/// | --- | --- |
/// | > 0, +inf, NaN | `grad_output`, bit for bit |
/// | < 0, -inf, -0.0, +0.0 | +0.0, even where `grad_output` is infinite or NaN |
///
/// The gradient at x = 0 is 0, as in PyTorch. `input` may be the input or the output of [`relu`]: the result is the same.
/// It is PyTorch's `threshold_backward` with the threshold 0.
///
/// ```
/// let mut grad_input = [0.0_f32; 4];
/// rectify::relu_backward(&[-1.0, 0.0, 1.0, 2.0], &[f32::INFINITY, 5.0, 6.0, -7.0], &mut grad_input);
/// assert_eq!(grad_input, [0.0, 0.0, 6.0, -7.0]);
/// ```
///
/// # Panics
///
/// When the lengths differ. Nothing is written then.
#[inline]
#[track_caller]
pub fn relu_backward<T: Element>(input: &[T], grad_output: &[T], grad_input: &mut [T]) {
    Relu.backward(input, grad_output, grad_input);
}

/// `grad[i]` stays where `!(input[i] <= 0)`, else becomes +0.0: [`relu_backward`] with the gradient at the output
/// overwritten by the one at the input.
///
/// ```
/// let mut grad = [1.0_f32, 2.0, 3.0];
/// rectify::relu_backward_inplace(&[-1.0, 0.0, 1.0], &mut grad);
/// assert_eq!(grad, [0.0, 0.0, 3.0]);
/// ```
///
/// # Panics
///
/// When the lengths differ. Nothing is written then.
#[inline]
#[track_caller]
pub fn relu_backward_inplace<T: Element>(input: &[T], grad: &mut [T]) {
    Relu.backward_inplace(input, grad);
}

/// [`relu_inplace`], and a bit of each element: whether `!(x[i] <= 0)`. Gives how many bits are 1.
///
/// Bit i is in byte i / 8, the first one in the lowest bit; the unused bits of the last byte are written as 0. It is all that
/// [`relu_backward_mask`] needs of x. Other functions have such masks with [`OneBitGradient`].
///
/// ```
/// let mut x = [-3.0_f32, 1.0, 0.0, f32::NAN];
/// let mut mask = [0xff];
/// assert_eq!(rectify::relu_mask_inplace(&mut x, &mut mask), 2);
/// assert_eq!(mask, [0b1010]);
/// ```
///
/// # Panics
///
/// When the mask is not of `x.len().div_ceil(8)` bytes. Nothing is written then.
#[track_caller]
pub fn relu_mask_inplace<T: Element>(x: &mut [T], mask: &mut [u8]) -> usize {
    Relu.forward_mask_inplace(x, mask)
}

/// [`relu`], and a bit of each element of `input` as [`relu_mask_inplace`] has it. Gives how many bits are 1.
///
/// ```
/// let mut output = [0.0_f32; 9];
/// let mut mask = [0; 2];
/// assert_eq!(rectify::relu_mask(&[1.0; 9], &mut output, &mut mask), 9);
/// assert_eq!(mask, [0xff, 1]);
/// ```
///
/// # Panics
///
/// When the lengths differ, or the mask is not of `input.len().div_ceil(8)` bytes. Nothing is written then.
#[track_caller]
pub fn relu_mask<T: Element>(input: &[T], output: &mut [T], mask: &mut [u8]) -> usize {
    Relu.forward_mask(input, output, mask)
}

/// `grad_input[i]` = `grad_output[i]` where bit i of the mask is 1, else +0.0: [`relu_backward`] from the mask of [`relu_mask`].
///
/// ```
/// let mut grad_input = [0.0_f32; 3];
/// rectify::relu_backward_mask(&[0b101], &[1.0, f32::INFINITY, 3.0], &mut grad_input);
/// assert_eq!(grad_input, [1.0, 0.0, 3.0]);
/// ```
///
/// # Panics
///
/// When the lengths differ, or the mask is not of `grad_output.len().div_ceil(8)` bytes. Nothing is written then.
#[track_caller]
pub fn relu_backward_mask<T: Element>(mask: &[u8], grad_output: &[T], grad_input: &mut [T]) {
    Relu.backward_mask(mask, grad_output, grad_input);
}

/// `grad[i]` stays where bit i of the mask is 1, else becomes +0.0: [`relu_backward_mask`] in place.
///
/// ```
/// let mut grad = [1.0_f32, 2.0, 3.0];
/// rectify::relu_backward_mask_inplace(&[0b110], &mut grad);
/// assert_eq!(grad, [0.0, 2.0, 3.0]);
/// ```
///
/// # Panics
///
/// When the mask is not of `grad.len().div_ceil(8)` bytes. Nothing is written then.
#[track_caller]
pub fn relu_backward_mask_inplace<T: Element>(mask: &[u8], grad: &mut [T]) {
    Relu.backward_mask_inplace(mask, grad);
}

/// How many elements are +0.0 or -0.0: after ReLU, how many units are dead.
///
/// ```
/// assert_eq!(rectify::count_zeros(&[0.0_f32, 1.0, -0.0, f32::NAN]), 2);
/// ```
#[must_use]
pub fn count_zeros<T: Element>(x: &[T]) -> usize {
    Kernels::best().count_zeros(x)
}

/// README's code, compiled and run as tests.
#[cfg(all(doctest, feature = "half"))]
#[doc = include_str!("../README.md")]
struct Readme;
