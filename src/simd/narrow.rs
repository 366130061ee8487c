//! Vectors of 16, 8 and 4 bytes, for tails, for ReLU's short slices that are inlined into the caller, and for elements at a step. They use the
//! first bytes of a register of SSE2, NEON or simd128. This file is compiled only where the compilation target has one of them.

use core::marker::PhantomData;

use super::scalar::One;
use super::{FloatFn, Format, Lane, Simd, Vector};

/// The first `BYTES` of a register as lanes of `L`, in code for the instruction set `S`.
#[derive(Clone, Copy)]
pub struct Narrow<S, L, const BYTES: usize>(Bits, PhantomData<(S, L)>);

/// Declares functions of registers from intrinsics. Those of simd128 are safe.
macro_rules! operations {
    ($($name:ident($($argument:ident: $type:ty),+): $expression:expr;)+) => {
        $(
            #[inline(always)]
            #[cfg_attr(rectify_simd128, allow(unused_unsafe))]
            fn $name($($argument: $type),+) -> Bits {
                // SAFETY: the compilation target has SSE2, NEON or simd128 where this file is compiled. These intrinsics access
                // no memory.
                unsafe { $expression }
            }
        )+
    };
}

cfg_if::cfg_if! {
    if #[cfg(rectify_sse2)] {
        #[cfg(target_arch = "x86")]
        use core::arch::x86::*;
        #[cfg(target_arch = "x86_64")]
        use core::arch::x86_64::*;

        type Bits = __m128i;

        operations! {
            splat_i16(lane: i16): _mm_set1_epi16(lane);
            splat_i32(lane: i32): _mm_set1_epi32(lane);
            splat_i64(lane: i64): _mm_set1_epi64x(lane);
            add_i16(a: Bits, b: Bits): _mm_add_epi16(a, b);
            add_i32(a: Bits, b: Bits): _mm_add_epi32(a, b);
            add_i64(a: Bits, b: Bits): _mm_add_epi64(a, b);
            and(a: Bits, b: Bits): _mm_and_si128(a, b);
            and_not(a: Bits, b: Bits): _mm_andnot_si128(b, a);
            xor(a: Bits, b: Bits): _mm_xor_si128(a, b);
            not(a: Bits): _mm_xor_si128(a, _mm_set1_epi8(-1));
            nonzero_i16(a: Bits): not(_mm_cmpeq_epi16(a, _mm_setzero_si128()));
            nonzero_i32(a: Bits): not(_mm_cmpeq_epi32(a, _mm_setzero_si128()));
            nonzero_i64(a: Bits): {
                let halves = nonzero_i32(a);
                _mm_or_si128(halves, _mm_shuffle_epi32::<0b10_11_00_01>(halves))
            };
            gt_i16(a: Bits, b: Bits): _mm_cmpgt_epi16(a, b);
            gt_i32(a: Bits, b: Bits): _mm_cmpgt_epi32(a, b);
            // SSE2 compares lanes of 32 bits at most. The upper halves decide, or if they are equal, the borrow of the
            // lower halves. The sign of the upper half of that is copied to the whole lane.
            gt_i64(a: Bits, b: Bits): {
                let borrow = _mm_and_si128(_mm_cmpeq_epi32(a, b), _mm_sub_epi64(b, a));
                let greater = _mm_or_si128(borrow, _mm_cmpgt_epi32(a, b));
                _mm_shuffle_epi32::<0b11_11_01_01>(_mm_srai_epi32::<31>(greater))
            };
        }
    } else if #[cfg(rectify_simd128)] {
        use core::arch::wasm32::*;

        type Bits = v128;

        operations! {
            splat_i16(lane: i16): i16x8_splat(lane);
            splat_i32(lane: i32): i32x4_splat(lane);
            splat_i64(lane: i64): i64x2_splat(lane);
            add_i16(a: Bits, b: Bits): i16x8_add(a, b);
            add_i32(a: Bits, b: Bits): i32x4_add(a, b);
            add_i64(a: Bits, b: Bits): i64x2_add(a, b);
            and(a: Bits, b: Bits): v128_and(a, b);
            and_not(a: Bits, b: Bits): v128_andnot(a, b);
            xor(a: Bits, b: Bits): v128_xor(a, b);
            nonzero_i16(a: Bits): i16x8_ne(a, i16x8_splat(0));
            nonzero_i32(a: Bits): i32x4_ne(a, i32x4_splat(0));
            nonzero_i64(a: Bits): i64x2_ne(a, i64x2_splat(0));
            gt_i16(a: Bits, b: Bits): i16x8_gt(a, b);
            gt_i32(a: Bits, b: Bits): i32x4_gt(a, b);
            gt_i64(a: Bits, b: Bits): i64x2_gt(a, b);
        }
    } else {
        use core::arch::aarch64::*;

        type Bits = uint8x16_t;

        operations! {
            splat_i16(lane: i16): vreinterpretq_u8_s16(vdupq_n_s16(lane));
            splat_i32(lane: i32): vreinterpretq_u8_s32(vdupq_n_s32(lane));
            splat_i64(lane: i64): vreinterpretq_u8_s64(vdupq_n_s64(lane));
            add_i16(a: Bits, b: Bits): vreinterpretq_u8_s16(vaddq_s16(vreinterpretq_s16_u8(a), vreinterpretq_s16_u8(b)));
            add_i32(a: Bits, b: Bits): vreinterpretq_u8_s32(vaddq_s32(vreinterpretq_s32_u8(a), vreinterpretq_s32_u8(b)));
            add_i64(a: Bits, b: Bits): vreinterpretq_u8_s64(vaddq_s64(vreinterpretq_s64_u8(a), vreinterpretq_s64_u8(b)));
            and(a: Bits, b: Bits): vandq_u8(a, b);
            and_not(a: Bits, b: Bits): vbicq_u8(a, b);
            xor(a: Bits, b: Bits): veorq_u8(a, b);
            nonzero_i16(a: Bits): vreinterpretq_u8_u16(vtstq_s16(vreinterpretq_s16_u8(a), vreinterpretq_s16_u8(a)));
            nonzero_i32(a: Bits): vreinterpretq_u8_u32(vtstq_s32(vreinterpretq_s32_u8(a), vreinterpretq_s32_u8(a)));
            nonzero_i64(a: Bits): vreinterpretq_u8_u64(vtstq_s64(vreinterpretq_s64_u8(a), vreinterpretq_s64_u8(a)));
            gt_i16(a: Bits, b: Bits): vreinterpretq_u8_u16(vcgtq_s16(vreinterpretq_s16_u8(a), vreinterpretq_s16_u8(b)));
            gt_i32(a: Bits, b: Bits): vreinterpretq_u8_u32(vcgtq_s32(vreinterpretq_s32_u8(a), vreinterpretq_s32_u8(b)));
            gt_i64(a: Bits, b: Bits): vreinterpretq_u8_u64(vcgtq_s64(vreinterpretq_s64_u8(a), vreinterpretq_s64_u8(b)));
        }
    }
}

