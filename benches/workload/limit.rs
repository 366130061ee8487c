//! The limit that the kernels are measured against: plain load/store loops, compiled for the same instruction set.

use std::hint::black_box;

use rectify::{Isa, Kernels};

#[derive(Clone, Copy)]
pub struct Limit(Compiled);

/// Proofs that the CPU has what the loops are compiled for.
#[derive(Clone, Copy)]
enum Compiled {
    /// As the rest of the program: the portable and the scalar path have no more than that.
    ForTarget,
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    ForAvx2(pulp::x86::V3),
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    ForAvx512(pulp::x86::V4),
}

/// Each loop combines what it loads with an opaque zero, so that the compiler can't make a call of `memcpy` of it, and
/// leaves a target that it reads as it is.
impl Limit {
    pub fn of(kernels: Kernels) -> Self {
        let compiled = match kernels.isa() {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Isa::Avx2 => pulp::x86::V3::try_new().map(Compiled::ForAvx2),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Isa::Avx512 => pulp::x86::V4::try_new().map(Compiled::ForAvx512),
            _ => None,
        };
        Self(compiled.unwrap_or(Compiled::ForTarget))
    }

    pub fn load_store_inplace(self, target: &mut [u64]) {
        let zero = black_box(0);
        self.run(|| target.iter_mut().for_each(|target| *target |= zero));
    }

    pub fn load_store(self, x: &[u64], target: &mut [u64]) {
        let zero = black_box(0);
        self.run(|| target.iter_mut().zip(x).for_each(|(target, x)| *target = x | zero));
    }

    pub fn load_load_store(self, x: &[u64], grad: &[u64], target: &mut [u64]) {
        let zero = black_box(0);
        let sources = x.iter().zip(grad);
        self.run(|| {
            target
                .iter_mut()
                .zip(sources)
                .for_each(|(target, (x, grad))| *target = x & zero | grad)
        });
    }

    pub fn load_load_store_inplace(self, x: &[u64], target: &mut [u64]) {
        let zero = black_box(0);
        self.run(|| target.iter_mut().zip(x).for_each(|(target, x)| *target |= x & zero));
    }

    #[inline(always)]
    fn run(self, traffic: impl FnOnce()) {
        match self.0 {
            Compiled::ForTarget => traffic(),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Compiled::ForAvx2(proof) => proof.vectorize(traffic),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Compiled::ForAvx512(proof) => proof.vectorize(traffic),
        }
    }
}
