//! `f16` and `bf16` as `f32` and back, four at a time, without instructions that a CPU may have for it. No mode of the CPU changes
//! what comes out; exception flags may be raised.

use wide::{f32x4, i16x8, i32x4, i32x8, u32x4};

/// The difference of the exponents of `f32` and `f16`, in the place of the former.
const REBIAS: i32 = (127 - 15) << 23;

const INFINITY: i32 = 0x7c00;

/// A NaN is quiet. Never inlined: each vector would have all of it.
#[inline(never)]
pub(super) fn f16_to_f32(halves: [i16; 4]) -> [f32; 4] {
    let halves = sign_extended(halves);
    let magnitude = halves & i32x4::splat(0x7fff);
    let normal = (magnitude << 13) + i32x4::splat(REBIAS);
    let infinity = i32x4::splat(INFINITY);
    let quiet = magnitude.simd_gt(infinity) & i32x4::splat(1 << 22);
    let not_finite = (normal + i32x4::splat(REBIAS)) | quiet;
    // Exactly, and normal, so that no mode flushes it.
    let subnormal: i32x4 = bytemuck::cast(f32x4::from_i32x4(magnitude) * f32x4::splat(1.0 / (1 << 24) as f32));
    let not_subnormal = infinity.simd_gt(magnitude).select(normal, not_finite);
    let is_subnormal = i32x4::splat(0x400).simd_gt(magnitude);
    bytemuck::cast(is_subnormal.select(subnormal, not_subnormal) | halves & i32x4::splat(i32::MIN))
}

/// Each rounded to the nearest number, of two to the even one. Never inlined: as above.
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
    // In halves of the least subnormal number, exactly; cut off, whatever the mode. Others and NaN are 0 here.
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

/// The first ones of four pairs, and the second ones. (On a big-endian machine the other way round, which does not matter.)
#[inline(always)]
pub(super) fn split_pairs_of_bf16(pairs: i32x4) -> [i32x4; 2] {
    [pairs << 16, pairs & i32x4::splat(-1 << 16)]
}

/// Undoes it, each rounded to the nearest number, of two to the even one.
#[inline(always)]
pub(super) fn join_pairs_of_bf16([first, second]: [i32x4; 2]) -> i32x4 {
    let first: u32x4 = bytemuck::cast(round_to_bf16(first));
    bytemuck::cast::<_, i32x4>(first >> 16) | round_to_bf16(second) & i32x4::splat(-1 << 16)
}

/// In the upper half of each lane. The lower half of a NaN is 0, as it is in those that come of numbers of 16 bits,
/// and in the CPU's own.
#[inline(always)]
fn round_to_bf16(x: i32x4) -> i32x4 {
    x + i32x4::splat(0x7fff) + (x >> 16 & i32x4::splat(1))
}
