use rectify::LogSigmoid;

use super::softplus::{slope, value};
use super::{Bounds, DEFAULTS, Function, Monotony, NO_PARAMETERS, NOTHING, Real};

pub const FUNCTION: Function = Function {
    name: "log_sigmoid",
    new: |_| LogSigmoid.into(),
    names: &[("logsigmoid", NO_PARAMETERS), ("LogSigmoid", NO_PARAMETERS)],
    onnx: None,
    real: Some(Real {
        value: |_, x| -value(1.0, -x),
        slope: |_, x| slope(-x),
        roots: &[0.0],
        monotony: Monotony {
            steps: &[2_289_658],
            range: [-0.44, 0.67],
            ..Monotony::RISES
        },
        cancelling: NOTHING,
        by_default: [[2.5, 2.75], [2.0, 2.5]],
        bounds: Bounds {
            value: 2.5,
            slope: 2.75,
            gradient: 4.5,
            value_of_16_bits: 0.5,
        },
    }),
    ..DEFAULTS
};
