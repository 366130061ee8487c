//! What is computed: one file a function.

mod clipped_relu;
mod crelu;
mod hard_sigmoid;
mod hard_swish;
mod hardtanh;
mod leaky_relu;
mod one_bit;
mod order;
mod prelu;
mod reglu;
mod relu;
mod squared_relu;
mod thresholded_relu;

pub use clipped_relu::ClippedRelu;
pub use crelu::Crelu;
pub use hard_sigmoid::HardSigmoid;
pub use hard_swish::HardSwish;
pub use hardtanh::Hardtanh;
pub use leaky_relu::LeakyRelu;
pub use one_bit::{OneBitFunction, OneBitGradient};
pub use prelu::PRelu;
pub use reglu::ReGlu;
pub use relu::Relu;
pub use squared_relu::SquaredRelu;
pub use thresholded_relu::ThresholdedRelu;

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::mem::MaybeUninit;

use crate::calls;
use crate::element::Element;
use crate::kernels::Kernels;
#[cfg(feature = "alloc")]
use crate::simd::append;
use crate::simd::{Entries, Vector};
use crate::sweep::VectorFn;

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
pub trait Activation: Function {
    /// `output[i] = f(input[i])`
    ///
    /// # Panics
    ///
    /// When the lengths differ. Nothing is written then.
    #[inline]
    #[track_caller]
    fn forward<T: Element>(self, input: &[T], output: &mut [T]) {
        calls::forward(self, input, output).run(Kernels::best);
    }

    /// `x[i] = f(x[i])`
    #[inline]
    fn forward_inplace<T: Element>(self, x: &mut [T]) {
        calls::forward_inplace(self, x).run(Kernels::best);
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
        calls::backward(self, input, grad_output, grad_input).run(Kernels::best);
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
        calls::backward_inplace(self, input, grad).run(Kernels::best);
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
        calls::forward_uninit(self, input, output).run(Kernels::best)
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
        calls::backward_uninit(self, input, grad_output, grad_input).run(Kernels::best)
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
        append(output, input.len(), |output| self.forward_uninit(input, output));
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
        calls::check_len(("input", input), ("grad_output", grad_output));
        append(grad_input, input.len(), |grad_input| {
            self.backward_uninit(input, grad_output, grad_input)
        });
    }
}

/// The arithmetic of an [`Activation`], stated once for every format and instruction set. It seals that trait.
pub trait Function: Copy + core::fmt::Debug + Send + Sync + 'static {
    /// A static, so that the loops are compiled here, with this crate's optimisation level, and not in each user's crate.
    const LOOPS: &'static Loops<Self>;

    /// Whether it [`compute`](crate::simd::compute)s, rather than choose among bits.
    const COMPUTES: bool = false;

    /// The parameters as the format has them.
    type Rounded<T: Element>: Copy;

    fn round<T: Element>(self) -> Self::Rounded<T>;

    fn forward_vector<T: Element, V: Vector<Lane = T::Lane>>(rounded: Self::Rounded<T>, simd: V::Simd, x: V) -> V;

    fn backward_vector<T: Element, V: Vector<Lane = T::Lane>>(
        rounded: Self::Rounded<T>,
        simd: V::Simd,
        x: V,
        grad_output: V,
    ) -> V;
}

/// The entry functions of a function and its gradient.
pub struct Loops<A> {
    pub(crate) forward: Entries<Forward<A>, 1>,
    pub(crate) backward: Entries<Backward<A>, 2>,
}

impl<A: Function> Loops<A> {
    const fn new() -> Self {
        Self {
            forward: Entries::new(),
            backward: Entries::new(),
        }
    }
}

/// From x to the function's value.
#[derive(Clone, Copy)]
pub(crate) struct Forward<A>(pub(crate) A);

impl<A: Function> VectorFn<1> for Forward<A> {
    const COMPUTES: bool = A::COMPUTES;

    type Rounded<T: Element> = A::Rounded<T>;

    #[inline(always)]
    fn round<T: Element>(self) -> A::Rounded<T> {
        self.0.round::<T>()
    }

    #[inline(always)]
    fn call<T: Element, V: Vector<Lane = T::Lane>>(rounded: A::Rounded<T>, simd: V::Simd, [x]: [V; 1]) -> [V; 1] {
        [A::forward_vector::<T, V>(rounded, simd, x)]
    }
}

/// From x and the gradient at the output to the gradient at the input.
#[derive(Clone, Copy)]
pub(crate) struct Backward<A>(pub(crate) A);

impl<A: Function> VectorFn<2> for Backward<A> {
    const COMPUTES: bool = A::COMPUTES;

    type Rounded<T: Element> = A::Rounded<T>;

    #[inline(always)]
    fn round<T: Element>(self) -> A::Rounded<T> {
        self.0.round::<T>()
    }

    #[inline(always)]
    fn call<T: Element, V: Vector<Lane = T::Lane>>(
        rounded: A::Rounded<T>,
        simd: V::Simd,
        [x, grad_output]: [V; 2],
    ) -> [V; 1] {
        [A::backward_vector::<T, V>(rounded, simd, x, grad_output)]
    }
}
