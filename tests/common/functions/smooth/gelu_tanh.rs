use rectify::GeluTanh;

use super::{Bounds, DEFAULTS, Function, Monotony, NO_PARAMETERS, Real, Wide};

pub const FUNCTION: Function = Function {
    name: "gelu_tanh",
    new: |_| GeluTanh.into(),
    names: &[("gelu_tanh", NO_PARAMETERS)],
    onnx: Some("GeluTanh"),
    real: Some(Real {
        value: |_, x| x * gate(x),
        slope: |_, x| {
            if x.high.abs() > 100.0 {
                return gate(x);
            }
            let exp = (-argument(x.abs())).exp();
            let sum = Wide::from(1.0) + exp;
            let rate = ROOT * (Wide::from(1.0) + Wide::from(3.0) * CUBIC * x * x);
            gate(x) + x * rate * exp / (sum * sum)
        },
        roots: &[0.0, -0.4, 0.4, -0.7524615],
        monotony: Monotony {
            minimum: Some(-0.7524615),
            steps: &[1_486_785, 191_809],
            range: [-1.1, -0.0039],
        },
        cancelling: |_, x| {
            let gate = 1.0 / (1.0 + (-x * (1.596 + 0.07135 * x * x)).exp());
            if x < 0.0 {
                gate.max(-x * (1.596 + 0.214 * x * x) * gate * (1.0 - gate))
            } else {
                0.0
            }
        },
        by_default: [[2.5, 4.0], [2.0, 4.0]],
        bounds: Bounds {
            value: 2.5,
            slope: 4.0,
            gradient: 4.5,
            value_of_16_bits: 0.5,
        },
    }),
    ..DEFAULTS
};

/// sqrt(8 / π)
const ROOT: Wide = Wide {
    high: 1.5957691216057308,
    low: -9.96930880911092e-17,
};

const CUBIC: Wide = Wide {
    high: 0.044715,
    low: 2.1960211427085595e-18,
};

fn argument(x: Wide) -> Wide {
    ROOT * x * (Wide::from(1.0) + CUBIC * x * x)
}

/// Of which x is multiplied by.
fn gate(x: Wide) -> Wide {
    let exp = if x.high.abs() > 100.0 {
        Wide::from(0.0)
    } else {
        (-argument(x.abs())).exp()
    };
    (if x.is_positive() { Wide::from(1.0) } else { exp }) / (Wide::from(1.0) + exp)
}
