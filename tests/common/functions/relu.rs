use rectify::Relu;

use super::{Function, NO_PARAMETERS, is_above, select};

pub const FUNCTION: Function = Function {
    name: "relu",
    new: |_| Relu.into(),
    names: &[
        ("relu", NO_PARAMETERS),
        ("ReLU", NO_PARAMETERS),
        ("Relu", NO_PARAMETERS),
    ],
    onnx: Some("Relu"),
    parameters: &[NO_PARAMETERS],
    typical: NO_PARAMETERS,
    valid: |_| NO_PARAMETERS,
    refused: &[],
    kinks: |_| vec![0.0],
    real: None,
    forward: Some(|format, _, x| select(is_above(format, x, 0.0), x)),
    backward: Some(|format, _, x, g| select(is_above(format, x, 0.0), g)),
    live: Some(|format, _, x| is_above(format, x, 0.0)),
    takes_output: |_| true,
};
