//! Functions of the arrays of the crate `ndarray`, with any layout.

use ::ndarray::{Array, ArrayRef, Dimension};

use crate::activation::Activation;
use crate::call;
use crate::simd::Element;

/// The functions on arrays of the crate [`ndarray`](https://docs.rs/ndarray), owned or views, of any dimension and layout.
///
/// ```
/// use ndarray::{array, s};
/// use rectify::{Activate, Relu};
///
/// let x = array![[-1.0_f32, 2.0, -3.0], [4.0, -5.0, 6.0]];
/// assert_eq!(x.activate(Relu), array![[0.0, 2.0, 0.0], [4.0, 0.0, 6.0]]);
///
/// // The gradient at x, transposed, from that at the output.
/// let grad_output = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// let grad = x.t().activate_backward(Relu, &grad_output);
/// assert_eq!(grad, array![[0.0, 2.0], [3.0, 0.0], [0.0, 6.0]]);
///
/// // Every second column, in-place.
/// let mut y = x;
/// y.slice_mut(s![.., ..;2]).activate_inplace(Relu);
/// assert_eq!(y, array![[0.0, 2.0, 0.0], [4.0, -5.0, 6.0]]);
/// ```
///
/// # Notes
///
/// The results are those of [`Activation`], bit for bit. Elements beside a view are neither read nor written.
///
/// | layout | how it is walked |
/// | --- | --- |
/// | contiguous in memory, with the axes in any order and direction | as one slice |
/// | contiguous rows of 64 bytes or more | row by row |
/// | shorter rows, a step between elements, tensors of different layouts | through a block of 8 KB on the stack, 4 KB of elements at a time, to which elements are copied |
/// | a step between elements, of [`Relu`](crate::Relu), and in `f32` and `f64` of other functions that aren't smooth | where the elements are, except where copies are faster |
/// | few elements in-place or returned, of these functions | by ndarray |
///
/// So what costs is a step between elements. ReLU and leaky ReLU take about as long as ndarray's loop there, or less; 8 x 8 elements up to
/// 1.5 times as long. Functions that do arithmetic are faster. One that compares with two numbers, such as [`Hardtanh`](crate::Hardtanh), takes up to 1.5 times
/// as long as ndarray's loop in-place, and of 8 x 8 elements three times as long. So do functions chosen at run time
/// ([`AnyActivation`](crate::AnyActivation)), whose calls take 60 ns more.
/// `docs/performance.md` has a table.
///
/// An array that is returned has the axes of `self` in their order in memory, without what is between the elements. The methods that end in
/// `_to` write to an array that exists.
///
/// The trait is implemented by [`ArrayRef`], to which owned arrays and views dereference.
pub trait Activate<T: Element, D: Dimension> {
    /// Returns f of each element.
    #[must_use]
    fn activate(&self, activation: impl Activation) -> Array<T, D>;

    /// `output[i] = f(self[i])`
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ, before anything is written.
    #[track_caller]
    fn activate_to(&self, activation: impl Activation, output: &mut ArrayRef<T, D>);

    /// `self[i] = f(self[i])`
    fn activate_inplace(&mut self, activation: impl Activation);

    /// Returns the gradient at the input of the function, of which `self` is the input: [`Activation::backward`].
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    #[must_use]
    #[track_caller]
    fn activate_backward(&self, activation: impl Activation, grad_output: &ArrayRef<T, D>) -> Array<T, D>;

    /// [`activate_backward`](Self::activate_backward) to an existing array.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ, before anything is written.
    #[track_caller]
    fn activate_backward_to(
        &self,
        activation: impl Activation,
        grad_output: &ArrayRef<T, D>,
        grad_input: &mut ArrayRef<T, D>,
    );

    /// [`activate_backward`](Self::activate_backward) in-place: `grad` holds the gradient at the output, and is overwritten by the
    /// gradient at the input.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ, before anything is written.
    #[track_caller]
    fn activate_backward_inplace(&self, activation: impl Activation, grad: &mut ArrayRef<T, D>);
}

impl<T: Element, D: Dimension> Activate<T, D> for ArrayRef<T, D> {
    fn activate(&self, activation: impl Activation) -> Array<T, D> {
        call::forward_array(activation, self)
    }

    fn activate_to(&self, activation: impl Activation, output: &mut ArrayRef<T, D>) {
        call::forward_array_to(activation, self, output);
    }

    fn activate_inplace(&mut self, activation: impl Activation) {
        call::forward_array_inplace(activation, self);
    }

    fn activate_backward(&self, activation: impl Activation, grad_output: &ArrayRef<T, D>) -> Array<T, D> {
        call::backward_array(activation, self, grad_output)
    }

    fn activate_backward_to(
        &self,
        activation: impl Activation,
        grad_output: &ArrayRef<T, D>,
        grad_input: &mut ArrayRef<T, D>,
    ) {
        call::backward_array_to(activation, self, grad_output, grad_input);
    }

    fn activate_backward_inplace(&self, activation: impl Activation, grad: &mut ArrayRef<T, D>) {
        call::backward_array_inplace(activation, self, grad);
    }
}
