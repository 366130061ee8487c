//! The formats, as bits and by what the bits stand for.

use std::fmt::LowerHex;
use std::sync::LazyLock;

use bytemuck::Pod;
use rectify::Element;

/// A format, seen as its bits.
pub trait Format: Element<Sum: Pod> + Pod {
    type Bits: Pod + LowerHex + Eq;
    /// [`Element::Sum`].
    type Sums: Format;

    const WIDTH: u32;
    const MANTISSA_WIDTH: u32;

    fn bits(bits: u64) -> Self::Bits;
    fn wide(bits: Self::Bits) -> u64;

    /// [`magnitudes`], once.
    fn magnitudes() -> &'static [f64];
}

macro_rules! format {
    ($format:ty, $bits:ty, sums: $sums:ty, mantissa: $mantissa_width:literal) => {
        impl Format for $format {
            type Bits = $bits;
            type Sums = $sums;

            const WIDTH: u32 = <$bits>::BITS;
            const MANTISSA_WIDTH: u32 = $mantissa_width;

            fn bits(bits: u64) -> $bits {
                bits as $bits
            }

            fn wide(bits: $bits) -> u64 {
                u64::from(bits)
            }

            fn magnitudes() -> &'static [f64] {
                static MAGNITUDES: LazyLock<Vec<f64>> = LazyLock::new(magnitudes::<$format>);
                &MAGNITUDES
            }
        }
    };
}

format!(f32, u32, sums: f32, mantissa: 23);
format!(f64, u64, sums: f64, mantissa: 52);
#[cfg(feature = "half")]
format!(rectify::f16, u16, sums: f32, mantissa: 10);
#[cfg(feature = "half")]
format!(rectify::bf16, u16, sums: f32, mantissa: 7);

/// A normal number. `powi` may be off by a little, and is in Miri.
pub fn power_of_2(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

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
    Some(sign * (implicit + mantissa) as f64 * power_of_2(half) * power_of_2(power - half))
}

/// The bits of the number that is nearest to `number`, which is no NaN, of two the even one. For 16 bits by a search through the
/// numbers in their order.
pub fn nearest<F: Format>(number: f64) -> F::Bits {
    match F::WIDTH {
        64 => return F::bits(number.to_bits()),
        32 => return F::bits(u64::from((number as f32).to_bits())),
        _ => (),
    }
    let magnitudes = F::magnitudes();
    let magnitude = number.abs();
    let above = magnitudes.partition_point(|&other| other <= magnitude);
    let below = above - 1;
    let bits = if above == magnitudes.len() {
        below
    } else {
        let (down, up) = (magnitude - magnitudes[below], magnitudes[above] - magnitude);
        if down < up || down == up && below % 2 == 0 {
            below
        } else {
            above
        }
    };
    F::bits(bits as u64 | u64::from(number.is_sign_negative()) << (F::WIDTH - 1))
}

/// Those of the numbers of a format of 16 bits, in order. In the place of infinity is the number that would come next.
fn magnitudes<F: Format>() -> Vec<f64> {
    let infinity = ((1 << (F::WIDTH - F::MANTISSA_WIDTH - 1)) - 1) << F::MANTISSA_WIDTH;
    let mut magnitudes: Vec<f64> = (0..infinity).map(|bits| value::<F>(F::bits(bits)).unwrap()).collect();
    let [.., before, last] = magnitudes[..] else {
        unreachable!()
    };
    magnitudes.push(last + (last - before));
    magnitudes
}

/// A NaN as arithmetic leaves it: quiet.
pub fn quiet<F: Format>(nan: F::Bits) -> F::Bits {
    F::bits(F::wide(nan) | 1 << (F::MANTISSA_WIDTH - 1))
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
    #[cfg(feature = "half")]
    for (number, bits) in [
        (6.0, 0x4600),
        (65519.9, 0x7bff),
        (65520.0, 0x7c00),
        (-1.0, 0xbc00),
        (power_of_2(-25), 0),
        (1.1 * power_of_2(-25), 1),
    ] {
        assert_eq!(nearest::<rectify::f16>(number), bits, "{number}");
    }
}
