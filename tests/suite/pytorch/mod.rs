//! Where PyTorch 2.15.0 gives another result (`table.txt`, by `table.py`).

use crate::common::format::Format;
use crate::differences::{ALL, Cell, Difference, Gives, Library, SLOPE, check, check_pages};
use crate::onnx_runtime::ONNX_RUNTIME;

pub const PYTORCH: Library = Library {
    name: "PyTorch",
    table: include_str!("table.txt"),
    differences: DIFFERENCES,
};

const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "f(-0.0) is -0.0.",
        functions: &["relu", "clipped_relu"],
        formats: ALL,
        applies: |cell| cell.is_value() && cell.x_value() == Some(0.0),
        gives: Gives::Bits(|cell| cell.x),
    },
    Difference {
        name: "relu(-0.0) is -0.0.",
        functions: &["crelu"],
        formats: ALL,
        applies: |cell| cell.is_value() && cell.x_value() == Some(0.0),
        gives: Gives::Bits(|cell| {
            if cell.output == "negative" {
                cell.x ^ cell.negative_zero()
            } else {
                cell.x
            }
        }),
    },
    Difference {
        name: "a bound of -0.0 keeps its sign.",
        functions: &["clipped_relu", "hardtanh"],
        formats: ALL,
        applies: |cell| cell.is_value() && cell.is_beyond_negative_zero(),
        gives: Gives::Bits(Cell::negative_zero),
    },
    Difference {
        name: "the gradient at NaN is +0.0 in whole vectors, and g in the tail.",
        functions: &["clipped_relu", "hardtanh", "hardshrink"],
        formats: ALL,
        applies: |cell| !cell.is_value() && cell.x_is_nan(),
        gives: Gives::Bits(|_| 0),
    },
    Difference {
        name: "the gradient's bounds are not rounded to the format.",
        functions: &["clipped_relu", "hardtanh"],
        formats: &["f16", "bf16"],
        applies: |cell| !cell.is_value() && is_between_bounds(cell),
        gives: Gives::Bits(|cell| cell.g),
    },
    Difference {
        name: "a bound that rounds to infinity is an error.",
        functions: &["clipped_relu", "hardtanh"],
        formats: &["f32", "f16", "bf16"],
        applies: |cell| cell.parameters.contains(&1e300),
        gives: Gives::Error,
    },
    Difference {
        name: "`alpha` is not rounded to the format.",
        functions: &["thresholded_relu"],
        formats: &["f16", "bf16"],
        applies: |cell| !cell.x_is_nan(),
        gives: Gives::Bits(|cell| {
            if cell.x_value() > Some(cell.parameters[0]) {
                cell.argument()
            } else {
                0
            }
        }),
    },
    Difference {
        name: "an `alpha` that rounds to infinity is an error.",
        functions: &["thresholded_relu"],
        formats: &["f32", "f16", "bf16"],
        applies: |cell| cell.parameters == [1e300],
        gives: Gives::Error,
    },
    Difference {
        name: "the gradient at NaN is g * slope.",
        functions: &["leaky_relu", "prelu"],
        formats: ALL,
        applies: |cell| cell.output == "gradient" && cell.x_is_nan(),
        gives: Gives::Bits(Cell::times_slope),
    },
    Difference {
        name: "products with a slope of 0 are computed: -0.0 instead of +0.0, or NaN.",
        functions: &["leaky_relu", "prelu"],
        formats: ALL,
        applies: |cell| cell.output != SLOPE && cell.slope() == Some(0.0) && cell.x_value().is_some_and(|x| x <= 0.0),
        gives: Gives::Bits(Cell::times_slope),
    },
    Difference {
        name: "f(+0.0) is -0.0 with a negative slope.",
        functions: &["leaky_relu"],
        formats: ALL,
        applies: |cell| cell.is_value() && cell.x == 0 && cell.parameters[0] < 0.0,
        gives: Gives::Bits(Cell::negative_zero),
    },
    Difference {
        name: "a slope out of the range of `f32` is an error.",
        functions: &["leaky_relu"],
        formats: &["f32", "f16", "bf16"],
        applies: |cell| cell.parameters == [1e300],
        gives: Gives::Error,
    },
    Difference {
        name: "the gradient of a slope is NaN where an x is.",
        functions: &["prelu"],
        formats: ALL,
        applies: |cell| cell.output == SLOPE && cell.x_is_nan(),
        gives: Gives::Bits(Cell::nan),
    },
    Difference {
        name: "the gradient of a slope is a sum of rounded products, and rounded to the format.",
        functions: &["prelu"],
        formats: &["f16", "bf16"],
        applies: |cell| cell.output == SLOPE && !cell.x_is_nan(),
        gives: Gives::Bits(|cell| {
            let product = cell.result_format().value(cell.ours);
            let rounded = product.and_then(|product| cell.format.value(cell.format.nearest(product)));
            // The other summand is +0.0.
            rounded.map_or(cell.ours, |rounded| cell.result_format().nearest(rounded + 0.0))
        }),
    },
    Difference {
        name: "where a <= 0, the products with relu(a) are computed: -0.0 instead of +0.0, or NaN.",
        functions: &["reglu"],
        formats: ALL,
        applies: |cell| cell.output != "gradient" && cell.x_value().is_some_and(|x| x <= 0.0),
        gives: Gives::Bits(|cell| {
            let relu = cell.x_value().map(|x| if x == 0.0 { x } else { 0.0 });
            let factor = if cell.is_value() {
                cell.element()
            } else {
                cell.format.value(cell.g)
            };
            cell.product(relu, factor)
        }),
    },
    Difference {
        name: "the gradient at NaN is `grad_positive - grad_negative`.",
        functions: &["crelu"],
        formats: ALL,
        applies: |cell| !cell.is_value() && cell.x_is_nan(),
        gives: Gives::Bits(|cell| {
            let difference = cell.format.value(cell.g).map(|g| g - 2.0);
            cell.rounded(difference.map(|difference| {
                if cell.output == "gradient" {
                    difference
                } else {
                    -difference
                }
            }))
        }),
    },
    Difference {
        name: "the gradient at x < 0 is +0.0, not -0.0, where `grad_negative` is +0.0.",
        functions: &["crelu"],
        formats: ALL,
        applies: |cell| {
            cell.output == "gradient from negative" && cell.g == 0 && cell.x_value().is_some_and(|x| x < 0.0)
        },
        gives: Gives::Bits(|_| 0),
    },
    Difference {
        name: "the gradient is g * inf where 2 * x overflows.",
        functions: &["squared_relu"],
        formats: ALL,
        applies: |cell| !cell.is_value() && cell.x_value().is_some_and(|x| 2.0 * x > greatest(cell)),
        gives: Gives::Bits(|cell| cell.product(cell.format.value(cell.g), Some(f64::INFINITY))),
    },
    Difference {
        name: "the gradient at NaN is +0.0.",
        functions: &["hard_sigmoid"],
        formats: ALL,
        applies: |cell| !cell.is_value() && cell.x_is_nan(),
        gives: Gives::Bits(|_| 0),
    },
    Difference {
        name: "f(x) is (x + 3) / 6, rounded in that order.",
        functions: &["hard_sigmoid"],
        formats: &["f32", "f64"],
        applies: |cell| cell.is_value() && cell.x_value().is_some_and(|x| x.abs() < 3.0),
        gives: Gives::Bits(|cell| cell.rounded(cell.x_value().map(|x| cell.step(x + 3.0) / 6.0))),
    },
    Difference {
        name: "the gradient is g times the `f32` nearest to 1/6.",
        functions: &["hard_sigmoid"],
        formats: &["f64"],
        applies: |cell| !cell.is_value() && cell.x_value().is_some_and(|x| x.abs() < 3.0),
        gives: Gives::Bits(|cell| cell.product(cell.format.value(cell.g), Some((1.0_f32 / 6.0).into()))),
    },
    Difference {
        name: "f(x) is -0.0 at finite x <= -3, and NaN at -inf.",
        functions: &["hard_swish"],
        formats: ALL,
        applies: |cell| cell.is_value() && cell.x_value().is_some_and(|x| x <= -3.0),
        gives: Gives::Bits(|cell| cell.product(cell.x_value(), Some(0.0))),
    },
    Difference {
        name: "f(x) is x * min(x + 3, 6) / 6, rounded in that order: inf where the product overflows, and not always x above 3.",
        functions: &["hard_swish"],
        formats: &["f32", "f64", "bf16"],
        applies: |cell| cell.is_value() && cell.x_value().is_some_and(|x| x > -3.0),
        gives: Gives::Bits(|cell| {
            let quotient = |x: f64| cell.step(x * cell.step(x + 3.0).min(6.0)) / 6.0;
            cell.rounded(cell.x_value().map(quotient))
        }),
    },
    Difference {
        name: "the gradient is g * (x / 3 + 1/2), which cancels next to -1.5. At -1.5 it is -0.0 for a negative g, and NaN for an \
               infinity or NaN.",
        functions: &["hard_swish"],
        formats: ALL,
        applies: |cell| !cell.is_value() && cell.x_value().is_some_and(|x| x.abs() < 3.0),
        gives: Gives::Bits(|cell| {
            let slope = cell.x_value().map(|x| cell.step(cell.step(x / 3.0) + 0.5));
            cell.product(cell.format.value(cell.g), slope)
        }),
    },
    Difference {
        name: "the gradient at NaN is NaN in whole vectors, and g in the tail.",
        functions: &["hard_swish", "elu", "celu"],
        formats: ALL,
        applies: |cell| !cell.is_value() && cell.x_is_nan(),
        gives: Gives::Bits(|cell| cell.g),
    },
    Difference {
        name: "f(-inf) is NaN, and so is the gradient at infinities.",
        functions: &["mish"],
        formats: ALL,
        applies: |cell| is_at_infinity(cell) && (!cell.is_value() || cell.x_value() < Some(0.0)),
        gives: Gives::Bits(Cell::nan),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 2.5 ulp.",
        functions: &["mish"],
        formats: &["f32", "f64"],
        applies: |cell| cell.is_value() && !is_at_infinity(cell) && !has_subnormal_exp(cell),
        gives: Gives::Within(2.5),
    },
    Difference {
        name: "f(x) is off by up to 160 ulp where e^x is subnormal or 0.",
        functions: &["mish"],
        formats: &["f64"],
        applies: |cell| cell.is_value() && !is_at_infinity(cell) && has_subnormal_exp(cell),
        gives: Gives::Within(160.0),
    },
    Difference {
        name: "f(x) is rounded otherwise where e^x is subnormal: within 20 ulp.",
        functions: &["mish"],
        formats: &["f32"],
        applies: |cell| cell.is_value() && !is_at_infinity(cell) && has_subnormal_exp(cell),
        gives: Gives::Within(20.0),
    },
    Difference {
        name: "the gradient is rounded otherwise, within 12 ulp where its terms don't cancel.",
        functions: &["mish"],
        formats: &["f32", "f64"],
        applies: |cell| is_mish_gradient(cell) && !is_next_to_root_of_mish(cell) && !has_infinite_exp(cell),
        gives: Gives::Within(12.0),
    },
    Difference {
        name: "the gradient is off by up to 2e8 ulp next to its root.",
        functions: &["mish"],
        formats: &["f32"],
        applies: |cell| is_mish_gradient(cell) && is_next_to_root_of_mish(cell),
        gives: Gives::Within(2e8),
    },
    Difference {
        name: "the gradient is off by up to 1e8 ulp next to its root.",
        functions: &["mish"],
        formats: &["f64"],
        applies: |cell| is_mish_gradient(cell) && is_next_to_root_of_mish(cell),
        gives: Gives::Within(1e8),
    },
    Difference {
        name: "the gradient is rounded to `f32` first: within 0.65 ulp.",
        functions: &["mish"],
        formats: &["f16"],
        applies: |cell| is_mish_gradient(cell),
        gives: Gives::Within(0.65),
    },
    Difference {
        name: "the gradient is g * e^x where e^-x overflows, of the wrong sign: below -88.72.",
        functions: &["mish"],
        formats: &["f32"],
        applies: |cell| is_mish_gradient(cell) && has_infinite_exp(cell),
        gives: Gives::Within(1.7e7),
    },
    Difference {
        name: "the gradient is g * e^x where e^-x overflows, of the wrong sign: below -709.78.",
        functions: &["mish"],
        formats: &["f64"],
        applies: |cell| is_mish_gradient(cell) && has_infinite_exp(cell),
        gives: Gives::Within(7e15),
    },
    Difference {
        name: "the gradient is g * e^x where e^-x overflows, of the wrong sign: below -88.5.",
        functions: &["mish"],
        formats: &["bf16"],
        applies: |cell| is_mish_gradient(cell) && has_infinite_exp(cell),
        gives: Gives::Within(260.0),
    },
    Difference {
        name: "for an infinite g that is infinite, of the wrong sign too.",
        functions: &["mish"],
        formats: ALL,
        applies: |cell| {
            let is_infinite = cell.format.value(cell.g).is_some_and(f64::is_infinite);
            !cell.is_value() && is_infinite && has_infinite_exp(cell) && !is_at_infinity(cell) && mish_exp(cell) != 0.0
        },
        gives: Gives::Bits(|cell| cell.g),
    },
    Difference {
        name: "for an infinite g the gradient has the wrong sign at some x next to its root.",
        functions: &["mish"],
        formats: &["f32"],
        applies: |cell| !cell.is_value() && cell.x == 0xbf98_a196 && cell.g == cell.format.infinity(),
        gives: Gives::Bits(|cell| cell.g),
    },
    Difference {
        name: "where e^x is rounded to 0, the gradient is 0 with the sign of g, or NaN.",
        functions: &["mish"],
        formats: ALL,
        applies: |cell| !cell.is_value() && mish_exp(cell) == 0.0 && !is_at_infinity(cell),
        gives: Gives::Bits(|cell| cell.product(cell.format.value(cell.g), Some(0.0))),
    },
    Difference {
        name: "f(x) and the gradient are NaN at infinities.",
        functions: &["softsign"],
        formats: ALL,
        applies: |cell| is_at_infinity(cell),
        gives: Gives::Bits(Cell::nan),
    },
    Difference {
        name: "f(x) is x / d for d = 1 + |x|, which is rounded to the format.",
        functions: &["softsign"],
        formats: &["f16", "bf16"],
        applies: |cell| cell.is_value() && !is_at_infinity(cell),
        gives: Gives::Bits(|cell| {
            let quotient = cell.x_value().map(|x| x / cell.in_format(1.0 + x.abs()));
            cell.rounded(quotient)
        }),
    },
    Difference {
        name: "the gradient is g / d - g * (x / d / d) * sign(x) for d = 1 + |x|, with each step rounded to the format: it cancels for large |x|.",
        functions: &["softsign"],
        formats: ALL,
        applies: |cell| !cell.is_value() && !cell.x_is_nan() && !is_at_infinity(cell),
        gives: Gives::Bits(|cell| {
            let r = |number| cell.in_format(number);
            let gradient = cell.x_value().zip(cell.format.value(cell.g)).map(|(x, g)| {
                let d = r(1.0 + x.abs());
                let sign = if x == 0.0 { 0.0 } else { x.signum() };
                let of_d = r(r(-g * r(r(x / d) / d)) * sign);
                r(g / d) + of_d
            });
            cell.rounded(gradient)
        }),
    },
    Difference {
        name: "`lambda` is rounded to the format.",
        functions: &["hardshrink", "softshrink"],
        formats: &["f32", "f16", "bf16"],
        applies: |cell| !cell.x_is_nan() && !cell.theirs.is_empty(),
        gives: Gives::Bits(|cell| {
            let (x, lambda) = (cell.x_value().unwrap(), cell.in_format(cell.parameters[0]));
            if x.abs() <= lambda {
                0
            } else if cell.function == "hardshrink" || !cell.is_value() {
                cell.argument()
            } else {
                cell.rounded(Some(x - lambda.copysign(x)))
            }
        }),
    },
    Difference {
        name: "a `lambda` that rounds to infinity is an error.",
        functions: &["hardshrink", "softshrink"],
        formats: &["f32", "f16", "bf16"],
        applies: |cell| cell.parameters == [1e300],
        gives: Gives::Error,
    },
    Difference {
        name: "where it is 0, f(x) has the sign of x in the tail.",
        functions: &["softshrink"],
        formats: ALL,
        applies: |cell| !cell.theirs.is_empty() && is_negative_zero_of_softshrink(cell),
        gives: Gives::Bits(Cell::negative_zero),
    },
    Difference {
        name: "the gradient at NaN is +0.0 in whole vectors.",
        functions: &["softshrink"],
        formats: ALL,
        applies: |cell| !cell.is_value() && cell.x_is_nan() && cell.g != 0,
        gives: Gives::Bits(|_| 0),
    },
    Difference {
        name: "the gradient at NaN is g in the tail.",
        functions: &["softshrink"],
        formats: ALL,
        applies: |cell| !cell.is_value() && cell.x_is_nan(),
        gives: Gives::Bits(|cell| cell.g),
    },
    Difference {
        name: "f(x) is x - y of the rounded y = tanh(x), which cancels next to 0.",
        functions: &["tanhshrink"],
        formats: &["f32", "f16", "bf16"],
        applies: |cell| cell.is_value() && !cell.x_is_nan() && !is_at_infinity(cell),
        gives: Gives::Bits(|cell| cell.rounded(cell.x_value().map(|x| x - cell.in_format(x.tanh())))),
    },
    Difference {
        name: "f(x) is x - y of the rounded y = tanh(x), which cancels next to 0: it is off by up to 2^-54.",
        functions: &["tanhshrink"],
        formats: &["f64"],
        applies: Cell::is_value,
        gives: Gives::WithinOfOne(0.25),
    },
    Difference {
        name: "the gradient is g - g * (1 - y²) of the rounded y = tanh(x), which cancels next to 0. It is NaN for an infinite g, and +0.0 for \
               -0.0.",
        functions: &["tanhshrink"],
        formats: ALL,
        applies: |cell| !cell.is_value() && !cell.x_is_nan() && !is_finite_of_f64(cell),
        gives: Gives::Bits(|cell| cell.rounded(tanhshrink_gradient(cell))),
    },
    Difference {
        name: "for other g it is off by ulp in proportion to 1 / x², 230,000 of them at 0.001.",
        functions: &["tanhshrink"],
        formats: &["f64"],
        applies: |cell| !cell.is_value() && is_finite_of_f64(cell),
        gives: Gives::Within(3e5),
    },
    Difference {
        name: "where beta * x > 20, f(x) is x, and the gradient g.",
        functions: &["softplus"],
        formats: &["f64"],
        applies: is_above_threshold,
        gives: Gives::Bits(Cell::argument),
    },
    Difference {
        name: "with beta 1 f(x) and the gradient are rounded otherwise, within 2.5 ulp.",
        functions: &["softplus"],
        formats: &["f32", "f64"],
        applies: |cell| cell.parameters[0] == 1.0 && is_softplus_of_formula(cell),
        gives: Gives::Within(2.5),
    },
    Difference {
        name: "with another beta its product with x is rounded: f(x) and the gradient are off by up to 32 ulp in the tail.",
        functions: &["softplus"],
        formats: &["f32"],
        applies: |cell| cell.parameters[0] != 1.0 && is_softplus_of_formula(cell),
        gives: Gives::Within(32.0),
    },
    Difference {
        name: "with another beta its product with x is rounded: f(x) and the gradient are off by up to 256 ulp in the tail.",
        functions: &["softplus"],
        formats: &["f64"],
        applies: |cell| cell.parameters[0] != 1.0 && is_softplus_of_formula(cell),
        gives: Gives::Within(256.0),
    },
    Difference {
        name: "with beta 1 f(x) and the gradient are rounded to `f32` first: within 0.51 ulp.",
        functions: &["softplus"],
        formats: &["f16"],
        applies: |cell| cell.parameters[0] == 1.0 && is_softplus_of_formula(cell),
        gives: Gives::Within(0.51),
    },
    Difference {
        name: "f(x) is rounded to `f32` first: within 0.51 ulp.",
        functions: &["log_sigmoid"],
        formats: &["f16"],
        applies: |cell| cell.is_value() && !is_log_sigmoid_zero(cell),
        gives: Gives::Within(0.51),
    },
    Difference {
        name: "the gradient is g * z / (z + 1) for z = e^(beta * x), rounded in that order: infinite where the product overflows, and of few \
               bits where z is subnormal. Where z is 0, that is 0 with the sign of g, or NaN.",
        functions: &["softplus"],
        formats: ALL,
        applies: |cell| {
            !cell.is_value() && !is_softplus_of_formula(cell) && !is_above_threshold(cell) && !cell.x_is_nan()
        },
        gives: Gives::Bits(|cell| {
            let z = softplus_exp(cell);
            let product = cell.format.value(cell.g).map(|g| cell.step(g * z));
            cell.rounded(product.map(|product| product / cell.step(z + 1.0)))
        }),
    },
    Difference {
        name: "f(x) is +0.0, not -0.0, where e^-x is rounded to 0.",
        functions: &["log_sigmoid"],
        formats: ALL,
        applies: |cell| cell.is_value() && is_log_sigmoid_zero(cell),
        gives: Gives::Bits(|_| 0),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 1.5 ulp.",
        functions: &["log_sigmoid"],
        formats: &["f32", "f64"],
        applies: |cell| cell.is_value() && !is_log_sigmoid_zero(cell),
        gives: Gives::Within(1.5),
    },
    Difference {
        name: "the gradient is rounded otherwise, within 2.5 ulp.",
        functions: &["log_sigmoid"],
        formats: &["f32", "f64"],
        applies: |cell| !cell.is_value() && !cell.x_is_nan() && log_sigmoid_exp(cell) != 0.0,
        gives: Gives::Within(2.5),
    },
    Difference {
        name: "the gradient is g * z / (1 + z) or g * (1 - z / (1 + z)) for z = e^-|x|, which is rounded to the format. Where z is 0, that is \
               0 with the sign of g, or NaN.",
        functions: &["log_sigmoid"],
        formats: ALL,
        applies: |cell| {
            let is_computed = cell.format.width() == 16 || log_sigmoid_exp(cell) == 0.0;
            !cell.is_value() && !cell.x_is_nan() && is_computed
        },
        gives: Gives::Bits(|cell| {
            let z = log_sigmoid_exp(cell);
            let slope = cell.step(z / cell.step(1.0 + z));
            let is_negative = cell.x_value() < Some(0.0);
            let slope = if is_negative { cell.step(1.0 - slope) } else { slope };
            cell.product(cell.format.value(cell.g), Some(slope))
        }),
    },
    Difference {
        name: "f(x) is NaN at -inf, and in some places among many at inf.",
        functions: &["gelu"],
        formats: &["f32", "bf16"],
        applies: |cell| cell.is_value() && is_infinite(cell),
        gives: Gives::NotANumber,
    },
    Difference {
        name: "f(x) is NaN at -inf.",
        functions: &["gelu"],
        formats: &["f64", "f16"],
        applies: |cell| cell.is_value() && is_infinite(cell),
        gives: Gives::NotANumber,
    },
    Difference {
        name: "f(x) is NaN at -inf.",
        functions: &["gelu_tanh"],
        formats: ALL,
        applies: |cell| cell.is_value() && is_infinite(cell),
        gives: Gives::NotANumber,
    },
    Difference {
        name: "f(x) is off by up to 6 * 2^-23.",
        functions: &["gelu"],
        formats: &["f32"],
        applies: |cell| cell.is_value() && !is_infinite(cell),
        gives: Gives::WithinOfOne(6.0),
    },
    Difference {
        name: "f(x) is off by up to 0.75 * 2^-23.",
        functions: &["gelu"],
        formats: &["f16", "bf16"],
        applies: |cell| cell.is_value() && !is_infinite(cell),
        gives: Gives::WithinOfOne(0.8),
    },
    Difference {
        name: "f(x) is off by up to 2^-52.",
        functions: &["gelu"],
        formats: &["f64"],
        applies: |cell| cell.is_value() && !is_infinite(cell),
        gives: Gives::WithinOfOne(1.0),
    },
    Difference {
        name: "f(x) is off by up to 2^-23.",
        functions: &["gelu_tanh"],
        formats: &["f32", "f16"],
        applies: |cell| cell.is_value() && !is_infinite(cell),
        gives: Gives::WithinOfOne(1.0),
    },
    Difference {
        name: "f(x) is off by up to 2 * 2^-23.",
        functions: &["gelu_tanh"],
        formats: &["bf16"],
        applies: |cell| cell.is_value() && !is_infinite(cell),
        gives: Gives::WithinOfOne(2.0),
    },
    Difference {
        name: "f(x) is off by up to 2^-53.",
        functions: &["gelu_tanh"],
        formats: &["f64"],
        applies: |cell| cell.is_value() && !is_infinite(cell),
        gives: Gives::WithinOfOne(0.5),
    },
    Difference {
        name: "f(x) is infinite in some places among many from 1.7e38 on.",
        functions: &["gelu"],
        formats: &["f32", "bf16"],
        applies: |cell| cell.is_value() && cell.x_value() > Some(1e38),
        gives: Gives::Bits(|cell| cell.format.infinity()),
    },
    Difference {
        name: "the gradient is 0 with the sign of g, or NaN, where it is +0.0 for each g.",
        functions: &["gelu", "gelu_tanh"],
        formats: ALL,
        applies: |cell| !cell.is_value() && cell.has_no_slope() && !has_infinite_power(cell),
        gives: Gives::Bits(|cell| cell.product(cell.format.value(cell.g), Some(0.0))),
    },
    Difference {
        name: "the gradient for an infinite g is NaN at some x, the slope of which is taken for 0.",
        functions: &["gelu"],
        formats: &["f32", "f16", "bf16"],
        applies: |cell| {
            !cell.is_value() && !cell.has_no_slope() && has_infinite_gradient(cell) && !has_infinite_power(cell)
        },
        gives: Gives::NotANumber,
    },
    Difference {
        name: "the gradient for an infinite g is NaN at some x, the slope of which is taken for 0.",
        functions: &["gelu_tanh"],
        formats: ALL,
        applies: |cell| {
            !cell.is_value() && !cell.has_no_slope() && has_infinite_gradient(cell) && !has_infinite_power(cell)
        },
        gives: Gives::NotANumber,
    },
    Difference {
        name: "for an infinite g the gradient at x = -0.75246143, next to its root, is -inf, which is right.",
        functions: &["gelu_tanh"],
        formats: &["f32"],
        applies: |cell| !cell.is_value() && cell.x == 0xbf40_a150 && cell.g == cell.format.infinity(),
        gives: Gives::Bits(|cell| cell.g | cell.format.sign()),
    },
    Difference {
        name: "a subnormal gradient is 0 in some places among many.",
        functions: &["gelu"],
        formats: &["bf16"],
        applies: |cell| !cell.is_value() && cell.ours & !cell.format.sign() == 1 && !has_infinite_power(cell),
        gives: Gives::Bits(|cell| cell.ours & cell.format.sign()),
    },
    Difference {
        name: "a signalling NaN comes out quiet.",
        functions: &["gelu"],
        formats: &["bf16"],
        applies: |_| true,
        gives: Gives::Quiet,
    },
    Difference {
        name: "the gradient is NaN at infinities.",
        functions: &["gelu"],
        formats: ALL,
        applies: |cell| !cell.is_value() && has_infinite_power(cell),
        gives: Gives::NotANumber,
    },
    Difference {
        name: "the gradient is NaN at infinities and where x² overflows.",
        functions: &["gelu_tanh"],
        formats: ALL,
        applies: |cell| !cell.is_value() && has_infinite_power(cell),
        gives: Gives::NotANumber,
    },
    Difference {
        name: "the gradient is off by up to 2^-23 * g.",
        functions: &["gelu"],
        formats: &["f32", "f16"],
        applies: |cell| {
            !cell.is_value() && !cell.has_no_slope() && !has_infinite_power(cell) && !has_infinite_gradient(cell)
        },
        gives: Gives::WithinOfOne(1.0),
    },
    Difference {
        name: "the gradient is off by up to 2^-26 * g.",
        functions: &["gelu"],
        formats: &["bf16"],
        applies: |cell| {
            !cell.is_value() && !cell.has_no_slope() && !has_infinite_power(cell) && !has_infinite_gradient(cell)
        },
        gives: Gives::WithinOfOne(0.125),
    },
    Difference {
        name: "the gradient is off by up to 10 * 2^-23 * g.",
        functions: &["gelu_tanh"],
        formats: &["f32", "f16", "bf16"],
        applies: |cell| {
            !cell.is_value() && !cell.has_no_slope() && !has_infinite_power(cell) && !has_infinite_gradient(cell)
        },
        gives: Gives::WithinOfOne(10.0),
    },
    Difference {
        name: "the gradient is off by up to 2^-52 * g.",
        functions: &["gelu"],
        formats: &["f64"],
        applies: |cell| {
            !cell.is_value() && !cell.has_no_slope() && !has_infinite_power(cell) && !has_infinite_gradient(cell)
        },
        gives: Gives::WithinOfOne(1.0),
    },
    Difference {
        name: "the gradient is off by up to 4 * 2^-52 * g.",
        functions: &["gelu_tanh"],
        formats: &["f64"],
        applies: |cell| {
            !cell.is_value() && !cell.has_no_slope() && !has_infinite_power(cell) && !has_infinite_gradient(cell)
        },
        gives: Gives::WithinOfOne(4.0),
    },
    Difference {
        name: "f(x) is +0.0 where e^-x overflows: below -88.72, in `f64` below -709.78.",
        functions: &["sigmoid"],
        formats: &["f32", "f64", "bf16"],
        applies: |cell| cell.is_value() && has_infinite_exp(cell),
        gives: Gives::Bits(|_| 0),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 2.5 ulp.",
        functions: &["sigmoid"],
        formats: &["f32", "f64"],
        applies: |cell| cell.is_value() && !has_infinite_exp(cell),
        gives: Gives::Within(2.5),
    },
    Difference {
        name: "f(x) is rounded to `f32` first: within 0.51 ulp.",
        functions: &["sigmoid"],
        formats: &["f16"],
        applies: Cell::is_value,
        gives: Gives::Within(0.51),
    },
    Difference {
        name: "the gradient is g * (1 - y) * y of the rounded y = f(x), rounded in that order. Where y is 0 or 1 that is 0 with the \
               sign of g, or NaN: in `f32` from x = 16.64 on, in `bf16` from 6.25 on.",
        functions: &["sigmoid"],
        formats: &["f32", "f64", "bf16"],
        applies: |cell| !cell.is_value() && !cell.x_is_nan(),
        gives: Gives::BitsOfValue(|cell, y| {
            let (g, y) = (cell.format.value(cell.g), cell.format.value(y));
            let product = g.zip(y).map(|(g, y)| cell.step(g * cell.step(1.0 - y)));
            cell.product(product, y)
        }),
    },
    Difference {
        name: "the gradient is g * (1 - y) * y of the rounded y = f(x), rounded to `f16` in that order. Where y is 0 or 1, from \
               x = 8.32 on, that is 0 with the sign of g, or NaN.",
        functions: &["sigmoid"],
        formats: &["f16"],
        applies: |cell| !cell.is_value() && !cell.x_is_nan(),
        gives: Gives::BitsOfValue(|cell, y| {
            let value = |bits| cell.format.value(bits);
            let rest = cell.rounded(value(y).map(|y| 1.0 - y));
            let product = cell.product(value(cell.g), value(rest));
            cell.product(value(product), value(y))
        }),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 0.6 ulp.",
        functions: &["tanh"],
        formats: &["f32"],
        applies: Cell::is_value,
        gives: Gives::Within(0.6),
    },
    Difference {
        name: "f(x) is rounded otherwise, in whole vectors and in the tail, within 0.75 ulp.",
        functions: &["tanh"],
        formats: &["f64"],
        applies: Cell::is_value,
        gives: Gives::Within(0.75),
    },
    Difference {
        name: "the gradient is g * (1 - y²) of the rounded y = f(x), where 1 - y² is rounded once. Where y is 1 or -1 that is 0 with the \
               sign of g, or NaN: in `f32` from |x| = 9.02 on, in `bf16` from 3.47 on.",
        functions: &["tanh"],
        formats: ALL,
        applies: |cell| !cell.is_value() && !cell.x_is_nan(),
        gives: Gives::BitsOfValue(|cell, y| {
            let rest = cell.format.value(y).map(|y| cell.step((-y).mul_add(y, 1.0)));
            cell.product(cell.format.value(cell.g), rest)
        }),
    },
    Difference {
        name: "f(-inf) is NaN, and so is the gradient at both infinities.",
        functions: &["silu", "swish"],
        formats: ALL,
        applies: |cell| {
            let least = if cell.is_value() { f64::MIN } else { f64::INFINITY };
            cell.x_value().is_some_and(|x| x.is_infinite() && x <= least)
        },
        gives: Gives::Bits(Cell::nan),
    },
    Difference {
        name: "f(x) is -0.0 where e^-x overflows, below -88.72, in `f64` below -709.78. There the gradient is g * -0.0, or NaN.",
        functions: &["silu", "swish"],
        formats: ALL,
        applies: |cell| is_finite(cell) && has_infinite_exp(cell),
        gives: Gives::Bits(|cell| {
            if cell.is_value() {
                cell.negative_zero()
            } else {
                cell.product(cell.format.value(cell.g), Some(-0.0))
            }
        }),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 2 ulp.",
        functions: &["silu", "swish"],
        formats: &["f32", "f64"],
        applies: |cell| cell.is_value() && is_finite(cell) && !has_infinite_exp(cell),
        gives: Gives::Within(2.0),
    },
    Difference {
        name: "the gradient is off by up to 9 * 2^-23 * g, whatever its size.",
        functions: &["silu", "swish"],
        formats: &["f32"],
        applies: |cell| !cell.is_value() && is_finite(cell) && !has_infinite_exp(cell),
        gives: Gives::WithinOfOne(9.0),
    },
    Difference {
        name: "the gradient is off by up to 20 * 2^-52 * g, whatever its size.",
        functions: &["silu", "swish"],
        formats: &["f64"],
        applies: |cell| !cell.is_value() && is_finite(cell) && !has_infinite_exp(cell),
        gives: Gives::WithinOfOne(20.0),
    },
    Difference {
        name: "results are rounded to `f32` first: within 0.51 ulp.",
        functions: &["silu", "swish"],
        formats: &["f16"],
        applies: |cell| is_finite(cell) && !has_infinite_exp(cell),
        gives: Gives::Within(0.51),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 2 ulp.",
        functions: &["elu"],
        formats: &["f32"],
        applies: |cell| cell.is_value() && is_finite(cell),
        gives: Gives::Within(2.0),
    },
    Difference {
        name: "f(x) is rounded otherwise, within an ulp.",
        functions: &["elu"],
        formats: &["f64"],
        applies: |cell| cell.is_value() && is_finite(cell),
        gives: Gives::Within(1.0),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 2 ulp.",
        functions: &["selu"],
        formats: &["f32"],
        applies: |cell| cell.is_value() && is_finite(cell),
        gives: Gives::Within(2.0),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 2.5 ulp.",
        functions: &["selu"],
        formats: &["f64"],
        applies: |cell| cell.is_value() && !cell.x_is_nan(),
        gives: Gives::Within(2.5),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 1.5 ulp.",
        functions: &["celu"],
        formats: &["f32"],
        applies: |cell| cell.is_value() && is_finite(cell),
        gives: Gives::Within(1.5),
    },
    Difference {
        name: "f(x) is rounded otherwise, within 2 ulp.",
        functions: &["celu"],
        formats: &["f64"],
        applies: |cell| cell.is_value() && is_finite(cell),
        gives: Gives::Within(2.0),
    },
    Difference {
        name: "the gradient is rounded otherwise, within 2 ulp.",
        functions: &["elu", "selu"],
        formats: &["f32", "f64"],
        applies: |cell| !cell.is_value() && is_finite(cell) && !is_fading(cell) && !overflows(cell),
        gives: Gives::Within(2.0),
    },
    Difference {
        name: "the gradient has 1 / alpha rounded to `f32`: within 30 ulp, of alpha = 1 within 2.",
        functions: &["celu"],
        formats: &["f32"],
        applies: |cell| !cell.is_value() && is_finite(cell) && !is_fading(cell) && !overflows(cell),
        gives: Gives::Within(30.0),
    },
    Difference {
        name: "the gradient has 1 / alpha rounded to `f32`.",
        functions: &["celu"],
        formats: &["f64"],
        applies: |cell| !cell.is_value() && is_finite(cell) && !is_fading(cell) && !overflows(cell),
        gives: Gives::Within(3e10),
    },
    Difference {
        name: "where e^x is 0 or subnormal in `f32`, the gradient is its product with g * alpha: 0 with the sign of g, or NaN.",
        functions: &["elu"],
        formats: ALL,
        applies: |cell| !cell.is_value() && is_fading(cell),
        gives: Gives::Bits(faded),
    },
    Difference {
        name: "where e^(x / alpha) is 0 or subnormal in `f32`, the gradient is its product with g: 0 with the sign of g, or NaN.",
        functions: &["celu"],
        formats: ALL,
        applies: |cell| !cell.is_value() && is_fading(cell),
        gives: Gives::Bits(faded),
    },
    Difference {
        name: "where e^x is 0 or subnormal in `f32`, or g * scale * alpha overflows, the gradient is the product of these: 0 with the \
               sign of g, infinite or NaN.",
        functions: &["selu"],
        formats: ALL,
        applies: |cell| !cell.is_value() && (is_fading(cell) || overflows(cell)),
        gives: Gives::Bits(faded),
    },
    Difference {
        name: "the gradient at NaN is NaN in whole vectors, and g * scale in the tail.",
        functions: &["selu"],
        formats: ALL,
        applies: |cell| !cell.is_value() && cell.x_is_nan(),
        gives: Gives::Bits(|cell| cell.product(cell.format.value(cell.g), Some(cell.step(1.050_700_987_355_480_5)))),
    },
    Difference {
        name: "a signalling NaN comes out quiet.",
        functions: &["relu", "clipped_relu", "hardtanh", "thresholded_relu"],
        formats: &["f16"],
        applies: |_| true,
        gives: Gives::Quiet,
    },
    Difference {
        name: "a signalling NaN comes out quiet.",
        functions: &[
            "leaky_relu",
            "squared_relu",
            "hard_sigmoid",
            "hard_swish",
            "prelu",
            "crelu",
            "gelu",
            "gelu_tanh",
            "softplus",
            "log_sigmoid",
            "mish",
            "softsign",
            "softshrink",
            "tanhshrink",
            "silu",
            "swish",
            "elu",
            "selu",
            "celu",
        ],
        formats: &["f32", "f64", "f16"],
        applies: |_| true,
        gives: Gives::Quiet,
    },
    Difference {
        name: "a signalling NaN comes out quiet.",
        functions: &["tanh"],
        formats: &["f32", "f64"],
        applies: |_| true,
        gives: Gives::Quiet,
    },
    Difference {
        name: "a NaN comes out with other bits.",
        functions: &["relu", "clipped_relu", "hardtanh", "thresholded_relu", "leaky_relu"],
        formats: &["bf16"],
        applies: |_| true,
        gives: Gives::AnotherNan,
    },
    Difference {
        name: "a NaN comes out with other bits.",
        functions: &["squared_relu"],
        formats: &["f16", "bf16"],
        applies: |_| true,
        gives: Gives::AnotherNan,
    },
    Difference {
        name: "a NaN comes out with other bits.",
        functions: &[
            "hard_sigmoid",
            "hard_swish",
            "prelu",
            "reglu",
            "crelu",
            "gelu",
            "gelu_tanh",
            "sigmoid",
            "tanh",
            "softplus",
            "log_sigmoid",
            "mish",
            "softsign",
            "softshrink",
            "tanhshrink",
            "silu",
            "swish",
            "elu",
            "selu",
            "celu",
        ],
        formats: ALL,
        applies: |_| true,
        gives: Gives::AnotherNan,
    },
];

