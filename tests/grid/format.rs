//! The formats, and what the functions have to give: by the definition of IEEE 754's bits, on whole numbers. (A float
//! compare could lose the signalling bit of a NaN.)

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

/// `!(x <= 0)`
fn pass<F: Format>(x: u64) -> bool {
    let sign = 1 << (F::WIDTH - 1);
    let magnitude = x & (sign - 1);
    let infinity = sign - (1 << F::MANTISSA_WIDTH);
    let is_nan = magnitude > infinity;
    let is_zero = magnitude == 0;
    let is_negative = x & sign != 0;
    is_nan || !(is_zero || is_negative)
}

/// `value` where pass(x), else +0.0.
pub fn select<F: Format>(x: F::Bits, value: F::Bits) -> F::Bits {
    if pass::<F>(F::wide(x)) { value } else { F::bits(0) }
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
