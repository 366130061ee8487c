//! AVX-512: registers of 512 bits. A mask is a mask register.

#[cfg(target_arch = "x86")]
use core::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;

use super::{Format, Lane, Register, Vector, fold};

// The compiler implies AVX2 and FMA by AVX-512 F.
isa!(Avx512: "avx2", "popcnt", "fma", "avx512f", "avx512bw", "avx512vl");

macro_rules! computed_in_f32 {
    () => {
        type Float = I32;

        const FLOATS: usize = 2;

        #[inline(always)]
        fn widen<T: Format<Lane = i16>>(self, index: usize) -> I32 {
            // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
            unsafe {
                let half = if index == 0 {
                    _mm512_castsi512_si256(self.0)
                } else {
                    _mm512_extracti64x4_epi64::<1>(self.0)
                };
                I32(if T::IS_BF16 {
                    _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(half))
                } else {
                    _mm512_castps_si512(_mm512_cvtph_ps(half))
                })
            }
        }

        #[inline(always)]
        fn split_bf16<T: Format<Lane = i16>>(self) -> [I32; 2] {
            // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
            unsafe {
                let upper = _mm512_and_si512(self.0, _mm512_set1_epi32(-1 << 16));
                [I32(_mm512_slli_epi32::<16>(self.0)), I32(upper)]
            }
        }

        #[inline(always)]
        fn unzip([first, second]: [I32; 2]) -> [I32; 2] {
            // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
            unsafe {
                let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
                let odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
                [even, odd].map(|lanes| I32(_mm512_permutex2var_epi32(first.0, lanes, second.0)))
            }
        }

        #[inline(always)]
        fn join<T: Format<Lane = i16>>([first, second]: [I32; 2]) -> Self {
            // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
            unsafe {
                Self(if T::IS_BF16 {
                    let lower = _mm512_srli_epi32::<16>(round_to_bf16(first.0));
                    _mm512_mask_blend_epi16(0xaaaa_aaaa, lower, round_to_bf16(second.0))
                } else {
                    let first = _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm512_castsi512_ps(first.0));
                    let second = _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm512_castsi512_ps(second.0));
                    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(first), second)
                })
            }
        }
    };
}

/// Returns `loaded`, which the compiler can't trace back to its load.
///
/// Otherwise it merges a load and a select of its lanes into a masked load. That can't start before the mask is
/// computed, which often waits for memory.
///
/// # Safety
///
/// The CPU has AVX-512 F.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn unmasked(loaded: __m512i) -> __m512i {
    if cfg!(miri) {
        return loaded;
    }
    let unmasked;
    // SAFETY: there is no instruction, only a comment: the register keeps its value, and nothing else is accessed.
    unsafe {
        core::arch::asm!("/* {} */", inout(zmm_reg) loaded => unmasked, options(pure, nomem, nostack, preserves_flags));
    }
    unmasked
}

/// Rounds to bf16, in the upper half of each lane.
///
/// The lower half of a NaN has to be 0. It is in NaNs that come from 16-bit formats, and in the CPU's canonical NaN.
///
/// # Safety
///
/// The CPU has AVX-512 F.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn round_to_bf16(x: __m512i) -> __m512i {
    let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(x), _mm512_set1_epi32(1));
    let up = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
    _mm512_add_epi32(x, up)
}

/// A mask of the first `count` lanes; `count < 32`.
#[inline(always)]
fn first_lanes(count: usize) -> u32 {
    (1 << count) - 1
}

