use rectify::Celu;

use super::elu::{BOUNDS, slope, value};
use super::{Bounds, DEFAULTS, Function, Monotony, NOTHING, Real, Wide, one};

const ALPHA: &str = "Celu: `alpha` is not positive and finite";

pub const FUNCTION: Function = Function {
    name: "celu",
    new: |[alpha, _]| Celu::new(alpha).into(),
    names: &[("celu", one(1.0)), ("CELU", one(1.0)), ("Celu", one(1.0))],
    onnx: Some("Celu"),
    parameters: &[one(1.0), one(0.7), one(2.0), one(1e-3), one(1.9)],
    typical: one(0.7),
    // Of a greater one the subnormal values are further off.
    valid: |[alpha, _]| one(alpha.abs().clamp(1e-9, 2.0)),
    refused: &[
        (one(0.0), ALPHA),
        (one(-1.0), ALPHA),
        (one(f64::NAN), ALPHA),
        (one(f64::INFINITY), ALPHA),
    ],
    kinks: |_| vec![0.0],
    real: Some(Real {
        value: |[alpha, _], x| value(x, Wide::from(1.0), Wide::from(alpha), quotient(x, alpha)),
        slope: |[alpha, _], x| slope(x, Wide::from(1.0), Wide::from(1.0), quotient(x, alpha)),
        roots: &[],
        monotony: Monotony::RISES,
        cancelling: NOTHING,
        by_default: [[1.0, 1.05], [2.5, 2.0]],
        bounds: Bounds { value: 3.0, ..BOUNDS },
    }),
    ..DEFAULTS
};

fn quotient(x: Wide, alpha: f64) -> Wide {
    x / Wide::from(alpha)
}
