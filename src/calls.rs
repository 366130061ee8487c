//! The functions' slices and what is done with them, said once for every way to run them.

use crate::activation::{Activation, Backward, Forward};
use crate::element::Element;
use crate::simd::{Call, Source};

#[inline(always)]
pub(crate) fn forward_inplace<A: Activation, T: Element>(activation: A, x: &mut [T]) -> Call<'_, T, Forward<A>, 1> {
    Call::new(&A::LOOPS.forward, Forward(activation), [Source::Output], ("x", x))
}

#[inline(always)]
#[track_caller]
pub(crate) fn forward<'a, A: Activation, T: Element>(
    activation: A,
    input: &'a [T],
    output: &'a mut [T],
) -> Call<'a, T, Forward<A>, 1> {
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
) -> Call<'a, T, Backward<A>, 2> {
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
) -> Call<'a, T, Backward<A>, 2> {
    let inputs = [Source::Slice("input", input), Source::Output];
    Call::new(&A::LOOPS.backward, Backward(activation), inputs, ("grad", grad))
}
