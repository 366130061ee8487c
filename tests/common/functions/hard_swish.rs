use rectify::HardSwish;

use super::{Bounds, Format, Function, Monotony, NO_PARAMETERS, NOTHING, Parameters, Real, Wide};

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
    real: Some(Real {
        value: |_, x| match x.high {
            high if high <= -3.0 => Wide::from(0.0),
            high if high >= 3.0 => x,
            _ => x * (x + Wide::from(3.0)) / Wide::from(6.0),
        },
        slope: |_, x| match x.high {
            high if high <= -3.0 => Wide::from(0.0),
            high if high >= 3.0 => Wide::from(1.0),
            _ => (x + x + Wide::from(3.0)) / Wide::from(6.0),
        },
        roots: &[-1.5, 0.0],
        monotony: Monotony {
            minimum: Some(-1.5),
            steps: &[1_626_819, 38_512],
            range: [-1.72, -1e-6],
        },
        cancelling: NOTHING,
        by_default: [[1.88, 1.0]; 2],
        bounds: Bounds {
            value: 1.88,
            slope: 1.0,
            gradient: 2.5,
            value_of_16_bits: 0.51,
        },
    }),
    forward: Some(forward),
    backward: Some(backward),
    live: None,
    takes_output: |_| false,
};

/// (x + 3) / 6
fn line(format: Format, x: f64) -> f64 {
    format.in_compute_format(format.in_compute_format(x + 3.0) / 6.0)
}

fn forward(format: Format, _: Parameters, x: u64) -> u64 {
    match format.value(x) {
        Some(number) if number <= -3.0 => 0,
        Some(number) if number < 3.0 => format.nearest(format.in_compute_format(number * line(format, number))),
        _ => x,
    }
}

fn backward(format: Format, _: Parameters, x: u64, g: u64) -> u64 {
    let Some(number) = format.value(x) else { return x };
    let slope = line(format, 2.0 * number);
    match format.value(g) {
        _ if number <= -3.0 => 0,
        _ if number >= 3.0 => g,
        _ if slope == 0.0 => 0,
        None => format.quiet(g),
        Some(g) => format.nearest(format.in_compute_format(g * slope)),
    }
}
