use rectify::LeakyRelu;

use super::{Bounds, Format, Function, Monotony, NOTHING, Parameters, Real, Wide, finite, is_above, one};

pub const FUNCTION: Function = Function {
    name: "leaky_relu",
    new: |[negative_slope, _]| LeakyRelu::new(negative_slope).into(),
    names: &[
        ("leaky_relu", one(0.01)),
        ("LeakyReLU", one(0.01)),
        ("LeakyRelu", one(0.01)),
    ],
    onnx: Some("LeakyRelu"),
    parameters: &[
        one(0.01),
        one(-0.0),
        one(1.0),
        one(-0.3),
        one(1e-40),
        one(1e-60),
        one(1e300),
        one(-1e300),
    ],
    typical: one(-0.3),
    valid: |[negative_slope, _]| one(finite(negative_slope)),
    refused: &[
        (one(f64::NAN), "LeakyRelu: `negative_slope` is NaN or infinite"),
        (one(f64::INFINITY), "LeakyRelu: `negative_slope` is NaN or infinite"),
    ],
    kinks: |_| vec![0.0],
    real: Some(Real {
        value: |parameters, x| slope(parameters, x) * x,
        slope,
        roots: &[],
        monotony: Monotony::RISES,
        cancelling: NOTHING,
        by_default: [[1.5, 0.5]; 2],
        bounds: Bounds {
            value: 1.5,
            slope: 0.5,
            gradient: 1.5,
            value_of_16_bits: 0.51,
        },
    }),
    forward: Some(|format, parameters, x| if x == 0 { 0 } else { backward(format, parameters, x, x) }),
    backward: Some(backward),
    live: Some(|format, _, x| is_above(format, x, 0.0)),
    takes_output: |[negative_slope, _]| negative_slope > 0.0,
};

fn slope([negative_slope, _]: Parameters, x: Wide) -> Wide {
    Wide::from(if x.is_positive() { 1.0 } else { negative_slope })
}

fn backward(format: Format, [negative_slope, _]: Parameters, x: u64, g: u64) -> u64 {
    let [_, greatest] = format.normal_range();
    let slope = format.in_compute_format(negative_slope.clamp(-greatest, greatest));
    match format.value(g) {
        _ if is_above(format, x, 0.0) => g,
        _ if slope == 0.0 => 0,
        None => format.quiet(g),
        Some(g) => format.nearest(format.in_compute_format(g * slope)),
    }
}
