//! The errors of what does arithmetic against the functions of real numbers, in ulp of the exact result.
//!
//! By default a sample of `f32`. `cargo test --release --test suite accuracy -- --nocapture` prints the table of the worst errors;
//! with `EXHAUSTIVE_STRIDE=1` of all 2^32 patterns.

use std::fmt;
use std::iter::once;
use std::sync::{Mutex, PoisonError};

use rectify::Activation;

use crate::common::calls::{self, Method, Way};
use crate::common::format::{Format, power_of_2};
use crate::common::functions::{Case, FUNCTIONS, Real};
use crate::common::guarded::Bytes;
use crate::common::wide::Wide;
use crate::exhaustive::{for_patterns, is_selected};

#[test]
fn real_numbers_have_more_bits_than_f64() {
    let [one, three, little] = [1.0, 3.0, 1e-25].map(Wide::from);
    let third = one / three;
    assert!((third * three - one).high.abs() < 1e-31);
    assert!(third.high == 1.0 / 3.0 && third.low != 0.0);
    assert_eq!((one + little - one).high, 1e-25);
    assert_eq!(((one + little) * (one - little) - one).high, 0.0);
}

/// Where the error is the greatest.
#[derive(Clone, Copy, Default)]
struct Worst {
    ulps: f64,
    x: f64,
    g: f64,
}

impl Worst {
    fn of(self, other: Self) -> Self {
        if other.ulps > self.ulps { other } else { self }
    }
}

impl fmt::Display for Worst {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:.4} at {:e}", self.ulps, self.x)?;
        if self.g == 1.0 {
            Ok(())
        } else {
            write!(f, ", {:e}", self.g)
        }
    }
}

/// The distance from the exact result in units of its last place. Infinite where it is NaN, and where the exact one overflows and it does not.
pub fn ulps(format: Format, result: u64, exact: Wide) -> f64 {
    ulps_of(format, result, exact, 0.0)
}

/// The same, of `size` where the exact result is less.
pub fn ulps_of(format: Format, result: u64, exact: Wide, size: f64) -> f64 {
    let nearest = format.nearest(exact.high);
    if nearest & !format.sign() == format.infinity() || !exact.high.is_finite() {
        return if result == nearest { 0.0 } else { f64::INFINITY };
    }
    let result = match format.value(result) {
        None => return f64::INFINITY,
        // What is rounded to infinity is taken for the power of 2 after the greatest number.
        Some(infinite) if infinite.is_infinite() => infinite.signum() * power_of_2(2 - format.least_exponent()),
        Some(result) => result,
    };
    let exponent = (exact.high.abs().max(size).to_bits() >> 52) as i32 - 1023;
    let exponent = exponent.max(format.least_exponent()) - format.mantissa_width() as i32;
    let difference = (exact - Wide::from(result)).high.abs();
    // A subnormal power of 2 has no reciprocal.
    let half = exponent / 2;
    difference / power_of_2(half) / power_of_2(exponent - half)
}

/// The worst errors of the value, of the gradient for g = 1, and for others.
type Errors = [Worst; 3];

fn add(errors: &mut Errors, other: Errors) {
    for (worst, other) in errors.iter_mut().zip(other) {
        *worst = worst.of(other);
    }
}

/// The values at the patterns x, the gradients there for g = 1, and for the patterns g.
fn results(format: Format, case: Case, x: &[u64], g: &[u64]) -> [Vec<u64>; 3] {
    let [x, g] = [x, g].map(|bits| format.to_bytes(bits.iter().copied()));
    let ones = format.to_bytes((0..x.len() / format.bytes()).map(|_| format.nearest(1.0)));
    [
        (Method::Forward, &ones),
        (Method::Backward, &ones),
        (Method::Backward, &g),
    ]
    .map(|(method, g)| {
        let mut output = Bytes::filled(0, x.len());
        calls::map(format, Way::Free, case.activation(), method, [&x, g], &mut output);
        format.bits(&output)
    })
}

