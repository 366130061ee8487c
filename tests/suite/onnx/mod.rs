//! The functions of the family on `f32` give what the backend tests of ONNX 1.23.2 expect of its operators (`table.csv`, by
//! `table.py`), bit for bit, since no number in it is -0.0. NumPy computed that in `f32` too, of hard sigmoid, hard swish and sigmoid by other
//! operations.

use rectify::{Activation, Channels, ClippedRelu, PRelu};

use crate::common::functions::FUNCTIONS;

/// With the number of elements.
const CASES: [(&str, usize); 41] = [
    ("test_celu", 27),
    ("test_clip_example", 3),
    ("test_clip", 60),
    ("test_clip_inbounds", 3),
    ("test_clip_outbounds", 3),
    ("test_clip_splitbounds", 3),
    ("test_clip_default_min", 60),
    ("test_clip_default_max", 60),
    ("test_elu_example", 3),
    ("test_elu", 60),
    ("test_elu_default", 60),
    ("test_gelu_tanh_1", 3),
    ("test_gelu_tanh_2", 60),
    ("test_gelu_default_1", 3),
    ("test_gelu_default_2", 60),
    ("test_hardsigmoid_example", 3),
    ("test_hardsigmoid", 60),
    ("test_hardsigmoid_default", 60),
    ("test_hardswish", 60),
    ("test_leakyrelu_example", 3),
    ("test_leakyrelu", 60),
    ("test_leakyrelu_default", 60),
    ("test_mish", 10000),
    ("test_prelu_example", 60),
    ("test_prelu_broadcast", 60),
    ("test_relu", 60),
    ("test_selu_default", 60),
    ("test_shrink_hard", 5),
    ("test_shrink_soft", 5),
    ("test_sigmoid_example", 3),
    ("test_sigmoid", 60),
    ("test_softplus_example", 3),
    ("test_softplus", 60),
    ("test_softsign_example", 3),
    ("test_softsign", 60),
    ("test_swish", 3),
    ("test_tanh_example", 3),
    ("test_tanh", 60),
    ("test_thresholdedrelu_example", 5),
    ("test_thresholdedrelu", 60),
    ("test_thresholdedrelu_default", 60),
];

/// NaN where there is none, which no function takes as a parameter.
fn number(hex: &str) -> f32 {
    if hex.is_empty() {
        f32::NAN
    } else {
        f32::from_bits(u32::from_str_radix(hex, 16).unwrap())
    }
}

fn check(case: &str, activation: impl Activation, x: &[f32], expected: &[f32]) {
    let is_rounded_otherwise = [
        "test_hard",
        "test_mish",
        "test_sigmoid",
        "test_tanh",
        "test_celu",
        "test_elu",
        "test_selu",
        "test_swish",
        "test_soft",
    ]
    .iter()
    .any(|name| case.starts_with(name));
    let tolerance = if is_rounded_otherwise { 4.0 * f32::EPSILON } else { 0.0 };
    // GELU cancels there, of numbers around 1.
    let cancelled = if case.starts_with("test_gelu") {
        f32::EPSILON
    } else {
        0.0
    };
    let mut y = vec![f32::NAN; x.len()];
    activation.forward(x, &mut y);
    let mut inplace = x.to_vec();
    activation.forward_inplace(&mut inplace);
    for (i, expected) in expected.iter().enumerate() {
        for y in [y[i], inplace[i]] {
            assert!(
                y.to_bits() == expected.to_bits() || (y - expected).abs() <= tolerance * expected.abs() + cancelled,
                "{case}: {activation:?} of {:e} is {y:e}, not {expected:e}",
                x[i]
            );
        }
    }
}

#[test]
fn the_table() {
    let rows: Vec<[&str; 6]> = include_str!("table.csv")
        .lines()
        .skip(1)
        .map(|row| row.split(',').collect::<Vec<_>>().try_into().unwrap())
        .collect();
    let cases: Vec<_> = rows.chunk_by(|row, next| row[0] == next[0]).collect();
    let sizes: Vec<_> = cases.iter().map(|rows| (rows[0][0], rows.len())).collect();
    assert_eq!(sizes, CASES);

    for rows in cases {
        let column = |i: usize| rows.iter().map(|row| number(row[i])).collect::<Vec<_>>();
        let (x, y) = (column(4), column(5));
        let [case, operator, a, b, ..] = rows[0];
        let mut parameters = [a, b].map(|hex| f64::from(number(hex)));
        // As many channels as elements: ONNX broadcasts slopes to any shape.
        if operator == "PRelu" {
            let slopes = column(2);
            let mut output = vec![0.0; x.len()];
            PRelu::new(&slopes, Channels::Last).forward(&x, &mut output);
            assert_eq!(
                bytemuck::cast_slice::<f32, u32>(&output),
                bytemuck::cast_slice::<f32, u32>(&y),
                "{case}"
            );
            continue;
        }
        // ONNX's operator is both shrinks.
        if operator == "Shrink" && parameters[1] != 0.0 {
            #[cfg(feature = "smooth")]
            check(case, rectify::Softshrink::new(parameters[0]), &x, &y);
            continue;
        }
        let function = FUNCTIONS.iter().find(|function| function.onnx == Some(operator));
        // Of a function that is not built in.
        if function.is_none() && !cfg!(feature = "smooth") {
            continue;
        }
        let function = function.unwrap_or_else(|| panic!("no function is ONNX's {operator}"));
        if a.is_empty() {
            parameters = function.parameters[0];
        }
        check(case, function.with(parameters).activation(), &x, &y);
        let [min, max] = parameters;
        if operator == "Clip" && min == 0.0 {
            check(case, ClippedRelu::new(max), &x, &y);
        }
    }
    for operator in FUNCTIONS.iter().filter_map(|function| function.onnx) {
        assert!(rows.iter().any(|row| row[1] == operator), "the table has no {operator}");
    }
}
