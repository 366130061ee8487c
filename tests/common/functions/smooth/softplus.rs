use rectify::Softplus;

use super::{Bounds, DEFAULTS, Function, Monotony, NOTHING, Real, Wide, finite, one, tie};

pub const FUNCTION: Function = Function {
    name: "softplus",
    new: |[beta, _]| Softplus::new(beta).into(),
    names: &[("softplus", one(1.0)), ("Softplus", one(1.0))],
    onnx: Some("Softplus"),
    parameters: &[
        one(1.0),
        one(0.3),
        one(tie(23)),
        one(20.0),
        one(1e-10),
        one(1e15),
        one(1e-60),
        one(1e300),
    ],
    typical: one(0.7),
    valid: |[beta, _]| one(finite(beta.abs()).max(f64::MIN_POSITIVE)),
    refused: &[
        (one(0.0), "Softplus: `beta` is not positive and finite"),
        (one(-1.0), "Softplus: `beta` is not positive and finite"),
        (one(f64::INFINITY), "Softplus: `beta` is not positive and finite"),
        (one(f64::NAN), "Softplus: `beta` is not positive and finite"),
    ],
    real: Some(Real {
        value: |[beta, _], x| value(beta, x),
        slope: |[beta, _], x| slope(Wide::from(beta) * x),
        roots: &[0.0],
        monotony: Monotony {
            steps: &[2_289_658],
            range: [-0.67, 0.44],
            ..Monotony::RISES
        },
        cancelling: NOTHING,
        by_default: [[2.5, 2.75], [2.0, 2.5]],
        bounds: Bounds {
            value: 3.0,
            slope: 2.75,
            gradient: 4.5,
            value_of_16_bits: 0.5,
        },
    }),
    ..DEFAULTS
};

pub fn value(beta: f64, x: Wide) -> Wide {
    let beta = Wide::from(beta);
    let half_exp = (Wide::from(-0.5) * (beta * x).abs()).exp();
    let log_by_beta = if half_exp.high < 1e-60 {
        // So that f64 has all bits of it.
        half_exp / beta * half_exp
    } else {
        (half_exp * half_exp).ln_1p() / beta
    };
    let positive = if x.is_positive() { x } else { Wide::from(0.0) };
    positive + log_by_beta
}

/// Sigmoid.
pub fn slope(x: Wide) -> Wide {
    let (one, exp) = (Wide::from(1.0), (-x.abs()).exp());
    (if x.is_positive() { one } else { exp }) / (one + exp)
}
