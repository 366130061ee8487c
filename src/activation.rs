//! The methods of a function on slices, and functions that are chosen at run time.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;
use core::mem::MaybeUninit;
use core::str::FromStr;

use crate::call::{
    self, ByBitLoops, Compiled, CompiledOneBit, Kernels, LiveLoops, OrPanic, Params, RowsLoops, ShapeError, SliceLoops,
};
#[cfg(feature = "strided")]
use crate::call::{MapStepsLoops, Strided, StridedMut};
use crate::function::*;
use crate::simd::Element;

/// An activation function of one tensor, with its gradient.
///
/// ```
/// use rectify::{Activation, Relu};
///
/// let x = [-1.5_f32, 0.0, 2.5];
/// let mut y = [0.0; 3];
/// Relu.forward(&x, &mut y);
/// assert_eq!(y, [0.0, 0.0, 2.5]);
///
/// let mut grad = [1.0, 1.0, 1.0];
/// Relu.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [0.0, 0.0, 1.0]);
/// ```
///
/// A function is a value. Its parameters are checked when it is constructed.
///
/// The methods use [`Isa::best`](crate::Isa::best). [`Kernels`] has them on an instruction set of your choice.
///
/// The trait is sealed and not dyn compatible. [`AnyActivation`] is a function that is chosen at run time.
pub trait Activation: Compiled {
    /// `output[i] = f(input[i])`
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    fn forward<T: Element>(self, input: &[T], output: &mut [T]) {
        call::forward(self, input, output).or_panic().run(Kernels::best);
    }

    /// `x[i] = f(x[i])`
    #[inline]
    fn forward_inplace<T: Element>(self, x: &mut [T]) {
        call::forward_inplace(self, x).or_panic().run(Kernels::best);
    }

