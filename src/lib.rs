//! Activation functions and their gradients, on slices of `f32`, `f64`, `f16` and `bf16`: ReLU and its family, sigmoid,
//! tanh, GELU, SiLU and their kin. The kernels use AVX-512, AVX2, NEON, portable SIMD or scalar code, chosen at run
//! time, and return **the same bits on every path**.
//!
//! ```
//! let mut x = [-3.0_f32, -1.0, 0.0, 2.0, 5.0];
//! rectify::relu_inplace(&mut x);
//! assert_eq!(x, [0.0, 0.0, 0.0, 2.0, 5.0]);
//! ```
//!
//! # Functions
//!
//! - ReLU: the free functions below, such as [`relu_inplace`] and [`relu_backward`].
//! - The other functions of one tensor are values with the trait [`Activation`]: [`LeakyRelu`], [`ClippedRelu`]
//!   (ReLU6), [`Hardtanh`], [`Hardshrink`], [`ThresholdedRelu`], [`SquaredRelu`], [`HardSigmoid`] and [`HardSwish`]; and
//!   the smooth ones: [`Sigmoid`], [`Tanh`], [`Silu`], [`Swish`], [`Gelu`], [`GeluTanh`], [`Elu`], [`Selu`], [`Celu`],
//!   [`Mish`], [`Softplus`], [`LogSigmoid`], [`Softsign`], [`Softshrink`] and [`Tanhshrink`].
//! - [`AnyActivation`] is a function that is chosen at run time, by value or by its name in PyTorch or ONNX.
//! - [`PRelu`], [`ReGlu`] and [`Crelu`] take several tensors, and so does [`Gated`] ([`Glu`], [`SwiGlu`], [`GeGlu`]).
//! - [`Fused`] applies an [`Activation`] to input * scale + bias + residual in one pass over memory. Backward, it also
//!   computes the gradient of the bias.
//! - [`OneBitGradient`] stores one bit of each element for backward instead of the input.
//!
//! # Definition of ReLU
//!
//! ReLU is computed on the bits of each element, without floating-point instructions. So it neither depends on the
//! rounding mode or flush-to-zero mode nor raises exception flags. With
//!
//! > pass(x) = `!(x <= 0)`: true for x > 0 and for every NaN, false for +0.0, -0.0 and x < 0,
//!
//! | function | result per element |
//! | --- | --- |
//! | [`relu`], [`relu_inplace`] | x bit for bit where pass(x), else +0.0 |
//! | [`relu_backward`], [`relu_backward_inplace`] | the gradient bit for bit where pass(x), else +0.0 |
//!
//! - relu(-0.0) is +0.0.
//! - A NaN keeps its sign, payload and signalling bit.
//! - The gradient of a dead unit is +0.0, even where the gradient at its output is infinite or NaN (no `0 * inf`).
//! - pass(relu(x)) = pass(x), so the backward functions accept the input or the output of the forward functions.
//!
//! # Select functions and arithmetic functions
//!
//! The page of each function has its table of results.
//!
//! Select functions copy bits or write constants: [`Relu`], [`ClippedRelu`], [`Hardtanh`], [`Hardshrink`], [`ThresholdedRelu`],
//! [`Crelu`] and the masks. Like ReLU, they are independent of the CPU's modes and raise no flags.
//!
//! Arithmetic functions multiply, add or divide: [`LeakyRelu`], [`SquaredRelu`], [`HardSigmoid`], [`HardSwish`],
//! the smooth ones, [`PRelu`], [`ReGlu`], and the sums of [`Fused`]. In the default modes of IEEE 754 their
//! bits are the same on every path. In other modes they follow the CPU; where it doesn't round to nearest, smooth functions
//! are less exact, and instruction sets differ. 32-bit x86 without SSE2 computes in x87 registers and rounds twice, so
//! their bits differ there.
//!
//! Subnormal results are slow on some CPUs: an Intel Xeon takes up to 140 times as long in cache and 4 to 19 times
//! beyond it where all are subnormal (`throughput --denormals` measures it). In `f32` and `bf16` these are numbers below
//! 1.2e-38. Where many occur and may become 0, set the CPU's flush-to-zero mode around the calls, as PyTorch's
//! `set_flush_denormal` does: bit 15 of MXCSR on x86, bit 24 of FPCR on aarch64. Rust compiles your code for the default
//! mode, so restore it after them.
//!
//! Where a page says that a NaN comes out of a product quiet, x86, aarch64 and s390x keep its sign and payload. Rust
//! leaves both open. RISC-V returns the canonical NaN, and in WebAssembly the engine decides: it keeps them, or returns
//! the canonical NaN or another quiet one.
//!
//! # Instruction sets
//!
//! The free functions use [`Isa::best`]. [`Kernels`] has the same functions on an [`Isa`] of your choice.
//!
//! - `RECTIFY_MAX_ISA=avx2` in the environment caps the choice. It is read once, at the first use, with the feature
//!   `std`. An unknown name is reported on stderr and ignored.
//! - `RECTIFY_DISABLE=avx512,portable` in the environment of the build leaves instruction sets out.
//!
//! Two exceptions make short slices faster. Both are for ReLU alone; the other functions use one loop of the [`Isa`] at
//! all lengths.
//!
//! - On x86 and aarch64, slices of less than 128 bytes (64 of `f64`) are computed by code that is inlined into the
//!   caller, on every [`Isa`]. On WebAssembly these are slices of less than 2 KiB with simd128, and of less than 128 elements
//!   without; on other targets of less than 8 elements. [`AnyActivation`] is not inlined.
//! - Below 192 bytes a slice, or 4 KB on Zen 4, [`Isa::Avx512`] uses the loops of AVX2.
//!
//! # Loops and memory
//!
//! All loops are compiled in this crate. Generic functions that are monomorphized in your crate check the arguments and
//! select a loop; only the inlined code of ReLU for short slices is an exception. So a debug build of your program runs
//! optimized loops with `[profile.dev.package.rectify] opt-level = 3` in its `Cargo.toml`. The linker keeps only
//! the loops that are called.
//!
//! Slices may have any alignment. Nothing outside of them is read or written. Only the methods that append to a `Vec`
//! allocate.
//!
//! From [`streaming_threshold`] on, out-of-place results are written with non-temporal stores, which bypass the caches.
//!
//! # Errors
//!
//! Lengths and shapes that don't agree, and parameters that a function can't have, are a panic before anything is written.
//! The methods whose name begins with `try_` return a [`ShapeError`] or a [`ParameterError`] instead, with the same message.
//!
//! # Features
//!
//! - `std` (default): reads `RECTIFY_MAX_ISA`. Without it the crate is `no_std`, and still detects the CPU; on targets
//!   without an operating system it uses what the compilation target has.
//! - `alloc` (enabled by `std`): the methods that append to a `Vec`.
//! - `half` (default): the formats `f16` and `bf16`, which are the types of the crate [`half`](https://docs.rs/half),
//!   re-exported here.
//! - `portable` (default): [`Isa::Portable`], with the crate [`wide`](https://docs.rs/wide). It is left out on targets
//!   without SIMD. `wide` 1.7 does not compile with `-C target-feature=+avx512f` (nor with `vl`, `dq` or `-C
//!   target-cpu=knl`) unless `avx512bw` is enabled too. Add `+avx512bw`, which all CPUs with AVX-512 except Xeon Phi
//!   have, or leave the feature out.
//! - `smooth` (default): the smooth functions, [`Gated`] and [`FromOutput`].
//! - `strided`: the views `Strided` and `StridedMut`, with the functions on tensors of any layout.
//! - `ndarray`: the trait `Activate`, with the functions on arrays of the crate [`ndarray`](https://docs.rs/ndarray) 0.17, of any layout.
//! - `rayon`: the functions on several threads, in the module `parallel`, and a method `parallel` on the types of
//!   several tensors.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "smooth"),
    allow(rustdoc::broken_intra_doc_links, reason = "the pages name smooth functions")
)]

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
#[cfg(feature = "smooth")]
mod math;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(feature = "rayon")]
pub mod parallel;
#[allow(unsafe_code)]
mod simd;
#[allow(unsafe_code)]
mod sweep;
mod tensor;