/// Of the format.
fn greatest(cell: &Cell) -> f64 {
    cell.format.value(cell.format.infinity() - 1).unwrap()
}

/// Of ELU and its kin: the factor of x in the exponent, and that of the gradient.
fn exponent_and_weight(cell: &Cell) -> [f64; 2] {
    let alpha = cell.parameters.first().copied();
    match (&cell.function[..], alpha) {
        ("elu", Some(alpha)) => [1.0, cell.step(alpha)],
        ("celu", Some(alpha)) => [cell.step(1.0 / alpha), cell.step(alpha)],
        _ => [1.0, cell.step(1.758_099_340_847_376_9)],
    }
}

/// Their e^x, where x is not positive.
fn exp_of_negative(cell: &Cell) -> Option<f64> {
    let [factor, _] = exponent_and_weight(cell);
    let x = cell.x_value().filter(|&x| x <= 0.0)?;
    Some(cell.step(cell.step(x * factor).exp()))
}

/// Whether that is 0, or subnormal where it is computed in `f32`.
fn is_fading(cell: &Cell) -> bool {
    let [least, _] = cell.format.normal_range();
    exp_of_negative(cell).is_some_and(|exp| exp == 0.0 || cell.format != Format::F64 && exp < least)
}

/// What g is multiplied by it as.
fn weighted_gradient(cell: &Cell) -> Option<f64> {
    let [factor, weight] = exponent_and_weight(cell);
    let g = cell.format.value(cell.g)?;
    Some(cell.step(cell.step(g * factor) * weight))
}

