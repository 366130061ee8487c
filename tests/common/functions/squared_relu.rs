use rectify::SquaredRelu;

use super::{Bounds, Format, Function, Monotony, NO_PARAMETERS, NOTHING, Parameters, Real, Wide};

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
    real: Some(Real {
        value: |_, x| positive_part(x) * x,
        slope: |_, x| positive_part(x) + positive_part(x),
        roots: &[],
        monotony: Monotony::RISES,
        cancelling: NOTHING,
        by_default: [[0.5, 0.5]; 2],
        bounds: Bounds {
            value: 0.5,
            slope: 0.5,
            gradient: 0.5,
            value_of_16_bits: 0.51,
        },
    }),
    forward: Some(forward),
    backward: Some(backward),
    live: None,
    takes_output: |_| false,
};

fn positive_part(x: Wide) -> Wide {
    if x.is_positive() { x } else { Wide::from(0.0) }
}

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
        // The lesser one can be doubled where the product is finite.
        (Some(x), Some(g)) if x < g.abs() => format.nearest(format.in_compute_format(2.0 * x * g)),
        (Some(x), Some(g)) => format.nearest(format.in_compute_format(2.0 * g * x)),
    }
}
