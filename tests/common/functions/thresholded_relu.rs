use rectify::ThresholdedRelu;

use super::{Format, Function, Parameters, is_above, one, select};

pub const FUNCTION: Function = Function {
    name: "thresholded_relu",
    new: |[alpha, _]| ThresholdedRelu::new(alpha).into(),
    names: &[("ThresholdedRelu", one(1.0))],
    onnx: Some("ThresholdedRelu"),
    parameters: &[
        one(1.0),
        one(0.1),
        one(-0.0),
        one(-0.3),
        one(-1e-60),
        one(f64::INFINITY),
        one(f64::NEG_INFINITY),
    ],
    typical: one(-0.5),
    valid: |[alpha, _]| one(alpha),
    refused: &[(one(f64::NAN), "ThresholdedRelu: `alpha` is NaN")],
    kinks: |[alpha, _]| vec![alpha],
    real: None,
    forward: Some(|format, parameters, x| select(live(format, parameters, x), x)),
    backward: Some(|format, parameters, x, g| select(live(format, parameters, x), g)),
    live: Some(live),
    // Else what is not above a negative alpha comes out as 0, which is.
    takes_output: |[alpha, _]| alpha >= 0.0,
};

fn live(format: Format, [alpha, _]: Parameters, x: u64) -> bool {
    is_above(format, x, format.rounded(alpha))
}
