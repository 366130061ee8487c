//! Conversions of `f16` and `bf16` to `f32` and back, four at a time, without the CPU's instructions for them. The
//! results don't depend on the CPU's modes. Exception flags may be raised.

use wide::{f32x4, i16x8, i32x4, i32x8, u32x4};

use super::format::NANS_FIT_BF16;

/// The difference of the exponent biases of `f32` and `f16`, shifted to the exponent of an `f32`.
const REBIAS: i32 = (127 - 15) << 23;

const INFINITY: i32 = 0x7c00;

/// Converts exactly; a NaN becomes quiet. Not inlined: it is a lot of code, which would be repeated for each vector.
#[inline(never)]
pub(super) fn f16_to_f32(halves: [i16; 4]) -> [f32; 4] {
    let halves = sign_extended(halves);
    let magnitude = halves & i32x4::splat(0x7fff);
    let normal = (magnitude << 13) + i32x4::splat(REBIAS);
    let infinity = i32x4::splat(INFINITY);
    let quiet = magnitude.simd_gt(infinity) & i32x4::splat(1 << 22);
    let not_finite = (normal + i32x4::splat(REBIAS)) | quiet;
    // The product is exact and normal, so that no mode flushes it.
    let subnormal: i32x4 = bytemuck::cast(f32x4::from_i32x4(magnitude) * f32x4::splat(1.0 / (1 << 24) as f32));
    let not_subnormal = infinity.simd_gt(magnitude).select(normal, not_finite);
    let is_subnormal = i32x4::splat(0x400).simd_gt(magnitude);
    bytemuck::cast(is_subnormal.select(subnormal, not_subnormal) | halves & i32x4::splat(i32::MIN))
}

/// Rounds to nearest, ties to even. Not inlined, as [`f16_to_f32`].
#[inline(never)]
pub(super) fn f16_from_f32(floats: [f32; 4]) -> [i16; 4] {
    let floats: i32x4 = bytemuck::cast(floats);
    let one = i32x4::splat(1);
    let magnitude = floats & i32x4::splat(i32::MAX);
    let round_up = i32x4::splat(0xfff) + (magnitude >> 13 & one);
    let rounded: i32x4 = (magnitude - i32x4::splat(REBIAS) + round_up) >> 13;
    let infinity = i32x4::splat(INFINITY);
    let normal = rounded.simd_gt(infinity).select(infinity, rounded);

    let is_subnormal = i32x4::splat(REBIAS + (1 << 23)).simd_gt(magnitude);
    // In halves of the least subnormal number, exactly, then truncated, in any mode. Normal numbers and NaN are 0 here.
    let in_halves = bytemuck::cast::<_, f32x4>(magnitude & is_subnormal) * f32x4::splat((1 << 25) as f32);
    let cut = in_halves.fast_trunc_int();
    let is_cut: i32x4 = bytemuck::cast(f32x4::from_i32x4(cut).simd_ne(in_halves));
    let subnormal = (cut + ((cut >> 1 | is_cut) & one)) >> 1;

    let nan = magnitude >> 13 & i32x4::splat(0x1ff) | i32x4::splat(0x7e00);
    let is_nan = magnitude.simd_gt(i32x4::splat(f32::INFINITY.to_bits().cast_signed()));
    let magnitude = is_nan.select(nan, is_subnormal.select(subnormal, normal));
    let halves = floats >> 16 & i32x4::splat(i32::MIN >> 16) | magnitude;
    let [halves, _] = bytemuck::cast(i16x8::from_i32x8_saturate(bytemuck::cast([halves; 2])));
    halves
}

#[inline(always)]
fn sign_extended(halves: [i16; 4]) -> i32x4 {
    let [extended, _] = bytemuck::cast(i32x8::from_i16x8(bytemuck::cast([halves; 2])));
    extended
}

#[inline(always)]
pub(super) fn bf16_to_f32(halves: [i16; 4]) -> [f32; 4] {
    bytemuck::cast(sign_extended(halves) << 16)
}

/// Splits four pairs into the first elements and the second ones, as `f32`. On big-endian machines they are swapped,
/// which [`join_pairs_of_bf16`] undoes.
#[inline(always)]
pub(super) fn split_pairs_of_bf16(pairs: i32x4) -> [i32x4; 2] {
    [pairs << 16, pairs & i32x4::splat(-1 << 16)]
}

/// The inverse of [`split_pairs_of_bf16`]. Rounds to nearest, ties to even.
#[inline(always)]
pub(super) fn join_pairs_of_bf16([first, second]: [i32x4; 2]) -> i32x4 {
    let first: u32x4 = bytemuck::cast(round_to_bf16(first));
    bytemuck::cast::<_, i32x4>(first >> 16) | round_to_bf16(second) & i32x4::splat(-1 << 16)
}

/// Rounds to bf16, in the upper half of each lane.
///
/// The lower half of a NaN has to be 0, as in NaNs that come from 16-bit formats and in the canonical NaN of most CPUs.
#[inline(always)]
fn round_to_bf16(mut x: i32x4) -> i32x4 {
    if !NANS_FIT_BF16 {
        let is_nan = (x & i32x4::splat(i32::MAX)).simd_gt(i32x4::splat(f32::INFINITY.to_bits().cast_signed()));
        x &= !(is_nan & i32x4::splat(0xffff));
    }
    x + i32x4::splat(0x7fff) + (x >> 16 & i32x4::splat(1))
}