    /// `grad_input[i] = f'(input[i]) * grad_output[i]`, or +0.0 where f' is 0: the gradient at the input of the
    /// function.
    ///
    /// `grad_output` is the gradient of a loss at the output of the function.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    fn backward<T: Element>(self, input: &[T], grad_output: &[T], grad_input: &mut [T]) {
        call::backward(self, input, grad_output, grad_input)
            .or_panic()
            .run(Kernels::best);
    }

    /// `grad[i] = f'(input[i]) * grad[i]`, or +0.0 where f' is 0: [`backward`](Self::backward) in-place.
    ///
    /// `grad` holds the gradient at the output, and is overwritten by the gradient at the input.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    fn backward_inplace<T: Element>(self, input: &[T], grad: &mut [T]) {
        call::backward_inplace(self, input, grad).or_panic().run(Kernels::best);
    }

    /// [`forward`](Self::forward), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `forward` panics.
    #[inline]
    fn try_forward<T: Element>(self, input: &[T], output: &mut [T]) -> Result<(), ShapeError> {
        call::forward(self, input, output)?.run(Kernels::best);
        Ok(())
    }

    /// [`backward`](Self::backward), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `backward` panics.
    #[inline]
    fn try_backward<T: Element>(self, input: &[T], grad_output: &[T], grad_input: &mut [T]) -> Result<(), ShapeError> {
        call::backward(self, input, grad_output, grad_input)?.run(Kernels::best);
        Ok(())
    }

    /// [`backward_inplace`](Self::backward_inplace), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `backward_inplace` panics.
    #[inline]
    fn try_backward_inplace<T: Element>(self, input: &[T], grad: &mut [T]) -> Result<(), ShapeError> {
        call::backward_inplace(self, input, grad)?.run(Kernels::best);
        Ok(())
    }

    /// [`forward`](Self::forward) to memory that may be uninitialized. Returns it as initialized elements.
    ///
    /// ```
    /// use std::mem::MaybeUninit;
    /// use rectify::{Activation, Relu};
    ///
    /// let mut output = [MaybeUninit::uninit(); 2];
    /// let output = Relu.forward_uninit(&[-1.0_f32, 2.0], &mut output);
    /// assert_eq!(output, [0.0, 2.0]);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    fn forward_uninit<'a, T: Element>(self, input: &[T], output: &'a mut [MaybeUninit<T>]) -> &'a mut [T] {
        call::forward_uninit(self, input, output).or_panic().run(Kernels::best)
    }

    /// [`backward`](Self::backward) to memory that may be uninitialized. Returns it as initialized elements.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    fn backward_uninit<'a, T: Element>(
        self,
        input: &[T],
        grad_output: &[T],
        grad_input: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        call::backward_uninit(self, input, grad_output, grad_input)
            .or_panic()
            .run(Kernels::best)
    }

    /// Appends the result of [`forward`](Self::forward) to `output`, without filling its memory first.
    ///
    /// ```
    /// use rectify::{Activation, Relu};
    ///
    /// let mut output = vec![7.0_f32];
    /// Relu.forward_append(&[-1.0, 2.0], &mut output);
    /// assert_eq!(output, [7.0, 0.0, 2.0]);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the new capacity exceeds `isize::MAX` bytes.
    #[cfg(feature = "alloc")]
    #[track_caller]
    fn forward_append<T: Element>(self, input: &[T], output: &mut Vec<T>) {
        call::append(output, input.len(), |output| self.forward_uninit(input, output));
    }

    /// Appends the result of [`backward`](Self::backward) to `grad_input`, without filling its memory first.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ or the new capacity exceeds `isize::MAX` bytes. `grad_input` is unchanged in either
    /// case.
    #[cfg(feature = "alloc")]
    #[track_caller]
    fn backward_append<T: Element>(self, input: &[T], grad_output: &[T], grad_input: &mut Vec<T>) {
        // Before the vector grows.
        call::check_len(("input", input), ("grad_output", grad_output));
        call::append(grad_input, input.len(), |grad_input| {
            self.backward_uninit(input, grad_output, grad_input)
        });
    }

    /// [`forward`](Self::forward) on tensors of any layout.
    ///
    /// ```
    /// use rectify::{Activation, Relu, Strided, StridedMut};
    ///
    /// // A matrix of 3 x 2, transposed.
    /// let x = [1.0_f32, -2.0, -3.0, 4.0, 5.0, -6.0];
    /// let mut y = [0.0; 6];
    /// Relu.forward_strided(
    ///     Strided::new(&x, 0, &[2, 3], &[1, 2]),
    ///     &mut StridedMut::new(&mut y, 0, &[2, 3], &[3, 1]),
    /// );
    /// assert_eq!(y, [1.0, 0.0, 5.0, 0.0, 4.0, 0.0]);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ, before anything is written.
    #[cfg(feature = "strided")]
    #[track_caller]
    fn forward_strided<T: Element>(self, input: Strided<T>, output: &mut StridedMut<T>) {
        call::forward_strided(self, input, output).or_panic();
    }

    /// [`forward_inplace`](Self::forward_inplace) on a tensor of any layout.
    #[cfg(feature = "strided")]
    fn forward_strided_inplace<T: Element>(self, x: &mut StridedMut<T>) {
        call::forward_strided_inplace(self, x);
    }

    /// [`backward`](Self::backward) on tensors of any layout.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ, before anything is written.
    #[cfg(feature = "strided")]
    #[track_caller]
    fn backward_strided<T: Element>(self, input: Strided<T>, grad_output: Strided<T>, grad_input: &mut StridedMut<T>) {
        call::backward_strided(self, input, grad_output, grad_input).or_panic();
    }

    /// [`backward_inplace`](Self::backward_inplace) on tensors of any layout.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ, before anything is written.
    #[cfg(feature = "strided")]
    #[track_caller]
    fn backward_strided_inplace<T: Element>(self, input: Strided<T>, grad: &mut StridedMut<T>) {
        call::backward_strided_inplace(self, input, grad).or_panic();
    }

    /// [`forward_strided`](Self::forward_strided), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `forward_strided` panics.
    #[cfg(feature = "strided")]
    fn try_forward_strided<T: Element>(self, input: Strided<T>, output: &mut StridedMut<T>) -> Result<(), ShapeError> {
        call::forward_strided(self, input, output)
    }

    /// [`backward_strided`](Self::backward_strided), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `backward_strided` panics.
    #[cfg(feature = "strided")]
    fn try_backward_strided<T: Element>(
        self,
        input: Strided<T>,
        grad_output: Strided<T>,
        grad_input: &mut StridedMut<T>,
    ) -> Result<(), ShapeError> {
        call::backward_strided(self, input, grad_output, grad_input)
    }

    /// [`backward_strided_inplace`](Self::backward_strided_inplace), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `backward_strided_inplace` panics.
    #[cfg(feature = "strided")]
    fn try_backward_strided_inplace<T: Element>(
        self,
        input: Strided<T>,
        grad: &mut StridedMut<T>,
    ) -> Result<(), ShapeError> {
        call::backward_strided_inplace(self, input, grad)
    }

    /// Appends the result of [`forward_strided`](Self::forward_strided) to `output`, contiguous, in the order of the indices (the last axis is
    /// the innermost one).
    ///
    /// # Panics
    ///
    /// Panics if the new capacity exceeds `isize::MAX` bytes.
    #[cfg(all(feature = "strided", feature = "alloc"))]
    #[track_caller]
    fn forward_strided_append<T: Element>(self, input: Strided<T>, output: &mut Vec<T>) {
        call::forward_strided_append(self, input, output);
    }

    /// Appends the result of [`backward_strided`](Self::backward_strided) to `grad_input`, as
    /// [`forward_strided_append`](Self::forward_strided_append) does.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ or the new capacity exceeds `isize::MAX` bytes. `grad_input` is unchanged in either case.
    #[cfg(all(feature = "strided", feature = "alloc"))]
    #[track_caller]
    fn backward_strided_append<T: Element>(self, input: Strided<T>, grad_output: Strided<T>, grad_input: &mut Vec<T>) {
        call::backward_strided_append(self, input, grad_output, grad_input).or_panic();
    }
}

