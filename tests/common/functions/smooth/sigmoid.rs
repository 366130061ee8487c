use rectify::Sigmoid;

use super::{Bounds, DEFAULTS, Function, Monotony, NO_PARAMETERS, NOTHING, Real, Wide};

pub const FUNCTION: Function = Function {
    name: "sigmoid",
    new: |_| Sigmoid.into(),
    names: &[("sigmoid", NO_PARAMETERS), ("Sigmoid", NO_PARAMETERS)],
    onnx: Some("Sigmoid"),
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
        monotony: Monotony {
            steps: &[62],
            range: [-0.65, 0.65],
            ..Monotony::RISES
        },
        cancelling: NOTHING,
        by_default: [[2.0, 2.5], [2.0, 2.5]],
        bounds: Bounds {
            value: 2.0,
            slope: 2.5,
            gradient: 4.5,
            value_of_16_bits: 0.5,
        },
    }),
    ..DEFAULTS
};
