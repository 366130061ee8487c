//! The formats at run time: what bits stand for by IEEE 754's definition, and chosen patterns of bits.

use super::guarded::Bytes;

/// Bits are in a `u64`, whose other bits are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    F32,
    F64,
    #[cfg(feature = "half")]
    F16,
    #[cfg(feature = "half")]
    Bf16,
}

/// A normal number. `powi` may be off by a little, and is in Miri.
pub fn power_of_2(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

struct Layout {
    name: &'static str,
    width: u32,
    mantissa_width: u32,
    sign: u64,
    infinity: u64,
    #[cfg(feature = "half")]
    bias: i32,
}

impl Layout {
    const fn new(name: &'static str, width: u32, mantissa_width: u32) -> Self {
        let sign = 1 << (width - 1);
        Self {
            name,
            width,
            mantissa_width,
            sign,
            infinity: sign - (1 << mantissa_width),
            #[cfg(feature = "half")]
            bias: (1 << (width - mantissa_width - 2)) - 1,
        }
    }
}

impl Format {
    pub const ALL: &[Self] = &[
        Self::F32,
        Self::F64,
        #[cfg(feature = "half")]
        Self::F16,
        #[cfg(feature = "half")]
        Self::Bf16,
    ];

    fn layout(self) -> &'static Layout {
        match self {
            Self::F32 => const { &Layout::new("f32", 32, 23) },
            Self::F64 => const { &Layout::new("f64", 64, 52) },
            #[cfg(feature = "half")]
            Self::F16 => const { &Layout::new("f16", 16, 10) },
            #[cfg(feature = "half")]
            Self::Bf16 => const { &Layout::new("bf16", 16, 7) },
        }
    }

    /// As in the names of tests.
    pub fn name(self) -> &'static str {
        self.layout().name
    }

    pub fn width(self) -> u32 {
        self.layout().width
    }

    pub fn mantissa_width(self) -> u32 {
        self.layout().mantissa_width
    }

    /// The bit that is the sign.
    pub fn sign(self) -> u64 {
        self.layout().sign
    }

    /// Without a sign.
    pub fn infinity(self) -> u64 {
        self.layout().infinity
    }

    /// Of the least normal number.
    pub fn least_exponent(self) -> i32 {
        2 - (1 << (self.width() - self.mantissa_width() - 2))
    }

    /// Of an element.
    pub fn bytes(self) -> usize {
        self.width() as usize / 8
    }

    /// The lowest bits, as many as an element has.
    pub fn truncate(self, bits: u64) -> u64 {
        bits & (u64::MAX >> (64 - self.width()))
    }

    /// The value of the bits, exactly; `None` for a NaN.
    #[inline]
    pub fn value(self, bits: u64) -> Option<f64> {
        let number = match self {
            Self::F32 => f64::from(f32::from_bits(bits as u32)),
            Self::F64 => f64::from_bits(bits),
            #[cfg(feature = "half")]
            Self::F16 | Self::Bf16 => self.value_of_16_bits(bits),
        };
        (!number.is_nan()).then_some(number)
    }

    #[cfg(feature = "half")]
    fn value_of_16_bits(self, bits: u64) -> f64 {
        let layout = self.layout();
        let magnitude = bits & !layout.sign;
        let number = if magnitude < layout.infinity {
            let mantissa = magnitude & ((1 << layout.mantissa_width) - 1);
            let exponent = (magnitude >> layout.mantissa_width) as i32;
            let implicit = u64::from(exponent != 0) << layout.mantissa_width;
            (implicit + mantissa) as f64 * self.spacing(exponent.max(1))
        } else if magnitude == layout.infinity {
            f64::INFINITY
        } else {
            f64::NAN
        };
        if bits & layout.sign == 0 { number } else { -number }
    }

    /// The difference of neighbours with that biased exponent.
    #[cfg(feature = "half")]
    fn spacing(self, exponent: i32) -> f64 {
        let layout = self.layout();
        power_of_2(exponent - layout.bias - layout.mantissa_width as i32)
    }

    /// The bits of the number that is nearest to `number`, which is no NaN; of two the even one.
    #[inline]
    pub fn nearest(self, number: f64) -> u64 {
        match self {
            Self::F32 => u64::from((number as f32).to_bits()),
            Self::F64 => number.to_bits(),
            #[cfg(feature = "half")]
            Self::F16 | Self::Bf16 => self.nearest_of_16_bits(number),
        }
    }

    #[cfg(feature = "half")]
    fn nearest_of_16_bits(self, number: f64) -> u64 {
        let layout = self.layout();
        let magnitude = number.abs();
        let exponent = (magnitude.to_bits() >> 52) as i32 - 1023 + layout.bias;
        let exponent = exponent.clamp(1, (layout.infinity >> layout.mantissa_width) as i32);
        // A number of the next exponent follows the last one of this exponent, so that bits are added up.
        let steps = (magnitude / self.spacing(exponent)).round_ties_even() as u64;
        let lower = ((exponent - 1) as u64) << layout.mantissa_width;
        let bits = lower.saturating_add(steps).min(layout.infinity);
        if number.is_sign_negative() {
            bits | layout.sign
        } else {
            bits
        }
    }

    /// A NaN as arithmetic leaves it: quiet.
    pub fn quiet(self, nan: u64) -> u64 {
        nan | 1 << (self.mantissa_width() - 1)
    }

    /// [`rectify::Element::Sum`].
    pub fn sums(self) -> Self {
        if self == Self::F64 { Self::F64 } else { Self::F32 }
    }

    /// Rounded to the format that is computed in. Products of two numbers of 32 bits or fewer are exact in an f64, and their sums are
    /// rounded correctly: an f64 has more than twice as many bits as an f32, and two more.
    pub fn in_compute_format(self, number: f64) -> f64 {
        if self == Self::F64 {
            number
        } else {
            f64::from(number as f32)
        }
    }

    /// The least and the greatest positive normal number of the format that is computed in.
    pub fn normal_range(self) -> [f64; 2] {
        if self == Self::F64 {
            [f64::MIN_POSITIVE, f64::MAX]
        } else {
            [f32::MIN_POSITIVE, f32::MAX].map(f64::from)
        }
    }

    /// Every pattern of a format of 16 bits; of the others every sign and exponent with chosen mantissas: zeros, subnormals,
    /// infinities, quiet and signalling NaN of both signs among them.
    pub fn patterns(self) -> Vec<u64> {
        if self.width() == 16 {
            return (0..=0xffff).collect();
        }
        self.with_exponents(0..1 << (self.width() - self.mantissa_width()))
    }

    /// Those with the least and the greatest exponents, of both signs.
    pub fn special_patterns(self) -> Vec<u64> {
        let sign = 1 << (self.width() - self.mantissa_width() - 1);
        self.with_exponents(
            [0, 1, sign - 2, sign - 1]
                .into_iter()
                .flat_map(|exponent| [exponent, sign | exponent]),
        )
    }

    /// The exponents with a sign, each with the mantissas 0, 1, the highest bit alone and all ones.
    fn with_exponents(self, exponents_with_sign: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mantissas = [0, 1, 1 << (self.mantissa_width() - 1), (1 << self.mantissa_width()) - 1];
        exponents_with_sign
            .into_iter()
            .flat_map(|high| mantissas.map(|low| high << self.mantissa_width() | low))
            .collect()
    }

    /// `len` patterns, no two neighbours alike, spread over signs and exponents.
    pub fn scattered(self, len: usize, seed: u64) -> Vec<u64> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..len).map(|_| self.truncate(random.u64(..))).collect()
    }

    /// Elements one after the other.
    pub fn to_bytes(self, bits: impl IntoIterator<Item = u64>) -> Bytes {
        let bits = bits.into_iter();
        let mut bytes = Vec::with_capacity(bits.size_hint().0 * self.bytes());
        for bits in bits {
            match self.width() {
                64 => bytes.extend_from_slice(&bits.to_ne_bytes()),
                32 => bytes.extend_from_slice(&(bits as u32).to_ne_bytes()),
                _ => bytes.extend_from_slice(&(bits as u16).to_ne_bytes()),
            }
        }
        Bytes::from(&bytes[..])
    }

    /// The bits of the element at `i`.
    pub fn get(self, bytes: &[u8], i: usize) -> u64 {
        let element = &bytes[i * self.bytes()..][..self.bytes()];
        match self.width() {
            64 => bytemuck::pod_read_unaligned(element),
            32 => bytemuck::pod_read_unaligned::<u32>(element).into(),
            _ => bytemuck::pod_read_unaligned::<u16>(element).into(),
        }
    }

    /// The bits of all of them.
    pub fn bits(self, bytes: &[u8]) -> Vec<u64> {
        (0..bytes.len() / self.bytes()).map(|i| self.get(bytes, i)).collect()
    }
}
