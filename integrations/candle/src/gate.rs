//! Gated units.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, D, Error, Layout, Module, Result, Shape, Tensor};
use rectify::{AnyActivation, Element, Gated, Silu};

use crate::layout::for_each_part;
use crate::op::by_format;

/// So many elements are filled with zeros before they are written: they are in the cache still.
const FILLED: usize = 8192;

/// The gated unit f(a) * b of two tensors of one shape, with the gradients of both: for [`Tensor::apply_op2`].
///
/// As a [`Module`] it takes a and b side by side in the last dimension, as [`candle_nn::ops::swiglu`] does.
///
/// The values and gradients are those of [`rectify::Gated`], bit for bit.
///
/// # Errors
///
/// Those of [`Op`](crate::Op), and tensors of two shapes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate(AnyActivation);

impl Gate {
    /// silu(a) * b
    pub const SWIGLU: Self = Self(AnyActivation::Silu(Silu));

    /// The gated unit of that function.
    pub fn new(function: impl Into<AnyActivation>) -> Self {
        Self(function.into())
    }

    /// f(a) * b
    ///
    /// # Errors
    ///
    /// Those of the type.
    pub fn apply(self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        a.apply_op2(b, self)
    }
}

impl Module for Gate {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let len = x.dim(D::Minus1)?;
        if !len.is_multiple_of(2) {
            candle_core::bail!("a gated unit takes two halves, and the last dimension is {len}");
        }
        self.apply(
            &x.narrow(D::Minus1, 0, len / 2)?,
            &x.narrow(D::Minus1, len / 2, len / 2)?,
        )
    }
}

const NAME: &str = "gated unit";

impl CustomOp2 for Gate {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        if a_layout.shape() != b_layout.shape() {
            return Err(Error::ShapeMismatchBinaryOp {
                lhs: a_layout.shape().clone(),
                rhs: b_layout.shape().clone(),
                op: NAME,
            }
            .bt());
        }
        let output = by_format!(NAME, a, b => forward(self.0, [(a, a_layout), (b, b_layout)]));
        Ok((output, a_layout.shape().clone()))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        grad_output: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grads = a.apply_op3_no_bwd(b, grad_output, &Gradients(self.0))?;
        Ok((Some(grads.get(0)?), Some(grads.get(1)?)))
    }
}

/// The gradients at a and b, one after the other, of a, b and the gradient at the output.
struct Gradients(AnyActivation);

impl CustomOp3 for Gradients {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let output =
            by_format!(NAME, a, b, grad => backward(self.0, [(a, a_layout), (b, b_layout), (grad, grad_layout)]));
        Ok((output, [&[2], a_layout.dims()].concat().into()))
    }
}

fn forward<T: Element + Default>(function: AnyActivation, inputs: [(&[T], &Layout); 2]) -> Vec<T> {
    let mut output = Vec::with_capacity(inputs[0].1.shape().elem_count());
    for_each_part(inputs, FILLED, |[a, b]| {
        let start = output.len();
        output.resize(start + a.len(), T::default());
        Gated::of(function).forward(a, b, &mut output[start..]);
    });
    output
}

fn backward<T: Element + Default>(function: AnyActivation, inputs: [(&[T], &Layout); 3]) -> Vec<T> {
    let len = inputs[0].1.shape().elem_count();
    let mut output = vec![T::default(); 2 * len];
    let (mut grad_a, mut grad_b) = output.split_at_mut(len);
    for_each_part(inputs, usize::MAX, |[a, b, grad]| {
        let (to_a, to_b);
        (to_a, grad_a) = std::mem::take(&mut grad_a).split_at_mut(a.len());
        (to_b, grad_b) = std::mem::take(&mut grad_b).split_at_mut(a.len());
        Gated::of(function).backward(a, b, grad, to_a, to_b);
    });
    output
}
