//! Functions of one tensor.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Error, InplaceOp1, Layout, Module, Result, Shape, Tensor};
use rectify::{Activation, AnyActivation};

use crate::layout::{for_each_part, for_each_part_inplace};

/// An activation function as an operation of candle: for [`Tensor::apply_op1`], [`Tensor::inplace_op1`], and as a [`Module`].
///
/// The values and gradients are those of [`rectify::Activation`], bit for bit.
///
/// # Errors
///
/// Other types than `f32`, `f64`, `f16` and `bf16`, and tensors of another device than the CPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Op(AnyActivation);

impl Op {
    /// The operation of that function.
    pub fn new(function: impl Into<AnyActivation>) -> Self {
        Self(function.into())
    }

    /// The function.
    #[must_use]
    pub const fn function(self) -> AnyActivation {
        self.0
    }
}

impl Module for Op {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.apply_op1(*self)
    }
}

/// The result for inputs of one of the four types.
macro_rules! by_format {
    ($name:expr, $first:ident $(, $other:ident)* => $result:expr) => {
        match ($first, $($other),*) {
            $crate::op::by_format!(@ F32 $first $($other)*) => CpuStorage::F32($result),
            $crate::op::by_format!(@ F64 $first $($other)*) => CpuStorage::F64($result),
            $crate::op::by_format!(@ F16 $first $($other)*) => CpuStorage::F16($result),
            $crate::op::by_format!(@ BF16 $first $($other)*) => CpuStorage::BF16($result),
            _ => $crate::op::refuse($name, [$first.dtype() $(, $other.dtype())*])?,
        }
    };
    (@ $format:ident $($storage:ident)+) => {
        ($(CpuStorage::$format($storage),)+)
    };
}
pub(crate) use by_format;

/// The error for these types.
pub fn refuse<const N: usize>(name: &'static str, types: [DType; N]) -> Result<CpuStorage> {
    let first = types[0];
    Err(match types.into_iter().find(|&other| other != first) {
        Some(other) => Error::DTypeMismatchBinaryOp {
            lhs: first,
            rhs: other,
            op: name,
        },
        None => Error::UnsupportedDTypeForOp(first, name),
    }
    .bt())
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let output = by_format!(self.0.name(), x => {
            let mut output = Vec::with_capacity(layout.shape().elem_count());
            for_each_part([(x, layout)], usize::MAX, |[x]| self.0.forward_append(x, &mut output));
            output
        });
        Ok((output, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad_output: &Tensor) -> Result<Option<Tensor>> {
        x.apply_op2_no_bwd(grad_output, &Gradient(self.0)).map(Some)
    }
}

/// The gradient at the input, of the input and the gradient at the output.
struct Gradient(AnyActivation);

impl CustomOp2 for Gradient {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let output = by_format!(self.0.name(), x, grad => {
            let mut output = Vec::with_capacity(x_layout.shape().elem_count());
            for_each_part([(x, x_layout), (grad, grad_layout)], usize::MAX, |[x, grad]| {
                self.0.backward_append(x, grad, &mut output);
            });
            output
        });
        Ok((output, x_layout.shape().clone()))
    }
}

impl InplaceOp1 for Op {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout) -> Result<()> {
        macro_rules! in_format {
            ($($format:ident),+) => {
                match x {
                    $(CpuStorage::$format(x) => for_each_part_inplace(x, layout, |x| self.0.forward_inplace(x)),)+
                    _ => return refuse(self.0.name(), [x.dtype()]).map(|_| ()),
                }
            };
        }
        in_format!(F32, F64, F16, BF16);
        Ok(())
    }
}
