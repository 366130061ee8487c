//! The limit for short slices: loads and stores of 32 bytes behind a function pointer.

#![allow(unsafe_code)]

use std::hint::black_box;

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use rectify::{Isa, Kernels};

use crate::Method;

/// A loop over bytes of the input, the gradient at the output, and the target. It combines what it loads with an opaque
/// zero, so that the compiler can't make a call of `memcpy` of it.
///
/// Contract: the slices are of equal length, and the CPU has the instructions.
#[derive(Clone, Copy)]
pub struct NarrowLimit(unsafe fn(&[u8], &[u8], &mut [u8]));

impl NarrowLimit {
    /// Of AVX2 where the CPU has it, else as the rest of the program is compiled.
    pub fn of(method: Method) -> Self {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        if Kernels::new(Isa::Avx2).is_ok() {
            return Self(match method {
                Method::ForwardInplace => avx2::inplace,
                Method::Forward => avx2::forward,
                Method::Backward => avx2::backward,
                Method::BackwardInplace => avx2::backward_inplace,
            });
        }
        Self(match method {
            Method::ForwardInplace => |_, _, target| {
                let zero = black_box(0);
                target.iter_mut().for_each(|target| *target |= zero);
            },
            Method::Forward => |x, _, target| {
                let zero = black_box(0);
                target.iter_mut().zip(x).for_each(|(target, x)| *target = x | zero);
            },
            Method::Backward => |x, grad, target| {
                let zero = black_box(0);
                let sources = x.iter().zip(grad);
                target
                    .iter_mut()
                    .zip(sources)
                    .for_each(|(target, (x, grad))| *target = x & zero | grad);
            },
            Method::BackwardInplace => |x, _, target| {
                let zero = black_box(0);
                target.iter_mut().zip(x).for_each(|(target, x)| *target |= x & zero);
            },
        })
    }

    #[inline(always)]
    pub fn run(self, x: &[u8], grad: &[u8], target: &mut [u8]) {
        debug_assert!(x.len() == target.len() && grad.len() == target.len());
        // SAFETY: the slices are those of `Numbers`, which are of equal length. `of` takes loops that the CPU can run.
        unsafe { (self.0)(x, grad, target) }
    }
}

/// Whole vectors; bytes that are left are left out.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod avx2 {
    #[cfg(target_arch = "x86")]
    use std::arch::x86::*;
    #[cfg(target_arch = "x86_64")]
    use std::arch::x86_64::*;
    use std::hint::black_box;

    const VECTOR: usize = size_of::<__m256i>();

    /// # Safety
    ///
    /// The CPU has AVX2, and `len` bytes of the sources and the target can be read and written.
    #[inline(always)]
    unsafe fn run<const N: usize>(sources: [*const u8; N], target: *mut u8, len: usize) {
        // SAFETY: the CPU has AVX2, and `at` + VECTOR is at most `len`: this function's contract.
        unsafe {
            let zero = _mm256_set1_epi8(black_box(0));
            let combined = |at| {
                let load = |source: *const u8| _mm256_loadu_si256(source.add(at).cast());
                let mut combined = _mm256_or_si256(load(sources[N - 1]), zero);
                if N == 2 {
                    combined = _mm256_or_si256(combined, _mm256_and_si256(load(sources[0]), zero));
                }
                combined
            };
            let store = |at, vector| _mm256_storeu_si256(target.add(at).cast(), vector);
            let mut at = 0;
            while len - at >= 4 * VECTOR {
                let [a, b, c, d] = [at, at + VECTOR, at + 2 * VECTOR, at + 3 * VECTOR];
                // (`map` of an array is not always inlined.)
                let vectors = (combined(a), combined(b), combined(c), combined(d));
                store(a, vectors.0);
                store(b, vectors.1);
                store(c, vectors.2);
                store(d, vectors.3);
                at += 4 * VECTOR;
            }
            while len - at >= VECTOR {
                store(at, combined(at));
                at += VECTOR;
            }
        }
    }

    macro_rules! limit {
        ($name:ident: |$x:ident, $grad:ident, $target:ident| $sources:expr) => {
            /// # Safety
            ///
            /// The CPU has AVX2, and the slices are of equal length.
            #[target_feature(enable = "avx2")]
            pub(super) unsafe fn $name($x: &[u8], $grad: &[u8], $target: &mut [u8]) {
                // SAFETY: the CPU has AVX2, and all slices are as long as the target: this function's contract.
                unsafe { run($sources, $target.as_mut_ptr(), $target.len()) }
            }
        };
    }

    limit!(inplace: |_x, _grad, target| [target.as_ptr()]);
    limit!(forward: |x, _grad, target| [x.as_ptr()]);
    limit!(backward: |x, grad, target| [x.as_ptr(), grad.as_ptr()]);
    limit!(backward_inplace: |x, _grad, target| [x.as_ptr(), target.as_ptr()]);
}
