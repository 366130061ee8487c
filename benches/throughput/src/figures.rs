//! What was measured, and what the tables and the plot have in common.

use rectify::Isa;
use workload::{Activation, Format, Function};

/// Each format's name and the bytes of an element.
pub const FORMATS: &[(&str, usize)] = &[
    named::<f32>(),
    named::<f64>(),
    named::<rectify::f16>(),
    named::<rectify::bf16>(),
];

const fn named<T: Format>() -> (&'static str, usize) {
    (T::NAME, size_of::<T>())
}

/// What a speed is compared with: that of the same traffic.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Reference {
    #[default]
    Limit,
    Relu,
    /// The same function, with results that are subnormal, beside results that are not.
    NormalResults,
}

impl Reference {
    pub fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Relu => "relu",
            Self::NormalResults => "normal",
        }
    }

    /// The numbers that it needs beside one another.
    pub fn inputs(self) -> usize {
        if self == Self::NormalResults { 2 } else { 1 }
    }

    /// How far apart the quartiles of a share may be, relative to it.
    pub fn tolerance(self) -> f64 {
        match self {
            Self::Limit | Self::Relu => 0.1,
            // The magnitude is of interest.
            Self::NormalResults => 0.5,
        }
    }

    /// Least and most of the shares, or of the times, which are their reciprocals; one of them where they look alike.
    pub fn range(self, shares: &[f64]) -> Option<String> {
        let (unit, show): (_, fn(f64) -> String) = match self {
            Self::Limit | Self::Relu => ("%", |share| format!("{:.0}", 100.0 * share)),
            Self::NormalResults => ("x", |share| match 1.0 / share {
                times @ ..9.95 => format!("{times:.1}"),
                times => format!("{times:.0}"),
            }),
        };
        let mut shares = shares.to_vec();
        shares.sort_by(f64::total_cmp);
        if self == Self::NormalResults {
            shares.reverse();
        }
        let (least, most) = (show(*shares.first()?), show(*shares.last()?));
        Some(if least == most {
            format!("{least} {unit}")
        } else {
            format!("{least} to {most} {unit}")
        })
    }
}

/// ReLU's function with the same method.
pub fn of_relu(function: Function) -> Function {
    Function {
        activation: Activation::RELU,
        ..function
    }
}

/// Medians, in nanoseconds a call.
#[derive(Clone, Copy)]
pub struct Times {
    pub ns: f64,
    pub reference_ns: f64,
    /// Of the share of the reference, from repeat to repeat; none where these are not known.
    pub quartiles: Option<[f64; 2]>,
    /// Whether these are farther apart than [`Reference::tolerance`].
    pub is_noisy: bool,
}

impl Times {
    pub fn share_of_reference(&self) -> f64 {
        self.reference_ns / self.ns
    }
}

#[derive(Clone, Copy)]
pub struct Measurement {
    pub function: Function,
    pub format: &'static str,
    pub isa: Isa,
    pub elements: usize,
    pub bytes: usize,
    pub times: Times,
}

impl Measurement {
    /// Bytes read and written a nanosecond, which is GB/s.
    pub fn gb_per_s(&self) -> f64 {
        self.traffic() / self.times.ns
    }

    pub fn reference_gb_per_s(&self) -> f64 {
        self.traffic() / self.times.reference_ns
    }

    pub fn share_of_reference(&self) -> f64 {
        self.times.share_of_reference()
    }

    /// What to beware of: `~` where repeats differ, else `^` and `v` where the limit is none or far away.
    pub fn mark(&self, reference: Reference) -> char {
        match self.share_of_reference() {
            _ if self.times.is_noisy => '~',
            1.1.. if reference == Reference::Limit => '^',
            ..0.5 if reference == Reference::Limit => 'v',
            _ => ' ',
        }
    }

    /// Of all slices of a call, in bytes.
    pub fn footprint(&self) -> usize {
        self.function.method.slices() * self.bytes
    }

    fn traffic(&self) -> f64 {
        (self.function.method.traffic() * self.bytes) as f64
    }
}

/// What `key` finds in the cells, each once, in order.
pub fn distinct<'a, K: Ord>(
    cells: impl IntoIterator<Item = &'a Measurement>,
    key: impl Fn(&Measurement) -> K,
) -> Vec<K> {
    let mut keys: Vec<K> = cells.into_iter().map(key).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Those measured, in the order of [`FORMATS`].
pub fn formats(measurements: &[Measurement]) -> Vec<&'static str> {
    let is_measured = |format: &&str| measurements.iter().any(|cell| cell.format == *format);
    FORMATS.iter().map(|format| format.0).filter(is_measured).collect()
}

/// Of an even number of times or speeds the lower one in the middle.
pub fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len().saturating_sub(1) / 2).copied()
}

/// A size in bytes, in as few letters as will do.
pub fn size_label(bytes: f64) -> String {
    let (unit, name) = match bytes {
        ..1024.0 => (1.0, "B"),
        ..1048576.0 => (1024.0, "K"),
        ..1073741824.0 => (1048576.0, "M"),
        _ => (1073741824.0, "G"),
    };
    format!("{:.0} {name}", bytes / unit)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use workload::Method;

    /// With a share of the limit and its quartiles.
    pub fn cell(method: Method, bytes: usize, share: f64, quartiles: [f64; 2]) -> Measurement {
        Measurement {
            function: Function {
                activation: Activation::RELU,
                method,
            },
            format: "f32",
            isa: Isa::Avx2,
            elements: bytes / 4,
            bytes,
            times: Times {
                ns: 100.0,
                reference_ns: 100.0 * share,
                quartiles: Some(quartiles),
                is_noisy: crate::turns::is_noisy(share, quartiles, Reference::Limit),
            },
        }
    }

    #[test]
    fn marks() {
        let mark = |share, quartiles| cell(Method::Forward, 4096, share, quartiles).mark(Reference::Limit);
        assert_eq!(mark(0.03, [0.03, 0.03]), 'v');
        assert_eq!(mark(0.5, [0.48, 0.52]), ' ');
        assert_eq!(mark(1.0, [0.96, 1.05]), ' ');
        assert_eq!(mark(1.88, [1.87, 1.9]), '^');
        assert_eq!(mark(1.0, [0.94, 1.05]), '~');
        assert_eq!(mark(1.88, [1.7, 1.9]), '~');
        let slow = cell(Method::Forward, 4096, 0.03, [0.03, 0.03]);
        assert_eq!(slow.mark(Reference::Relu), ' ');
    }

    #[test]
    fn ranges() {
        assert_eq!(Reference::Limit.range(&[]), None);
        assert_eq!(Reference::Limit.range(&[0.994, 0.986]).unwrap(), "99 %");
        assert_eq!(Reference::Relu.range(&[0.99, 1.07, 0.63]).unwrap(), "63 to 107 %");
        assert_eq!(Reference::NormalResults.range(&[0.25, 0.02]).unwrap(), "4.0 to 50 x");
    }
}
