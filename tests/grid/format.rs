//! The formats, as bits and by what the bits stand for.

use std::fmt::LowerHex;

use bytemuck::Pod;
use rectify::Element;

/// A format, seen as its bits.
pub trait Format: Element + Pod {
    type Bits: Pod + LowerHex + Eq;

    const WIDTH: u32;
    const MANTISSA_WIDTH: u32;

    fn bits(bits: u64) -> Self::Bits;
    fn wide(bits: Self::Bits) -> u64;
}

macro_rules! format {
    ($format:ty, $bits:ty, mantissa: $mantissa_width:literal) => {
        impl Format for $format {
            type Bits = $bits;

            const WIDTH: u32 = <$bits>::BITS;
            const MANTISSA_WIDTH: u32 = $mantissa_width;

            fn bits(bits: u64) -> $bits {
                bits as $bits
            }

            fn wide(bits: $bits) -> u64 {
                u64::from(bits)
            }
        }
    };
}

format!(f32, u32, mantissa: 23);
format!(f64, u64, mantissa: 52);
#[cfg(feature = "half")]
format!(rectify::f16, u16, mantissa: 10);
#[cfg(feature = "half")]
format!(rectify::bf16, u16, mantissa: 7);

/// What the bits stand for, exactly; none for a NaN. By IEEE 754's definition.
pub fn value<F: Format>(bits: F::Bits) -> Option<f64> {
    let bits = F::wide(bits);
    let exponent_width = F::WIDTH - F::MANTISSA_WIDTH - 1;
    let mantissa = bits & ((1 << F::MANTISSA_WIDTH) - 1);
    let exponent = bits >> F::MANTISSA_WIDTH & ((1 << exponent_width) - 1);
    let sign = if bits >> (F::WIDTH - 1) == 0 { 1.0 } else { -1.0 };
    let bias = (1 << (exponent_width - 1)) - 1;
    if exponent == (1 << exponent_width) - 1 {
        return (mantissa == 0).then_some(sign * f64::INFINITY);
    }
    let implicit = u64::from(exponent != 0) << F::MANTISSA_WIDTH;
    let power = exponent.max(1) as i32 - bias - F::MANTISSA_WIDTH as i32;
    // In two steps, since the least power of an f64's mantissa is none that an f64 holds as a normal number.
    let half = power / 2;
    Some(sign * (implicit + mantissa) as f64 * 2_f64.powi(half) * 2_f64.powi(power - half))
}

/// The bits of the number that is nearest to `number`, of two the even one; of +0.0 for both zeros. By a search through the
/// numbers in their order.
pub fn nearest<F: Format>(number: f64) -> F::Bits {
    let infinity = ((1 << (F::WIDTH - F::MANTISSA_WIDTH - 1)) - 1) << F::MANTISSA_WIDTH;
    let magnitude_of = |bits: u64| value::<F>(F::bits(bits)).unwrap();
    let magnitude = number.abs();
    // The greatest one that is not greater.
    let (mut below, mut above) = (0, infinity);
    while above - below > 1 {
        let middle = (below + above) / 2;
        if magnitude_of(middle) <= magnitude {
            below = middle
        } else {
            above = middle
        }
    }
    let bits = if magnitude == f64::INFINITY {
        infinity
    } else if above == infinity {
        // Where one more step would be.
        let step = magnitude_of(below) - magnitude_of(below - 1);
        if magnitude - magnitude_of(below) >= step / 2.0 {
            infinity
        } else {
            below
        }
    } else {
        let (down, up) = (magnitude - magnitude_of(below), magnitude_of(above) - magnitude);
        if down < up || down == up && below % 2 == 0 {
            below
        } else {
            above
        }
    };
    let is_negative = number < 0.0 && bits != 0;
    F::bits(bits | u64::from(is_negative) << (F::WIDTH - 1))
}

/// Every pattern of a format of 16 bits; of the others every sign and exponent with chosen mantissas: zeros, subnormals,
/// infinities, quiet and signalling NaN of both signs among them.
pub fn patterns<F: Format>() -> Vec<F::Bits> {
    if F::WIDTH == 16 {
        return (0..=0xffff).map(F::bits).collect();
    }
    with_exponents::<F>(0..1 << (F::WIDTH - F::MANTISSA_WIDTH))
}

/// Those with the least and the greatest exponents, of both signs.
pub fn special_patterns<F: Format>() -> Vec<F::Bits> {
    let sign = 1 << (F::WIDTH - F::MANTISSA_WIDTH - 1);
    with_exponents::<F>(
        [0, 1, sign - 2, sign - 1]
            .into_iter()
            .flat_map(|exponent| [exponent, sign | exponent]),
    )
}

/// The exponents with a sign, each with the mantissas 0, 1, the highest bit alone and all ones.
fn with_exponents<F: Format>(exponents_with_sign: impl IntoIterator<Item = u64>) -> Vec<F::Bits> {
    let mantissas = [0, 1, 1 << (F::MANTISSA_WIDTH - 1), (1 << F::MANTISSA_WIDTH) - 1];
    let exponents_with_sign = exponents_with_sign.into_iter();
    exponents_with_sign
        .flat_map(|high| mantissas.map(|low| F::bits(high << F::MANTISSA_WIDTH | low)))
        .collect()
}

/// `len` patterns, no two neighbours alike, spread over signs and exponents.
pub fn scattered<F: Format>(len: usize, seed: u64) -> Vec<F::Bits> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..len).map(|_| F::bits(random.u64(..))).collect()
}

pub fn patterns_hold_the_special_values() {
    let patterns = patterns::<f32>();
    let special_patterns = special_patterns::<f32>();
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
        assert!(special_patterns.contains(&special.to_bits()), "{special}");
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

pub fn values_and_nearest_numbers() {
    assert_eq!(value::<f32>(1.5_f32.to_bits()), Some(1.5));
    assert_eq!(value::<f32>(0x8000_0001), Some(-1.401298464324817e-45));
    assert_eq!(value::<f64>(0x8000_0000_0000_0001), Some(-5e-324));
    assert_eq!(value::<f64>(f64::MAX.to_bits()), Some(f64::MAX));
    assert_eq!(value::<f32>(f32::NEG_INFINITY.to_bits()), Some(f64::NEG_INFINITY));
    assert_eq!(value::<f32>(0xffc0_0000), None);
    for number in [
        0.1,
        -0.1,
        6.0,
        1e-40,
        -1e-46,
        3.4e38,
        1e39,
        -0.0,
        f64::INFINITY,
        1.0 + 0.75 * f64::EPSILON * 2_f64.powi(29),
    ] {
        let expected = number as f32 + 0.0;
        assert_eq!(
            nearest::<f32>(number),
            if expected == 0.0 { 0 } else { expected.to_bits() },
            "{number}"
        );
        assert_eq!(nearest::<f64>(number), (number + 0.0).to_bits());
    }
    #[cfg(feature = "half")]
    for (number, bits) in [
        (6.0, 0x4600),
        (65519.9, 0x7bff),
        (65520.0, 0x7c00),
        (-1.0, 0xbc00),
        (2_f64.powi(-25), 0),
        (1.1 * 2_f64.powi(-25), 1),
    ] {
        assert_eq!(nearest::<rectify::f16>(number), bits, "{number}");
    }
}