fn overflows(cell: &Cell) -> bool {
    exp_of_negative(cell).is_some() && weighted_gradient(cell).is_some_and(f64::is_infinite)
}

fn faded(cell: &Cell) -> u64 {
    cell.product(weighted_gradient(cell), exp_of_negative(cell))
}

fn is_finite(cell: &Cell) -> bool {
    cell.x_value().is_some_and(f64::is_finite)
}

fn is_infinite(cell: &Cell) -> bool {
    cell.x_value().is_some_and(f64::is_infinite)
}

/// Whether the powers of x are infinite by which PyTorch computes the gradient of GELU.
fn has_infinite_power(cell: &Cell) -> bool {
    let has_square = cell.function == "gelu_tanh";
    let power = |x: f64| if has_square { cell.step(x * x) } else { x };
    cell.x_value().is_some_and(|x| power(x).is_infinite())
}

/// The one at the output.
fn has_infinite_gradient(cell: &Cell) -> bool {
    cell.format.value(cell.g).is_some_and(f64::is_infinite)
}

/// Whether e^-x is, in the format that is computed in.
fn has_infinite_exp(cell: &Cell) -> bool {
    cell.x_value().is_some_and(|x| cell.step((-x).exp()).is_infinite())
}

/// e^x as it is rounded.
fn mish_exp(cell: &Cell) -> f64 {
    cell.x_value().map_or(f64::NAN, |x| cell.step(x.exp()))
}

