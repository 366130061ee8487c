//! The limit that the kernels are measured against: plain load/store loops with the same traffic, compiled for the same
//! instruction set. Where slices go past the caches it is the faster one of ordinary and streaming stores.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;
use std::hint::black_box;

use rectify::{Isa, Kernels};

#[derive(Clone, Copy)]
pub struct Limit {
    compiled: Compiled,
    is_streaming: bool,
}

/// What the loops are compiled for. Only [`Limit::of`] makes one: the last two where there are [`Kernels`] of that instruction set, which is
/// where the CPU has it.
#[derive(Clone, Copy)]
enum Compiled {
    /// As the rest of the program: the portable and the scalar path have no more than that.
    ForTarget,
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    ForAvx2,
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    ForAvx512,
}

/// Each loop with ordinary stores combines what it loads with an opaque zero, so that the compiler can't make a call of `memcpy`
/// of it, and leaves a target that it reads as it is.
impl Limit {
    pub fn of(kernels: Kernels) -> Self {
        let compiled = match kernels.isa() {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Isa::Avx2 => Compiled::ForAvx2,
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Isa::Avx512 => Compiled::ForAvx512,
            _ => Compiled::ForTarget,
        };
        Self {
            compiled,
            is_streaming: false,
        }
    }

    /// The same loops with streaming stores into a target of its own, where the instruction set has them.
    pub fn streaming(self) -> Option<Self> {
        let is_streaming = !matches!(self.compiled, Compiled::ForTarget);
        is_streaming.then_some(Self { is_streaming, ..self })
    }

    pub fn load_store_inplace(self, target: &mut [u64]) {
        let zero = black_box(0);
        self.run(|| target.iter_mut().for_each(|target| *target |= zero));
    }

    pub fn load_store(self, x: &[u64], target: &mut [u64]) {
        if self.is_streaming {
            return self.stream([x], target);
        }
        let zero = black_box(0);
        self.run(|| target.iter_mut().zip(x).for_each(|(target, x)| *target = x | zero));
    }

    pub fn load_load_store(self, x: &[u64], grad: &[u64], target: &mut [u64]) {
        if self.is_streaming {
            return self.stream([x, grad], target);
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

    #[inline(always)]
    fn run(self, traffic: impl FnOnce()) {
        match self.compiled {
            Compiled::ForTarget => traffic(),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            // SAFETY: the CPU has AVX2, as `Compiled` says.
            Compiled::ForAvx2 => unsafe { run_avx2(traffic) },
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            // SAFETY: the CPU has AVX-512 F, BW and VL, as `Compiled` says.
            Compiled::ForAvx512 => unsafe { run_avx512(traffic) },
        }
    }

    fn stream<const N: usize>(self, sources: [&[u64]; N], target: &mut [u64]) {
        match self.compiled {
            Compiled::ForTarget => unreachable!("no streaming stores"),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            // SAFETY: the CPU has AVX2, as `Compiled` says.
            Compiled::ForAvx2 => unsafe { stream_avx2(sources, target) },
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            // SAFETY: the CPU has AVX-512 F, as `Compiled` says.
            Compiled::ForAvx512 => unsafe { stream_avx512(sources, target) },
        }
    }
}

/// A loop that is inlined here is compiled for AVX2.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[target_feature(enable = "avx2")]
fn run_avx2(traffic: impl FnOnce()) {
    traffic();
}

/// A loop that is inlined here is compiled for AVX-512.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn run_avx512(traffic: impl FnOnce()) {
    traffic();
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
macro_rules! stream {
    ($name:ident: $feature:literal, $register:ty, $load:ident, $or:ident, $stream:ident) => {
        /// The OR of the sources. The slices are of the same length.
        #[target_feature(enable = $feature)]
        fn $name<const N: usize>(sources: [&[u64]; N], target: &mut [u64]) {
            const LANES: usize = size_of::<$register>() / size_of::<u64>();
            assert!(target.as_ptr().cast::<$register>().is_aligned());
            assert!(target.len() % LANES == 0 && sources.iter().all(|source| source.len() == target.len()));
            for at in (0..target.len()).step_by(LANES) {
                // SAFETY: `at` and the length of each slice are multiples of LANES, so `at` + LANES is at most the length; the
                // target is aligned; the fence comes before any other access to it.
                unsafe {
                    let mut value = $load(sources[0].as_ptr().add(at).cast());
                    for source in &sources[1..] {
                        value = $or(value, $load(source.as_ptr().add(at).cast()));
                    }
                    $stream(target.as_mut_ptr().add(at).cast(), value);
                }
            }
            _mm_sfence();
        }
    };
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
stream!(stream_avx2: "avx2", __m256i, _mm256_loadu_si256, _mm256_or_si256, _mm256_stream_si256);
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
stream!(stream_avx512: "avx512f", __m512i, _mm512_loadu_si512, _mm512_or_si512, _mm512_stream_si512);
