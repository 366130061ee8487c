//! Calls on arrays of the crate `ndarray`.

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use ::ndarray::{Array, ArrayRef, ArrayViewMut, Axis, Dimension, ShapeBuilder};

use super::append::append;
use super::detect::Kernels;
use super::error::OrPanic;
use super::loops::Compiled;
use super::slices::{self, Backward, Call, Direction, Forward, is_beyond_caches};
use super::strided::{IN_CALLER_BYTES, Layout, insert_by, run};
use crate::simd::Element;

#[inline(always)]
fn is_walked_in_caller<A: Compiled, T: Element, D: Dimension>(array: &ArrayRef<T, D>) -> bool {
    A::computes_one::<T>() && (1..=IN_CALLER_BYTES / size_of::<T>()).contains(&array.len())
}

/// Whether each axis has elements that are closer than those of the axis before.
#[inline(always)]
fn has_standard_order<T, D: Dimension>(array: &ArrayRef<T, D>) -> bool {
    let mut before = isize::MAX;
    array.strides().iter().all(|&stride| {
        let is_closer = 0 < stride && stride <= before;
        before = stride;
        is_closer
    })
}

/// Returns f of each element.
pub(crate) fn forward_array<A: Compiled, T: Element, D: Dimension>(
    activation: A,
    input: &ArrayRef<T, D>,
) -> Array<T, D> {
    // `map` keeps the order of contiguous elements, and else writes in standard order.
    if is_walked_in_caller::<A, T, D>(input) && (has_standard_order(input) || input.as_slice_memory_order().is_some()) {
        let value = activation.forward_one();
        return input.map(|&x| value(x));
    }
    // SAFETY: the only array is the input.
    unsafe { run_to_new(Forward(activation), [input]) }
}

/// Writes f of each element of the input.
#[track_caller]
pub(crate) fn forward_array_to<A: Compiled, T: Element, D: Dimension>(
    activation: A,
    input: &ArrayRef<T, D>,
    output: &mut ArrayRef<T, D>,
) {
    check_shape(("`output`", output), input);
    // SAFETY: the shapes are equal, checked above. `run_to` writes initialized elements.
    unsafe { run_to(Forward(activation), [input], as_uninit(output), false) };
}

/// Replaces each element by f of it.
pub(crate) fn forward_array_inplace<A: Compiled, T: Element, D: Dimension>(activation: A, x: &mut ArrayRef<T, D>) {
    if let Some(x) = x.as_slice_memory_order_mut() {
        slices::forward_inplace(activation, x).or_panic().run(Kernels::best);
        return;
    }
    if is_walked_in_caller::<A, T, D>(x) {
        let value = activation.forward_one();
        return x.map_inplace(|x| *x = value(*x));
    }
    let output = layout_at(x.as_mut_ptr(), x);
    // SAFETY: `output` is all of `x`. The elements of an array are initialized, and those of a mutable one are distinct. The input is the output.
    unsafe { run::<T, _, 1>(Forward(activation), x.shape(), [output], output, false) };
}

/// Returns the gradient at each element of the input.
#[track_caller]
pub(crate) fn backward_array<A: Compiled, T: Element, D: Dimension>(
    activation: A,
    input: &ArrayRef<T, D>,
    grad_output: &ArrayRef<T, D>,
) -> Array<T, D> {
    check_shape(("`grad_output`", grad_output), input);
    // SAFETY: the shapes are equal, checked above.
    unsafe { run_to_new(Backward(activation), [input, grad_output]) }
}

/// Writes the gradient at each element of the input.
#[track_caller]
pub(crate) fn backward_array_to<A: Compiled, T: Element, D: Dimension>(
    activation: A,
    input: &ArrayRef<T, D>,
    grad_output: &ArrayRef<T, D>,
    grad_input: &mut ArrayRef<T, D>,
) {
    check_shape(("`grad_output`", grad_output), input);
    check_shape(("`grad_input`", grad_input), input);
    // SAFETY: the shapes are equal, checked above. `run_to` writes initialized elements.
    unsafe { run_to(Backward(activation), [input, grad_output], as_uninit(grad_input), false) };
}

