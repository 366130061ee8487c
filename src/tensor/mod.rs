//! Functions of several tensors, and functions with a scale, a bias and a residual fused into the same pass.

mod crelu;
mod fused;
#[cfg(feature = "smooth")]
mod gated;
mod prelu;
mod reglu;

pub use crelu::Crelu;
pub use fused::Fused;
#[cfg(feature = "smooth")]
pub use gated::{Gated, GeGlu, GeGluTanh, Glu, SwiGlu};
pub use prelu::PRelu;
pub use reglu::ReGlu;