/// An [`Activation`] whose gradient needs one bit of x: whether x is *live*.
///
/// | function | live | gradient where live | elsewhere |
/// | --- | --- | --- | --- |
/// | [`Relu`] | `!(x <= 0)` | g | +0.0 |
/// | [`LeakyRelu`] | `!(x <= 0)` | g | g * slope |
/// | [`ClippedRelu`] | `!(x <= 0 \|\| x >= max)` | g | +0.0 |
/// | [`Hardtanh`] | `!(x <= min \|\| x >= max)` | g | +0.0 |
/// | [`ThresholdedRelu`] | `!(x <= alpha)` | g | +0.0 |
/// | [`Hardshrink`] | `!(\|x\| <= lambda)` | g | +0.0 |
///
/// A NaN is live. Parameters are rounded as on the page of each function. The results are those of [`Activation`]'s
/// methods, bit for bit.
///
/// ```
/// use rectify::{ClippedRelu, OneBitGradient};
///
/// let mut x = [-3.0_f32, 1.0, 7.0, 2.0];
/// let mut mask = [0; 1];
/// assert_eq!(ClippedRelu::RELU6.forward_mask_inplace(&mut x, &mut mask), 2);
/// assert_eq!(x, [0.0, 1.0, 6.0, 2.0]);
/// assert_eq!(mask, [0b1010]);
///
/// let mut grad = [0.5_f32; 4];
/// ClippedRelu::RELU6.backward_mask_inplace(&mask, &mut grad);
/// assert_eq!(grad, [0.0, 0.5, 0.0, 0.5]);
/// ```
///
/// # Layout of a mask
///
/// The bit of element i is in byte i / 8, the first one in the lowest bit. The unused bits of the last byte are written
/// as 0, and ignored by backward. cuBLASLt's `RELU_AUX` and libxsmm's `BITMASK` are such masks.
///
/// # Notes
///
/// A training engine that keeps the mask can free both x and the output after forward. For `f32` the mask is 32 times
/// smaller than x, so backward also reads less.
///
/// [`Kernels`] has the methods on an instruction set of your choice. For a function that is chosen at run time,
/// [`AnyActivation::one_bit`] returns an [`AnyOneBit`]. The trait is sealed.
pub trait OneBitGradient: Activation + CompiledOneBit {
    /// [`Activation::forward`], and writes the mask. Returns the number of live elements.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, or if `mask.len() != input.len().div_ceil(8)`, before anything is written.
    #[track_caller]
    fn forward_mask<T: Element>(self, input: &[T], output: &mut [T], mask: &mut [u8]) -> usize {
        call::forward_mask(self, input, output, mask)
            .or_panic()
            .run(Kernels::best())
    }

