//! Functions of several tensors, and functions with a bias and a residual fused into the same pass.

mod crelu;
mod fused;
mod prelu;
mod reglu;

pub use crelu::Crelu;
pub use fused::Fused;
pub use prelu::PRelu;
pub use reglu::ReGlu;
