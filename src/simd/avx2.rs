//! AVX2: registers of 256 bits. A mask is a register whose lanes are all ones or all zeros.

#[cfg(target_arch = "x86")]
use core::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;

use super::fold::{fold_f32, fold_f64};
use super::{Format, Lane, Register, Vector};

isa!(Avx2: "avx2", "popcnt", "fma");

macro_rules! computed_in_f32 {
    () => {
        type Float = I32;

        const FLOATS: usize = 2;

        #[inline(always)]
        fn widen<T: Format<Lane = i16>>(self, index: usize) -> I32 {
            // SAFETY: an `Avx2` proves that the CPU has AVX2 and F16C, and no vector is made without one.
            unsafe {
                let half = if index == 0 {
                    _mm256_castsi256_si128(self.0)
                } else {
                    _mm256_extracti128_si256::<1>(self.0)
                };
                I32(if T::IS_BF16 {
                    _mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(half))
                } else {
                    _mm256_castps_si256(_mm256_cvtph_ps(half))
                })
            }
        }

        #[inline(always)]
        fn split_bf16<T: Format<Lane = i16>>(self) -> [I32; 2] {
            // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
            unsafe {
                let upper = _mm256_and_si256(self.0, _mm256_set1_epi32(-1 << 16));
                [I32(_mm256_slli_epi32::<16>(self.0)), I32(upper)]
            }
        }

        #[inline(always)]
        fn unzip([first, second]: [I32; 2]) -> [I32; 2] {
            // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
            unsafe {
                let (first, second) = (_mm256_castsi256_ps(first.0), _mm256_castsi256_ps(second.0));
                // The lower halves come first, then the upper ones.
                let even = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(first, second));
                let odd = _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(first, second));
                [even, odd].map(|lanes| I32(_mm256_permute4x64_epi64::<0b11_01_10_00>(lanes)))
            }
        }

        #[inline(always)]
        fn join<T: Format<Lane = i16>>([first, second]: [I32; 2]) -> Self {
            // SAFETY: an `Avx2` proves that the CPU has AVX2 and F16C, and no vector is made without one.
            unsafe {
                Self(if T::IS_BF16 {
                    let lower = _mm256_srli_epi32::<16>(round_to_bf16(first.0));
                    _mm256_blend_epi16::<0b1010_1010>(lower, round_to_bf16(second.0))
                } else {
                    let first = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm256_castsi256_ps(first.0));
                    let second = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm256_castsi256_ps(second.0));
                    _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(first), second)
                })
            }
        }
    };
}

/// Rounds to bf16, in the upper half of each lane.
///
/// The lower half of a NaN has to be 0. It is in NaNs that come from 16-bit formats, and in the CPU's canonical NaN.
///
/// # Safety
///
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn round_to_bf16(x: __m256i) -> __m256i {
    let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(x), _mm256_set1_epi32(1));
    let up = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
    _mm256_add_epi32(x, up)
}

/// # Safety
///
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn lanes_of_16_to_bits(mask: __m256i) -> i32 {
    let bytes = _mm256_packs_epi16(mask, _mm256_setzero_si256());
    _mm256_movemask_epi8(_mm256_permute4x64_epi64::<0b11_01_10_00>(bytes))
}

/// # Safety
///
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn first_lanes_of_32(count: usize) -> __m256i {
    _mm256_cmpgt_epi32(
        _mm256_set1_epi32(count as i32),
        _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
    )
}

/// # Safety
///
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn first_lanes_of_64(count: usize) -> __m256i {
    _mm256_cmpgt_epi64(_mm256_set1_epi64x(count as i64), _mm256_setr_epi64x(0, 1, 2, 3))
}

/// `load_first` and `store_first` of 16-bit lanes, which have no masked loads and stores: pairs of them have.
macro_rules! masked_pairs {
    () => {
        #[inline(always)]
        unsafe fn load_first(_: Avx2, source: *const i16, count: usize) -> Self {
            // SAFETY: the proof is an argument; the caller promises that `count` lanes can be read. These are the lanes of
            // `count / 2` pairs, and the last one if `count` is odd.
            unsafe {
                let pairs = count / 2;
                let mask = first_lanes_of_32(pairs);
                let mut lanes = _mm256_maskload_epi32(source.cast(), mask);
                if count % 2 == 1 {
                    let last = _mm256_set1_epi32(source.add(count - 1).read_unaligned().cast_unsigned().into());
                    let place = _mm256_andnot_si256(mask, first_lanes_of_32(pairs + 1));
                    lanes = _mm256_or_si256(lanes, _mm256_and_si256(place, last));
                }
                Self(lanes)
            }
        }

        #[inline(always)]
        unsafe fn store_first(self, target: *mut i16, count: usize) {
            // SAFETY: `self` was made with a proof; the caller promises that `count` lanes can be written. They are those
            // of `load_first`.
            unsafe {
                let pairs = count / 2;
                _mm256_maskstore_epi32(target.cast(), first_lanes_of_32(pairs), self.0);
                if count % 2 == 1 {
                    let last = _mm256_permutevar8x32_epi32(self.0, _mm256_set1_epi32(pairs as i32));
                    target
                        .add(count - 1)
                        .write_unaligned(_mm256_cvtsi256_si32(last) as i16);
                }
            }
        }
    };
}