pub use activation::{Activation, AnyActivation, AnyOneBit, OneBitGradient, ParseActivationError};
pub use call::{
    AsRowsMut, Channels, Kernels, PerChannel, Rows, RowsMut, ShapeError, UnsupportedIsa, set_streaming_threshold,
    streaming_threshold,
};
#[cfg(feature = "strided")]
pub use call::{Strided, StridedMut};
#[cfg(feature = "smooth")]
pub use function::{
    Celu, Elu, FromOutput, Gelu, GeluTanh, LogSigmoid, Mish, Selu, Sigmoid, Silu, Softplus, Softshrink, Softsign,
    Swish, Tanh, Tanhshrink,
};
pub use function::{
    ClippedRelu, HardSigmoid, HardSwish, Hardshrink, Hardtanh, LeakyRelu, ParameterError, Relu, SquaredRelu,
    ThresholdedRelu,
};
#[cfg(feature = "half")]
pub use half::{bf16, f16};
pub use isa::{Isa, ParseIsaError};
#[cfg(feature = "ndarray")]
pub use ndarray::Activate;
pub use simd::Element;
pub use tensor::{Crelu, Fused, PRelu, ReGlu};
#[cfg(feature = "smooth")]
pub use tensor::{Gated, GeGlu, GeGluTanh, Glu, SwiGlu};

