//! The limit that the kernels are measured against: plain load/store loops with the same traffic, compiled for the same
//! instruction set. Where slices go past the caches it is the faster one of ordinary and streaming stores.

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
#[path = "no_vectors.rs"]
mod vectors;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[path = "x86.rs"]
mod vectors;

use std::hint::black_box;

use rectify::Kernels;
use vectors::Vectors;

#[derive(Clone, Copy)]
pub struct Limit {
    /// None where the loops are compiled as the rest of the program: the portable and the scalar path have no more than that.
    vectors: Option<Vectors>,
    /// None where the stores are ordinary ones.
    streaming: Option<Vectors>,
}

/// Each loop with ordinary stores combines what it loads with an opaque zero, so that the compiler can't make a call of `memcpy`
/// of it, and leaves a target that it reads as it is.
impl Limit {
    pub fn of(kernels: Kernels) -> Self {
        Self {
            vectors: Vectors::of(kernels),
            streaming: None,
        }
    }

    /// The same loops with streaming stores into a target of its own, where the instruction set has them.
    pub fn streaming(self) -> Option<Self> {
        let streaming = self.vectors?;
        Some(Self {
            streaming: Some(streaming),
            ..self
        })
    }

    pub fn load_store_inplace(self, target: &mut [u64]) {
        let zero = black_box(0);
        self.run(|| target.iter_mut().for_each(|target| *target |= zero));
    }

    pub fn load_store(self, x: &[u64], target: &mut [u64]) {
        if let Some(vectors) = self.streaming {
            return vectors.stream([x], target);
        }
        let zero = black_box(0);
        self.run(|| target.iter_mut().zip(x).for_each(|(target, x)| *target = x | zero));
    }

    pub fn load_load_store(self, x: &[u64], grad: &[u64], target: &mut [u64]) {
        if let Some(vectors) = self.streaming {
            return vectors.stream([x, grad], target);
        }
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

    /// A loop that is inlined here has the vectors of the instruction set.
    #[inline(always)]
    pub fn run(self, traffic: impl FnOnce()) {
        match self.vectors {
            Some(vectors) => vectors.run(traffic),
            None => traffic(),
        }
    }
}
