//! Functions of several tensors, and what engines do beside a function in the same pass.

mod crelu;
mod fused;
mod prelu;
mod reglu;

pub use crelu::Crelu;
pub use fused::Fused;
pub use prelu::PRelu;
pub use reglu::ReGlu;