    /// [`Activation::forward_inplace`], and writes the mask. Returns the number of live elements.
    ///
    /// # Panics
    ///
    /// Panics if `mask.len() != x.len().div_ceil(8)`, before anything is written.
    #[track_caller]
    fn forward_mask_inplace<T: Element>(self, x: &mut [T], mask: &mut [u8]) -> usize {
        call::forward_mask_inplace(self, x, mask)
            .or_panic()
            .run(Kernels::best())
    }

    /// [`Activation::backward`] from the mask instead of the input.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, or if `mask.len() != grad_output.len().div_ceil(8)`, before anything is written.
    #[track_caller]
    fn backward_mask<T: Element>(self, mask: &[u8], grad_output: &[T], grad_input: &mut [T]) {
        call::backward_mask(self, mask, grad_output, grad_input)
            .or_panic()
            .run(Kernels::best());
    }

    /// [`Activation::backward_inplace`] from the mask instead of the input.
    ///
    /// # Panics
    ///
    /// Panics if `mask.len() != grad.len().div_ceil(8)`, before anything is written.
    #[track_caller]
    fn backward_mask_inplace<T: Element>(self, mask: &[u8], grad: &mut [T]) {
        call::backward_mask_inplace(self, mask, grad)
            .or_panic()
            .run(Kernels::best());
    }

    /// [`forward_mask`](Self::forward_mask), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `forward_mask` panics.
    fn try_forward_mask<T: Element>(self, input: &[T], output: &mut [T], mask: &mut [u8]) -> Result<usize, ShapeError> {
        Ok(call::forward_mask(self, input, output, mask)?.run(Kernels::best()))
    }

    /// [`forward_mask_inplace`](Self::forward_mask_inplace), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `forward_mask_inplace` panics.
    fn try_forward_mask_inplace<T: Element>(self, x: &mut [T], mask: &mut [u8]) -> Result<usize, ShapeError> {
        Ok(call::forward_mask_inplace(self, x, mask)?.run(Kernels::best()))
    }

    /// [`backward_mask`](Self::backward_mask), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `backward_mask` panics.
    fn try_backward_mask<T: Element>(
        self,
        mask: &[u8],
        grad_output: &[T],
        grad_input: &mut [T],
    ) -> Result<(), ShapeError> {
        call::backward_mask(self, mask, grad_output, grad_input)?.run(Kernels::best());
        Ok(())
    }

    /// [`backward_mask_inplace`](Self::backward_mask_inplace), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `backward_mask_inplace` panics.
    fn try_backward_mask_inplace<T: Element>(self, mask: &[u8], grad: &mut [T]) -> Result<(), ShapeError> {
        call::backward_mask_inplace(self, mask, grad)?.run(Kernels::best());
        Ok(())
    }
}

