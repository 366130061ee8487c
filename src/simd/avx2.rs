//! AVX2: 256 bits, truth values as lanes of ones or zeros.

#[cfg(target_arch = "x86")]
use core::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;

use super::{Lane, Vector};

isa!(Avx2: "avx2");

macro_rules! vector {
    ($name:ident, $lane:ident, $set1:ident, $cmpgt:ident, $cmpeq:ident, $add:ident) => {
        #[derive(Clone, Copy)]
        pub struct $name(__m256i);

        // SAFETY: loads and stores touch 32 bytes, which are LANES lanes.
        unsafe impl Vector for $name {
            type Simd = Avx2;
            type Lane = $lane;
            type Mask = __m256i;
            type Narrower = <$lane as Lane>::Narrow<Avx2>;

            const LANES: usize = size_of::<__m256i>() / size_of::<$lane>();

            #[inline(always)]
            unsafe fn load(_: Avx2, source: *const $lane) -> Self {
                // SAFETY: the proof is an argument; the caller promises that 32 bytes can be read.
                Self(unsafe { _mm256_loadu_si256(source.cast()) })
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut $lane) {
                // SAFETY: `self` was made with a proof; the caller promises that 32 bytes can be written.
                unsafe { _mm256_storeu_si256(target.cast(), self.0) }
            }

            #[inline(always)]
            unsafe fn stream(self, target: *mut $lane) {
                // SAFETY: `self` was made with a proof; the caller promises that 32 bytes can be written, and the alignment.
                unsafe { _mm256_stream_si256(target.cast(), self.0) }
            }

            #[inline(always)]
            fn splat(_: Avx2, lane: $lane) -> Self {
                // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
                Self(unsafe { $set1(lane) })
            }

            #[inline(always)]
            fn gt(self, other: Self) -> __m256i {
                // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
                unsafe { $cmpgt(self.0, other.0) }
            }

            #[inline(always)]
            fn nonzero(self) -> __m256i {
                // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
                unsafe {
                    let zero = $cmpeq(self.0, _mm256_setzero_si256());
                    _mm256_xor_si256(zero, _mm256_set1_epi8(-1))
                }
            }

            #[inline(always)]
            fn keep(self, mask: __m256i) -> Self {
                // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
                Self(unsafe { _mm256_and_si256(self.0, mask) })
            }

            #[inline(always)]
            fn discard(self, mask: __m256i) -> Self {
                // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
                Self(unsafe { _mm256_andnot_si256(mask, self.0) })
            }

            #[inline(always)]
            fn replace(self, mask: __m256i, other: Self) -> Self {
                // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
                Self(unsafe { _mm256_blendv_epi8(self.0, other.0, mask) })
            }

            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
                Self(unsafe { $add(self.0, other.0) })
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
                Self(unsafe { _mm256_xor_si256(self.0, other.0) })
            }

            #[inline(always)]
            fn and(_: Avx2, a: __m256i, b: __m256i) -> __m256i {
                // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
                unsafe { _mm256_and_si256(a, b) }
            }
        }
    };
}

vector!(
    I16,
    i16,
    _mm256_set1_epi16,
    _mm256_cmpgt_epi16,
    _mm256_cmpeq_epi16,
    _mm256_add_epi16
);
vector!(
    I32,
    i32,
    _mm256_set1_epi32,
    _mm256_cmpgt_epi32,
    _mm256_cmpeq_epi32,
    _mm256_add_epi32
);
vector!(
    I64,
    i64,
    _mm256_set1_epi64x,
    _mm256_cmpgt_epi64,
    _mm256_cmpeq_epi64,
    _mm256_add_epi64
);
