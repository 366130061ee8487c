//! The functions' slices and what is done with them, said once for every way to run them.

use crate::activation::{Activation, Backward, Forward, Relu};
use crate::element::Element;
use crate::simd::{Call, Source};

#[inline]
pub(crate) fn relu_inplace<T: Element>(x: &mut [T]) -> Call<'_, T, Forward<Relu>, 1> {
    Call::new(Relu::FORWARD, Forward(Relu), [Source::Output], ("x", x))
}

#[inline]
#[track_caller]
pub(crate) fn relu<'a, T: Element>(input: &'a [T], output: &'a mut [T]) -> Call<'a, T, Forward<Relu>, 1> {
    let inputs = [Source::Slice("input", input)];
    Call::new(Relu::FORWARD, Forward(Relu), inputs, ("output", output))
}

#[inline]
#[track_caller]
pub(crate) fn relu_backward<'a, T: Element>(
    input: &'a [T],
    grad_output: &'a [T],
    grad_input: &'a mut [T],
) -> Call<'a, T, Backward<Relu>, 2> {
    let inputs = [Source::Slice("input", input), Source::Slice("grad_output", grad_output)];
    Call::new(Relu::BACKWARD, Backward(Relu), inputs, ("grad_input", grad_input))
}

#[inline]
#[track_caller]
pub(crate) fn relu_backward_inplace<'a, T: Element>(
    input: &'a [T],
    grad: &'a mut [T],
) -> Call<'a, T, Backward<Relu>, 2> {
    let inputs = [Source::Slice("input", input), Source::Output];
    Call::new(Relu::BACKWARD, Backward(Relu), inputs, ("grad", grad))
}
