//! NEON: registers of 128 bits. A mask is a register whose lanes are all ones or all zeros.

use core::arch::aarch64::*;

use super::{Format, Lane, Register, Table, Vector};

// build.rs compiles it in only where the compilation target has NEON.
isa!(Neon);

macro_rules! computed_in_f32 {
    () => {
        type Float = I32;

        const FLOATS: usize = 2;

        #[inline(always)]
        fn widen<T: Format<Lane = i16>>(self, index: usize) -> I32 {
            // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one; `fcvtl` accesses only
            // its two registers.
            unsafe {
                let half = if index == 0 { vget_low_s16(self.0) } else { vget_high_s16(self.0) };
                if T::IS_BF16 {
                    return I32(vshlq_n_s32::<16>(vmovl_s16(half)));
                }
                // Its intrinsic is stable from Rust 1.94 on.
                let float: int32x4_t;
                core::arch::asm!(
                    "fcvtl {float:v}.4s, {half:v}.4h",
                    float = lateout(vreg) float, half = in(vreg) half, options(pure, nomem, nostack)
                );
                I32(float)
            }
        }

        #[inline(always)]
        fn split_bf16<T: Format<Lane = i16>>(self) -> [I32; 2] {
            // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
            unsafe {
                let pairs = vreinterpretq_s32_s16(self.0);
                [I32(vshlq_n_s32::<16>(pairs)), I32(vandq_s32(pairs, vdupq_n_s32(-1 << 16)))]
            }
        }

        #[inline(always)]
        fn unzip([first, second]: [I32; 2]) -> [I32; 2] {
            // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
            unsafe { [I32(vuzp1q_s32(first.0, second.0)), I32(vuzp2q_s32(first.0, second.0))] }
        }

        #[inline(always)]
        fn join<T: Format<Lane = i16>>([first, second]: [I32; 2]) -> Self {
            // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
            unsafe {
                Self(if T::IS_BF16 {
                    vreinterpretq_s16_u32(vsriq_n_u32::<16>(round_to_bf16(second.0), round_to_bf16(first.0)))
                } else {
                    vcombine_s16(round_to_f16(first.0), round_to_f16(second.0))
                })
            }
        }
    };
}

/// # Safety
///
/// The CPU has NEON.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn round_to_f16(x: int32x4_t) -> int16x4_t {
    let half: int16x4_t;
    // SAFETY: the CPU has NEON: this function's contract; `fcvtn` accesses only its two registers.
    unsafe {
        core::arch::asm!(
            "fcvtn {half:v}.4h, {x:v}.4s",
            half = lateout(vreg) half, x = in(vreg) x, options(pure, nomem, nostack)
        );
    }
    half
}

/// Rounds to bf16, in the upper half of each lane.
///
/// The lower half of a NaN has to be 0. It is in NaNs that come from 16-bit formats, and in the CPU's canonical NaN.
///
/// # Safety
///
/// The CPU has NEON.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn round_to_bf16(x: int32x4_t) -> uint32x4_t {
    let x = vreinterpretq_u32_s32(x);
    let odd = vandq_u32(vshrq_n_u32::<16>(x), vdupq_n_u32(1));
    let up = vaddq_u32(odd, vdupq_n_u32(0x7fff));
    vaddq_u32(x, up)
}