/// Of the patterns x with the gradients g.
fn errors(format: Format, case: Case, real: &Real, x: &[u64], g: &[u64]) -> Errors {
    let [y, slope, grad] = results(format, case, x, g);
    let mut errors = Errors::default();
    for (i, ((y, slope), grad)) in y.into_iter().zip(slope).zip(grad).enumerate() {
        let [Some(x), Some(g)] = [x[i], g[i]].map(|bits| format.value(bits)) else {
            continue;
        };
        if x.is_infinite() || g.is_infinite() {
            continue;
        }
        let at = Wide::from(x);
        let exact = (real.slope)(case.parameters, at);
        // A slope that is rounded to 0 is 0 for each g.
        let is_zero = format.in_compute_format(exact.high) == 0.0;
        let of_any_g = Wide::from(g) * if is_zero { Wide::from(0.0) } else { exact };
        if exact.high.is_infinite() {
            // What g makes of it isn't known then.
            continue;
        }
        // Nor where f64 has few bits of it.
        let has_few_bits = !is_zero && exact.high.abs() < 1e-304;
        let grad = if has_few_bits {
            format.nearest(of_any_g.high)
        } else {
            grad
        };
        let cancelling = (real.cancelling)(case.parameters, x);
        let worst = |result, exact: Wide, g, size| Worst {
            ulps: ulps_of(format, result, exact, size),
            x,
            g,
        };
        add(
            &mut errors,
            [
                worst(y, (real.value)(case.parameters, at), 1.0, 0.0),
                worst(slope, exact, 1.0, cancelling),
                worst(grad, of_any_g, g, cancelling * g.abs()),
            ],
        );
    }
    errors
}

/// Those among the patterns of `f32` at which the results differ most from those in `f64`, whose errors are as nothing beside them:
/// to compute all exact results would take days.
fn furthest_from_f64(case: Case, real: &Real, x: &[u32], g: &[u32]) -> [usize; 3] {
    let f = case.activation();
    let in_f64 = |bits: &[u32]| -> Vec<f64> { bits.iter().map(|&bits| f32::from_bits(bits).into()).collect() };
    let [wide_x, wide_g] = [x, g].map(in_f64);
    let [mut y, mut slope, mut grad] = [(); 3].map(|()| vec![1_f32; x.len()]);
    let [mut wide_y, mut wide_slope] = [(); 2].map(|()| vec![1_f64; x.len()]);
    f.forward(bytemuck::cast_slice(x), &mut y);
    f.forward(&wide_x, &mut wide_y);
    f.backward_inplace(bytemuck::cast_slice(x), &mut slope);
    f.backward_inplace(&wide_x, &mut wide_slope);
    f.backward::<f32>(bytemuck::cast_slice(x), bytemuck::cast_slice(g), &mut grad);
    // Less than half of the least number is rounded to 0, for each g.
    let product = |(&slope, &g): (&f64, &f64)| {
        if slope.abs() <= power_of_2(-150) {
            f64::NAN
        } else {
            slope * g
        }
    };
    let wide_grad: Vec<f64> = wide_slope.iter().zip(&wide_g).map(product).collect();

    let outputs = [(0, &y, &wide_y), (1, &slope, &wide_slope), (2, &grad, &wide_grad)];
    outputs.map(|(output, narrow, wide)| {
        let mut furthest = (0.0, 0);
        for (i, (&narrow, &exact)) in narrow.iter().zip(wide).enumerate() {
            // Most are rounded correctly, and so within half an ulp.
            if narrow.to_bits() == (exact as f32).to_bits() || exact.is_nan() {
                continue;
            }
            let size = [0.0, 1.0, wide_g[i].abs()][output] * (real.cancelling)(case.parameters, wide_x[i]);
            let distance = ulps_of(Format::F32, narrow.to_bits().into(), Wide::from(exact), size);
            if distance > furthest.0 {
                furthest = (distance, i);
            }
        }
        furthest.1
    })
}

/// The numbers next to `number`, and some further away.
fn around(format: Format, number: f64) -> impl Iterator<Item = u64> {
    let bits = format.nearest(number);
    let steps = (0..200).chain((8..format.mantissa_width()).flat_map(|bit| [(1 << bit) - 1, 1 << bit, 3 << (bit - 1)]));
    steps
        .flat_map(move |step: u64| [bits.wrapping_add(step), bits.wrapping_sub(step)].map(|bits| format.truncate(bits)))
}

/// Takes about a second of all cases.
const BETWEEN_KINKS: usize = if cfg!(debug_assertions) { 500 } else { 20_000 };

const CASES_OF_TINY: usize = if cfg!(debug_assertions) { 200 } else { 3000 };

const SAMPLES: usize = if cfg!(debug_assertions) { 500 } else { 4000 };

/// Without those of `f32` that the stride selects.
fn patterns(format: Format, case: Case, real: &Real) -> Vec<u64> {
    if format.width() == 16 {
        let step = if cfg!(debug_assertions) { 7 } else { 1 };
        // The least number first: half of it is half-way to 0.
        return once(1).chain(format.patterns().into_iter().step_by(step)).collect();
    }
    let kinks = case.kinks();
    let special = kinks
        .iter()
        .chain(real.roots)
        .flat_map(|&number| around(format, number));
    let mut random = fastrand::Rng::with_seed(1);
    let mut numbers = |from: f64, to: f64, count: usize| -> Vec<u64> {
        let number = |_| format.nearest(from + (to - from) * random.f64());
        (0..count).map(number).collect()
    };
    let near = numbers(-8.0, 8.0, SAMPLES);
    let between = kinks
        .windows(2)
        .flat_map(|kinks| numbers(kinks[0], kinks[1], BETWEEN_KINKS));
    let between: Vec<u64> = between.collect();
    special
        .chain(near)
        .chain(between)
        .chain(format.patterns())
        .chain(format.scattered(SAMPLES, 2))
        .collect()
}

