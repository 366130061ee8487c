use rectify::Gelu;

use super::{Bounds, DEFAULTS, Function, Monotony, NO_PARAMETERS, Real, Wide};

pub const FUNCTION: Function = Function {
    name: "gelu",
    new: |_| Gelu.into(),
    names: &[("gelu", NO_PARAMETERS), ("Gelu", NO_PARAMETERS)],
    onnx: Some("Gelu"),
    real: Some(Real {
        value: |_, x| x * distribution(x),
        slope: |_, x| {
            // The product is far below the numbers of every format where its square isn't one.
            let product = if x.high.abs() > 100.0 {
                Wide::from(0.0)
            } else {
                x * x.normal_density()
            };
            distribution(x) + product
        },
        roots: &[0.0, -0.4, 0.4, -0.6, 0.6, -0.7517915],
        monotony: Monotony {
            minimum: Some(-0.7517915),
            steps: &[1_405_132, 175_621],
            range: [-1.1, -0.0039],
        },
        // The distribution or the density.
        cancelling: |_, x| {
            if x < 0.0 {
                (-0.5 * x * x).exp() * (-0.399 * x).max(0.5)
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

fn distribution(x: Wide) -> Wide {
    let tail = if x.high.abs() > 100.0 {
        Wide::from(0.0)
    } else {
        x.abs().normal_tail()
    };
    if x.is_positive() { Wide::from(1.0) - tail } else { tail }
}
