#![doc = include_str!("../README.md")]

mod gate;
mod layer;
mod layout;
mod op;

use candle_core::{Result, Tensor};
use rectify::AnyActivation;

pub use gate::Gate;
pub use layer::Layer;
pub use op::Op;
pub use rectify;

/// The functions as methods of tensors.
pub trait Activate {
    /// f(x) of each element, contiguous. It has a gradient.
    ///
    /// # Errors
    ///
    /// Those of [`Op`].
    fn activate(&self, function: impl Into<AnyActivation>) -> Result<Tensor>;

    /// Replaces each element x by f(x).
    ///
    /// The tensors that share the storage change, too: clones, and views such as those of `narrow` and `t`. candle doesn't record it,
    /// so there is no gradient.
    ///
    /// # Errors
    ///
    /// Those of [`Op`], and elements that several indices share, as after `broadcast_as`.
    fn activate_inplace(&self, function: impl Into<AnyActivation>) -> Result<()>;
}

impl Activate for Tensor {
    fn activate(&self, function: impl Into<AnyActivation>) -> Result<Tensor> {
        self.apply_op1(Op::new(function))
    }

    fn activate_inplace(&self, function: impl Into<AnyActivation>) -> Result<()> {
        self.inplace_op1(&Op::new(function))
    }
}
