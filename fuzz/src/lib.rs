//! What the targets share. What has to come out is said by the modules of `tests/grid`.

#[path = "../../tests/grid/format.rs"]
pub mod format;
#[path = "../../tests/grid/guarded.rs"]
pub mod guarded;
#[path = "../../tests/grid/reference.rs"]
pub mod reference;
#[path = "../../tests/grid/tensor.rs"]
#[expect(clippy::len_without_is_empty, reason = "it is public here only")]
pub mod tensor;

use bytemuck::Pod;
use format::{Format, nearest, power_of_2, special_patterns, value};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use rectify::{Isa, Kernels};
use reference::{Clipped, Leaky, Sigmoid, Tanh, Thresholded};

/// A way to the functions.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// Without `Kernels`, on whatever was chosen.
    Free,
    Pinned(Kernels),
    Parallel,
}

impl Way {
    pub const SCALAR: fn() -> Self = || Self::Pinned(Kernels::new(Isa::Scalar).unwrap());

    pub fn all() -> impl Iterator<Item = Self> {
        let pinned = Isa::available().map(|isa| Self::Pinned(Kernels::new(isa).unwrap()));
        pinned.chain([Self::Free, Self::Parallel])
    }
}

/// A method of the function itself, of `Kernels` or in `parallel`.
#[macro_export]
macro_rules! call {
    ($way:expr, $function:expr, $method:ident($($argument:expr),+)) => {
        match $way {
            $crate::Way::Free => $function.$method($($argument),+),
            $crate::Way::Pinned(kernels) => kernels.$method($function, $($argument),+),
            $crate::Way::Parallel => ::rectify::parallel::$method($function, $($argument),+),
        }
    };
}

/// `$body` with one of the formats as `$format`.
#[macro_export]
macro_rules! with_format {
    ($u:expr, $format:ident => $body:expr) => {
        $crate::with_format!(@ $u, $format => $body, 0: f32, 1: f64, 2: ::rectify::f16, 3: ::rectify::bf16)
    };
    (@ $u:expr, $format:ident => $body:expr, $($index:literal: $element:ty),+) => {
        match $u.int_in_range(0..=3)? {
            $($index => {
                type $format = $element;
                $body
            })+
            _ => unreachable!(),
        }
    };
}

/// Two numbers that are no NaN, and functions with them as their parameters.
#[derive(Clone, Copy)]
pub struct Parameters(f64, f64);

impl Parameters {
    pub fn any(u: &mut Unstructured) -> Result<Self> {
        Ok(Self(parameter(u)?, parameter(u)?))
    }

    pub fn clipped(self) -> Clipped {
        Clipped { max: self.0.abs() }
    }

    pub fn tanh(self) -> Tanh {
        Tanh {
            min: self.0.min(self.1),
            max: self.0.max(self.1),
        }
    }

    pub fn thresholded(self) -> Thresholded {
        Thresholded { alpha: self.0 }
    }

    pub fn leaky(self) -> Leaky {
        Leaky {
            negative_slope: finite(self.0),
        }
    }

    pub fn sigmoid(self) -> Sigmoid {
        Sigmoid {
            alpha: finite(self.0.abs()).max(f64::from_bits(1)),
            beta: finite(self.1),
        }
    }

    /// Where functions with them go from one formula to another.
    fn bounds(self) -> [f64; 6] {
        let Sigmoid { alpha, beta } = self.sigmoid();
        [self.0, self.0.abs(), self.1, -beta / alpha, (1.0 - beta) / alpha, 3.0]
    }
}

/// Any one, or a short one and a little, for a tie between numbers of a narrower format and what is next to it.
fn parameter(u: &mut Unstructured) -> Result<f64> {
    let number = if u.arbitrary()? {
        u.arbitrary()?
    } else {
        let [short, little] = u.arbitrary::<[i16; 2]>()?;
        f64::from(short) / 256.0 + f64::from(little) * power_of_2(-50)
    };
    Ok(if number.is_nan() { 0.0 } else { number })
}

