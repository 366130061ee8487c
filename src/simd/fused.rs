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
    let bits = sum.to_bits();
    let towards_lost = if (lost > 0.0) == (sum > 0.0) {
        bits + 1
    } else {
        bits.wrapping_sub(1)
    };
    // What infinities and NaN have lost is NaN.
    let is_inexact_and_even = lost.abs() > 0.0 && bits & 1 == 0;
    f64::from_bits(if is_inexact_and_even { towards_lost } else { bits }) as f32
}