/// Replaces the gradient at the output by that at the input.
#[track_caller]
pub(crate) fn backward_array_inplace<A: Compiled, T: Element, D: Dimension>(
    activation: A,
    input: &ArrayRef<T, D>,
    grad: &mut ArrayRef<T, D>,
) {
    check_shape(("`grad`", grad), input);
    if input.strides() == grad.strides()
        && let (Some(input), Some(grad)) = (input.as_slice_memory_order(), grad.as_slice_memory_order_mut())
    {
        // In the same order, since the strides are equal.
        slices::backward_inplace(activation, input, grad)
            .or_panic()
            .run(Kernels::best);
        return;
    }
    let output = layout_at(grad.as_mut_ptr(), grad);
    // SAFETY: the shapes are equal, checked above. The elements of an array are initialized, and those of a mutable one are distinct and
    // apart from those of another array. The second input is the output.
    unsafe {
        run::<T, _, 2>(
            Backward(activation),
            input.shape(),
            [layout(input), output],
            output,
            false,
        )
    };
}

#[track_caller]
fn check_shape<T, D: Dimension>((name, array): (&str, &ArrayRef<T, D>), input: &ArrayRef<T, D>) {
    let (shape, of_input) = (array.shape(), input.shape());
    assert!(
        shape == of_input,
        "arrays of unequal shape: {name} has {shape:?}, the input {of_input:?}"
    );
}

/// Compared one by one: a vector of strides that were just written would wait for the stores.
#[inline(always)]
fn has_strides<T, D: Dimension>(array: &ArrayRef<T, D>, strides: &[isize]) -> bool {
    array.strides().iter().eq(strides)
}

fn layout<T, D: Dimension>(array: &ArrayRef<T, D>) -> Layout<'_> {
    layout_at(array.as_ptr().cast_mut(), array)
}

/// With a pointer to the first element of the array: one that may write, if the array is to be written.
fn layout_at<T, D: Dimension>(start: *mut T, array: &ArrayRef<T, D>) -> Layout<'_> {
    Layout {
        start: start.cast(),
        strides: array.strides(),
    }
}

/// An output, of which no element is read.
///
/// # Safety
///
/// Only initialized elements are written to it.
unsafe fn as_uninit<T: Element, D: Dimension>(output: &mut ArrayRef<T, D>) -> ArrayViewMut<'_, MaybeUninit<T>, D> {
    // SAFETY: a `MaybeUninit` is like its element. The lifetime is that of the output. Its elements stay initialized: this function's
    // contract.
    unsafe { output.raw_view_mut().cast().deref_into_view_mut() }
}

/// Returns a new array that `direction` has written. Its elements are in memory as those of the first input, without what is between them.
///
/// # Safety
///
/// The arrays have the same shape.
#[track_caller]
unsafe fn run_to_new<T: Element, D: Dimension, const N: usize>(
    direction: impl Direction<N>,
    inputs: [&ArrayRef<T, D>; N],
) -> Array<T, D> {
    let like = inputs[0];
    if like.is_empty() {
        // With other strides: those of an empty array may lead out of it.
        // SAFETY: there are no elements.
        return unsafe { Array::uninit(like.raw_dim()).assume_init() };
    }
    let slices = inputs.map(|input| input.as_slice_memory_order());
    if slices.iter().all(Option::is_some)
        && inputs.iter().all(|input| has_strides(input, like.strides()))
        && !is_beyond_caches(N, like.len() * size_of::<T>())
    {
        // In the same order, since the strides are equal.
        let inputs = slices.map(|input| ("input", input.unwrap_or_default()));
        let mut elements = Vec::new();
        append(&mut elements, like.len(), |output| {
            Call::to_uninit(direction, inputs, ("output", output))
                .or_panic()
                .run(Kernels::best)
        });
        let mut strides = like.raw_dim();
        for (stride, of_like) in strides.slice_mut().iter_mut().zip(like.strides()) {
            *stride = of_like.unsigned_abs();
        }
        // SAFETY: the strides are those of as many contiguous elements.
        return unsafe { with_strides(strides, elements, like) };
    }
    let mut output = uninit_like(like);
    // SAFETY: the shapes are equal: this function's contract, and `uninit_like`. Each element is written.
    unsafe {
        run_to(direction, inputs, output.view_mut(), true);
        output.assume_init()
    }
}