/// Whether the factor of a function that has one is a normal number of the compute format: the bounds hold for those.
fn is_bounded(format: Format, case: Case) -> bool {
    let [least, greatest] = format.normal_range();
    let [factor, _] = case.parameters;
    factor == 0.0 || (least..=greatest).contains(&factor.abs())
}

/// With parameters that are tested elsewhere, and others.
fn cases() -> Vec<(Case, &'static Real)> {
    let mut random = fastrand::Rng::with_seed(3);
    let arithmetic = FUNCTIONS
        .iter()
        .filter_map(|function| function.real.as_ref().map(|real| (function, real)));
    let mut cases = Vec::new();
    for (function, real) in arithmetic {
        cases.extend(function.cases().map(|case| (case, real)));
        if function.cases().len() > 1 {
            cases.extend((0..60).step_by(if function.is_smooth() { 10 } else { 1 }).map(|i| {
                // The first ones next to 1, where most bits are lost by rounding.
                let exponents = if i < 40 { [-1..2, 0..1] } else { [-30..30, -30..2] };
                let [alpha, beta] = exponents.map(|exponents| power_of_2(random.i32(exponents)));
                let alpha = alpha * (1.0 + random.f64());
                let beta = beta * (4.0 * random.f64() - 2.0);
                (function.with((function.valid)([alpha, beta])), real)
            }));
        }
    }
    cases
}

/// For each x any bits, or a number with which the exact gradient is just below a power of 2: there a rounding error of the slope counts most.
fn gradients(format: Format, case: Case, real: &Real, x: &[u64]) -> Vec<u64> {
    let any = format.scattered(x.len(), 4);
    let numbers = x.iter().zip(any).enumerate().map(|(i, (&x, any))| {
        let slope = format
            .value(x)
            .map_or(0.0, |x| (real.slope)(case.parameters, x.into()).high);
        if i % 2 == 0 || slope == 0.0 || !slope.is_finite() {
            return any;
        }
        let mantissa = f64::from_bits(slope.to_bits() & !f64::INFINITY.to_bits() | 1_f64.to_bits());
        format.nearest(2.0 / mantissa) - 1
    });
    numbers.collect()
}

#[test]
fn errors_are_within_the_bounds() {
    let mut beyond = Vec::new();
    for &format in Format::ALL {
        for (case, real) in cases() {
            if !is_selected(case.function) || !is_bounded(format, case) {
                continue;
            }
            let is_default = case.parameters == case.function.parameters[0];
            let mut x = patterns(format, case, real);
            // Their real functions take long.
            if case.function.is_smooth() && (cfg!(debug_assertions) || !is_default) {
                x = x.into_iter().step_by(5).collect();
            }
            let g = gradients(format, case, real, &x);
            let mut worst = errors(format, case, real, &x, &g);
            if format == Format::F32 && is_default {
                let all = Mutex::new(worst);
                for_patterns(&|x: Vec<u32>| {
                    let g: Vec<u32> = x.iter().map(|x| x.wrapping_mul(0x9e37_79b1)).collect();
                    let furthest = furthest_from_f64(case, real, &x, &g);
                    let [x, g] = [x, g].map(|bits| furthest.map(|i| bits[i].into()));
                    let worst = errors(format, case, real, &x, &g);
                    add(&mut all.lock().unwrap_or_else(PoisonError::into_inner), worst);
                    Ok(())
                });
                worst = all.into_inner().unwrap();
            }
            let [value, slope, gradient] = worst;
            let activation = case.activation();
            if is_default {
                println!("{activation:?} | {} | {value} | {slope} | {gradient}", format.name());
            }
            let bounds = if format.width() == 16 {
                // Rounded once more, from a format with many more bits.
                let value = if is_default { real.bounds.value_of_16_bits } else { 0.51 };
                [value, 0.51, 0.51]
            } else if is_default {
                let [value, slope] = real.by_default[usize::from(format == Format::F64)];
                [value, slope, real.bounds.gradient]
            } else {
                [real.bounds.value, real.bounds.slope, real.bounds.gradient]
            };
            for ((worst, bound), what) in worst.into_iter().zip(bounds).zip(["value", "slope", "gradient"]) {
                if worst.ulps > bound {
                    let format = format.name();
                    beyond.push(format!(
                        "{activation:?} in {format}: the {what} is off by {worst}, more than {bound} ulp"
                    ));
                }
            }
        }
    }
    assert!(beyond.is_empty(), "{}", beyond.join("\n"));
}

