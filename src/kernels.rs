//! The functions, on an instruction set of the caller's choice.

use core::mem::MaybeUninit;

use crate::activation::{Activation, OneBitGradient, Relu};
use crate::calls;
use crate::element::Element;
use crate::isa::{Isa, UnsupportedIsa};

/// Where a function runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Way {
    /// Else the best ones.
    pub(crate) kernels: Option<Kernels>,
    #[cfg(feature = "rayon")]
    pub(crate) is_parallel: bool,
}

/// The methods that choose a way, for a value that has a field for it.
macro_rules! ways {
    () => {
        /// On this instruction set, instead of [`Isa::best`](crate::Isa::best).
        pub fn on(mut self, kernels: $crate::Kernels) -> Self {
            self.way.kernels = Some(kernels);
            self
        }

        /// On the threads of rayon's pool in which it is called, when there is enough for them to do; see
        /// [`parallel`](crate::parallel). The results are the same, bit for bit.
        #[cfg(feature = "rayon")]
        pub fn parallel(mut self) -> Self {
            self.way.is_parallel = true;
            self
        }
    };
}
pub(crate) use ways;

/// The functions of this crate on one instruction set. A value is the proof that the instruction set is available.
///
/// The free functions call [`Kernels::best`] each time (but for a few elements), at the cost of an atomic load. Hold a value
/// to save it, or to pin an instruction set in a test or a benchmark: but of functions that choose among bits slices below 128 bytes (64
/// of `f64`) take the same way on each, and below 512 bytes AVX-512 is AVX2's vectors. [`Fused`](crate::Fused), [`PRelu`](crate::PRelu),
/// [`ReGlu`](crate::ReGlu) and [`Crelu`](crate::Crelu) take one with their method `on`.
///
/// ```
/// use rectify::{Isa, Kernels};
///
/// let scalar = Kernels::new(Isa::Scalar)?;
/// let mut x = [-1.0_f32, 2.0];
/// scalar.relu_inplace(&mut x);
/// assert_eq!(x, [0.0, 2.0]);
/// # Ok::<(), rectify::UnsupportedIsa>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernels {
    isa: Isa,
}

impl Kernels {
    /// Those of [`Isa::best`].
    #[must_use]
    #[inline]
    pub fn best() -> Self {
        Self { isa: Isa::best() }
    }

    /// Those of `isa`. `RECTIFY_MAX_ISA` changes nothing here.
    ///
    /// # Errors
    ///
    /// When `isa` is not available. The error names it, and what is available instead.
    pub fn new(isa: Isa) -> Result<Self, UnsupportedIsa> {
        if isa.is_available() {
            Ok(Self { isa })
        } else {
            Err(UnsupportedIsa(isa))
        }
    }

    /// Which instruction set it is.
    #[must_use]
    #[inline]
    pub fn isa(self) -> Isa {
        self.isa
    }

    /// [`relu_inplace`](crate::relu_inplace) on this instruction set.
    #[inline]
    pub fn relu_inplace<T: Element>(self, x: &mut [T]) {
        self.forward_inplace(Relu, x);
    }

    /// [`relu`](crate::relu) on this instruction set.
    ///
    /// # Panics
    ///
    /// When the lengths differ.
    #[inline]
    #[track_caller]
    pub fn relu<T: Element>(self, input: &[T], output: &mut [T]) {
        self.forward(Relu, input, output);
    }

    /// [`relu_backward`](crate::relu_backward) on this instruction set.
    ///
    /// # Panics
    ///
    /// When the lengths differ.
    #[inline]
    #[track_caller]
    pub fn relu_backward<T: Element>(self, input: &[T], grad_output: &[T], grad_input: &mut [T]) {
        self.backward(Relu, input, grad_output, grad_input);
    }

    /// [`relu_backward_inplace`](crate::relu_backward_inplace) on this instruction set.
    ///
    /// # Panics
    ///
    /// When the lengths differ.
    #[inline]
    #[track_caller]
    pub fn relu_backward_inplace<T: Element>(self, input: &[T], grad: &mut [T]) {
        self.backward_inplace(Relu, input, grad);
    }

    /// [`Activation::forward_inplace`] on this instruction set.
    #[inline]
    pub fn forward_inplace<T: Element>(self, activation: impl Activation, x: &mut [T]) {
        calls::forward_inplace(activation, x).run(|| self);
    }

    /// [`Activation::forward`] on this instruction set.
    ///
    /// # Panics
    ///
    /// When the lengths differ.
    #[inline]
    #[track_caller]
    pub fn forward<T: Element>(self, activation: impl Activation, input: &[T], output: &mut [T]) {
        calls::forward(activation, input, output).run(|| self);
    }

    /// [`Activation::backward`] on this instruction set.
    ///
    /// # Panics
    ///
    /// When the lengths differ.
    #[inline]
    #[track_caller]
    pub fn backward<T: Element>(
        self,
        activation: impl Activation,
        input: &[T],
        grad_output: &[T],
        grad_input: &mut [T],
    ) {
        calls::backward(activation, input, grad_output, grad_input).run(|| self);
    }

