use rectify::Elu;

use super::{Bounds, DEFAULTS, Function, Monotony, NOTHING, Real, Wide, one};

const ALPHA: &str = "Elu: `alpha` is not positive and finite";

pub const FUNCTION: Function = Function {
    name: "elu",
    new: |[alpha, _]| Elu::new(alpha).into(),
    names: &[("elu", one(1.0)), ("ELU", one(1.0)), ("Elu", one(1.0))],
    onnx: Some("Elu"),
    parameters: &[one(1.0), one(0.7), one(1e-3), one(1.01), one(2.0)],
    typical: one(0.7),
    // Of a greater one gradients next to the subnormal ones are further off.
    valid: |[alpha, _]| one(alpha.abs().clamp(1e-9, 2.0)),
    refused: &[
        (one(0.0), ALPHA),
        (one(-1.0), ALPHA),
        (one(f64::NAN), ALPHA),
        (one(f64::INFINITY), ALPHA),
    ],
    kinks: |_| vec![0.0],
    real: Some(Real {
        value: |[alpha, _], x| value(x, Wide::from(1.0), Wide::from(alpha), x),
        slope: |[alpha, _], x| slope(x, Wide::from(1.0), Wide::from(alpha), x),
        roots: &[],
        monotony: Monotony::RISES,
        cancelling: NOTHING,
        by_default: [[1.0, 1.05], [1.5, 1.5]],
        bounds: BOUNDS,
    }),
    ..DEFAULTS
};

pub const BOUNDS: Bounds = Bounds {
    value: 2.5,
    slope: 2.0,
    gradient: 4.0,
    value_of_16_bits: 0.5,
};

/// scale * x above 0, else weight * (e^z - 1)
pub fn value(x: Wide, scale: Wide, weight: Wide, z: Wide) -> Wide {
    if x.is_positive() {
        scale * x
    } else {
        weight * z.exp_m1()
    }
}

/// scale above 0, else weight * e^z
pub fn slope(x: Wide, scale: Wide, weight: Wide, z: Wide) -> Wide {
    if x.is_positive() { scale } else { weight * z.exp() }
}
