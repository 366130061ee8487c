//! On tensors of Flex.

use burn::backend::DType;
use burn_flex::{Flex, FlexTensor, Layout};
use bytemuck::Pod;
use rectify::{Activation, AnyActivation, Strided, StridedMut};

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
    // In the order of the storage, whatever the layout: it has as many elements as the tensor, or fewer that are repeated.
    if x.storage::<T>().len() <= x.layout().num_elements() {
        if x.is_unique() {
            function.forward_inplace(x.storage_mut::<T>());
            return x;
        }
        let mut output = Vec::<T>::new();
        function.forward_append(x.storage(), &mut output);
        return tensor(output, x.layout().clone());
    }
    let mut output = Vec::new();
    function.forward_strided_append(strided::<T>(&x), &mut output);
    tensor(output, Layout::contiguous(x.layout().shape().clone()))
}

fn backward<T: Element>(x: FlexTensor, mut grad_output: FlexTensor, function: AnyActivation) -> FlexTensor {
    if grad_output.is_unique() {
        let layout = grad_output.layout().clone();
        let (shape, strides) = (layout.shape(), layout.strides());
        // An error where elements are repeated.
        if let Ok(mut grad) = StridedMut::try_new(grad_output.storage_mut::<T>(), layout.start_offset(), shape, strides)
        {
            function.backward_strided_inplace(strided(&x), &mut grad);
            return grad_output;
        }
    }
    let mut output = Vec::new();
    function.backward_strided_append(strided::<T>(&x), strided(&grad_output), &mut output);
    tensor(output, Layout::contiguous(x.layout().shape().clone()))
}

fn strided<T: Element>(x: &FlexTensor) -> Strided<'_, T> {
    let layout = x.layout();
    Strided::new(x.storage(), layout.start_offset(), layout.shape(), layout.strides())
}

fn tensor<T: Element>(elements: Vec<T>, layout: Layout) -> FlexTensor {
    FlexTensor::new(
        burn::tensor::Bytes::from_elems(elements),
        layout,
        <T as burn::tensor::Element>::dtype(),
    )
}
