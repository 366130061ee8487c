use rectify::LogSigmoid;

use super::softplus::{slope, value};
use super::{Bounds, Function, Method, NO_PARAMETERS, NOTHING, Real, scalar};

pub const FUNCTION: Function = Function {
    name: "log_sigmoid",
    new: |_| LogSigmoid.into(),
    names: &[("logsigmoid", NO_PARAMETERS), ("LogSigmoid", NO_PARAMETERS)],
    onnx: None,
    parameters: &[NO_PARAMETERS],
    typical: NO_PARAMETERS,
    valid: |_| NO_PARAMETERS,
    refused: &[],
    kinks: |_| vec![],
    real: Some(Real {
        value: |_, x| -value(1.0, -x),
        slope: |_, x| slope(-x),
        roots: &[0.0],
        cancelling: NOTHING,
        bounds: Bounds {
            value: 2.5,
            slope: 2.75,
            gradient: 4.5,
            value_of_16_bits: 0.5,
        },
    }),
    forward: |format, _, x| scalar(format, LogSigmoid.into(), Method::Forward, [x, 0]),
    backward: |format, _, x, g| scalar(format, LogSigmoid.into(), Method::Backward, [x, g]),
    live: None,
    takes_output: |_| false,
};
