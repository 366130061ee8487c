//! The results beside those of the crate on slices, and beside candle's own.

mod bits;
mod differs;
mod functions;
mod own;

use candle_core::{Device, Result, Tensor, WithDType};
use rectify::Element;

/// A type of elements, by its bits.
trait Format: Element + WithDType + Default {
    fn bits(self) -> u64;
    fn of(number: f64) -> Self {
        Self::from_f64(number)
    }
}

macro_rules! formats {
    ($($name:ty),+) => {
        $(
            impl Format for $name {
                fn bits(self) -> u64 {
                    self.to_bits().into()
                }
            }
        )+
    };
}
formats!(f32, f64, rectify::f16, rectify::bf16);

/// Calls a generic function for each format.
macro_rules! for_each_format {
    ($name:ident($($argument:expr),*)) => {
        $name::<f32>($($argument),*);
        $name::<f64>($($argument),*);
        $name::<rectify::f16>($($argument),*);
        $name::<rectify::bf16>($($argument),*);
    };
}
use for_each_format;

/// Random numbers, with special ones among them.
fn numbers<T: Format>(len: usize, seed: u64) -> Vec<T> {
    const SPECIAL: [f64; 8] = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 3.0, -3.0, 1e-7];
    let mut random = fastrand::Rng::with_seed(seed);
    let mut number = || match random.usize(..64) {
        i if i < SPECIAL.len() => SPECIAL[i],
        _ => (random.f64() - 0.5) * 20.0,
    };
    (0..len).map(|_| T::of(number())).collect()
}

fn tensor<T: Format>(numbers: &[T], shape: &[usize]) -> Tensor {
    Tensor::from_slice(numbers, shape, &Device::Cpu).unwrap()
}

/// The elements in the order of the layout, as candle copies them.
fn flat<T: Format>(tensor: &Tensor) -> Vec<T> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn bits<T: Format>(elements: &[T]) -> Vec<u64> {
    elements.iter().map(|x| x.bits()).collect()
}

/// What makes a view of a tensor of 9 x 7 x 200 elements.
type View = fn(&Tensor) -> Result<Tensor>;

const SHAPE: [usize; 3] = [9, 7, 200];

const VIEWS: &[(&str, View)] = &[
    ("contiguous", |x| Ok(x.clone())),
    ("offset", |x| x.narrow(0, 4, 3)),
    ("narrow rows", |x| x.narrow(1, 2, 4)),
    ("narrow columns", |x| x.narrow(2, 3, 190)),
    ("few columns", |x| x.narrow(2, 197, 3)),
    ("one column", |x| x.narrow(2, 77, 1)),
    ("transposed", |x| x.transpose(0, 2)),
    ("rows transposed", |x| x.transpose(0, 1)),
    ("permuted", |x| x.permute((2, 0, 1))),
    ("narrow and permuted", |x| {
        x.narrow(2, 5, 64)?.narrow(0, 1, 8)?.permute((1, 2, 0))
    }),
    ("one element", |x| x.flatten_all()?.get(5)),
    ("empty", |x| x.narrow(1, 7, 0)),
    // From here on elements are shared.
    ("broadcast rows", |x| x.narrow(0, 2, 1)?.broadcast_as((5, 7, 200))),
    ("broadcast columns", |x| x.narrow(2, 9, 1)?.broadcast_as((9, 7, 70))),
    ("broadcast element", |x| x.flatten_all()?.get(5)?.broadcast_as((40, 50))),
    ("broadcast and transposed", |x| {
        x.narrow(1, 3, 1)?.broadcast_as((9, 4, 200))?.transpose(0, 2)
    }),
];

const SHARED: usize = 4;