/// `x[i] = relu(x[i])`: x where `!(x <= 0)`, else +0.0.
///
/// | x | result |
/// | --- | --- |
/// | > 0, +inf | x |
/// | < 0, -inf, -0.0, +0.0 | +0.0 |
/// | NaN | the same NaN: sign, payload, quiet or signalling |
///
/// It is ONNX's operator `Relu` and PyTorch's `relu_`. ReLU is due to Fukushima (1969) and Nair and Hinton (2010).
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

/// `output[i] = relu(input[i])`: x where `!(x <= 0)`, else +0.0.
///
/// [`relu_inplace`] has the table.
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
/// Panics if the lengths differ, before anything is written.
#[inline]
#[track_caller]
pub fn relu<T: Element>(input: &[T], output: &mut [T]) {
    Relu.forward(input, output);
}

/// `grad_input[i] = grad_output[i]` where `!(input[i] <= 0)`, else +0.0: the gradient at the input of ReLU.
///
/// | input | `grad_input` |
/// | --- | --- |
/// | > 0, +inf, NaN | `grad_output`, bit for bit |
/// | < 0, -inf, -0.0, +0.0 | +0.0, even where `grad_output` is infinite or NaN |
///
/// `grad_output` is the gradient of a loss at the output of ReLU. `input` may be the input or the output of [`relu`]:
/// the result is the same. The gradient at x = 0 is 0, as in PyTorch. This is PyTorch's `threshold_backward` with the
/// threshold 0.
///
/// ```
/// let mut grad_input = [0.0_f32; 4];
/// rectify::relu_backward(&[-1.0, 0.0, 1.0, 2.0], &[f32::INFINITY, 5.0, 6.0, -7.0], &mut grad_input);
/// assert_eq!(grad_input, [0.0, 0.0, 6.0, -7.0]);
/// ```
///
/// # Panics
///
/// Panics if the lengths differ, before anything is written.
#[inline]
#[track_caller]
pub fn relu_backward<T: Element>(input: &[T], grad_output: &[T], grad_input: &mut [T]) {
    Relu.backward(input, grad_output, grad_input);
}

