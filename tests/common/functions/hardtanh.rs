use rectify::Hardtanh;

use super::{Format, Function, Parameters, select};

const BOUNDS: &str = "Hardtanh: `min` is greater than `max`, or one of them is NaN";

pub const FUNCTION: Function = Function {
    name: "hardtanh",
    new: |[min, max]| Hardtanh::new(min, max).into(),
    names: &[("hardtanh", [-1.0, 1.0]), ("Hardtanh", [-1.0, 1.0])],
    onnx: Some("Clip"),
    parameters: &[
        [-1.0, 1.0],
        [0.3, 2.5],
        [-7.0, -0.3],
        [-0.0, 1.0],
        [-1.0, -0.0],
        [0.0, 0.0],
        [-1e300, f64::INFINITY],
    ],
    typical: [-1.5, 0.75],
    valid: |[a, b]| [a.min(b), a.max(b)],
    refused: &[
        ([1.0, 0.0], BOUNDS),
        ([f64::NAN, 1.0], BOUNDS),
        ([0.0, f64::NAN], BOUNDS),
    ],
    kinks: |[min, max]| vec![min, max],
    real: None,
    forward: Some(forward),
    backward: Some(|format, parameters, x, g| select(live(format, parameters, x), g)),
    live: Some(live),
    takes_output: |_| true,
};

fn forward(format: Format, [min, max]: Parameters, x: u64) -> u64 {
    match format.value(x) {
        Some(number) if number < format.rounded(min) => format.bound(min),
        Some(number) if number > format.rounded(max) => format.bound(max),
        _ => x,
    }
}

fn live(format: Format, [min, max]: Parameters, x: u64) -> bool {
    format
        .value(x)
        .is_none_or(|x| format.rounded(min) < x && x < format.rounded(max))
}
