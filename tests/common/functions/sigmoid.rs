use rectify::Sigmoid;

use super::{Bounds, Function, Method, NO_PARAMETERS, NOTHING, Real, Wide, scalar};

pub const FUNCTION: Function = Function {
    name: "sigmoid",
    new: |_| Sigmoid.into(),
    names: &[("sigmoid", NO_PARAMETERS), ("Sigmoid", NO_PARAMETERS)],
    onnx: Some("Sigmoid"),
    parameters: &[NO_PARAMETERS],
    typical: NO_PARAMETERS,
    valid: |_| NO_PARAMETERS,
    refused: &[],
    kinks: |_| vec![],
    real: Some(Real {
        value: |_, x| {
            let (one, exp) = (Wide::from(1.0), (-x.abs()).exp());
            (if x.is_positive() { one } else { exp }) / (one + exp)
        },
        slope: |_, x| {
            let exp = (-x.abs()).exp();
            let sum = Wide::from(1.0) + exp;
            exp / (sum * sum)
        },
        roots: &[0.0],
        cancelling: NOTHING,
        bounds: Bounds {
            value: 2.5,
            slope: 2.75,
            gradient: 4.5,
            value_of_16_bits: 0.5,
        },
    }),
    forward: |format, _, x| scalar(format, Sigmoid.into(), Method::Forward, [x, 0]),
    backward: |format, _, x, g| scalar(format, Sigmoid.into(), Method::Backward, [x, g]),
    live: None,
    takes_output: |_| false,
};
