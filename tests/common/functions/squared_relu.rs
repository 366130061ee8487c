use rectify::SquaredRelu;

use super::{Format, Function, NO_PARAMETERS, Parameters};

pub const FUNCTION: Function = Function {
    name: "squared_relu",
    new: |_| SquaredRelu.into(),
    names: &[],
    onnx: None,
    parameters: &[NO_PARAMETERS],
    typical: NO_PARAMETERS,
    valid: |_| NO_PARAMETERS,
    refused: &[],
    kinks: |_| vec![0.0],
    is_arithmetic: true,
    forward,
    backward,
    live: None,
    takes_output: |_| false,
};

fn forward(format: Format, _: Parameters, x: u64) -> u64 {
    match format.value(x) {
        None => x,
        Some(x) if x <= 0.0 => 0,
        Some(x) => format.nearest(format.in_compute_format(x * x)),
    }
}

fn backward(format: Format, _: Parameters, x: u64, g: u64) -> u64 {
    match (format.value(x), format.value(g)) {
        (None, _) => x,
        (Some(x), _) if x <= 0.0 => 0,
        (_, None) => format.quiet(g),
        (_, Some(0.0)) => g,
        (Some(x), Some(g)) => format.nearest(format.in_compute_format(format.in_compute_format(2.0 * g) * x)),
    }
}