fn finite(number: f64) -> f64 {
    number.clamp(f64::MIN, f64::MAX)
}

/// Slices of a few hundred bytes, of what is walked with aligned stores, and longer ones.
pub fn any_len<F>(u: &mut Unstructured) -> Result<usize> {
    let bytes = *u.choose(&[300, 1000, 6000])?;
    u.int_in_range(0..=bytes / size_of::<F>())
}

/// In elements, within the widest vector.
pub fn any_misalignment<F>(u: &mut Unstructured) -> Result<usize> {
    u.int_in_range(0..=guarded::VECTOR_BYTES / size_of::<F>() - 1)
}

/// Results that are written past the caches, or none.
pub fn any_streaming(u: &mut Unstructured) -> Result<()> {
    rectify::set_streaming_threshold(if u.arbitrary()? { 1 } else { usize::MAX });
    Ok(())
}

/// A source of elements: those that the input ends with, special values and bounds among any bits and numbers near 0. So a short
/// input, which is soon mutated, has long slices.
pub struct Elements<F: Format> {
    pool: Vec<F::Bits>,
    /// Of the pool, and of it and any bits, in 256 elements.
    shares: [u8; 2],
    random: fastrand::Rng,
    /// No NaN and infinity: few sums with them are numbers.
    pub are_finite: bool,
}

impl<F: Format> Elements<F> {
    /// From the rest of the input.
    pub fn take_rest(mut u: Unstructured, parameters: Parameters) -> Result<Self> {
        let (shares, seed) = (u.arbitrary()?, u.arbitrary::<u16>()?);
        let mut pool = special_patterns::<F>();
        for bits in parameters.bounds().map(|bound| F::wide(nearest::<F>(bound))) {
            pool.extend([bits.wrapping_sub(1), bits, bits.wrapping_add(1)].map(F::bits));
        }
        let given = u.take_rest().chunks_exact(size_of::<F>());
        pool.extend(given.map(bytemuck::pod_read_unaligned::<F::Bits>));
        let random = fastrand::Rng::with_seed(seed.into());
        Ok(Self {
            pool,
            shares,
            random,
            are_finite: false,
        })
    }

    /// From some thousands on they repeat, which is faster.
    pub fn bits(&mut self, len: usize) -> Vec<F::Bits> {
        let drawn: Vec<_> = (0..len.min(6007)).map(|_| self.draw()).collect();
        drawn.into_iter().cycle().take(len).collect()
    }

    fn draw(&mut self) -> F::Bits {
        let Self {
            pool,
            shares,
            random,
            are_finite,
        } = self;
        let bits = match random.u8(..) {
            share if share < shares[0] => pool[random.usize(..pool.len())],
            share if share < shares[1] => F::bits(random.u64(..)),
            _ => nearest::<F>(random.f64() * 8.0 - 4.0),
        };
        match value::<F>(bits) {
            Some(number) if number.is_finite() => bits,
            _ if *are_finite => nearest::<F>(1.25),
            _ => bits,
        }
    }
}

/// Elements that are only read. They end where their memory ends, so that the address sanitizer sees a load beyond.
pub struct Source<B> {
    memory: Vec<B>,
    start: usize,
}

impl<B: Pod> Source<B> {
    pub fn new(values: &[B], misalignment: usize) -> Self {
        let mut memory = Vec::with_capacity(misalignment + values.len());
        memory.resize(misalignment, B::zeroed());
        memory.extend_from_slice(values);
        Self {
            memory,
            start: misalignment,
        }
    }

    pub fn values(&self) -> &[B] {
        &self.memory[self.start..]
    }

    /// The values as elements.
    pub fn elements<F: Pod>(&self) -> &[F] {
        bytemuck::cast_slice(self.values())
    }
}
