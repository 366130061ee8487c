use rectify::Tanhshrink;

use super::{Bounds, DEFAULTS, Function, Monotony, NO_PARAMETERS, NOTHING, Real, Wide};

pub const FUNCTION: Function = Function {
    name: "tanhshrink",
    new: |_| Tanhshrink.into(),
    names: &[("tanhshrink", NO_PARAMETERS), ("Tanhshrink", NO_PARAMETERS)],
    onnx: None,
    real: Some(Real {
        value: |_, x| {
            let value = value_of_magnitude(x.abs());
            if x.is_positive() { value } else { -value }
        },
        slope: |_, x| {
            let tanh = tanh_of_magnitude(x.abs());
            tanh * tanh
        },
        roots: &[0.0],
        monotony: Monotony::RISES,
        cancelling: NOTHING,
        by_default: [[2.5, 3.0], [2.0, 3.0]],
        bounds: Bounds {
            value: 2.5,
            slope: 3.0,
            gradient: 4.5,
            value_of_16_bits: 0.5,
        },
    }),
    ..DEFAULTS
};

/// Up to 1/2 by the series of x - tanh(x) = (x cosh(x) - sinh(x)) / cosh(x), where all terms of the numerator are positive.
fn value_of_magnitude(x: Wide) -> Wide {
    if x.high > 0.5 {
        return x - tanh_of_magnitude(x);
    }
    let square = x * x;
    let [mut numerator, mut cosh] = [Wide::from(0.0); 2];
    // x^2n / (2n)! and 2n / (2n + 1)!
    let mut power = Wide::from(1.0);
    for n in 0..15 {
        let n = f64::from(2 * n);
        cosh = cosh + power;
        numerator = numerator + power * Wide::from(n) / Wide::from(n + 1.0);
        power = power * square / Wide::from((n + 1.0) * (n + 2.0));
    }
    x * numerator / cosh
}

fn tanh_of_magnitude(x: Wide) -> Wide {
    let minus_growth = -(Wide::from(-2.0) * x).exp_m1();
    minus_growth / (Wide::from(2.0) - minus_growth)
}