fn has_subnormal_exp(cell: &Cell) -> bool {
    mish_exp(cell) < cell.format.normal_range()[0]
}

/// Whether it is a gradient for a finite g, computed from an e^x that isn't 0.
fn is_mish_gradient(cell: &Cell) -> bool {
    let is_finite = cell.format.value(cell.g).is_some_and(f64::is_finite);
    !cell.is_value() && is_finite && mish_exp(cell) != 0.0 && !cell.x_is_nan() && !is_at_infinity(cell)
}

fn is_next_to_root_of_mish(cell: &Cell) -> bool {
    cell.x_value().is_some_and(|x| (x + 1.19243).abs() < 0.1)
}

fn is_at_infinity(cell: &Cell) -> bool {
    cell.x_value().is_some_and(f64::is_infinite)
}

fn is_negative_zero_of_softshrink(cell: &Cell) -> bool {
    let is_zero = cell
        .x_value()
        .is_some_and(|x| x.abs() <= cell.in_format(cell.parameters[0]));
    cell.is_value() && is_zero && cell.x & cell.negative_zero() != 0
}

/// Whether the gradient of tanhshrink depends on the rounding of tanh(x) in `f64`.
fn is_finite_of_f64(cell: &Cell) -> bool {
    let is_exact = cell.format.value(cell.g).is_none_or(f64::is_infinite) || cell.g == cell.negative_zero();
    cell.format == Format::F64 && !is_exact && !cell.x_is_nan()
}

