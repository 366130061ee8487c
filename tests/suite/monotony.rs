//! How often a value goes against the direction of its function, from a number to the next: in `f32` where and as often as its page says,
//! in 16 bits, where values are the exact ones rounded, never.
//!
//! By default stretches of `f32`. `EXHAUSTIVE_STRIDE=1 cargo test --release --test suite monotony -- --nocapture` takes all 2^32 patterns,
//! and prints how many steps there are.

use std::sync::{Mutex, PoisonError};

use crate::common::calls::{self, Method, Way};
use crate::common::format::Format;
use crate::common::functions::{Case, FUNCTIONS, Monotony, Real};
use crate::common::guarded::Bytes;
use crate::exhaustive::{Outcome, in_parallel, is_selected, stride};

/// From the first number to the last.
const STRETCH: i64 = if cfg!(debug_assertions) { 16 } else { 128 };

/// Stretches that are taken at once.
const CHUNK: u64 = 128;

impl Format {
    /// The place of the bits among the numbers of the format, which follow each other: 0 is that of both zeros.
    fn place(self, bits: u64) -> i64 {
        let magnitude = (bits & !self.sign()) as i64;
        if bits & self.sign() == 0 { magnitude } else { -magnitude }
    }

    fn at_place(self, place: i64) -> u64 {
        place.unsigned_abs() | if place < 0 { self.sign() } else { 0 }
    }
}

/// How many steps against the direction go by one ulp, by two, and so on: from each place to the next one, where that is its neighbour.
type Steps = [u64; 4];

fn steps(format: Format, case: Case, real: &Real, places: &[i64]) -> Result<Steps, String> {
    let x: Vec<u64> = places.iter().map(|&place| format.at_place(place)).collect();
    let input = format.to_bytes(x.iter().copied());
    let mut output = Bytes::filled(0, input.len());
    let inputs = [&*input; 2];
    calls::map(
        format,
        Way::Free,
        case.activation(),
        Method::Forward,
        inputs,
        &mut output,
    );
    let y: Vec<i64> = format.bits(&output).iter().map(|&bits| format.place(bits)).collect();
    let Monotony { minimum, range, .. } = real.monotony;
    let mut steps = Steps::default();
    for (i, (places, values)) in places.windows(2).zip(y.windows(2)).enumerate() {
        let rise = i128::from(values[1]) - i128::from(values[0]);
        if rise == 0 || places[1] != places[0] + 1 {
            continue;
        }
        let x = format.value(x[i]).unwrap();
        let back = if minimum.is_some_and(|minimum| x < minimum) {
            rise
        } else {
            -rise
        };
        if back <= 0 {
            continue;
        }
        let is_elsewhere = format == Format::F32 && !(range[0] <= x && x <= range[1]);
        if is_elsewhere || back > steps.len() as i128 {
            let (function, format) = (case.activation(), format.name());
            return Err(format!(
                "{function:?} in {format}: {back} ulp against its direction from {x:e} to the next number"
            ));
        }
        steps[back as usize - 1] += 1;
    }
    Ok(steps)
}

/// From each number that begins a stretch.
fn stretches(format: Format, first: impl Iterator<Item = i64>) -> Vec<i64> {
    let infinity = format.infinity() as i64;
    let stretch = |first: i64| (first..=first + STRETCH).filter(|place| place.abs() <= infinity);
    first.flat_map(stretch).collect()
}

/// About each power of 2 of both signs, and 0.
fn edges(format: Format) -> Vec<i64> {
    let powers = 0..format.infinity() >> format.mantissa_width();
    let places = powers.map(|exponent| (exponent << format.mantissa_width()) as i64);
    stretches(
        format,
        places
            .flat_map(|place| [place, -place])
            .map(|place| place - STRETCH / 2),
    )
}

/// Of the stretches that the stride selects and those at the edges.
fn steps_of_f32(case: Case, real: &Real) -> Steps {
    let format = Format::F32;
    let stride = stride();
    let infinity = format.infinity() as i64;
    let selected = (2 * infinity as u64).div_ceil(STRETCH as u64).div_ceil(stride);
    let all = Mutex::new(Steps::default());
    in_parallel(
        1 + selected.div_ceil(CHUNK),
        STRETCH as u64 * CHUNK,
        &|chunk| -> Outcome {
            let places = match chunk.checked_sub(1) {
                // They are among all.
                None if stride == 1 => vec![],
                None => edges(format),
                Some(chunk) => {
                    let stretch = |i: u64| (i * stride) as i64 * STRETCH - infinity;
                    stretches(format, (chunk * CHUNK..selected.min((chunk + 1) * CHUNK)).map(stretch))
                }
            };
            let steps = steps(format, case, real, &places)?;
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter_mut().zip(steps).for_each(|(all, steps)| *all += steps);
            Ok(())
        },
    );
    all.into_inner().unwrap()
}

/// At the edges, next to 0 and anywhere.
fn sample_of_f64() -> Vec<i64> {
    let format = Format::F64;
    let mut random = fastrand::Rng::with_seed(5);
    let near = std::iter::repeat_with(|| format.nearest(20.0 * random.f64() - 10.0)).take(2000);
    let any = format
        .scattered(1000, 6)
        .into_iter()
        .filter(|&bits| format.value(bits).is_some());
    let places: Vec<i64> = near.chain(any).map(|bits| format.place(bits)).collect();
    [edges(format), stretches(format, places.into_iter())].concat()
}

#[test]
fn steps_against_the_direction_are_those_of_the_pages() {
    for function in FUNCTIONS.iter().filter(|function| is_selected(function)) {
        let (Some(real), case) = (&function.real, function.default()) else {
            continue;
        };
        for &format in Format::ALL {
            let require = |steps: Result<Steps, String>| steps.unwrap_or_else(|message| panic!("{message}"));
            let (steps, most) = match format {
                Format::F32 => (steps_of_f32(case, real), real.monotony.steps),
                Format::F64 => (require(steps(format, case, real, &sample_of_f64())), &[u64::MAX; 4][..]),
                #[cfg(feature = "half")]
                Format::F16 | Format::Bf16 => {
                    let infinity = format.infinity() as i64;
                    let places: Vec<i64> = (-infinity..=infinity).collect();
                    (require(steps(format, case, real, &places)), &[][..])
                }
            };
            println!("{:?} in {}: {steps:?}", case.activation(), format.name());
            for (i, &steps) in steps.iter().enumerate() {
                let most = most.get(i).copied().unwrap_or(0);
                assert!(steps <= most, "{steps} steps of {} ulp instead of {most}", i + 1);
            }
        }
    }
}