/// [`relu_backward`] in-place: `grad[i]` is kept where `!(input[i] <= 0)`, else set to +0.0.
///
/// `grad` holds the gradient at the output, and is overwritten by the gradient at the input.
///
/// ```
/// let mut grad = [1.0_f32, 2.0, 3.0];
/// rectify::relu_backward_inplace(&[-1.0, 0.0, 1.0], &mut grad);
/// assert_eq!(grad, [0.0, 0.0, 3.0]);
/// ```
///
/// # Panics
///
/// Panics if the lengths differ, before anything is written.
#[inline]
#[track_caller]
pub fn relu_backward_inplace<T: Element>(input: &[T], grad: &mut [T]) {
    Relu.backward_inplace(input, grad);
}

/// [`relu_inplace`], and sets bit i of `mask` to `!(x[i] <= 0)`. Returns the number of bits that are 1.
///
/// Bit i is in byte i / 8, the first one in the lowest bit. The unused bits of the last byte are written as 0.
/// [`relu_backward_mask`] needs this mask instead of x. Other functions have masks with [`OneBitGradient`].
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
/// Panics if `mask.len() != x.len().div_ceil(8)`, before anything is written.
#[track_caller]
pub fn relu_mask_inplace<T: Element>(x: &mut [T], mask: &mut [u8]) -> usize {
    Relu.forward_mask_inplace(x, mask)
}

/// [`relu`], and sets bit i of `mask` to `!(input[i] <= 0)`. Returns the number of bits that are 1.
///
/// [`relu_mask_inplace`] has the layout of the mask.
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
/// Panics if the lengths differ, or if `mask.len() != input.len().div_ceil(8)`, before anything is written.
#[track_caller]
pub fn relu_mask<T: Element>(input: &[T], output: &mut [T], mask: &mut [u8]) -> usize {
    Relu.forward_mask(input, output, mask)
}

/// `grad_input[i] = grad_output[i]` where bit i of `mask` is 1, else +0.0: [`relu_backward`] from the mask of
/// [`relu_mask`].
///
/// ```
/// let mut grad_input = [0.0_f32; 3];
/// rectify::relu_backward_mask(&[0b101], &[1.0, f32::INFINITY, 3.0], &mut grad_input);
/// assert_eq!(grad_input, [1.0, 0.0, 3.0]);
/// ```
///
/// # Panics
///
/// Panics if the lengths differ, or if `mask.len() != grad_output.len().div_ceil(8)`, before anything is written.
#[track_caller]
pub fn relu_backward_mask<T: Element>(mask: &[u8], grad_output: &[T], grad_input: &mut [T]) {
    Relu.backward_mask(mask, grad_output, grad_input);
}

/// [`relu_backward_mask`] in-place: `grad[i]` is kept where bit i of `mask` is 1, else set to +0.0.
///
/// ```
/// let mut grad = [1.0_f32, 2.0, 3.0];
/// rectify::relu_backward_mask_inplace(&[0b110], &mut grad);
/// assert_eq!(grad, [0.0, 2.0, 3.0]);
/// ```
///
/// # Panics
///
/// Panics if `mask.len() != grad.len().div_ceil(8)`, before anything is written.
#[track_caller]
pub fn relu_backward_mask_inplace<T: Element>(mask: &[u8], grad: &mut [T]) {
    Relu.backward_mask_inplace(mask, grad);
}

/// Returns the number of elements that are +0.0 or -0.0. After ReLU, that is the number of dead units.
///
/// ```
/// assert_eq!(rectify::count_zeros(&[0.0_f32, 1.0, -0.0, f32::NAN]), 2);
/// ```
#[must_use]
pub fn count_zeros<T: Element>(x: &[T]) -> usize {
    Kernels::best().count_zeros(x)
}

/// The code of the README, compiled and run as tests.
#[cfg(all(doctest, feature = "half", feature = "smooth"))]
#[doc = include_str!("../README.md")]
struct Readme;