macro_rules! vector {
    (
        $name:ident, $lane:ident, $mask:ident, $set1:ident, $cmpgt:ident, $test:ident, $maskz_mov:ident, $mask_mov:ident, $maskz_loadu:ident, $mask_storeu:ident, $add:ident, $permute:ident, floats: $floats:ident
    ) => {
        #[derive(Clone, Copy)]
        pub struct $name(__m512i);

        // SAFETY: loads and stores touch 64 bytes, which are LANES lanes.
        unsafe impl Vector for $name {
            type Simd = Avx512;
            type Lane = $lane;
            type Mask = $mask;
            type Narrower = <$lane as Lane>::Narrow<Avx512>;

            const LANES: usize = size_of::<__m512i>() / size_of::<$lane>();

            #[inline(always)]
            unsafe fn load(_: Avx512, source: *const $lane) -> Self {
                // SAFETY: the proof is an argument; the caller promises that 64 bytes can be read.
                Self(unsafe { _mm512_loadu_si512(source.cast()) })
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut $lane) {
                // SAFETY: `self` was made with a proof; the caller promises that 64 bytes can be written.
                unsafe { _mm512_storeu_si512(target.cast(), self.0) }
            }

            #[inline(always)]
            fn splat(_: Avx512, lane: $lane) -> Self {
                // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
                Self(unsafe { $set1(lane) })
            }

            #[inline(always)]
            fn gt(self, other: Self) -> $mask {
                // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
                unsafe { $cmpgt(self.0, other.0) }
            }

            #[inline(always)]
            fn nonzero(self) -> $mask {
                // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
                unsafe { $test(self.0, self.0) }
            }

            #[inline(always)]
            fn keep(self, mask: $mask) -> Self {
                // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
                Self(unsafe { $maskz_mov(mask, self.0) })
            }

            #[inline(always)]
            fn discard(self, mask: $mask) -> Self {
                self.keep(!mask)
            }

            #[inline(always)]
            fn replace(self, mask: $mask, other: Self) -> Self {
                // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
                Self(unsafe { $mask_mov(self.0, mask, other.0) })
            }

            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
                Self(unsafe { $add(self.0, other.0) })
            }

            #[inline(always)]
            fn bitand(self, other: Self) -> Self {
                // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
                Self(unsafe { _mm512_and_si512(self.0, other.0) })
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
                Self(unsafe { _mm512_xor_si512(self.0, other.0) })
            }

            #[inline(always)]
            fn and(_: Avx512, a: $mask, b: $mask) -> $mask {
                a & b
            }

            #[inline(always)]
            fn and_not(_: Avx512, a: $mask, b: $mask) -> $mask {
                a & !b
            }

            computed_in_registers!();
        }

        // SAFETY: masked loads and stores touch the lanes whose bits are set.
        unsafe impl Register for $name {
            #[inline(always)]
            unsafe fn load_first(_: Avx512, source: *const $lane, count: usize) -> Self {
                // SAFETY: the proof is an argument; the caller promises that `count` lanes can be read, and no other
                // is.
                Self(unsafe { $maskz_loadu(first_lanes(count) as $mask, source) })
            }

            #[inline(always)]
            unsafe fn store_first(self, target: *mut $lane, count: usize) {
                // SAFETY: `self` was made with a proof; the caller promises that `count` lanes can be written, and no
                // other is.
                unsafe { $mask_storeu(target, first_lanes(count) as $mask, self.0) }
            }

            #[cfg(feature = "strided")]
            #[inline(always)]
            unsafe fn load_lanes(_: Avx512, source: *const $lane, bits: u64) -> Self {
                // SAFETY: the proof is an argument; the caller promises that lanes with a set bit can be read, and no other is.
                Self(unsafe { $maskz_loadu(bits as $mask, source) })
            }

            #[cfg(feature = "strided")]
            #[inline(always)]
            unsafe fn store_lanes(self, target: *mut $lane, bits: u64) {
                // SAFETY: `self` was made with a proof; the caller promises that lanes with a set bit can be written, and no other is.
                unsafe { $mask_storeu(target, bits as $mask, self.0) }
            }

            #[cfg(feature = "strided")]
            #[inline(always)]
            fn permute(self, indices: Self) -> Self {
                // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
                Self(unsafe { $permute(indices.0, self.0) })
            }

            #[inline(always)]
            unsafe fn load_ahead(simd: Avx512, source: *const $lane) -> Self {
                // SAFETY: the proof is an argument; the caller promises that 64 bytes can be read.
                unsafe { Self(unmasked(Self::load(simd, source).0)) }
            }

            #[inline(always)]
            unsafe fn stream(self, target: *mut $lane) {
                // SAFETY: `self` was made with a proof; the caller promises that 64 bytes can be written, and the
                // alignment.
                unsafe { _mm512_stream_si512(target.cast(), self.0) }
            }

            #[inline(always)]
            fn to_bits(_: Avx512, mask: $mask) -> u64 {
                u64::from(mask)
            }

            #[inline(always)]
            fn from_bits(_: Avx512, bits: u64, first: usize) -> $mask {
                (bits >> first) as $mask
            }

            $floats!();
        }
    };
}

