//! For targets whose own instructions are all that the loops have.

use rectify::Kernels;

/// There is none.
#[derive(Clone, Copy)]
pub enum Vectors {}

impl Vectors {
    pub fn of(_kernels: Kernels) -> Option<Self> {
        None
    }

    pub fn run(self, _traffic: impl FnOnce()) {
        match self {}
    }

    pub fn stream<const N: usize>(self, _sources: [&[u64]; N], _target: &mut [u64]) {
        match self {}
    }
}
