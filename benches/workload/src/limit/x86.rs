//! Loops compiled for AVX2 and AVX-512.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use rectify::{Isa, Kernels};

/// An instruction set that the CPU has.
#[derive(Clone, Copy)]
pub struct Vectors(Set);

/// [`Vectors::of`] alone makes one, where there are `Kernels` of the same instruction set, which is where the CPU has it.
#[derive(Clone, Copy)]
enum Set {
    Avx2,
    /// F, BW and VL.
    Avx512,
}

impl Vectors {
    /// Those of the kernels. None where these have no more than the rest of the program.
    pub fn of(kernels: Kernels) -> Option<Self> {
        match kernels.isa() {
            Isa::Avx2 => Some(Self(Set::Avx2)),
            Isa::Avx512 => Some(Self(Set::Avx512)),
            _ => None,
        }
    }

    /// A loop that is inlined here has these vectors.
    #[inline(always)]
    pub fn run(self, traffic: impl FnOnce()) {
        match self.0 {
            // SAFETY: the CPU has AVX2, as `Set` says.
            Set::Avx2 => unsafe { run_avx2(traffic) },
            // SAFETY: the CPU has AVX-512, as `Set` says.
            Set::Avx512 => unsafe { run_avx512(traffic) },
        }
    }

    /// The OR of the sources, by streaming stores. The slices are of the same length.
    pub fn stream<const N: usize>(self, sources: [&[u64]; N], target: &mut [u64]) {
        match self.0 {
            // SAFETY: the CPU has AVX2, as `Set` says.
            Set::Avx2 => unsafe { stream_avx2(sources, target) },
            // SAFETY: the CPU has AVX-512, as `Set` says.
            Set::Avx512 => unsafe { stream_avx512(sources, target) },
        }
    }
}

#[target_feature(enable = "avx2")]
fn run_avx2(traffic: impl FnOnce()) {
    traffic();
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn run_avx512(traffic: impl FnOnce()) {
    traffic();
}

macro_rules! stream {
    ($name:ident: $feature:literal, $register:ty, $load:ident, $or:ident, $stream:ident) => {
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

stream!(stream_avx2: "avx2", __m256i, _mm256_loadu_si256, _mm256_or_si256, _mm256_stream_si256);
stream!(stream_avx512: "avx512f", __m512i, _mm512_loadu_si512, _mm512_or_si512, _mm512_stream_si512);