/// Writes each element of the output.
///
/// # Safety
///
/// The arrays have the same shape.
#[track_caller]
unsafe fn run_to<T: Element, D: Dimension, const N: usize>(
    direction: impl Direction<N>,
    inputs: [&ArrayRef<T, D>; N],
    mut output: ArrayViewMut<'_, MaybeUninit<T>, D>,
    is_new: bool,
) {
    let slices = inputs.map(|input| input.as_slice_memory_order());
    // New memory that is large comes from the system, which has just cleared it: it is in the caches, and is not streamed to.
    if !(is_new && is_beyond_caches(N, output.len() * size_of::<T>()))
        && inputs.iter().all(|input| has_strides(input, output.strides()))
        && slices.iter().all(Option::is_some)
        && let Some(output) = output.as_slice_memory_order_mut()
    {
        // In the same order, since the strides are equal.
        let inputs = slices.map(|input| ("input", input.unwrap_or_default()));
        Call::to_uninit(direction, inputs, ("output", output))
            .or_panic()
            .run(Kernels::best);
        return;
    }
    let shape = inputs[0].shape();
    // SAFETY: the shapes are equal: this function's contract. The elements of an input are initialized. Those of a mutable array are distinct and apart
    // from those of another array.
    unsafe {
        run::<T, _, N>(
            direction,
            shape,
            inputs.map(layout),
            layout_at(output.as_mut_ptr(), &output),
            !is_new,
        )
    };
}

/// An array of the same shape, whose elements are in the same order in memory, without what is between them.
fn uninit_like<T: Element, D: Dimension>(like: &ArrayRef<T, D>) -> Array<MaybeUninit<T>, D> {
    if like.is_standard_layout() {
        return Array::uninit(like.raw_dim());
    }
    let (shape, strides) = (like.shape(), like.strides());
    // Where a stride is 0, elements are read again: as late as can be.
    let distance = |axis: usize| strides[axis].unsigned_abs().wrapping_sub(1);
    // The axes, the closest elements first.
    let mut order = like.raw_dim();
    for (count, axis) in (0..shape.len()).rev().enumerate() {
        insert_by(order.slice_mut(), count, axis, |&axis| distance(axis));
    }
    let mut dense = like.raw_dim();
    let mut len = 1;
    for i in 0..shape.len() {
        let axis = order[i];
        dense[axis] = len;
        len *= shape[axis];
    }
    let mut elements = Vec::<MaybeUninit<T>>::with_capacity(len);
    // SAFETY: there is room for them, and a `MaybeUninit` needs no initialization. The strides are those of contiguous elements, in the
    // order of some axes.
    unsafe {
        elements.set_len(len);
        with_strides(dense, elements, like)
    }
}

/// Returns an array of the shape of `like`, with its axes in the same directions.
///
/// # Safety
///
/// Indices times the strides are those of `elements`, each of one. `like` isn't empty.
#[inline(always)]
unsafe fn with_strides<T, E, D: Dimension>(strides: D, elements: Vec<E>, like: &ArrayRef<T, D>) -> Array<E, D> {
    // SAFETY: this function's contract.
    let mut array = unsafe { Array::from_shape_vec_unchecked(like.raw_dim().strides(strides), elements) };
    for axis in 0..array.ndim() {
        if like.strides()[axis] < 0 {
            array.invert_axis(Axis(axis));
        }
    }
    array
}
