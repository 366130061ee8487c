use rectify::Softsign;

use super::{Bounds, DEFAULTS, Function, Monotony, NO_PARAMETERS, NOTHING, Real, Wide};

pub const FUNCTION: Function = Function {
    name: "softsign",
    new: |_| Softsign.into(),
    names: &[("softsign", NO_PARAMETERS), ("Softsign", NO_PARAMETERS)],
    onnx: Some("Softsign"),
    real: Some(Real {
        value: |_, x| x / (Wide::from(1.0) + x.abs()),
        slope: |_, x| {
            let inverse = Wide::from(1.0) / (Wide::from(1.0) + x.abs());
            inverse * inverse
        },
        roots: &[0.0],
        monotony: Monotony {
            steps: &[13_872_334, 2_796_202],
            range: [-33554432.0, 33554432.0],
            ..Monotony::RISES
        },
        cancelling: NOTHING,
        by_default: [[1.5, 3.75], [1.5, 3.75]],
        bounds: Bounds {
            value: 1.5,
            slope: 3.75,
            gradient: 4.5,
            value_of_16_bits: 0.5,
        },
    }),
    ..DEFAULTS
};
