//! The emulated fused multiply-add against `f32::mul_add`.

#[path = "../../src/simd/fused.rs"]
mod emulation;

use emulation::fused_by_f64;

use crate::common::format::Format;

fn check(a: f32, b: f32, c: f32) {
    let (ours, expected) = (fused_by_f64(a, b, c), a.mul_add(b, c));
    assert!(
        ours.to_bits() == expected.to_bits() || ours.is_nan() && expected.is_nan(),
        "{a:e} * {b:e} + {c:e} is {ours:e}, not {expected:e}"
    );
}

/// The sum of product and summand is just above half-way between two `f32`, and in `f64` just half-way.
#[test]
fn a_sum_is_not_rounded_twice() {
    let power = |exponent: i32| 2_f32.powi(exponent);
    let (a, b, c) = (power(-24) * (1.0 + power(-23)), 1.0 - power(-23), 1.0 + power(-23));
    assert_eq!(fused_by_f64(a, b, c).to_bits(), 0x3f80_0001);
    // Multiplied, added and rounded alone.
    let twice = (f64::from(a) * f64::from(b) + f64::from(c)) as f32;
    assert_eq!(twice.to_bits(), 0x3f80_0002);
    for (sign_of_a, sign_of_c) in [(1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)] {
        check(sign_of_a * a, b, sign_of_c * c);
    }
}

#[test]
fn special_numbers() {
    let numbers: Vec<f32> = Format::F32
        .special_patterns()
        .into_iter()
        .chain([0x3f80_0000, 0xbf80_0000, 0x3f7f_ffff, 0x3f80_0001])
        .map(|bits| f32::from_bits(bits as u32))
        .collect();
    for &a in &numbers {
        for &b in &numbers {
            numbers.iter().for_each(|&c| check(a, b, c));
        }
    }
}

/// Products next to half of the last place of the summand, and any numbers.
#[test]
fn random_numbers() {
    let mut random = fastrand::Rng::with_seed(1);
    let count = if cfg!(debug_assertions) { 100_000 } else { 3_000_000 };
    for _ in 0..count {
        let mut bits = || f32::from_bits(random.u32(..));
        let (a, b, c) = (bits(), bits(), bits());
        check(a, b, c);
        let mut next_to_1 = || 1.0 + (random.i32(-64..=64) as f32) * f32::EPSILON;
        let (a, b, c) = (next_to_1(), next_to_1(), next_to_1());
        for shift in [-23, -24, -25, -26] {
            check(a * 2_f32.powi(shift), b, c);
            check(-a * 2_f32.powi(shift), b, c);
        }
    }
}
