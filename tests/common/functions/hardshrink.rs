use rectify::Hardshrink;

use super::{Format, Function, Parameters, finite, one, select, tie};

pub const FUNCTION: Function = Function {
    name: "hardshrink",
    new: |[lambda, _]| Hardshrink::new(lambda).into(),
    names: &[("hardshrink", one(0.5)), ("Hardshrink", one(0.5)), ("Shrink", one(0.5))],
    onnx: Some("Shrink"),
    parameters: &[
        one(0.5),
        one(0.3),
        one(tie(10)),
        one(0.0),
        one(-0.0),
        one(1e-60),
        one(1e300),
        one(f64::INFINITY),
    ],
    typical: one(0.7),
    valid: |[lambda, _]| one(finite(lambda.abs())),
    refused: &[
        (one(-1.0), "Hardshrink: `lambda` is negative or NaN"),
        (one(f64::NAN), "Hardshrink: `lambda` is negative or NaN"),
    ],
    kinks: |[lambda, _]| vec![-lambda, lambda],
    real: None,
    forward: Some(|format, parameters, x| select(live(format, parameters, x), x)),
    backward: Some(|format, parameters, x, g| select(live(format, parameters, x), g)),
    live: Some(live),
    // Where x is not 0, it is returned as it is.
    takes_output: |_| true,
};

/// By lambda as it is, and not as the format rounds it.
fn live(format: Format, [lambda, _]: Parameters, x: u64) -> bool {
    format.value(x).is_none_or(|x| x.abs() > lambda)
}
