//! Functions of one tensor.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Error, InplaceOp1, Layout, Module, Result, Shape, Tensor};
use rectify::{Activation, AnyActivation, Strided, StridedMut};

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
            let mut output = Vec::new();
            self.0.forward_strided_append(strided(x, layout, &strides(layout))?, &mut output);
            output
        });
        Ok((output, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad_output: &Tensor) -> Result<Option<Tensor>> {
        x.apply_op2_no_bwd(grad_output, &Gradient(self.0)).map(Some)
    }
}

fn strides(layout: &Layout) -> Vec<isize> {
    layout.stride().iter().map(|&stride| stride as isize).collect()
}

fn strided<'a, T>(storage: &'a [T], layout: &'a Layout, strides: &'a [isize]) -> Result<Strided<'a, T>> {
    Strided::try_new(storage, layout.start_offset(), layout.dims(), strides).map_err(Error::wrap)
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
            let (x_strides, grad_strides) = (strides(x_layout), strides(grad_layout));
            let mut output = Vec::new();
            self.0.backward_strided_append(
                strided(x, x_layout, &x_strides)?,
                strided(grad, grad_layout, &grad_strides)?,
                &mut output,
            );
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
                    $(CpuStorage::$format(x) => {
                        let strides = strides(layout);
                        let x = StridedMut::try_new(x, layout.start_offset(), layout.dims(), &strides);
                        self.0.forward_strided_inplace(&mut x.map_err(Error::wrap)?);
                    })+
                    _ => return refuse(self.0.name(), [x.dtype()]).map(|_| ()),
                }
            };
        }
        in_format!(F32, F64, F16, BF16);
        Ok(())
    }
}
