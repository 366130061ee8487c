//! On tensors of Flex.

use burn::backend::DType;
use burn_flex::{Flex, FlexTensor, Layout};
use bytemuck::Pod;
use rectify::{Activation, AnyActivation};

use crate::{ActivationBackend, GradientBackend};

/// A format, to both crates.
trait Element: rectify::Element + burn::tensor::Element + Pod {}
impl<T: rectify::Element + burn::tensor::Element + Pod> Element for T {}

macro_rules! by_format {
    ($tensor:expr, $function:ident($($argument:expr),*)) => {
        match $tensor.dtype() {
            DType::F32 => $function::<f32>($($argument),*),
            DType::F64 => $function::<f64>($($argument),*),
            DType::F16 => $function::<rectify::f16>($($argument),*),
            DType::BF16 => $function::<rectify::bf16>($($argument),*),
            other => panic!("an activation function of {other:?}"),
        }
    };
}

impl ActivationBackend for Flex {
    fn activate(x: FlexTensor, function: AnyActivation) -> FlexTensor {
        by_format!(x, forward(x, function))
    }
}

impl GradientBackend for Flex {
    fn gradient(x: FlexTensor, grad_output: FlexTensor, function: AnyActivation) -> FlexTensor {
        by_format!(x, backward(x, grad_output, function))
    }
}

fn forward<T: Element>(mut x: FlexTensor, function: AnyActivation) -> FlexTensor {
    let len = x.layout().num_elements();
    let is_whole = x.storage::<T>().len() == len;
    if !is_whole && !x.is_contiguous() {
        x = x.to_contiguous();
    } else if !is_whole || !x.is_unique() {
        let (input, layout) = match x.as_slice::<T>() {
            Some(input) => (input, Layout::contiguous(x.layout().shape().clone())),
            // In the order of the storage.
            None => (x.storage(), x.layout().clone()),
        };
        let mut output = Vec::with_capacity(len);
        function.forward_append(input, &mut output);
        return tensor(output, layout);
    }
    function.forward_inplace(x.storage_mut::<T>());
    x
}

fn backward<T: Element>(x: FlexTensor, grad_output: FlexTensor, function: AnyActivation) -> FlexTensor {
    let (x, mut grad) = (x.to_contiguous(), grad_output.to_contiguous());
    // The other one that might share the memory.
    drop(grad_output);
    let input = x.as_slice::<T>().expect("it is contiguous");
    if grad.is_unique() {
        function.backward_inplace(input, grad.storage_mut::<T>());
        return grad;
    }
    let mut output = Vec::with_capacity(input.len());
    function.backward_append(input, grad.as_slice().expect("it is contiguous"), &mut output);
    tensor(output, Layout::contiguous(x.layout().shape().clone()))
}

fn tensor<T: Element>(elements: Vec<T>, layout: Layout) -> FlexTensor {
    FlexTensor::new(
        burn::tensor::Bytes::from_elems(elements),
        layout,
        <T as burn::tensor::Element>::dtype(),
    )
}
