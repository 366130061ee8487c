use rectify::HardSigmoid;

use super::{Bounds, Format, Function, Monotony, NOTHING, Parameters, Real, Wide, finite};
use crate::common::format::power_of_2;

const PYTORCH: Parameters = [1.0 / 6.0, 0.5];

const ALPHA: &str = "HardSigmoid: `alpha` is not positive and finite";

pub const FUNCTION: Function = Function {
    name: "hard_sigmoid",
    new: |[alpha, beta]| HardSigmoid::new(alpha, beta).into(),
    names: &[
        ("hardsigmoid", [1.0 / 6.0, 0.5]),
        ("Hardsigmoid", [1.0 / 6.0, 0.5]),
        ("HardSigmoid", [0.2, 0.5]),
    ],
    onnx: Some("HardSigmoid"),
    parameters: &[
        PYTORCH,
        [0.2, 0.5],
        [3.0, -1.5],
        [1e30, 1e30],
        [1e-30, 1e-10],
        [1e-40, 0.3],
        [1e-300, -1e300],
        [1e-37, 2e-38],
        [8e-168, 8.367689359124795e-308],
        [5e-308, -3e-308],
        [3e-310, 4e-309],
        [7e-75, 1e300],
        [7e-75, -1e300],
        [1e300, 0.3],
        [1e38, -1e39],
        [1e38, 1e39],
        [1e300, -1e301],
    ],
    typical: [0.2, 0.5],
    valid: |[alpha, beta]| [finite(alpha.abs()).max(f64::from_bits(1)), finite(beta)],
    refused: &[
        ([0.0, 0.5], ALPHA),
        ([f64::NAN, 0.5], ALPHA),
        ([f64::INFINITY, 0.5], ALPHA),
        ([0.2, f64::INFINITY], "HardSigmoid: `beta` is NaN or infinite"),
    ],
    kinks: |[alpha, beta]| vec![-beta / alpha, (1.0 - beta) / alpha],
    real: Some(Real {
        value: |parameters, x| {
            let line = real_line(parameters, x);
            if !line.is_positive() {
                Wide::from(0.0)
            } else if line.high >= 1.0 {
                Wide::from(1.0)
            } else {
                line
            }
        },
        slope: |parameters, x| {
            let [alpha, _] = parameters;
            let alpha = if parameters == PYTORCH {
                Wide::from(1.0) / Wide::from(6.0)
            } else {
                Wide::from(alpha)
            };
            if is_live(parameters, x.high) {
                alpha
            } else {
                Wide::from(0.0)
            }
        },
        roots: &[],
        monotony: Monotony::RISES,
        cancelling: NOTHING,
        by_default: [[2.0, 0.5]; 2],
        bounds: Bounds {
            value: 2.0,
            slope: 0.5,
            gradient: 1.5,
            value_of_16_bits: 0.51,
        },
    }),
    forward: Some(forward),
    backward: Some(backward),
    live: None,
    takes_output: |_| false,
};

/// Of the default, alpha is 1/6.
fn real_line(parameters: Parameters, x: Wide) -> Wide {
    if parameters == PYTORCH {
        return (x + Wide::from(3.0)) / Wide::from(6.0);
    }
    let [alpha, beta] = parameters.map(Wide::from);
    alpha * x + beta
}

/// Between the kinks, of which each is rounded once.
fn is_live([alpha, beta]: Parameters, x: f64) -> bool {
    -beta / alpha < x && x < (1.0 - beta) / alpha
}

/// (x * scale + shift) * factor, of which scale is a power of 2, and factor from 1 to 2 if all are in the range of the format.
/// What the sum and the shift lose by rounding is added to the sum. Where these would be subnormal, or nearly so, they are 2^120 times as
/// great, and factor as much less.
fn line(format: Format, parameters: Parameters, x: f64) -> f64 {
    let [least, greatest] = format.normal_range();
    let [alpha, beta] = parameters;
    let power_up_to = |number: f64| power_of_2((number.clamp(least, greatest).to_bits() >> 52) as i32 - 1023);
    let is_in_range = (least..=greatest).contains(&alpha) && (beta / (alpha / power_up_to(alpha))).abs() <= greatest;
    let scale = power_up_to(if is_in_range {
        alpha
    } else {
        alpha.min(greatest / 2.0 / (beta / alpha).abs())
    });
    let factor = (alpha / scale).max(least);
    let is_small = is_in_range && alpha < 1.0 && (beta / factor).abs() < least * power_of_2(60);
    let lift = if is_small { power_of_2(120) } else { 1.0 };
    let beta = beta * lift;
    let shift = beta / factor;
    let shift_low = if parameters == PYTORCH || shift.is_infinite() {
        0.0
    } else {
        // The remainder of a great number: that of a small one may be subnormal, and rounded.
        let unit = power_of_2(if beta.abs() < power_of_2(-200) { 500 } else { 0 });
        -factor.mul_add(shift * unit, -beta * unit) / factor / unit
    };
    let (scale, factor) = (scale * lift, factor / lift);
    let step = |number: f64| format.in_compute_format(number);
    let finite = |number: f64| step(number.clamp(-greatest, greatest));
    let (upper, lower) = (finite(shift), finite((shift - finite(shift)) + shift_low));
    let scaled = step(x * scale);
    let sum = step(scaled + upper);
    // Exactly: both summands and their sum are `f64`, or twice as short.
    let exact = Wide::from(scaled) + Wide::from(upper) - Wide::from(sum);
    let lost = if sum.is_finite() { exact.high } else { 0.0 };
    step(step(sum + step(lost + lower)) * finite(factor))
}

fn forward(format: Format, parameters: Parameters, x: u64) -> u64 {
    let Some(number) = format.value(x) else { return x };
    let line = line(format, parameters, number);
    if line <= 0.0 { 0 } else { format.nearest(line.min(1.0)) }
}

fn backward(format: Format, parameters: Parameters, x: u64, g: u64) -> u64 {
    let [alpha, _] = parameters;
    let [_, greatest] = format.normal_range();
    let alpha = format.in_compute_format(alpha.min(greatest));
    let least = if format == Format::F64 {
        f64::from_bits(1)
    } else {
        f32::from_bits(1).into()
    };
    match (format.value(x), format.value(g)) {
        (Some(x), _) if !is_live(parameters, x) => 0,
        (_, None) => format.quiet(g),
        (_, Some(g)) => format.nearest(format.in_compute_format(g * alpha.max(least))),
    }
}