macro_rules! any {
    ([$($name:ident)+] one bit: [$($one_bit:ident)+] smooth: [$($smooth:ident)*] from output: [$($of_output:ident)*]) => {
        any! {
            [$($name in Function,)+ $($smooth in Smooth,)*]
            one bit: [$($one_bit)+]
        }

        $(
            impl Activation for FromOutput<$of_output> {}
        )*
    };
    ([$($name:ident in $arithmetic:ident,)+] one bit: [$($one_bit:ident)+]) => {
        /// An [`Activation`] that is chosen at run time.
        ///
        /// It is created from a function (`From`), or from one of these names (`FromStr`):
        ///
        /// | names in PyTorch and ONNX | function |
        /// | --- | --- |
        /// | `relu`, `ReLU`, `Relu` | [`Relu`] |
        /// | `relu6`, `ReLU6` | [`ClippedRelu::RELU6`] |
        /// | `leaky_relu`, `LeakyReLU`, `LeakyRelu` | [`LeakyRelu`], slope 0.01 |
        /// | `hardtanh`, `Hardtanh` | [`Hardtanh`], from -1 to 1 |
        /// | `hardsigmoid`, `Hardsigmoid` | [`HardSigmoid`], alpha 1/6, beta 1/2 |
        /// | `HardSigmoid` | [`HardSigmoid`], alpha 0.2, beta 0.5 |
        /// | `hardswish`, `Hardswish`, `HardSwish` | [`HardSwish`] |
        /// | `ThresholdedRelu` | [`ThresholdedRelu`], alpha 1 |
        /// | `hardshrink`, `Hardshrink`, `Shrink` | [`Hardshrink`], lambda 0.5 |
        /// | `gelu`, `Gelu` | [`Gelu`] |
        /// | `gelu_tanh` | [`GeluTanh`]: their `gelu` and `Gelu` by tanh |
        /// | `sigmoid`, `Sigmoid` | [`Sigmoid`] |
        /// | `tanh`, `Tanh` | [`Tanh`] |
        /// | `logsigmoid`, `LogSigmoid` | [`LogSigmoid`] |
        /// | `softsign`, `Softsign` | [`Softsign`] |
        /// | `tanhshrink`, `Tanhshrink` | [`Tanhshrink`] |
        /// | `mish`, `Mish` | [`Mish`] |
        /// | `softshrink`, `Softshrink` | [`Softshrink`], lambda 0.5 |
        /// | `softplus`, `Softplus` | [`Softplus`], beta 1 |
        /// | `silu`, `SiLU` | [`Silu`] |
        /// | `Swish` | [`Swish`], beta 1 |
        /// | `QuickGelu` | [`Swish::QUICK_GELU`] |
        /// | `elu`, `ELU`, `Elu` | [`Elu`], alpha 1 |
        /// | `selu`, `SELU`, `Selu` | [`Selu`] |
        /// | `celu`, `CELU`, `Celu` | [`Celu`], alpha 1 |
        ///
        /// Those from `gelu` on are of the feature `smooth`.
        ///
        /// Names are case-sensitive: ONNX's `HardSigmoid` has other defaults than PyTorch's `Hardsigmoid`. A name whose
        /// function has no default parameters, such as `threshold`, is an error that says so. [`SquaredRelu`] has no
        /// name in PyTorch or ONNX.
        ///
        /// Each call matches on the variant once, and then runs the loop of that function: the results are the same,
        /// bit for bit.
        ///
        /// ```
        /// use rectify::{Activation, AnyActivation, HardSwish};
        ///
        /// let activation: AnyActivation = "hardswish".parse()?;
        /// assert_eq!(activation, HardSwish.into());
        ///
        /// let mut x = [-4.0_f32, 0.0, 3.0];
        /// activation.forward_inplace(&mut x);
        /// assert_eq!(x, [0.0, 0.0, 3.0]);
        /// # Ok::<(), rectify::ParseActivationError>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each variant is the function of its name")]
        pub enum AnyActivation {
            $($name($name),)+
        }

        impl AnyActivation {
            /// The names of all variants: the functions of ReLU's family, and then the smooth ones, each in alphabetical
            /// order.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// Returns the name of the variant, such as `"LeakyRelu"`: for messages. It is not always a name that
            /// `FromStr` accepts, and `"HardSigmoid"` is ONNX's there.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)+
                }
            }

            /// Returns the function as a [`OneBitGradient`], or `None` if its gradient needs more than one bit of x.
            #[must_use]
            pub const fn one_bit(self) -> Option<AnyOneBit> {
                match self {
                    $(Self::$one_bit(function) => Some(AnyOneBit::$one_bit(function)),)+
                    _ => None,
                }
            }

            /// The names that `FromStr` accepts, with their functions.
            fn named() -> impl Iterator<Item = (&'static str, Self)> {
                let names = core::iter::empty();
                $(let names = names.chain(<$name as $arithmetic>::NAMES.iter().map(|&(name, function)| (name, function.into())));)+
                names
            }
        }

        $(
            impl From<$name> for AnyActivation {
                fn from(function: $name) -> Self {
                    Self::$name(function)
                }
            }

            impl Activation for $name {}
        )+

        impl Activation for AnyActivation {}

        compiled_by_match!(AnyActivation: $($name)+);

        /// A [`OneBitGradient`] that is chosen at run time, from [`AnyActivation::one_bit`].
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each variant is the function of its name")]
        pub enum AnyOneBit {
            $($one_bit($one_bit),)+
        }

        $(
            impl From<$one_bit> for AnyOneBit {
                fn from(function: $one_bit) -> Self {
                    Self::$one_bit(function)
                }
            }

            impl OneBitGradient for $one_bit {}
        )+

        impl From<AnyOneBit> for AnyActivation {
            fn from(function: AnyOneBit) -> Self {
                match function {
                    $(AnyOneBit::$one_bit(function) => Self::$one_bit(function),)+
                }
            }
        }

        impl Activation for AnyOneBit {}

        impl OneBitGradient for AnyOneBit {}

        compiled_by_match!(AnyOneBit: $($one_bit)+);

        impl CompiledOneBit for AnyOneBit {
            fn live_loops<T: Element>(&self) -> &'static LiveLoops {
                match self {
                    $(Self::$one_bit(function) => function.live_loops::<T>(),)+
                }
            }

            fn live_params<T: Element>(&self) -> Params {
                match self {
                    $(Self::$one_bit(function) => function.live_params::<T>(),)+
                }
            }

            fn by_bit_loops<T: Element>(&self) -> &'static ByBitLoops {
                match self {
                    $(Self::$one_bit(function) => function.by_bit_loops::<T>(),)+
                }
            }

            fn by_bit_params<T: Element>(&self) -> Params {
                match self {
                    $(Self::$one_bit(function) => function.by_bit_params::<T>(),)+
                }
            }
        }
    };
}

