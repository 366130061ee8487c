//! The functions with their default parameters on `f32` give what PyTorch 2.15.0 gave (`table.csv`, by `table.py`), but for what is said here.

use rectify::Activation;

use crate::common::functions::{FUNCTIONS, Function};

fn number(hex: &str) -> f32 {
    f32::from_bits(u32::from_str_radix(hex, 16).unwrap())
}

fn value_and_gradient(activation: impl Activation, x: f32, g: f32) -> [f32; 2] {
    let (mut y, mut grad) = ([x], [g]);
    activation.forward_inplace(&mut y);
    activation.backward_inplace(&[x], &mut grad);
    [y[0], grad[0]]
}

/// Equal, or NaN both; -0.0 and +0.0 are equal: PyTorch has relu(-0.0) = -0.0.
fn agree(ours: f32, theirs: f32, tolerance: f32) -> bool {
    ours == theirs || ours.is_nan() && theirs.is_nan() || (ours - theirs).abs() <= tolerance * theirs.abs().max(0.1)
}

/// Where PyTorch has another gradient or value, and why.
fn is_known_difference(name: &str, x: f32) -> bool {
    match name {
        // It doubles x first, which overflows, where these double the gradient.
        "squared_relu" => x > f32::MAX / 2.0,
        // It has -inf * 0.
        "hard_swish" => x == f32::NEG_INFINITY,
        _ => false,
    }
}

#[test]
fn the_table() {
    let table = include_str!("table.csv");
    let (mut rows, mut names) = (0, Vec::new());
    for row in table.lines().skip(1) {
        let [name, x, g, y, grad] = row.split(',').collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let [x, g, y, grad] = [x, g, y, grad].map(number);
        let activation = Function::named(name).default().activation();
        let [our_y, our_grad] = value_and_gradient(activation, x, g);
        // It does the same operations in another order.
        let tolerance = if name.starts_with("hard_") {
            4.0 * f32::EPSILON
        } else {
            0.0
        };
        if !is_known_difference(name, x) {
            assert!(agree(our_y, y, tolerance), "{name}({x:e}) is {our_y:e}, not {y:e}");
            assert!(
                agree(our_grad, grad, tolerance),
                "{name}'({x:e}) * {g:e} is {our_grad:e}, not {grad:e}"
            );
        }
        rows += 1;
        names.push(name);
    }
    for function in FUNCTIONS {
        assert!(names.contains(&function.name), "the table has no {}", function.name);
    }
    assert_eq!(rows, FUNCTIONS.len() * 18 * 2 * 3);
}