macro_rules! vector {
    (
        $name:ident($register:ident), $lane:ident, mask: $mask:ident, $ld1:ident, $st1:ident, $dup:ident, $cgt:ident, $tst:ident, $and:ident, $mask_and:ident, $mask_bic:ident, $to_lanes:ident, $bic:ident, $bsl:ident, $add:ident, $eor:ident, $addv:ident, floats: $floats:ident
    ) => {
        #[derive(Clone, Copy)]
        pub struct $name($register);

        // SAFETY: loads and stores touch 16 bytes, which are LANES lanes.
        unsafe impl Vector for $name {
            type Simd = Neon;
            type Lane = $lane;
            type Mask = $mask;
            type Narrower = <$lane as Lane>::Narrow<Neon>;

            const LANES: usize = size_of::<$register>() / size_of::<$lane>();

            #[inline(always)]
            unsafe fn load(_: Neon, source: *const $lane) -> Self {
                // SAFETY: the proof is an argument; the caller promises that 16 bytes can be read.
                Self(unsafe { $ld1(source) })
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut $lane) {
                // SAFETY: `self` was made with a proof; the caller promises that 16 bytes can be written.
                unsafe { $st1(target, self.0) }
            }

            #[inline(always)]
            fn splat(_: Neon, lane: $lane) -> Self {
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
                Self(unsafe { $dup(lane) })
            }

            #[inline(always)]
            fn gt(self, other: Self) -> $mask {
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
                unsafe { $cgt(self.0, other.0) }
            }

            #[inline(always)]
            fn nonzero(self) -> $mask {
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
                unsafe { $tst(self.0, self.0) }
            }

            #[inline(always)]
            fn keep(self, mask: $mask) -> Self {
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
                Self(unsafe { $and(self.0, $to_lanes(mask)) })
            }

            #[inline(always)]
            fn discard(self, mask: $mask) -> Self {
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
                Self(unsafe { $bic(self.0, $to_lanes(mask)) })
            }

            #[inline(always)]
            fn replace(self, mask: $mask, other: Self) -> Self {
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
                Self(unsafe { $bsl(mask, other.0, self.0) })
            }

            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
                Self(unsafe { $add(self.0, other.0) })
            }

            #[inline(always)]
            fn bitand(self, other: Self) -> Self {
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
                Self(unsafe { $and(self.0, other.0) })
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
                Self(unsafe { $eor(self.0, other.0) })
            }

            #[inline(always)]
            fn and(_: Neon, a: $mask, b: $mask) -> $mask {
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
                unsafe { $mask_and(a, b) }
            }

            #[inline(always)]
            fn and_not(_: Neon, a: $mask, b: $mask) -> $mask {
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one.
                unsafe { $mask_bic(a, b) }
            }

            computed_in_registers!();
        }

        // SAFETY: the defaults touch the lanes that they are given.
        unsafe impl Register for $name {
            #[inline(always)]
            fn to_bits(_: Neon, mask: $mask) -> u64 {
                let powers: &[$lane] = &powers_of_2!($lane);
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one; LANES powers are 16
                // bytes.
                let bits = unsafe { $addv($and($to_lanes(mask), $ld1(powers[..Self::LANES].as_ptr()))) };
                // There are 8 lanes at most.
                u64::from(bits as u8)
            }

            #[inline(always)]
            fn from_bits(_: Neon, bits: u64, first: usize) -> $mask {
                let powers: &[$lane] = &powers_of_2!($lane);
                let (bits, first) = lane_of_bits!($lane, bits, first);
                // SAFETY: a `Neon` proves that the CPU has NEON, and no vector is made without one; LANES powers are 16
                // bytes.
                unsafe { $tst($dup(bits), $ld1(powers[first..][..Self::LANES].as_ptr())) }
            }

            $floats!();
        }
    };
}

vector!(
    I16(int16x8_t), i16, mask: uint16x8_t, vld1q_s16, vst1q_s16, vdupq_n_s16, vcgtq_s16, vtstq_s16, vandq_s16, vandq_u16, vbicq_u16, vreinterpretq_s16_u16, vbicq_s16, vbslq_s16, vaddq_s16, veorq_s16, vaddvq_s16, floats: computed_in_f32
);
vector!(
    I32(int32x4_t), i32, mask: uint32x4_t, vld1q_s32, vst1q_s32, vdupq_n_s32, vcgtq_s32, vtstq_s32, vandq_s32, vandq_u32, vbicq_u32, vreinterpretq_s32_u32, vbicq_s32, vbslq_s32, vaddq_s32, veorq_s32, vaddvq_s32, floats: computed_as_they_are
);
vector!(
    I64(int64x2_t), i64, mask: uint64x2_t, vld1q_s64, vst1q_s64, vdupq_n_s64, vcgtq_s64, vtstq_s64, vandq_s64, vandq_u64, vbicq_u64, vreinterpretq_s64_u64, vbicq_s64, vbslq_s64, vaddq_s64, veorq_s64, vaddvq_s64, floats: computed_as_they_are
);

float!(I32, vreinterpretq_f32_s32, vreinterpretq_s32_f32, mul: vmulq_f32, add: vaddq_f32, sub: vsubq_f32, div: vdivq_f32; is_number(x): vceqq_f32(x, x), mul_add(a, b, c): vfmaq_f32(c, a, b), into_exponent: vshlq_n_s32::<23>, lesser: vminq_s32, lookup(indices, table): numbers_at(indices, table), fused(a, b, c): vfmaq_f32(c, a, b));
float!(I64, vreinterpretq_f64_s64, vreinterpretq_s64_f64, mul: vmulq_f64, add: vaddq_f64, sub: vsubq_f64, div: vdivq_f64; is_number(x): vceqq_f64(x, x), mul_add(a, b, c): vaddq_f64(vmulq_f64(a, b), c), into_exponent: vshlq_n_s64::<52>, fused(a, b, c): vfmaq_f64(c, a, b));

/// # Safety
///
/// The CPU has NEON.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn numbers_at(indices: int32x4_t, table: &'static Table) -> int32x4_t {
    // The bytes of the number at i are those from 4 i on.
    let first_bytes = vshlq_n_s32::<2>(vandq_s32(indices, vdupq_n_s32(7)));
    let bytes = vaddq_s32(
        vmulq_s32(first_bytes, vdupq_n_s32(0x0101_0101)),
        vdupq_n_s32(0x0302_0100),
    );
    // SAFETY: 32 bytes are read, which are all of the table.
    let table = unsafe { vld1q_u8_x2(table.as_ptr().cast()) };
    vreinterpretq_s32_u8(vqtbl2q_u8(table, vreinterpretq_u8_s32(bytes)))
}
