use rectify::Selu;

use super::elu::{BOUNDS, slope, value};
use super::{DEFAULTS, Function, Monotony, NO_PARAMETERS, NOTHING, Real, Wide};

pub const FUNCTION: Function = Function {
    name: "selu",
    new: |_| Selu.into(),
    names: &[
        ("selu", NO_PARAMETERS),
        ("SELU", NO_PARAMETERS),
        ("Selu", NO_PARAMETERS),
    ],
    onnx: Some("Selu"),
    kinks: |_| vec![0.0],
    real: Some(Real {
        value: |_, x| value(x, SCALE, SCALE * ALPHA, x),
        slope: |_, x| slope(x, SCALE, SCALE * ALPHA, x),
        roots: &[],
        monotony: Monotony {
            steps: &[1],
            range: [-11.44, -11.43],
            ..Monotony::RISES
        },
        cancelling: NOTHING,
        by_default: [[1.5, 1.5], [2.0, 1.5]],
        bounds: BOUNDS,
    }),
    ..DEFAULTS
};

/// The `f64` next to PyTorch's 1.6732632423543772848170429916717 and what that has more.
const ALPHA: Wide = Wide {
    high: 1.673_263_242_354_377_2,
    low: 1.0657222547717531e-16,
};

/// Likewise of 1.0507009873554804934193349852946.
const SCALE: Wide = Wide {
    high: 1.050_700_987_355_480_5,
    low: 3.9874847667154144e-17,
};
