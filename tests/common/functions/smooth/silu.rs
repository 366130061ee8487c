use rectify::Silu;

use super::{Bounds, DEFAULTS, Function, Monotony, NO_PARAMETERS, Real, Wide};

pub const FUNCTION: Function = Function {
    name: "silu",
    new: |_| Silu.into(),
    names: &[("silu", NO_PARAMETERS), ("SiLU", NO_PARAMETERS)],
    onnx: None,
    real: Some(Real {
        value: |_, x| value(x, x),
        slope: |_, x| slope(x),
        roots: &[ROOT_OF_SLOPE, 0.0],
        monotony: Monotony {
            minimum: Some(ROOT_OF_SLOPE),
            steps: &[1_219_033, 3_034],
            range: [-2.0, -0.0004],
        },
        cancelling: |_, x| cancelling(x),
        by_default: [[2.5, 3.0], [2.0, 4.0]],
        bounds: BOUNDS,
    }),
    ..DEFAULTS
};

pub const BOUNDS: Bounds = Bounds {
    value: 2.5,
    slope: 4.0,
    gradient: 6.0,
    value_of_16_bits: 0.5,
};

pub const ROOT_OF_SLOPE: f64 = -1.278464542761074;

/// x * sigmoid(z)
pub fn value(x: Wide, z: Wide) -> Wide {
    let (one, exp, half) = (Wide::from(1.0), (-z.abs()).exp(), exp_of_half(z));
    (if x.is_positive() { x } else { x * half * half }) / (one + exp)
}

/// e^(-|z| / 2), which is not subnormal: its square has fewer bits where it is.
fn exp_of_half(z: Wide) -> Wide {
    (-z.abs() * Wide::from(0.5)).exp()
}

/// That of z * sigmoid(z).
pub fn slope(z: Wide) -> Wide {
    if z.high.abs() > 1000.0 {
        return Wide::from(if z.is_positive() { 1.0 } else { 0.0 });
    }
    let (one, exp) = (Wide::from(1.0), (-z.abs()).exp());
    let sum = one + exp;
    if z.is_positive() {
        (sum + z * exp) / (sum * sum)
    } else {
        let half = exp_of_half(z);
        half * (sum + z) / (sum * sum) * half
    }
}

/// By the root a 32nd of what the slope is at most.
pub fn cancelling(z: f64) -> f64 {
    if (-2.0..-0.8).contains(&z) { 1.0 / 32.0 } else { 0.0 }
}
