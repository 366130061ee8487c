//! AVX-512: 512 bits, truth values in mask registers.

#[cfg(target_arch = "x86")]
use core::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;

use super::{Lane, Vector};

// AVX2 serves unaligned stores (of 64 bytes most of them go to two cache lines, and what loads these next has to wait), so it has
// to be in the list. The compiler takes it, FMA and F16C for granted with AVX-512; `cpufeatures` can't ask for the last one.
isa!(Avx512, unaligned Unaligned: "avx2", "fma", "avx512f", "avx512bw", "avx512vl");

#[cfg(rectify_avx2)]
type Unaligned = super::avx2::Avx2;
#[cfg(not(rectify_avx2))]
type Unaligned = Avx512;

macro_rules! vector {
    (
        $name:ident, $lane:ident, $mask:ident, $set1:ident, $cmpgt:ident, $test:ident, $maskz_mov:ident, $mask_mov:ident, $add:ident
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
            unsafe fn stream(self, target: *mut $lane) {
                // SAFETY: `self` was made with a proof; the caller promises that 64 bytes can be written, and the alignment.
                unsafe { _mm512_stream_si512(target.cast(), self.0) }
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
            fn xor(self, other: Self) -> Self {
                // SAFETY: an `Avx512` proves that the CPU has AVX-512 F, BW and VL, and no vector is made without one.
                Self(unsafe { _mm512_xor_si512(self.0, other.0) })
            }

            #[inline(always)]
            fn and(_: Avx512, a: $mask, b: $mask) -> $mask {
                a & b
            }
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
    _mm512_add_epi16
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
    _mm512_add_epi32
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
    _mm512_add_epi64
);
