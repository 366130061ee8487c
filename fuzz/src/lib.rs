//! What the targets share. What has to come out is said by the modules of `tests/common`.

#[path = "../../tests/common/mod.rs"]
pub mod common;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use rectify::{Isa, Kernels};

use common::calls::Way;
use common::format::{Format, power_of_2};
use common::functions::{Case, FUNCTIONS, Function};
use common::guarded::VECTOR_BYTES;

pub const SCALAR: fn() -> Way = || Way::Pinned(Kernels::new(Isa::Scalar).unwrap());

pub fn all_ways() -> impl Iterator<Item = Way> {
    let pinned = Isa::available().map(|isa| Way::Pinned(Kernels::new(isa).unwrap()));
    pinned.chain([Way::Free, Way::Parallel])
}

/// A function of those that `filter` takes, with any parameters.
pub fn any_case(u: &mut Unstructured, filter: impl Fn(&Function) -> bool) -> Result<(Format, Case)> {
    let parameters = [parameter(u)?, parameter(u)?];
    let format = *u.choose(Format::ALL)?;
    let functions: Vec<&'static Function> = FUNCTIONS.iter().filter(|function| filter(function)).collect();
    let function = *u.choose(&functions)?;
    Ok((format, function.with((function.valid)(parameters))))
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

/// Slices of a few hundred bytes, of what is walked with aligned stores, and longer ones.
pub fn any_len(u: &mut Unstructured, format: Format) -> Result<usize> {
    let bytes = *u.choose(&[300, 1000, 6000])?;
    u.int_in_range(0..=bytes / format.bytes())
}

/// In elements, within the widest vector.
pub fn any_misalignment(u: &mut Unstructured, format: Format) -> Result<usize> {
    u.int_in_range(0..=VECTOR_BYTES / format.bytes() - 1)
}

/// Results that are written past the caches, or none.
pub fn any_streaming(u: &mut Unstructured) -> Result<()> {
    rectify::set_streaming_threshold(if u.arbitrary()? { 1 } else { usize::MAX });
    Ok(())
}

/// A source of elements: those that the input ends with, special values and bounds among any bits and numbers near 0. So a short
/// input, which is soon mutated, has long slices.
pub struct Elements {
    format: Format,
    pool: Vec<u64>,
    /// Of the pool, and of it and any bits, in 256 elements.
    shares: [u8; 2],
    random: fastrand::Rng,
    /// No NaN and infinity: few sums with them are numbers.
    pub are_finite: bool,
}

impl Elements {
    /// From the rest of the input.
    pub fn take_rest(mut u: Unstructured, format: Format, case: Case) -> Result<Self> {
        let (shares, seed) = (u.arbitrary()?, u.arbitrary::<u16>()?);
        let mut pool = format.special_patterns();
        let bounds = case.kinks().into_iter().chain(case.parameters);
        for bits in bounds.map(|bound| format.nearest(bound)) {
            pool.extend([bits.wrapping_sub(1), bits, bits.wrapping_add(1)].map(|bits| format.truncate(bits)));
        }
        let given = u.take_rest();
        pool.extend(format.bits(&given[..given.len() / format.bytes() * format.bytes()]));
        let random = fastrand::Rng::with_seed(seed.into());
        Ok(Self {
            format,
            pool,
            shares,
            random,
            are_finite: false,
        })
    }

    /// From some thousands on they repeat, which is faster.
    pub fn bits(&mut self, len: usize) -> Vec<u64> {
        let drawn: Vec<_> = (0..len.min(6007)).map(|_| self.draw()).collect();
        drawn.into_iter().cycle().take(len).collect()
    }

    fn draw(&mut self) -> u64 {
        let Self {
            format,
            pool,
            shares,
            random,
            are_finite,
        } = self;
        let bits = match random.u8(..) {
            share if share < shares[0] => pool[random.usize(..pool.len())],
            share if share < shares[1] => format.truncate(random.u64(..)),
            _ => format.nearest(random.f64() * 8.0 - 4.0),
        };
        match format.value(bits) {
            Some(number) if number.is_finite() => bits,
            _ if *are_finite => format.nearest(1.25),
            _ => bits,
        }
    }
}

/// Bytes that are only read. They end where their memory ends, so that the address sanitizer sees a load beyond.
pub struct Source {
    words: Vec<u64>,
    start: usize,
}

impl Source {
    /// After so many bytes of memory, or a few more.
    pub fn new(bytes: &[u8], misalignment: usize) -> Self {
        // The memory is of whole words.
        let start = misalignment + (misalignment + bytes.len()).wrapping_neg() % 8;
        let mut words = vec![0; (start + bytes.len()) / 8];
        bytemuck::cast_slice_mut::<u64, u8>(&mut words)[start..].copy_from_slice(bytes);
        Self { words, start }
    }

    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[self.start..]
    }
}
