//! Tests of what the other tests rest on.

use libtest_mimic::Trial;
use rectify::{AnyActivation, ClippedRelu};

use crate::common::calls::{self, Method, Way};
use crate::common::format::{Format, power_of_2};
use crate::common::functions::FUNCTIONS;
use crate::common::guarded::{Guarded, VECTOR_BYTES};

fn patterns_hold_the_special_values() {
    let patterns = Format::F32.patterns();
    let special_patterns = Format::F32.special_patterns();
    assert!(special_patterns.iter().all(|pattern| patterns.contains(pattern)));
    let specials = [
        0.0,
        -0.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MIN_POSITIVE,
        -f32::MIN_POSITIVE,
        f32::NAN,
    ];
    for special in specials {
        assert!(special_patterns.contains(&special.to_bits().into()), "{special}");
    }
    for (name, bits) in [
        ("-NaN", 0xffc0_0000),
        ("signalling NaN", 0x7f80_0001),
        ("-signalling NaN", 0xff80_0001),
    ] {
        assert!(special_patterns.contains(&bits), "{name}");
    }
    assert_eq!(patterns.len(), 2 * 256 * 4);
}

fn values_and_nearest_numbers() {
    let (f32, f64) = (Format::F32, Format::F64);
    assert_eq!(f32.value(1.5_f32.to_bits().into()), Some(1.5));
    assert_eq!(f32.value(0x8000_0001), Some(-1.401298464324817e-45));
    assert_eq!(f64.value(0x8000_0000_0000_0001), Some(-5e-324));
    assert_eq!(f64.value(f64::MAX.to_bits()), Some(f64::MAX));
    assert_eq!(f32.value(f32::NEG_INFINITY.to_bits().into()), Some(f64::NEG_INFINITY));
    assert_eq!(f32.value(0xffc0_0000), None);
    #[cfg(feature = "half")]
    for (number, bits) in [
        (6.0, 0x4600),
        (65519.9, 0x7bff),
        (65520.0, 0x7c00),
        (-1.0, 0xbc00),
        (power_of_2(-25), 0),
        (1.1 * power_of_2(-25), 1),
        (-0.0, 0x8000),
        (f64::NEG_INFINITY, 0xfc00),
        (1e300, 0x7c00),
        (5e-324, 0),
    ] {
        assert_eq!(Format::F16.nearest(number), bits, "{number}");
    }
    for &format in Format::ALL {
        // The number after the greatest one is half-way to where infinity would be.
        let after_greatest = match format.name() {
            "f16" => Some(65536.0),
            "bf16" => Some(power_of_2(64) * power_of_2(64)),
            _ => None,
        };
        for bits in format.patterns().into_iter().filter(|bits| *bits < format.infinity()) {
            let number = format.value(bits).unwrap();
            let next = match format.value(bits + 1) {
                Some(f64::INFINITY) => after_greatest,
                next => next,
            };
            assert_eq!(format.nearest(number), bits);
            assert_eq!(format.nearest(-number), bits | format.sign());
            let Some(next) = next.filter(|_| format != Format::F64) else {
                continue;
            };
            let halfway = number + (next - number) / 2.0;
            assert_eq!(format.nearest(halfway), bits + bits % 2, "{halfway:e}");
            assert_eq!(format.nearest(halfway.next_down()), bits, "below {halfway:e}");
            assert_eq!(format.nearest(halfway.next_up()), bits + 1, "above {halfway:e}");
        }
    }
}

/// To the nearest number, of two the even one: numbers of the format, what is half-way to the next one, and beside that.
fn bounds_are_rounded(format: Format) {
    let mut random = fastrand::Rng::with_seed(7);
    for pattern in format.patterns() {
        let Some(number) = format
            .value(pattern)
            .filter(|number| *number > 0.0 && *number < f64::MAX)
        else {
            continue;
        };
        let next = format.value(pattern + 1).filter(|next| next.is_finite());
        let halfway = number + (next.unwrap_or(number) - number) / 2.0;
        for max in [
            number,
            halfway.next_down(),
            halfway,
            halfway.next_up(),
            number * random.f64(),
            number * 1e-9,
        ] {
            let mut x = format.to_bytes([format.infinity()]);
            let clipped = ClippedRelu::new(max);
            calls::map(format, Way::Free, clipped, Method::ForwardInplace, [&[]; 2], &mut x);
            let bits = format.get(&x, 0);
            assert!(bits == format.nearest(max), "{max:e}: {bits:#x}");
        }
    }
}

fn a_write_beside_the_values_is_seen() {
    let guarded = || Guarded::new(&[0; 6], 2);
    assert!(guarded().is_intact_outside());
    let start = guarded().bytes().as_ptr();
    assert_eq!(start.align_offset(VECTOR_BYTES), VECTOR_BYTES - 2);
    for offset in [-128, -1, 6, 6 + 127] {
        let mut guarded = guarded();
        guarded.write_beside(offset);
        assert!(!guarded.is_intact_outside(), "{offset}");
    }
}

/// All variants are in the table, by their names, and are what their rows say.
fn the_table_has_every_function() {
    let names: Vec<&str> = FUNCTIONS
        .iter()
        .map(|function| {
            let name = function.default().activation().name();
            assert_eq!(snake_case(name), function.name);
            for case in function.cases() {
                assert_eq!(case.activation().name(), name);
                assert_eq!(case.activation().one_bit().is_some(), function.live.is_some(), "{name}");
            }
            name
        })
        .collect();
    assert_eq!(names, AnyActivation::NAMES);
}

fn snake_case(name: &str) -> String {
    let mut snake_case = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !snake_case.is_empty() {
            snake_case.push('_');
        }
        snake_case.extend(character.to_lowercase());
    }
    snake_case
}

pub fn trials() -> Vec<Trial> {
    let tests: [(&str, fn()); 5] = [
        ("patterns_hold_the_special_values", patterns_hold_the_special_values),
        ("values_and_nearest_numbers", values_and_nearest_numbers),
        ("bounds_are_rounded", || {
            Format::ALL.iter().copied().for_each(bounds_are_rounded)
        }),
        ("a_write_beside_the_values_is_seen", a_write_beside_the_values_is_seen),
        ("the_table_has_every_function", the_table_has_every_function),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(format!("grid::{name}"), move || {
            test();
            Ok(())
        })
    };
    tests.map(trial).into()
}
