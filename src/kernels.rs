//! The functions on an instruction set of the caller's choice.

use core::mem::MaybeUninit;

use crate::activation::{Activation, OneBitGradient};
use crate::call::{self, Kernels, OrPanic};
use crate::function::Relu;
use crate::simd::Element;

impl Kernels {
    /// [`relu_inplace`](crate::relu_inplace) on this instruction set.
    #[inline]
    pub fn relu_inplace<T: Element>(self, x: &mut [T]) {
        self.forward_inplace(Relu, x);
    }

    /// [`relu`](crate::relu) on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    pub fn relu<T: Element>(self, input: &[T], output: &mut [T]) {
        self.forward(Relu, input, output);
    }

    /// [`relu_backward`](crate::relu_backward) on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    pub fn relu_backward<T: Element>(self, input: &[T], grad_output: &[T], grad_input: &mut [T]) {
        self.backward(Relu, input, grad_output, grad_input);
    }

    /// [`relu_backward_inplace`](crate::relu_backward_inplace) on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    pub fn relu_backward_inplace<T: Element>(self, input: &[T], grad: &mut [T]) {
        self.backward_inplace(Relu, input, grad);
    }

    /// [`Activation::forward_inplace`] on this instruction set.
    #[inline]
    pub fn forward_inplace<T: Element>(self, activation: impl Activation, x: &mut [T]) {
        call::forward_inplace(activation, x).or_panic().run(|| self);
    }

    /// [`Activation::forward`] on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    pub fn forward<T: Element>(self, activation: impl Activation, input: &[T], output: &mut [T]) {
        call::forward(activation, input, output).or_panic().run(|| self);
    }

    /// [`Activation::backward`] on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    pub fn backward<T: Element>(
        self,
        activation: impl Activation,
        input: &[T],
        grad_output: &[T],
        grad_input: &mut [T],
    ) {
        call::backward(activation, input, grad_output, grad_input)
            .or_panic()
            .run(|| self);
    }

    /// [`Activation::backward_inplace`] on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    pub fn backward_inplace<T: Element>(self, activation: impl Activation, input: &[T], grad: &mut [T]) {
        call::backward_inplace(activation, input, grad).or_panic().run(|| self);
    }

    /// [`Activation::forward_uninit`] on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    pub fn forward_uninit<'a, T: Element>(
        self,
        activation: impl Activation,
        input: &[T],
        output: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        call::forward_uninit(activation, input, output).or_panic().run(|| self)
    }

    /// [`Activation::backward_uninit`] on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, before anything is written.
    #[inline]
    #[track_caller]
    pub fn backward_uninit<'a, T: Element>(
        self,
        activation: impl Activation,
        input: &[T],
        grad_output: &[T],
        grad_input: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        call::backward_uninit(activation, input, grad_output, grad_input)
            .or_panic()
            .run(|| self)
    }

    /// [`relu_mask_inplace`](crate::relu_mask_inplace) on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if `mask.len() != x.len().div_ceil(8)`, before anything is written.
    #[track_caller]
    pub fn relu_mask_inplace<T: Element>(self, x: &mut [T], mask: &mut [u8]) -> usize {
        self.forward_mask_inplace(Relu, x, mask)
    }

    /// [`relu_mask`](crate::relu_mask) on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, or if `mask.len() != input.len().div_ceil(8)`, before anything is written.
    #[track_caller]
    pub fn relu_mask<T: Element>(self, input: &[T], output: &mut [T], mask: &mut [u8]) -> usize {
        self.forward_mask(Relu, input, output, mask)
    }

    /// [`relu_backward_mask`](crate::relu_backward_mask) on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, or if `mask.len() != grad_output.len().div_ceil(8)`, before anything is written.
    #[track_caller]
    pub fn relu_backward_mask<T: Element>(self, mask: &[u8], grad_output: &[T], grad_input: &mut [T]) {
        self.backward_mask(Relu, mask, grad_output, grad_input);
    }

    /// [`relu_backward_mask_inplace`](crate::relu_backward_mask_inplace) on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if `mask.len() != grad.len().div_ceil(8)`, before anything is written.
    #[track_caller]
    pub fn relu_backward_mask_inplace<T: Element>(self, mask: &[u8], grad: &mut [T]) {
        self.backward_mask_inplace(Relu, mask, grad);
    }

    /// [`OneBitGradient::forward_mask`] on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, or if `mask.len() != input.len().div_ceil(8)`, before anything is written.
    #[track_caller]
    pub fn forward_mask<T: Element>(
        self,
        activation: impl OneBitGradient,
        input: &[T],
        output: &mut [T],
        mask: &mut [u8],
    ) -> usize {
        call::forward_mask(activation, input, output, mask).or_panic().run(self)
    }

    /// [`OneBitGradient::forward_mask_inplace`] on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if `mask.len() != x.len().div_ceil(8)`, before anything is written.
    #[track_caller]
    pub fn forward_mask_inplace<T: Element>(
        self,
        activation: impl OneBitGradient,
        x: &mut [T],
        mask: &mut [u8],
    ) -> usize {
        call::forward_mask_inplace(activation, x, mask).or_panic().run(self)
    }

    /// [`OneBitGradient::backward_mask`] on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if the lengths differ, or if `mask.len() != grad_output.len().div_ceil(8)`, before anything is written.
    #[track_caller]
    pub fn backward_mask<T: Element>(
        self,
        activation: impl OneBitGradient,
        mask: &[u8],
        grad_output: &[T],
        grad_input: &mut [T],
    ) {
        call::backward_mask(activation, mask, grad_output, grad_input)
            .or_panic()
            .run(self);
    }

    /// [`OneBitGradient::backward_mask_inplace`] on this instruction set.
    ///
    /// # Panics
    ///
    /// Panics if `mask.len() != grad.len().div_ceil(8)`, before anything is written.
    #[track_caller]
    pub fn backward_mask_inplace<T: Element>(self, activation: impl OneBitGradient, mask: &[u8], grad: &mut [T]) {
        call::backward_mask_inplace(activation, mask, grad).or_panic().run(self);
    }

    /// Returns the number of elements that are +0.0 or -0.0: [`count_zeros`](crate::count_zeros) on this instruction
    /// set.
    #[must_use]
    pub fn count_zeros<T: Element>(self, x: &[T]) -> usize {
        call::count_zeros(x, self)
    }
}