/// `load_first` and `store_first` with masked loads and stores.
macro_rules! masked {
    ($lane:ident, $maskload:ident, $maskstore:ident, $first_lanes:ident) => {
        #[inline(always)]
        unsafe fn load_first(_: Avx2, source: *const $lane, count: usize) -> Self {
            // SAFETY: the proof is an argument; the caller promises that `count` lanes can be read, and no other is.
            Self(unsafe { $maskload(source, $first_lanes(count)) })
        }

        #[inline(always)]
        unsafe fn store_first(self, target: *mut $lane, count: usize) {
            // SAFETY: `self` was made with a proof; the caller promises that `count` lanes can be written, and no other
            // is.
            unsafe { $maskstore(target, $first_lanes(count), self.0) }
        }
    };
}

macro_rules! masked_32 {
    () => {
        masked!(
            i32,
            _mm256_maskload_epi32,
            _mm256_maskstore_epi32,
            first_lanes_of_32
        );
    };
}

macro_rules! masked_64 {
    () => {
        masked!(
            i64,
            _mm256_maskload_epi64,
            _mm256_maskstore_epi64,
            first_lanes_of_64
        );
    };
}

macro_rules! vector {
    ($name:ident, $lane:ident, $set1:ident, $cmpgt:ident, $cmpeq:ident, $add:ident, to_bits($mask:ident): $to_bits:expr, first lanes: $first_lanes:ident, floats: $floats:ident) => {
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
            fn bitand(self, other: Self) -> Self {
                // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
                Self(unsafe { _mm256_and_si256(self.0, other.0) })
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

            #[inline(always)]
            fn and_not(_: Avx2, a: __m256i, b: __m256i) -> __m256i {
                // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
                unsafe { _mm256_andnot_si256(b, a) }
            }

            computed_in_registers!();
        }

        // SAFETY: masked loads and stores touch the lanes whose mask is set.
        unsafe impl Register for $name {
            $first_lanes!();

            #[inline(always)]
            unsafe fn stream(self, target: *mut $lane) {
                // SAFETY: `self` was made with a proof; the caller promises that 32 bytes can be written, and the
                // alignment.
                unsafe { _mm256_stream_si256(target.cast(), self.0) }
            }

            #[inline(always)]
            fn to_bits(_: Avx2, $mask: __m256i) -> u64 {
                // SAFETY: an `Avx2` proves that the CPU has AVX2, and no vector is made without one.
                let bits = unsafe { $to_bits };
                u64::from(bits.cast_unsigned())
            }

            #[inline(always)]
            fn from_bits(simd: Avx2, bits: u64, first: usize) -> __m256i {
                let powers: &[$lane] = &powers_of_2!($lane);
                let (bits, first) = lane_of_bits!($lane, bits, first);
                let Self(bits) = Self::splat(simd, bits);
                // SAFETY: the proof is an argument; LANES powers are 32 bytes.
                unsafe {
                    let powers = _mm256_loadu_si256(powers[first..][..Self::LANES].as_ptr().cast());
                    $cmpeq(_mm256_and_si256(bits, powers), powers)
                }
            }

            $floats!();
        }
    };
}

vector!(
    I16,
    i16,
    _mm256_set1_epi16,
    _mm256_cmpgt_epi16,
    _mm256_cmpeq_epi16,
    _mm256_add_epi16,
    to_bits(mask): lanes_of_16_to_bits(mask),
    first lanes: masked_pairs,
    floats: computed_in_f32
);
vector!(
    I32,
    i32,
    _mm256_set1_epi32,
    _mm256_cmpgt_epi32,
    _mm256_cmpeq_epi32,
    _mm256_add_epi32,
    to_bits(mask): _mm256_movemask_ps(_mm256_castsi256_ps(mask)),
    first lanes: masked_32,
    floats: computed_as_they_are
);
vector!(
    I64,
    i64,
    _mm256_set1_epi64x,
    _mm256_cmpgt_epi64,
    _mm256_cmpeq_epi64,
    _mm256_add_epi64,
    to_bits(mask): _mm256_movemask_pd(_mm256_castsi256_pd(mask)),
    first lanes: masked_64,
    floats: computed_as_they_are
);

float!(I32, _mm256_castsi256_ps, _mm256_castps_si256, mul: _mm256_mul_ps, add: _mm256_add_ps, sub: _mm256_sub_ps, div: _mm256_div_ps; is_number(x): _mm256_castps_si256(_mm256_cmp_ps::<_CMP_ORD_Q>(x, x)), mul_add(a, b, c): _mm256_fmadd_ps(a, b, c), into_exponent: _mm256_slli_epi32::<23>, lesser: _mm256_min_epi32, lookup(indices, table): _mm256_permutevar8x32_epi32(_mm256_loadu_si256(table.as_ptr().cast()), indices), fold(x): fold_f32(x), fused(a, b, c): _mm256_fmadd_ps(a, b, c));
float!(I64, _mm256_castsi256_pd, _mm256_castpd_si256, mul: _mm256_mul_pd, add: _mm256_add_pd, sub: _mm256_sub_pd, div: _mm256_div_pd; is_number(x): _mm256_castpd_si256(_mm256_cmp_pd::<_CMP_ORD_Q>(x, x)), mul_add(a, b, c): _mm256_add_pd(_mm256_mul_pd(a, b), c), into_exponent: _mm256_slli_epi64::<52>, fold(x): fold_f64(x), fused(a, b, c): _mm256_fmadd_pd(a, b, c));
