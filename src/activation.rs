//! The methods of a function on slices, and functions that are known at run time.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;
use core::mem::MaybeUninit;
use core::str::FromStr;

use crate::call::{self, Compiled, CompiledOneBit, Kernels, LiveLoops, Params, RowsLoops, SliceLoops};
use crate::function::*;
use crate::simd::Element;

/// A function of the rectifier family, with its gradient: a value, whose parameters were checked when it was made.
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
/// The methods use [`Isa::best`](crate::Isa::best); [`Kernels`] has them on an instruction set of your choice. The trait is
/// sealed, and not dyn compatible: where the function is known at run time only, keep an enum of the types and match.
pub trait Activation: Compiled {
    /// `output[i] = f(input[i])`
    ///
    /// # Panics
    ///
    /// When the lengths differ. Nothing is written then.
    #[inline]
    #[track_caller]
    fn forward<T: Element>(self, input: &[T], output: &mut [T]) {
        call::forward(self, input, output).run(Kernels::best);
    }

    /// `x[i] = f(x[i])`
    #[inline]
    fn forward_inplace<T: Element>(self, x: &mut [T]) {
        call::forward_inplace(self, x).run(Kernels::best);
    }

    /// `grad_input[i] = f'(input[i]) * grad_output[i]`, but +0.0 where f' is 0: the gradient of a loss at the input of the function,
    /// from the one at its output.
    ///
    /// # Panics
    ///
    /// When the lengths differ. Nothing is written then.
    #[inline]
    #[track_caller]
    fn backward<T: Element>(self, input: &[T], grad_output: &[T], grad_input: &mut [T]) {
        call::backward(self, input, grad_output, grad_input).run(Kernels::best);
    }

    /// `grad[i] = f'(input[i]) * grad[i]`, but +0.0 where f' is 0: [`backward`](Self::backward) with the gradient at the output overwritten by the
    /// one at the input.
    ///
    /// # Panics
    ///
    /// When the lengths differ. Nothing is written then.
    #[inline]
    #[track_caller]
    fn backward_inplace<T: Element>(self, input: &[T], grad: &mut [T]) {
        call::backward_inplace(self, input, grad).run(Kernels::best);
    }

    /// [`forward`](Self::forward) to memory that need not be initialised. Gives it back as elements.
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
    /// When the lengths differ. Nothing is written then.
    #[inline]
    #[track_caller]
    fn forward_uninit<'a, T: Element>(self, input: &[T], output: &'a mut [MaybeUninit<T>]) -> &'a mut [T] {
        call::forward_uninit(self, input, output).run(Kernels::best)
    }

    /// [`backward`](Self::backward) to memory that need not be initialised. Gives it back as elements.
    ///
    /// # Panics
    ///
    /// When the lengths differ. Nothing is written then.
    #[inline]
    #[track_caller]
    fn backward_uninit<'a, T: Element>(
        self,
        input: &[T],
        grad_output: &[T],
        grad_input: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        call::backward_uninit(self, input, grad_output, grad_input).run(Kernels::best)
    }

    /// Appends the values of [`forward`](Self::forward) to a vector, whose memory need not be filled before.
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
    /// When the vector would have more bytes than `isize::MAX`.
    #[cfg(feature = "alloc")]
    #[track_caller]
    fn forward_append<T: Element>(self, input: &[T], output: &mut Vec<T>) {
        call::append(output, input.len(), |output| self.forward_uninit(input, output));
    }

    /// Appends the values of [`backward`](Self::backward) to a vector, whose memory need not be filled before.
    ///
    /// # Panics
    ///
    /// When the lengths differ, or the vector would have more bytes than `isize::MAX`. It is as it was then.
    #[cfg(feature = "alloc")]
    #[track_caller]
    fn backward_append<T: Element>(self, input: &[T], grad_output: &[T], grad_input: &mut Vec<T>) {
        // At the caller, before the vector grows.
        call::check_len(("input", input), ("grad_output", grad_output));
        call::append(grad_input, input.len(), |grad_input| {
            self.backward_uninit(input, grad_output, grad_input)
        });
    }
}