    /// [`Activation::backward_inplace`] on this instruction set.
    ///
    /// # Panics
    ///
    /// When the lengths differ.
    #[inline]
    #[track_caller]
    pub fn backward_inplace<T: Element>(self, activation: impl Activation, input: &[T], grad: &mut [T]) {
        calls::backward_inplace(activation, input, grad).run(|| self);
    }

    /// [`Activation::forward_uninit`] on this instruction set.
    ///
    /// # Panics
    ///
    /// When the lengths differ.
    #[inline]
    #[track_caller]
    pub fn forward_uninit<'a, T: Element>(
        self,
        activation: impl Activation,
        input: &[T],
        output: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        calls::forward_uninit(activation, input, output).run(|| self)
    }

    /// [`Activation::backward_uninit`] on this instruction set.
    ///
    /// # Panics
    ///
    /// When the lengths differ.
    #[inline]
    #[track_caller]
    pub fn backward_uninit<'a, T: Element>(
        self,
        activation: impl Activation,
        input: &[T],
        grad_output: &[T],
        grad_input: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        calls::backward_uninit(activation, input, grad_output, grad_input).run(|| self)
    }

    /// [`relu_mask_inplace`](crate::relu_mask_inplace) on this instruction set.
    ///
    /// # Panics
    ///
    /// When the mask has not one bit for each element, in whole bytes.
    #[track_caller]
    pub fn relu_mask_inplace<T: Element>(self, x: &mut [T], mask: &mut [u8]) -> usize {
        self.forward_mask_inplace(Relu, x, mask)
    }

    /// [`relu_mask`](crate::relu_mask) on this instruction set.
    ///
    /// # Panics
    ///
    /// When the lengths differ, or the mask has not one bit for each element, in whole bytes.
    #[track_caller]
    pub fn relu_mask<T: Element>(self, input: &[T], output: &mut [T], mask: &mut [u8]) -> usize {
        self.forward_mask(Relu, input, output, mask)
    }

    /// [`relu_backward_mask`](crate::relu_backward_mask) on this instruction set.
    ///
    /// # Panics
    ///
    /// When the lengths differ, or the mask has not one bit for each element, in whole bytes.
    #[track_caller]
    pub fn relu_backward_mask<T: Element>(self, mask: &[u8], grad_output: &[T], grad_input: &mut [T]) {
        self.backward_mask(Relu, mask, grad_output, grad_input);
    }

    /// [`relu_backward_mask_inplace`](crate::relu_backward_mask_inplace) on this instruction set.
    ///
    /// # Panics
    ///
    /// When the mask has not one bit for each element, in whole bytes.
    #[track_caller]
    pub fn relu_backward_mask_inplace<T: Element>(self, mask: &[u8], grad: &mut [T]) {
        self.backward_mask_inplace(Relu, mask, grad);
    }

    /// [`OneBitGradient::forward_mask`] on this instruction set.
    ///
    /// # Panics
    ///
    /// When the lengths differ, or the mask has not one bit for each element, in whole bytes.
    #[track_caller]
    pub fn forward_mask<T: Element>(
        self,
        activation: impl OneBitGradient,
        input: &[T],
        output: &mut [T],
        mask: &mut [u8],
    ) -> usize {
        calls::forward_mask(activation, input, output, mask).run(self)
    }

    /// [`OneBitGradient::forward_mask_inplace`] on this instruction set.
    ///
    /// # Panics
    ///
    /// When the mask has not one bit for each element, in whole bytes.
    #[track_caller]
    pub fn forward_mask_inplace<T: Element>(
        self,
        activation: impl OneBitGradient,
        x: &mut [T],
        mask: &mut [u8],
    ) -> usize {
        calls::forward_mask_inplace(activation, x, mask).run(self)
    }

    /// [`OneBitGradient::backward_mask`] on this instruction set.
    ///
    /// # Panics
    ///
    /// When the lengths differ, or the mask has not one bit for each element, in whole bytes.
    #[track_caller]
    pub fn backward_mask<T: Element>(
        self,
        activation: impl OneBitGradient,
        mask: &[u8],
        grad_output: &[T],
        grad_input: &mut [T],
    ) {
        calls::backward_mask(activation, mask, grad_output, grad_input).run(self);
    }

    /// [`OneBitGradient::backward_mask_inplace`] on this instruction set.
    ///
    /// # Panics
    ///
    /// When the mask has not one bit for each element, in whole bytes.
    #[track_caller]
    pub fn backward_mask_inplace<T: Element>(self, activation: impl OneBitGradient, mask: &[u8], grad: &mut [T]) {
        calls::backward_mask_inplace(activation, mask, grad).run(self);
    }

    /// [`count_zeros`](crate::count_zeros) on this instruction set.
    #[must_use]
    pub fn count_zeros<T: Element>(self, x: &[T]) -> usize {
        calls::count_zeros(x, self)
    }
}

impl Default for Kernels {
    #[inline]
    fn default() -> Self {
        Self::best()
    }
}
