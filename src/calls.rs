//! The functions' slices and what is done with them, said once for every way to run them.

use core::mem::MaybeUninit;

use crate::activation::{Activation, Backward, Forward, OneBitGradient};
use crate::element::Element;
use crate::kernels::Kernels;
use crate::simd::{Call, MaskCall, Source, run};
use crate::sweep::CountNonzero;

#[inline(always)]
pub(crate) fn forward_inplace<A: Activation, T: Element>(activation: A, x: &mut [T]) -> Call<'_, '_, T, Forward<A>, 1> {
    Call::new(&A::LOOPS.forward, Forward(activation), [Source::Output], ("x", x))
}

#[inline(always)]
#[track_caller]
pub(crate) fn forward<'a, A: Activation, T: Element>(
    activation: A,
    input: &'a [T],
    output: &'a mut [T],
) -> Call<'a, 'a, T, Forward<A>, 1> {
    let inputs = [Source::Slice("input", input)];
    Call::new(&A::LOOPS.forward, Forward(activation), inputs, ("output", output))
}

#[inline(always)]
#[track_caller]
pub(crate) fn backward<'a, A: Activation, T: Element>(
    activation: A,
    input: &'a [T],
    grad_output: &'a [T],
    grad_input: &'a mut [T],
) -> Call<'a, 'a, T, Backward<A>, 2> {
    let inputs = [Source::Slice("input", input), Source::Slice("grad_output", grad_output)];
    let output = ("grad_input", grad_input);
    Call::new(&A::LOOPS.backward, Backward(activation), inputs, output)
}

#[inline(always)]
#[track_caller]
pub(crate) fn backward_inplace<'a, A: Activation, T: Element>(
    activation: A,
    input: &'a [T],
    grad: &'a mut [T],
) -> Call<'a, 'a, T, Backward<A>, 2> {
    let inputs = [Source::Slice("input", input), Source::Output];
    Call::new(&A::LOOPS.backward, Backward(activation), inputs, ("grad", grad))
}

#[inline(always)]
#[track_caller]
pub(crate) fn forward_uninit<'i, 'o, A: Activation, T: Element>(
    activation: A,
    input: &'i [T],
    output: &'o mut [MaybeUninit<T>],
) -> Call<'i, 'o, T, Forward<A>, 1> {
    let inputs = [("input", input)];
    Call::to_uninit(&A::LOOPS.forward, Forward(activation), inputs, ("output", output))
}

#[inline(always)]
#[track_caller]
pub(crate) fn backward_uninit<'i, 'o, A: Activation, T: Element>(
    activation: A,
    input: &'i [T],
    grad_output: &'i [T],
    grad_input: &'o mut [MaybeUninit<T>],
) -> Call<'i, 'o, T, Backward<A>, 2> {
    let inputs = [("input", input), ("grad_output", grad_output)];
    let output = ("grad_input", grad_input);
    Call::to_uninit(&A::LOOPS.backward, Backward(activation), inputs, output)
}

#[track_caller]
pub(crate) fn forward_mask<'a, A: OneBitGradient, T: Element>(
    activation: A,
    input: &'a [T],
    output: &'a mut [T],
    mask: &'a mut [u8],
) -> MaskCall<'a, T, A, &'a mut [u8]> {
    MaskCall::new(activation, Source::Slice("input", input), ("output", output), mask)
}

#[track_caller]
pub(crate) fn forward_mask_inplace<'a, A: OneBitGradient, T: Element>(
    activation: A,
    x: &'a mut [T],
    mask: &'a mut [u8],
) -> MaskCall<'a, T, A, &'a mut [u8]> {
    MaskCall::new(activation, Source::Output, ("x", x), mask)
}

#[track_caller]
pub(crate) fn backward_mask<'a, A: OneBitGradient, T: Element>(
    activation: A,
    mask: &'a [u8],
    grad_output: &'a [T],
    grad_input: &'a mut [T],
) -> MaskCall<'a, T, A, &'a [u8]> {
    let input = Source::Slice("grad_output", grad_output);
    MaskCall::new(activation, input, ("grad_input", grad_input), mask)
}

#[track_caller]
pub(crate) fn backward_mask_inplace<'a, A: OneBitGradient, T: Element>(
    activation: A,
    mask: &'a [u8],
    grad: &'a mut [T],
) -> MaskCall<'a, T, A, &'a [u8]> {
    MaskCall::new(activation, Source::Output, ("grad", grad), mask)
}

pub(crate) fn count_zeros<T: Element>(x: &[T], kernels: Kernels) -> usize {
    x.len() - run(&CountNonzero(x), kernels)
}

/// Panics when the lengths differ.
#[cfg(feature = "alloc")]
#[track_caller]
pub(crate) fn check_len<T>((name, slice): (&'static str, &[T]), (other_name, other): (&str, &[T])) {
    Source::Slice(name, slice).check_len(other_name, other.len());
}
