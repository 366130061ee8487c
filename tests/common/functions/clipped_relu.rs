use rectify::ClippedRelu;

use super::{Format, Function, Parameters, one, select, tie};

pub const FUNCTION: Function = Function {
    name: "clipped_relu",
    new: |[max, _]| ClippedRelu::new(max).into(),
    names: &[("relu6", one(6.0)), ("ReLU6", one(6.0))],
    onnx: None,
    parameters: &[
        one(6.0),
        one(0.1),
        one(0.0),
        one(1e300),
        one(f64::INFINITY),
        one(tie(11)),
        one(tie(8)),
    ],
    typical: one(6.0),
    valid: |[max, _]| one(max.abs()),
    refused: &[
        (one(-1.0), "ClippedRelu: `max` is negative or NaN"),
        (one(f64::NAN), "ClippedRelu: `max` is negative or NaN"),
    ],
    kinks: |[max, _]| vec![0.0, max],
    real: None,
    forward: Some(forward),
    backward: Some(|format, parameters, x, g| select(live(format, parameters, x), g)),
    live: Some(live),
    takes_output: |_| true,
};

fn forward(format: Format, [max, _]: Parameters, x: u64) -> u64 {
    match format.value(x) {
        Some(number) if number <= 0.0 => 0,
        Some(number) if number > format.rounded(max) => format.bound(max),
        _ => x,
    }
}

fn live(format: Format, [max, _]: Parameters, x: u64) -> bool {
    format.value(x).is_none_or(|x| 0.0 < x && x < format.rounded(max))
}
