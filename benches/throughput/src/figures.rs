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
}

impl Reference {
    pub fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Relu => "relu",
        }
    }
}

/// ReLU's function with the same method.
pub fn of_relu(function: Function) -> Function {
    Function {
        activation: Activation::RELU,
        ..function
    }
}

/// The median times of one call, in nanoseconds.
#[derive(Clone, Copy)]
pub struct Measurement {
    pub function: Function,
    pub format: &'static str,
    pub isa: Isa,
    pub elements: usize,
    pub bytes: usize,
    pub ns: f64,
    pub reference_ns: f64,
}

impl Measurement {
    /// Bytes read and written a nanosecond, which is GB/s.
    pub fn gb_per_s(&self) -> f64 {
        self.traffic() / self.ns
    }

    pub fn reference_gb_per_s(&self) -> f64 {
        self.traffic() / self.reference_ns
    }

    pub fn share_of_reference(&self) -> f64 {
        self.reference_ns / self.ns
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
