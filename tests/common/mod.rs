//! What the tests and the fuzz targets share.

#![allow(dead_code, reason = "each binary needs a part of it")]

pub mod calls;
pub mod format;
pub mod functions;
pub mod guarded;
mod required;
pub mod tensor;
pub mod wide;

pub use required::required;

use format::Format;
use guarded::Bytes;
use rectify::{Isa, Kernels};

/// On each instruction set that is available or required.
pub fn all_kernels() -> Vec<Kernels> {
    let required = required();
    let isas = Isa::ALL.iter().copied();
    isas.filter(|isa| isa.is_available() || required.contains(isa))
        .map(|isa| Kernels::new(isa).unwrap())
        .collect()
}

/// Any bits; the grid says what has to come of them.
pub fn random(format: Format, len: usize, seed: u64) -> Bytes {
    format.to_bytes(format.scattered(len, seed))
}