/// Implements [`Compiled`] by a match on the variant.
macro_rules! compiled_by_match {
    ($any:ident: $($name:ident)+) => {
        impl Compiled for $any {
            fn write_loop_params<T: Element>(&self, room: &mut Params) {
                match self {
                    $(Self::$name(function) => function.write_loop_params::<T>(room),)+
                }
            }

            fn forward_loops<T: Element>(&self) -> &'static SliceLoops {
                match self {
                    $(Self::$name(function) => function.forward_loops::<T>(),)+
                }
            }

            fn backward_loops<T: Element>(&self) -> &'static SliceLoops {
                match self {
                    $(Self::$name(function) => function.backward_loops::<T>(),)+
                }
            }

            fn fused_loops<T: Element>(&self) -> &'static RowsLoops {
                match self {
                    $(Self::$name(function) => function.fused_loops::<T>(),)+
                }
            }

            fn scaled_loops<T: Element>(&self) -> &'static RowsLoops {
                match self {
                    $(Self::$name(function) => function.scaled_loops::<T>(),)+
                }
            }

            #[cfg(feature = "strided")]
            fn forward_steps<T: Element>(&self) -> &'static MapStepsLoops {
                match self {
                    $(Self::$name(function) => function.forward_steps::<T>(),)+
                }
            }

            #[cfg(feature = "strided")]
            fn backward_steps<T: Element>(&self) -> &'static MapStepsLoops {
                match self {
                    $(Self::$name(function) => function.backward_steps::<T>(),)+
                }
            }
        }
    };
}

for_each_function!(any);

impl FromStr for AnyActivation {
    type Err = ParseActivationError;

    fn from_str(name: &str) -> Result<Self, ParseActivationError> {
        if let Some((_, function)) = Self::named().find(|(known, _)| *known == name) {
            return Ok(function);
        }
        let without_defaults = WITHOUT_DEFAULTS.iter().find(|(known, _)| *known == name);
        Err(ParseActivationError(without_defaults.copied()))
    }
}

/// Names in PyTorch and ONNX whose functions have no default parameters, and what to use instead.
const WITHOUT_DEFAULTS: &[(&str, &str)] = &[
    ("threshold", "ThresholdedRelu::new"),
    ("Threshold", "ThresholdedRelu::new"),
    ("Clip", "ClippedRelu::new or Hardtanh::new"),
    ("prelu", "PRelu::new, which is no AnyActivation"),
    ("PReLU", "PRelu::new, which is no AnyActivation"),
    ("PRelu", "PRelu::new, which is no AnyActivation"),
];

/// The error of parsing an [`AnyActivation`]: an unknown name, or one whose function has no default parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ParseActivationError(Option<(&'static str, &'static str)>);

impl fmt::Display for ParseActivationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, instead)) = self.0 {
            return write!(
                f,
                "the activation function {name} has no default parameters; use {instead}"
            );
        }
        f.write_str("unknown activation function; known: ")?;
        for (i, (name, _)) in AnyActivation::named().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{name}")?;
        }
        Ok(())
    }
}

/// The message: `main` and `unwrap` print an error by `Debug`.
impl fmt::Debug for ParseActivationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for ParseActivationError {}