fn tanhshrink_gradient(cell: &Cell) -> Option<f64> {
    let (x, g) = cell.x_value().zip(cell.format.value(cell.g))?;
    let y = cell.in_format(x.tanh());
    Some(g + cell.in_format(-g * cell.step((-y).mul_add(y, 1.0))))
}

/// Of softplus, with the product as it is rounded.
fn softplus_exp(cell: &Cell) -> f64 {
    let beta = cell.step(cell.parameters[0]);
    cell.x_value()
        .map_or(f64::NAN, |x| cell.step(cell.step(beta * x).exp()))
}

/// Whether softplus is taken as x, or 1 as its slope.
fn is_above_threshold(cell: &Cell) -> bool {
    let beta = cell.step(cell.parameters[0]);
    cell.x_value().is_some_and(|x| cell.step(beta * x) > 20.0)
}

/// Whether the value, or a gradient without a product that overflows, is computed from an e^(beta x) that isn't 0.
fn is_softplus_of_formula(cell: &Cell) -> bool {
    let z = softplus_exp(cell);
    if is_above_threshold(cell) || z.is_nan() {
        return false;
    }
    let product = cell.format.value(cell.g).map_or(0.0, |g| cell.step(g * z));
    cell.is_value()
        || z >= cell.format.normal_range()[0]
            && (product.is_finite() || cell.format.value(cell.g).is_some_and(f64::is_infinite))
}

/// Whether e^-x is rounded to 0.
fn is_log_sigmoid_zero(cell: &Cell) -> bool {
    cell.x_value().is_some_and(|x| cell.step((-x).exp()) == 0.0)
}

/// Of log-sigmoid, e^-|x| as it is rounded.
fn log_sigmoid_exp(cell: &Cell) -> f64 {
    let z = cell.x_value().map(|x| cell.step((-x.abs()).exp()));
    z.and_then(|z| cell.format.value(cell.format.nearest(z)))
        .unwrap_or(f64::NAN)
}

/// As they are given.
fn is_between_bounds(cell: &Cell) -> bool {
    let [min, max] = cell.bounds();
    cell.x_value().is_some_and(|x| min < x && x < max)
}

#[test]
fn it_differs_as_it_is_said() {
    check(&PYTORCH, |_| true);
}

#[test]
fn the_pages_say_so() {
    check_pages(&[&PYTORCH, &ONNX_RUNTIME]);
}