macro_rules! impl_vector {
    (
        $lane:ident, $bytes:literal as $chunk:ty, narrower: $narrower:ty, $splat:ident, $gt:ident, $nonzero:ident, $add:ident
    ) => {
        // SAFETY: loads and stores touch `BYTES` bytes, which are LANES lanes.
        unsafe impl<S: Simd> Vector for Narrow<S, $lane, $bytes> {
            type Simd = S;
            type Lane = $lane;
            type Mask = Bits;
            type Narrower = $narrower;

            const LANES: usize = $bytes / size_of::<$lane>();

            #[inline(always)]
            unsafe fn load(_: S, source: *const $lane) -> Self {
                let mut chunks: [$chunk; 16 / $bytes] = [0; 16 / $bytes];
                // SAFETY: the caller promises that LANES lanes can be read. Any 16 bytes are a valid register.
                unsafe {
                    chunks[0] = source.cast::<$chunk>().read_unaligned();
                    Self::of(core::mem::transmute::<[$chunk; 16 / $bytes], Bits>(chunks))
                }
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut $lane) {
                // SAFETY: the caller promises that LANES lanes can be written. A register is 16 bytes, all initialized.
                unsafe {
                    let chunks = core::mem::transmute::<Bits, [$chunk; 16 / $bytes]>(self.0);
                    target.cast::<$chunk>().write_unaligned(chunks[0]);
                }
            }

            #[inline(always)]
            fn splat(_: S, lane: $lane) -> Self {
                Self::of($splat(lane))
            }

            #[inline(always)]
            fn gt(self, other: Self) -> Bits {
                $gt(self.0, other.0)
            }

            #[inline(always)]
            fn nonzero(self) -> Bits {
                $nonzero(self.0)
            }

            #[inline(always)]
            fn keep(self, mask: Bits) -> Self {
                Self::of(and(self.0, mask))
            }

            #[inline(always)]
            fn discard(self, mask: Bits) -> Self {
                Self::of(and_not(self.0, mask))
            }

            #[inline(always)]
            fn replace(self, mask: Bits, other: Self) -> Self {
                Self::of(xor(self.0, and(xor(self.0, other.0), mask)))
            }

            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                Self::of($add(self.0, other.0))
            }

            #[inline(always)]
            fn bitand(self, other: Self) -> Self {
                Self::of(and(self.0, other.0))
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                Self::of(xor(self.0, other.0))
            }

            #[inline(always)]
            fn and(_: S, a: Bits, b: Bits) -> Bits {
                and(a, b)
            }

            #[inline(always)]
            fn and_not(_: S, a: Bits, b: Bits) -> Bits {
                and_not(a, b)
            }

            /// Computes lane by lane. Arithmetic functions use these vectors only for elements at a step.
            #[inline(always)]
            fn compute<T: Format<Lane = $lane>, F: FloatFn<N>, const N: usize>(
                simd: S,
                function: F,
                inputs: [Self; N],
            ) -> Self {
                let mut result = [0; $bytes / size_of::<$lane>()];
                for i in 0..Self::LANES {
                    let mut lanes = [One::splat(simd, 0); N];
                    for j in 0..N {
                        let mut input = result;
                        // SAFETY: the array has LANES lanes.
                        unsafe { inputs[j].store(input.as_mut_ptr()) };
                        lanes[j] = One::splat(simd, input[i]);
                    }
                    // SAFETY: there are LANES lanes, of which i is one.
                    unsafe {
                        One::<S, $lane>::compute::<T, F, N>(simd, function, lanes).store(result.as_mut_ptr().add(i))
                    };
                }
                // SAFETY: the array has LANES lanes.
                unsafe { Self::load(simd, result.as_ptr()) }
            }
        }
    };
}

impl<S, L: Lane, const BYTES: usize> Narrow<S, L, BYTES> {
    #[inline(always)]
    fn of(bits: Bits) -> Self {
        Self(bits, PhantomData)
    }
}

impl_vector!(i16, 16 as u128, narrower: Narrow<S, i16, 8>, splat_i16, gt_i16, nonzero_i16, add_i16);
impl_vector!(i16, 8 as u64, narrower: Narrow<S, i16, 4>, splat_i16, gt_i16, nonzero_i16, add_i16);
impl_vector!(i16, 4 as u32, narrower: One<S, i16>, splat_i16, gt_i16, nonzero_i16, add_i16);
impl_vector!(i32, 16 as u128, narrower: Narrow<S, i32, 8>, splat_i32, gt_i32, nonzero_i32, add_i32);
impl_vector!(i32, 8 as u64, narrower: One<S, i32>, splat_i32, gt_i32, nonzero_i32, add_i32);
impl_vector!(i64, 16 as u128, narrower: One<S, i64>, splat_i64, gt_i64, nonzero_i64, add_i64);
