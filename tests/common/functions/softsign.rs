use rectify::Softsign;

use super::{Bounds, Function, Method, NO_PARAMETERS, NOTHING, Real, Wide, scalar};

pub const FUNCTION: Function = Function {
    name: "softsign",
    new: |_| Softsign.into(),
    names: &[("softsign", NO_PARAMETERS), ("Softsign", NO_PARAMETERS)],
    onnx: Some("Softsign"),
    parameters: &[NO_PARAMETERS],
    typical: NO_PARAMETERS,
    valid: |_| NO_PARAMETERS,
    refused: &[],
    kinks: |_| vec![],
    real: Some(Real {
        value: |_, x| x / (Wide::from(1.0) + x.abs()),
        slope: |_, x| {
            let inverse = Wide::from(1.0) / (Wide::from(1.0) + x.abs());
            inverse * inverse
        },
        roots: &[0.0],
        cancelling: NOTHING,
        bounds: Bounds {
            value: 1.5,
            slope: 3.75,
            gradient: 4.25,
            value_of_16_bits: 0.5,
        },
    }),
    forward: |format, _, x| scalar(format, Softsign.into(), Method::Forward, [x, 0]),
    backward: |format, _, x, g| scalar(format, Softsign.into(), Method::Backward, [x, g]),
    live: None,
    takes_output: |_| false,
};
