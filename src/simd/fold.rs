//! The sum of the lanes of 256 bits, for AVX2 and AVX-512: the second half is added to the first half, until one is left.

#[cfg(target_arch = "x86")]
use core::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;

/// # Safety
///
/// The CPU has AVX.
#[inline]
#[target_feature(enable = "avx")]
pub(super) unsafe fn fold_f32(x: __m256) -> f32 {
    let sums = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
    let sums = _mm_add_ps(sums, _mm_movehl_ps(sums, sums));
    _mm_cvtss_f32(_mm_add_ss(sums, _mm_movehdup_ps(sums)))
}

/// # Safety
///
/// The CPU has AVX.
#[inline]
#[target_feature(enable = "avx")]
pub(super) unsafe fn fold_f64(x: __m256d) -> f64 {
    let sums = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd::<1>(x));
    _mm_cvtsd_f64(_mm_add_sd(sums, _mm_unpackhi_pd(sums, sums)))
}
