use rectify::Softshrink;

use super::{Bounds, DEFAULTS, Function, Monotony, NOTHING, Parameters, Real, Wide, finite, one, tie};

pub const FUNCTION: Function = Function {
    name: "softshrink",
    new: |[lambda, _]| Softshrink::new(lambda).into(),
    names: &[("softshrink", one(0.5)), ("Softshrink", one(0.5))],
    onnx: None,
    parameters: &[one(0.5), one(0.3), one(tie(23)), one(0.0), one(1e-60), one(1e300)],
    typical: one(0.7),
    valid: |[lambda, _]| one(finite(lambda.abs())),
    refused: &[
        (one(-1.0), "Softshrink: `lambda` is negative, infinite or NaN"),
        (one(f64::INFINITY), "Softshrink: `lambda` is negative, infinite or NaN"),
        (one(f64::NAN), "Softshrink: `lambda` is negative, infinite or NaN"),
    ],
    kinks: |[lambda, _]| vec![-lambda, lambda],
    real: Some(Real {
        value: |parameters, x| match above(parameters, x) {
            above if !above.is_positive() => Wide::from(0.0),
            above if x.is_positive() => above,
            above => -above,
        },
        slope: |parameters, x| Wide::from(f64::from(u8::from(above(parameters, x).is_positive()))),
        roots: &[],
        monotony: Monotony::RISES,
        cancelling: NOTHING,
        by_default: [[0.5, 0.0], [1.0, 0.0]],
        bounds: Bounds {
            value: 1.0,
            slope: 0.0,
            gradient: 0.0,
            value_of_16_bits: 0.5,
        },
    }),
    ..DEFAULTS
};

fn above([lambda, _]: Parameters, x: Wide) -> Wide {
    x.abs() - Wide::from(lambda)
}