/// An [`Activation`] whose gradient needs one bit of x: whether x is *live*, where the slope is 1.
///
/// An engine that keeps the mask of bits can free x and the output after forward: 32 times less memory for `f32`. And backward
/// reads less.
///
/// A mask has the bit of element i in byte i / 8, the first one in the lowest bit; the unused bits of its last byte are written as 0.
///
/// | function | live |
/// | --- | --- |
/// | [`Relu`](crate::Relu), [`LeakyRelu`](crate::LeakyRelu) | `!(x <= 0)` |
/// | [`ClippedRelu`](crate::ClippedRelu) | `!(x <= 0 \|\| x >= max)` |
/// | [`Hardtanh`](crate::Hardtanh) | `!(x <= min \|\| x >= max)` |
/// | [`ThresholdedRelu`](crate::ThresholdedRelu) | `!(x <= alpha)` |
///
/// So a NaN is live. The results are those of [`Activation`]'s methods, bit for bit.
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
/// cuBLASLt's `RELU_AUX` and libxsmm's `BITMASK` are such masks. [`Kernels`] has the methods on an instruction set of your choice.
pub trait OneBitGradient: Activation + CompiledOneBit {
    /// [`Activation::forward`], with the mask. Gives how many elements are live.
    ///
    /// # Panics
    ///
    /// When the lengths differ, or the mask is not of `input.len().div_ceil(8)` bytes. Nothing is written then.
    #[track_caller]
    fn forward_mask<T: Element>(self, input: &[T], output: &mut [T], mask: &mut [u8]) -> usize {
        call::forward_mask(self, input, output, mask).run(Kernels::best())
    }

    /// [`Activation::forward_inplace`], with the mask. Gives how many elements are live.
    ///
    /// # Panics
    ///
    /// When the mask is not of `x.len().div_ceil(8)` bytes. Nothing is written then.
    #[track_caller]
    fn forward_mask_inplace<T: Element>(self, x: &mut [T], mask: &mut [u8]) -> usize {
        call::forward_mask_inplace(self, x, mask).run(Kernels::best())
    }

    /// [`Activation::backward`], with the mask instead of the input.
    ///
    /// # Panics
    ///
    /// When the lengths differ, or the mask is not of `grad_output.len().div_ceil(8)` bytes. Nothing is written then.
    #[track_caller]
    fn backward_mask<T: Element>(self, mask: &[u8], grad_output: &[T], grad_input: &mut [T]) {
        call::backward_mask(self, mask, grad_output, grad_input).run(Kernels::best());
    }

    /// [`Activation::backward_inplace`], with the mask instead of the input.
    ///
    /// # Panics
    ///
    /// When the mask is not of `grad.len().div_ceil(8)` bytes. Nothing is written then.
    #[track_caller]
    fn backward_mask_inplace<T: Element>(self, mask: &[u8], grad: &mut [T]) {
        call::backward_mask_inplace(self, mask, grad).run(Kernels::best());
    }
}

macro_rules! any {
    ([$($name:ident)+] one bit: [$($one_bit:ident)+]) => {
        /// An [`Activation`] that is known at run time only. Each call matches once, and runs the loops of the function itself.
        ///
        /// It is made of a value, or of a name:
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
        ///
        /// Upper and lower case differ: ONNX's `HardSigmoid` has other defaults than PyTorch's `Hardsigmoid`. A name whose function has no
        /// defaults, such as `threshold`, is an error that says so.
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
            /// The names of the types, in alphabetical order.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// The name of the type.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)+
                }
            }

            /// The same function with its masks, where its gradient needs one bit of x.
            #[must_use]
            pub const fn one_bit(self) -> Option<AnyOneBit> {
                match self {
                    $(Self::$one_bit(function) => Some(AnyOneBit::$one_bit(function)),)+
                    _ => None,
                }
            }

            /// The names that `FromStr` takes, with the functions.
            fn named() -> impl Iterator<Item = (&'static str, Self)> {
                let names = core::iter::empty();
                $(let names = names.chain(<$name as Function>::NAMES.iter().map(|&(name, function)| (name, function.into())));)+
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

        /// A [`OneBitGradient`] that is known at run time only, from [`AnyActivation::one_bit`].
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

            fn representatives<T: Element>(&self) -> Option<[T::Lane; 2]> {
                match self {
                    $(Self::$one_bit(function) => function.representatives::<T>(),)+
                }
            }
        }
    };
}

/// The loops of the function that it is.
macro_rules! compiled_by_match {
    ($any:ident: $($name:ident)+) => {
        impl Compiled for $any {
            fn loop_params<T: Element>(&self) -> Params {
                match self {
                    $(Self::$name(function) => function.loop_params::<T>(),)+
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

/// Names of PyTorch and ONNX whose functions have no defaults, and what to use instead.
const WITHOUT_DEFAULTS: &[(&str, &str)] = &[
    ("threshold", "ThresholdedRelu::new"),
    ("Threshold", "ThresholdedRelu::new"),
    ("Clip", "ClippedRelu::new or Hardtanh::new"),
    ("prelu", "PRelu::new"),
    ("PReLU", "PRelu::new"),
    ("PRelu", "PRelu::new"),
];

/// A name that stands for no function with default parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl core::error::Error for ParseActivationError {}