vector!(
    I16,
    i16,
    __mmask32,
    _mm512_set1_epi16,
    _mm512_cmpgt_epi16_mask,
    _mm512_test_epi16_mask,
    _mm512_maskz_mov_epi16,
    _mm512_mask_mov_epi16,
    _mm512_maskz_loadu_epi16,
    _mm512_mask_storeu_epi16,
    _mm512_add_epi16,
    _mm512_permutexvar_epi16,
    floats: computed_in_f32
);
vector!(
    I32,
    i32,
    __mmask16,
    _mm512_set1_epi32,
    _mm512_cmpgt_epi32_mask,
    _mm512_test_epi32_mask,
    _mm512_maskz_mov_epi32,
    _mm512_mask_mov_epi32,
    _mm512_maskz_loadu_epi32,
    _mm512_mask_storeu_epi32,
    _mm512_add_epi32,
    _mm512_permutexvar_epi32,
    floats: computed_as_they_are
);
vector!(
    I64,
    i64,
    __mmask8,
    _mm512_set1_epi64,
    _mm512_cmpgt_epi64_mask,
    _mm512_test_epi64_mask,
    _mm512_maskz_mov_epi64,
    _mm512_mask_mov_epi64,
    _mm512_maskz_loadu_epi64,
    _mm512_mask_storeu_epi64,
    _mm512_add_epi64,
    _mm512_permutexvar_epi64,
    floats: computed_as_they_are
);

float!(I32, _mm512_castsi512_ps, _mm512_castps_si512, mul: _mm512_mul_ps, add: _mm512_add_ps, sub: _mm512_sub_ps, div: _mm512_div_ps; is_number(x): _mm512_cmp_ps_mask::<_CMP_ORD_Q>(x, x), mul_add(a, b, c): _mm512_fmadd_ps(a, b, c), into_exponent: _mm512_slli_epi32::<23>, lookup(indices, table): _mm512_permutexvar_epi32(indices, _mm512_broadcast_i64x4(_mm256_loadu_si256(table.as_ptr().cast()))), fold(x): fold_f32(x), fused(a, b, c): _mm512_fmadd_ps(a, b, c));
float!(I64, _mm512_castsi512_pd, _mm512_castpd_si512, mul: _mm512_mul_pd, add: _mm512_add_pd, sub: _mm512_sub_pd, div: _mm512_div_pd; is_number(x): _mm512_cmp_pd_mask::<_CMP_ORD_Q>(x, x), mul_add(a, b, c): _mm512_add_pd(_mm512_mul_pd(a, b), c), into_exponent: _mm512_slli_epi64::<52>, fold(x): fold_f64(x), fused(a, b, c): _mm512_fmadd_pd(a, b, c));

/// # Safety
///
/// The CPU has AVX-512 F.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn fold_f32(x: __m512) -> f32 {
    let upper = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(x)));
    // SAFETY: the CPU has AVX-512 F, which includes AVX: this function's contract.
    unsafe { fold::fold_f32(_mm256_add_ps(_mm512_castps512_ps256(x), upper)) }
}

/// # Safety
///
/// The CPU has AVX-512 F.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn fold_f64(x: __m512d) -> f64 {
    let upper = _mm512_extractf64x4_pd::<1>(x);
    // SAFETY: the CPU has AVX-512 F, which includes AVX: this function's contract.
    unsafe { fold::fold_f64(_mm256_add_pd(_mm512_castpd512_pd256(x), upper)) }
}
