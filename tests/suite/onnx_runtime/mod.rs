//! Where the values of ONNX Runtime 1.32.0's CPU kernels differ (`table.txt`, by `table.py`).

use crate::common::format::power_of_2;
use crate::differences::{Cell, Difference, Gives, Library, check};

pub const ONNX_RUNTIME: Library = Library {
    name: "ONNX Runtime",
    table: include_str!("table.txt"),
    differences: DIFFERENCES,
};

const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "f(-0.0) is -0.0.",
        functions: &["relu", "clipped_relu"],
        formats: &["f32", "f64", "f16"],
        applies: |cell| cell.x_value() == Some(0.0),
        gives: Gives::Bits(|cell| cell.x),
    },
    Difference {
        name: "a bound of -0.0 keeps its sign.",
        functions: &["clipped_relu", "hardtanh"],
        formats: &["f32", "f64", "f16"],
        applies: Cell::is_beyond_negative_zero,
        gives: Gives::Bits(Cell::negative_zero),
    },
    Difference {
        name: "f(NaN) is +0.0.",
        functions: &["thresholded_relu"],
        formats: &["f32", "f16"],
        applies: Cell::x_is_nan,
        gives: Gives::Bits(|_| 0),
    },
    Difference {
        name: "`alpha` is not rounded to the format.",
        functions: &["thresholded_relu"],
        formats: &["f16"],
        applies: |cell| !cell.x_is_nan(),
        gives: Gives::Bits(|cell| {
            if cell.x_value() > Some(cell.parameters[0]) {
                cell.x
            } else {
                0
            }
        }),
    },
    Difference {
        name: "zeros are returned as they are, whatever the slope.",
        functions: &["leaky_relu", "prelu"],
        formats: &["f32", "f16"],
        applies: |cell| cell.x_value() == Some(0.0),
        gives: Gives::Bits(|cell| cell.x),
    },
    Difference {
        name: "products with a slope of 0 are computed: -0.0 instead of +0.0, or NaN.",
        functions: &["leaky_relu", "prelu"],
        formats: &["f32", "f16"],
        applies: |cell| cell.slope() == Some(0.0) && cell.x_value().is_some_and(|x| x < 0.0),
        gives: Gives::Bits(Cell::times_slope),
    },
    Difference {
        name: "f(x) is -0.0 at finite x <= -3, and NaN at -inf.",
        functions: &["hard_swish"],
        formats: &["f32", "f16"],
        applies: |cell| cell.x_value().is_some_and(|x| x <= -3.0),
        gives: Gives::Bits(|cell| cell.product(cell.x_value(), Some(0.0))),
    },
    Difference {
        name: "f(x) is alpha * x + beta, rounded in that order, which cancels next to the root.",
        functions: &["hard_sigmoid"],
        formats: &["f32"],
        applies: |cell| !cell.x_is_nan(),
        gives: Gives::Bits(|cell| cell.rounded(line(cell, &cell.parameters))),
    },
    Difference {
        name: "f(x) is x * (1/6 * x + 1/2), rounded from the inside out, which cancels next to -3.",
        functions: &["hard_swish"],
        formats: &["f32"],
        applies: |cell| cell.x_value().is_some_and(|x| x > -3.0),
        gives: Gives::Bits(|cell| cell.product(cell.x_value(), line(cell, &[1.0 / 6.0, 0.5]))),
    },
    Difference {
        name: "f(-inf) is NaN.",
        functions: &["mish"],
        formats: &["f32", "f16"],
        applies: |cell| cell.x_value() == Some(f64::NEG_INFINITY),
        gives: Gives::Bits(Cell::nan),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 2.5 ulp.",
        functions: &["mish"],
        formats: &["f32"],
        applies: |cell| cell.x_value() > Some(-87.0),
        gives: Gives::Within(2.5),
    },
    Difference {
        name: "f(x) is off by up to 2300 ulp where e^x is subnormal.",
        functions: &["mish"],
        formats: &["f32"],
        applies: |cell| cell.x_value().is_some_and(|x| x <= -87.0 && x.is_finite()),
        gives: Gives::Within(2300.0),
    },
    Difference {
        name: "f(x) is NaN at infinities.",
        functions: &["softsign"],
        formats: &["f32", "f16"],
        applies: |cell| cell.x_value().is_some_and(f64::is_infinite),
        gives: Gives::Bits(Cell::nan),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 1.5 ulp.",
        functions: &["softsign"],
        formats: &["f32"],
        applies: |cell| !cell.x_value().is_some_and(f64::is_infinite),
        gives: Gives::Within(1.5),
    },
    Difference {
        name: "f(NaN) is +0.0.",
        functions: &["hardshrink", "softshrink"],
        formats: &["f32", "f64", "f16"],
        applies: Cell::x_is_nan,
        gives: Gives::Bits(|_| 0),
    },
    Difference {
        name: "`lambda` is rounded to `f32`.",
        functions: &["hardshrink", "softshrink"],
        formats: &["f32"],
        applies: |cell| !cell.x_is_nan(),
        gives: Gives::Bits(|cell| shrunk(cell, cell.x_value().unwrap())),
    },
    Difference {
        name: "it is computed in `f32`.",
        functions: &["hardshrink", "softshrink"],
        formats: &["f64"],
        applies: |cell| !cell.x_is_nan(),
        gives: Gives::Bits(|cell| shrunk(cell, f64::from(cell.x_value().unwrap() as f32))),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 1.5 ulp.",
        functions: &["softplus"],
        formats: &["f32"],
        applies: |_| true,
        gives: Gives::Within(1.5),
    },
    Difference {
        name: "f(x) is rounded to `f32` first: within 0.51 ulp.",
        functions: &["softplus"],
        formats: &["f16"],
        applies: |_| true,
        gives: Gives::Within(0.51),
    },
    Difference {
        name: "f(x) is NaN at -inf.",
        functions: &["gelu"],
        formats: &["f32", "f16"],
        applies: |cell| cell.x_value() == Some(f64::NEG_INFINITY),
        gives: Gives::NotANumber,
    },
    Difference {
        name: "f(x) is off by up to 2^-23.",
        functions: &["gelu"],
        formats: &["f32"],
        applies: |cell| cell.x_value() != Some(f64::NEG_INFINITY),
        gives: Gives::WithinOfOne(1.0),
    },
    Difference {
        name: "f(x) is off by up to 2^-24.",
        functions: &["gelu"],
        formats: &["f16"],
        applies: |cell| cell.x_value() != Some(f64::NEG_INFINITY),
        gives: Gives::WithinOfOne(0.5),
    },
    Difference {
        name: "f(x) is NaN at -inf.",
        functions: &["gelu_tanh"],
        formats: &["f32", "f16"],
        applies: |cell| cell.x_value() == Some(f64::NEG_INFINITY),
        gives: Gives::NotANumber,
    },
    Difference {
        name: "f(x) is off by up to 4 * 2^-23.",
        functions: &["gelu_tanh"],
        formats: &["f32", "f16"],
        applies: |cell| cell.x_value() != Some(f64::NEG_INFINITY),
        gives: Gives::WithinOfOne(4.0),
    },
    Difference {
        name: "f(x) is NaN at -inf.",
        functions: &["gelu_tanh"],
        formats: &["f64"],
        applies: |cell| cell.x_value() == Some(f64::NEG_INFINITY),
        gives: Gives::NotANumber,
    },
    Difference {
        name: "f(x) is computed with sqrt(2 / π) and 0.044715 rounded to `f32`: off by up to 2^-27.",
        functions: &["gelu_tanh"],
        formats: &["f64"],
        applies: |cell| cell.x_value() != Some(f64::NEG_INFINITY),
        gives: Gives::WithinOfOne((1_u64 << 25) as f64),
    },
    Difference {
        name: "f(x) is off by up to 1.5 * 2^-23, whatever its size: +0.0 from x = -18 on.",
        functions: &["sigmoid"],
        formats: &["f32"],
        applies: |cell| !is_above_1(cell),
        gives: Gives::WithinOfOne(1.5),
    },
    Difference {
        name: "f(x) is 1 + 2^-23 at some x next to 18, such as 17.844.",
        functions: &["sigmoid"],
        formats: &["f32"],
        applies: is_above_1,
        gives: Gives::Bits(|cell| cell.format.nearest(1.0) + 1),
    },
    Difference {
        name: "f(x) is off by up to 2^-23 in `f32`, whatever its size, and rounded once more: +0.0 from x = -18 on.",
        functions: &["sigmoid"],
        formats: &["f16"],
        applies: |_| true,
        gives: Gives::WithinOfOne(1.0),
    },
    Difference {
        name: "f(x) is off by up to 2^-52, whatever its size: +0.0 from x = -37 on.",
        functions: &["sigmoid"],
        formats: &["f64"],
        applies: |_| true,
        gives: Gives::WithinOfOne(1.0),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 5.5 ulp: 1 + 2^-22 at some x, such as 8.60875.",
        functions: &["tanh"],
        formats: &["f32"],
        applies: |cell| !is_next_to_zero(cell),
        gives: Gives::Within(5.5),
    },
    Difference {
        name: "f(x) is off by up to 104 ulp where |x| is below 2^-120.",
        functions: &["tanh"],
        formats: &["f32"],
        applies: is_next_to_zero,
        gives: Gives::Within(105.0),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 8.5 ulp.",
        functions: &["tanh"],
        formats: &["f64"],
        applies: |_| true,
        gives: Gives::Within(8.5),
    },
    Difference {
        name: "f(x) is alpha * (e^x - 1), off by up to 2^-25 and rounded: 0 for small x.",
        functions: &["elu"],
        formats: &["f32"],
        applies: |_| true,
        gives: Gives::WithinOfOne(0.25),
    },
    Difference {
        name: "f(x) is off by up to 0.4 * 2^-23 and rounded.",
        functions: &["elu"],
        formats: &["f16"],
        applies: |_| true,
        gives: Gives::WithinOfOne(0.4),
    },
    Difference {
        name: "f(x) is scale * alpha * (e^x - 1), off by up to 2^-24 and rounded: 0 for small x.",
        functions: &["selu"],
        formats: &["f32"],
        applies: |_| true,
        gives: Gives::WithinOfOne(0.5),
    },
    Difference {
        name: "f(x) is off by up to 2^-24 and rounded.",
        functions: &["selu"],
        formats: &["f16"],
        applies: |_| true,
        gives: Gives::WithinOfOne(0.5),
    },
    Difference {
        name: "f(x) is alpha * (e^(x / alpha) - 1), off by up to 2^-25 and rounded: 0 for small x.",
        functions: &["celu"],
        formats: &["f32"],
        applies: |_| true,
        gives: Gives::WithinOfOne(0.25),
    },
    Difference {
        name: "f(-inf) is NaN.",
        functions: &["swish"],
        formats: &["f32", "f64", "f16"],
        applies: |cell| cell.x_value() == Some(f64::NEG_INFINITY),
        gives: Gives::Bits(Cell::nan),
    },
    Difference {
        name: "f(x) is off by up to 20 * 2^-23 and rounded: -0.0 where beta * x is below -18.",
        functions: &["swish"],
        formats: &["f32"],
        applies: |cell| cell.x_value() != Some(f64::NEG_INFINITY),
        gives: Gives::WithinOfOne(20.0),
    },
    Difference {
        name: "beta is rounded to `f32`, and f(x) off by up to 2e7 * 2^-52, whatever its size.",
        functions: &["swish"],
        formats: &["f64"],
        applies: |cell| cell.x_value() != Some(f64::NEG_INFINITY),
        gives: Gives::WithinOfOne(2e7),
    },
    Difference {
        name: "f(x) is off by up to 10 * 2^-23 in `f32`, whatever its size, and rounded once more.",
        functions: &["swish"],
        formats: &["f16"],
        applies: |cell| cell.x_value() != Some(f64::NEG_INFINITY),
        gives: Gives::WithinOfOne(10.0),
    },
    Difference {
        name: "a signalling NaN comes out quiet.",
        functions: &[
            "leaky_relu",
            "hard_sigmoid",
            "hard_swish",
            "prelu",
            "softsign",
            "elu",
            "selu",
        ],
        formats: &["f32", "f16"],
        applies: |_| true,
        gives: Gives::Quiet,
    },
    Difference {
        name: "a signalling NaN comes out quiet.",
        functions: &["gelu_tanh", "sigmoid", "tanh", "swish"],
        formats: &["f32", "f64", "f16"],
        applies: |_| true,
        gives: Gives::Quiet,
    },
    Difference {
        name: "a signalling NaN comes out quiet.",
        functions: &["softplus", "mish", "celu"],
        formats: &["f32"],
        applies: |_| true,
        gives: Gives::Quiet,
    },
    Difference {
        name: "a signalling NaN comes out quiet.",
        functions: &["relu", "gelu"],
        formats: &["f16"],
        applies: |_| true,
        gives: Gives::Quiet,
    },
    Difference {
        name: "a NaN comes out with other bits.",
        functions: &[
            "relu",
            "leaky_relu",
            "hard_sigmoid",
            "hard_swish",
            "gelu",
            "tanh",
            "elu",
            "selu",
        ],
        formats: &["f16"],
        applies: |_| true,
        gives: Gives::AnotherNan,
    },
    Difference {
        name: "a NaN comes out with other bits.",
        functions: &["gelu_tanh", "sigmoid", "swish"],
        formats: &["f64", "f16"],
        applies: |_| true,
        gives: Gives::AnotherNan,
    },
    Difference {
        name: "a NaN comes out with other bits.",
        functions: &["prelu", "mish", "softplus", "softsign"],
        formats: &["f32", "f16"],
        applies: |_| true,
        gives: Gives::AnotherNan,
    },
];

/// x as hardshrink or softshrink, by a lambda in `f32`.
fn shrunk(cell: &Cell, x: f64) -> u64 {
    let lambda = f64::from(cell.parameters[0] as f32);
    if x.abs() <= lambda {
        0
    } else if cell.function == "hardshrink" {
        cell.format.nearest(x)
    } else {
        cell.format.nearest(f64::from((x - lambda.copysign(x)) as f32))
    }
}

/// Where sigmoid is.
fn is_above_1(cell: &Cell) -> bool {
    cell.x == cell.format.nearest(17.844)
}

/// Where tanh is x, but for ONNX Runtime.
fn is_next_to_zero(cell: &Cell) -> bool {
    cell.x_value().is_some_and(|x| x.abs() < power_of_2(-120))
}

/// Between 0 and 1.
fn line(cell: &Cell, parameters: &[f64]) -> Option<f64> {
    let [alpha, beta] = [parameters[0], parameters[1]].map(|parameter| cell.step(parameter));
    Some(cell.step(cell.step(alpha * cell.x_value()?) + beta).clamp(0.0, 1.0))
}

#[test]
fn it_differs_as_it_is_said() {
    check(&ONNX_RUNTIME, |function| function.onnx.is_some());
}
