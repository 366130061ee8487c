use rectify::HardSigmoid;

use super::{Format, Function, Parameters, finite};

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
    parameters: &[[1.0 / 6.0, 0.5], [0.2, 0.5], [3.0, -1.5], [1e30, 1e30]],
    typical: [0.2, 0.5],
    valid: |[alpha, beta]| [finite(alpha.abs()).max(f64::from_bits(1)), finite(beta)],
    refused: &[
        ([0.0, 0.5], ALPHA),
        ([f64::NAN, 0.5], ALPHA),
        ([f64::INFINITY, 0.5], ALPHA),
        ([0.2, f64::INFINITY], "HardSigmoid: `beta` is NaN or infinite"),
    ],
    kinks: |[alpha, beta]| vec![-beta / alpha, (1.0 - beta) / alpha],
    is_arithmetic: true,
    forward,
    backward,
    live: None,
    takes_output: |_| false,
};

/// Alpha and alpha * x + beta.
fn line(format: Format, [alpha, beta]: Parameters, x: f64) -> [f64; 2] {
    let [least, greatest] = format.normal_range();
    let alpha = format.in_compute_format(alpha.clamp(least, greatest));
    let beta = format.in_compute_format(beta.clamp(-greatest, greatest));
    let product = format.in_compute_format(alpha * x);
    [alpha, format.in_compute_format(product + beta)]
}

fn forward(format: Format, parameters: Parameters, x: u64) -> u64 {
    let Some(number) = format.value(x) else { return x };
    let [_, line] = line(format, parameters, number);
    if line <= 0.0 { 0 } else { format.nearest(line.min(1.0)) }
}

fn backward(format: Format, parameters: Parameters, x: u64, g: u64) -> u64 {
    let [alpha, line] = line(format, parameters, format.value(x).unwrap_or(f64::NAN));
    match format.value(g) {
        _ if line <= 0.0 || line >= 1.0 => 0,
        None => format.quiet(g),
        Some(g) => format.nearest(format.in_compute_format(g * alpha)),
    }
}
