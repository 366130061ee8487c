//! The fused multiply-add of `f32` for CPUs that have no such instruction. It needs nothing else of the crate.

/// `a * b + c`, rounded once, without such an instruction.
///
/// In `f64` the product is exact. The sum is rounded to odd, so that it isn't a tie of `f32` unless the exact sum is.
#[inline(always)]
pub fn fused_by_f64(a: f32, b: f32, c: f32) -> f32 {
    let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + c;
    // What the sum has lost (TwoSum).
    let of_c = sum - product;
    let lost = (product - (sum - of_c)) + (c - of_c);
    // Away from zero, it has lost something of the other sign. What infinities and NaN have lost is NaN.
    let is_inexact = u64::from(lost.abs() > 0.0);
    let is_away = (lost.to_bits() ^ sum.to_bits()) >> 63 & is_inexact;
    f64::from_bits((sum.to_bits() - is_away) | is_inexact) as f32
}
