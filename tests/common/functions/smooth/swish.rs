use rectify::Swish;

use super::silu::{BOUNDS, ROOT_OF_SLOPE, cancelling, slope, value};
use super::{Bounds, DEFAULTS, Function, Monotony, Real, Wide, one};

const BETA: &str = "Swish: `beta` is not positive and finite";

pub const FUNCTION: Function = Function {
    name: "swish",
    new: |[beta, _]| Swish::new(beta).into(),
    names: &[("Swish", one(1.0)), ("QuickGelu", one(1.702))],
    onnx: Some("Swish"),
    parameters: &[
        one(1.702),
        one(1.0),
        one(0.3),
        one(11.0),
        one(1e-7),
        one(1e15),
        one(1e-60),
        one(1e300),
    ],
    typical: one(1.702),
    valid: |[beta, _]| one(beta.abs().clamp(1e-7, 1e30)),
    refused: &[
        (one(0.0), BETA),
        (one(-1.0), BETA),
        (one(f64::NAN), BETA),
        (one(f64::INFINITY), BETA),
    ],
    // Nothing changes at the root of the slope, but the error there is looked for.
    kinks: |[beta, _]| vec![ROOT_OF_SLOPE / beta],
    real: Some(Real {
        value: |[beta, _], x| value(x, x * Wide::from(beta)),
        slope: |[beta, _], x| slope(x * Wide::from(beta)),
        roots: &[0.0],
        monotony: Monotony {
            minimum: Some(ROOT_OF_SLOPE / 1.702),
            steps: &[923_268],
            range: [-1.4, -0.007],
        },
        cancelling: |[beta, _], x| cancelling(x * beta),
        by_default: [[2.5, 4.0], [2.0, 4.0]],
        bounds: Bounds {
            value: 2.75,
            slope: 4.0,
            ..BOUNDS
        },
    }),
    ..DEFAULTS
};
