use rectify::HardSwish;

use super::{Format, Function, NO_PARAMETERS, Parameters};

pub const FUNCTION: Function = Function {
    name: "hard_swish",
    new: |_| HardSwish.into(),
    names: &[
        ("hardswish", NO_PARAMETERS),
        ("Hardswish", NO_PARAMETERS),
        ("HardSwish", NO_PARAMETERS),
    ],
    onnx: Some("HardSwish"),
    parameters: &[NO_PARAMETERS],
    typical: NO_PARAMETERS,
    valid: |_| NO_PARAMETERS,
    refused: &[],
    kinks: |_| vec![-3.0, 3.0],
    is_arithmetic: true,
    forward,
    backward,
    live: None,
    takes_output: |_| false,
};

/// slope * x + 1/2
fn line(format: Format, slope: f64, x: f64) -> f64 {
    let product = format.in_compute_format(format.in_compute_format(slope) * x);
    format.in_compute_format(product + 0.5)
}

fn forward(format: Format, _: Parameters, x: u64) -> u64 {
    match format.value(x) {
        Some(number) if number <= -3.0 => 0,
        Some(number) if number < 3.0 => {
            format.nearest(format.in_compute_format(number * line(format, 1.0 / 6.0, number)))
        }
        _ => x,
    }
}

fn backward(format: Format, _: Parameters, x: u64, g: u64) -> u64 {
    let Some(number) = format.value(x) else { return x };
    let slope = line(format, 1.0 / 3.0, number);
    match format.value(g) {
        _ if number <= -3.0 => 0,
        _ if number >= 3.0 => g,
        _ if slope == 0.0 => 0,
        None => format.quiet(g),
        Some(g) => format.nearest(format.in_compute_format(g * slope)),
    }
}
