use rectify::Tanh;

use super::{Bounds, DEFAULTS, Function, Monotony, NO_PARAMETERS, NOTHING, Real, Wide};

pub const FUNCTION: Function = Function {
    name: "tanh",
    new: |_| Tanh.into(),
    names: &[("tanh", NO_PARAMETERS), ("Tanh", NO_PARAMETERS)],
    onnx: Some("Tanh"),
    real: Some(Real {
        value: |_, x| {
            let growth = (-(x.abs() + x.abs())).exp_m1();
            let magnitude = -growth / (growth + Wide::from(2.0));
            if x.is_positive() { magnitude } else { -magnitude }
        },
        slope: |_, x| {
            let exp = (-(x.abs() + x.abs())).exp();
            let sum = exp + Wide::from(1.0);
            Wide::from(4.0) * exp / (sum * sum)
        },
        roots: &[0.0],
        monotony: Monotony::RISES,
        cancelling: NOTHING,
        by_default: [[1.5, 2.5], [2.0, 2.5]],
        bounds: Bounds {
            value: 2.0,
            slope: 2.5,
            gradient: 4.5,
            value_of_16_bits: 0.5,
        },
    }),
    ..DEFAULTS
};