/// The worst errors of the value and of the gradient for g = 1 and a great g with parameters next to the least normal number, where the
/// results are normal and below 1, and the slope isn't 0.
fn errors_of_tiny(format: Format, case: Case, real: &Real, takes_x: bool, x: &[u64]) -> [Worst; 3] {
    // `f64` doesn't have all bits of so small products: the exact results are those of greater parameters, and x if they are factors of it.
    let lift = if format == Format::F64 { 200 } else { 0 };
    let parameters = case.parameters.map(|parameter| parameter * power_of_2(lift));
    let exponent_of_g = (-format.least_exponent() / 2).min(200);
    let g = vec![format.nearest(power_of_2(exponent_of_g)); x.len()];
    let [y, slope, gradient] = results(format, case, x, &g);
    let mut worst = [Worst::default(); 3];
    for (i, &bits) in x.iter().enumerate() {
        let Some(x) = format.value(bits).filter(|x| x.is_finite()) else {
            continue;
        };
        if x > 0.0 && !takes_x && case.function.name != "hard_sigmoid" {
            // The parameter isn't a factor of the result.
            continue;
        }
        let (wide, of_slope) = if takes_x {
            (Wide::from(x * power_of_2(lift)), 0)
        } else {
            (Wide::from(x), lift)
        };
        let exact = [(real.value)(parameters, wide), (real.slope)(parameters, wide)];
        let outputs = [
            (y[i], exact[0], lift, 0),
            (slope[i], exact[1], of_slope, 0),
            (gradient[i], exact[1], of_slope, exponent_of_g),
        ];
        for (worst, (result, exact, lift, of_g)) in worst.iter_mut().zip(outputs) {
            let exponent = (exact.high.abs().to_bits() >> 52) as i32 - 1023;
            let is_zero = exponent - lift <= format.least_exponent() - format.mantissa_width() as i32;
            if is_zero || !(format.least_exponent()..0).contains(&(exponent - lift + of_g)) {
                continue;
            }
            let result = format.value(result).unwrap() * power_of_2(lift - of_g);
            let ulps = (exact - Wide::from(result)).high.abs() / power_of_2(exponent - format.mantissa_width() as i32);
            *worst = worst.of(Worst {
                ulps,
                x,
                g: power_of_2(of_g),
            });
        }
    }
    worst
}

/// Products and sums that are subnormal or nearly so, with results that aren't.
#[test]
fn errors_of_tiny_parameters_are_within_the_bounds() {
    // Whether the parameters are factors of x, too.
    let functions = [
        ("hard_sigmoid", false),
        ("leaky_relu", false),
        ("softshrink", true),
        ("elu", false),
        ("celu", true),
    ];
    let mut random = fastrand::Rng::with_seed(5);
    let mut beyond = Vec::new();
    for (name, takes_x) in functions {
        let Some(function) = FUNCTIONS.iter().find(|function| function.name == name) else {
            continue;
        };
        let real = function.real.as_ref().unwrap();
        for &format in Format::ALL {
            let tiny = |random: &mut fastrand::Rng, exponents: i32| {
                let number = (1.0 + random.f64()) * power_of_2(random.i32(0..=exponents));
                let number = if random.bool() { number } else { -number };
                number * power_of_2(format.least_exponent())
            };
            let bounds = match format.width() {
                16 => [0.51; 3],
                _ => [real.bounds.value, real.bounds.slope, real.bounds.gradient],
            };
            for i in 0..CASES_OF_TINY {
                let alpha = tiny(&mut random, [3, 60][i % 2]).abs();
                let beta = tiny(&mut random, 3);
                let x = (0..64).map(|_| {
                    let near_least = tiny(&mut random, 4);
                    format.nearest(match i % 3 {
                        _ if name == "hard_sigmoid" => (near_least - beta) / alpha,
                        0 => -4.0 * random.f64(),
                        _ => near_least,
                    })
                });
                let x: Vec<u64> = x.collect();
                let errors = errors_of_tiny(format, function.with([alpha, beta]), real, takes_x, &x);
                for ((error, bound), what) in errors.into_iter().zip(bounds).zip(["value", "slope", "gradient"]) {
                    if error.ulps > bound {
                        let format = format.name();
                        beyond.push(format!(
                            "{name} of {alpha:e}, {beta:e} in {format}: the {what} is off by {error}, more than {bound} ulp"
                        ));
                    }
                }
            }
        }
    }
    assert!(beyond.is_empty(), "{}", beyond.join("\n"));
}
