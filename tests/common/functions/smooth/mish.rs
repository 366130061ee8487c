use rectify::Mish;

use super::{Bounds, DEFAULTS, Function, Monotony, NO_PARAMETERS, Real, Wide};

pub const FUNCTION: Function = Function {
    name: "mish",
    new: |_| Mish.into(),
    names: &[("mish", NO_PARAMETERS), ("Mish", NO_PARAMETERS)],
    onnx: Some("Mish"),
    real: Some(Real {
        value: |_, x| {
            if x.is_positive() {
                return x * tanh_of_softplus(x);
            }
            // e^x in two parts, so that f64 has all bits of it.
            let half_exp = (Wide::from(0.5) * x).exp();
            let t = half_exp * half_exp;
            x * half_exp * (half_exp * (t + Wide::from(2.0)) / denominator(x, t))
        },
        slope: |_, x| {
            let (one, four, t) = (Wide::from(1.0), Wide::from(4.0), (-x.abs()).exp());
            let denominator = denominator(x, t);
            // 4 e^x (e^x + 1) / (e^2x + 2 e^x + 2)²
            let growth = four * t * (one + t) * if x.is_positive() { t } else { one };
            tanh_of_softplus(x) + x * growth / (denominator * denominator)
        },
        roots: &[0.0, -1.192431],
        monotony: Monotony {
            minimum: Some(-1.192431),
            steps: &[1_545_450, 56_546],
            range: [-2.01, 0.5],
        },
        cancelling: |_, x| if x < 0.0 { -x * x.exp() } else { 0.0 },
        by_default: [[2.5, 2.5], [2.0, 5.0]],
        bounds: Bounds {
            value: 2.5,
            slope: 2.5,
            gradient: 6.0,
            value_of_16_bits: 0.5,
        },
    }),
    ..DEFAULTS
};

/// e^2x + 2 e^x + 2, by e^2x for a positive x, where t is e^-|x|.
fn denominator(x: Wide, t: Wide) -> Wide {
    let (one, two) = (Wide::from(1.0), Wide::from(2.0));
    if x.is_positive() {
        one + two * t * (one + t)
    } else {
        t * (t + two) + two
    }
}

fn tanh_of_softplus(x: Wide) -> Wide {
    let (one, two, t) = (Wide::from(1.0), Wide::from(2.0), (-x.abs()).exp());
    let numerator = if x.is_positive() { one + two * t } else { t * (t + two) };
    numerator / denominator(x, t)
}
