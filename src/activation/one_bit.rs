use super::{Activation, Function};
use crate::calls;
use crate::element::Element;
use crate::kernels::Kernels;
use crate::simd::Vector;

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
pub trait OneBitGradient: Activation + OneBitFunction {
    /// [`Activation::forward`], with the mask. Gives how many elements are live.
    ///
    /// # Panics
    ///
    /// When the lengths differ, or the mask is not of `input.len().div_ceil(8)` bytes. Nothing is written then.
    #[track_caller]
    fn forward_mask<T: Element>(self, input: &[T], output: &mut [T], mask: &mut [u8]) -> usize {
        calls::forward_mask(self, input, output, mask).run(Kernels::best())
    }

    /// [`Activation::forward_inplace`], with the mask. Gives how many elements are live.
    ///
    /// # Panics
    ///
    /// When the mask is not of `x.len().div_ceil(8)` bytes. Nothing is written then.
    #[track_caller]
    fn forward_mask_inplace<T: Element>(self, x: &mut [T], mask: &mut [u8]) -> usize {
        calls::forward_mask_inplace(self, x, mask).run(Kernels::best())
    }

    /// [`Activation::backward`], with the mask instead of the input.
    ///
    /// # Panics
    ///
    /// When the lengths differ, or the mask is not of `grad_output.len().div_ceil(8)` bytes. Nothing is written then.
    #[track_caller]
    fn backward_mask<T: Element>(self, mask: &[u8], grad_output: &[T], grad_input: &mut [T]) {
        calls::backward_mask(self, mask, grad_output, grad_input).run(Kernels::best());
    }

    /// [`Activation::backward_inplace`], with the mask instead of the input.
    ///
    /// # Panics
    ///
    /// When the mask is not of `grad.len().div_ceil(8)` bytes. Nothing is written then.
    #[track_caller]
    fn backward_mask_inplace<T: Element>(self, mask: &[u8], grad: &mut [T]) {
        calls::backward_mask_inplace(self, mask, grad).run(Kernels::best());
    }
}

/// The arithmetic of a [`OneBitGradient`]. It seals that trait.
pub trait OneBitFunction: Function {
    /// Where the slope is 1.
    fn is_live<T: Element, V: Vector<Lane = T::Lane>>(rounded: Self::Rounded<T>, simd: V::Simd, x: V) -> V::Mask;

    /// The gradient at the input from that.
    #[inline(always)]
    fn backward_bit<T: Element, V: Vector<Lane = T::Lane>>(
        _: Self::Rounded<T>,
        _: V::Simd,
        is_live: V::Mask,
        grad_output: V,
    ) -> V {
        grad_output.keep(is_live)
    }
}

/// [`Function::backward_vector`] by that bit.
macro_rules! backward_by_bit {
    () => {
        #[inline(always)]
        fn backward_vector<T: Element, V: Vector<Lane = T::Lane>>(
            rounded: Self::Rounded<T>,
            simd: V::Simd,
            x: V,
            grad_output: V,
        ) -> V {
            Self::backward_bit::<T, V>(
                rounded,
                simd,
                Self::is_live::<T, V>(rounded, simd, x),
                grad_output,
            )
        }
    };
}
pub(super) use backward_by_bit;
