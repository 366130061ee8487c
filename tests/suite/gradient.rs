//! The gradients are the derivatives: against finite differences in `f64`, beside the kinks.

use rectify::{Activation, Channels, Crelu, PRelu, ReGlu};

use crate::common::functions::{Case, FUNCTIONS};

const STEP: f64 = 1e-6;

/// With default parameters and others.
fn cases() -> impl Iterator<Item = Case> {
    FUNCTIONS
        .iter()
        .flat_map(|function| [function.default(), function.with(function.typical)])
}

fn check(case: Case) {
    let (activation, kinks) = (case.activation(), case.kinks());
    let points = (-800..=800).map(|i| f64::from(i) / 100.0 + 0.0013);
    let points: Vec<f64> = points
        .filter(|x| kinks.iter().all(|kink| (x - kink).abs() > STEP))
        .collect();
    let value = |shift: f64| {
        let mut y: Vec<f64> = points.iter().map(|x| x + shift).collect();
        activation.forward_inplace(&mut y);
        y
    };
    let mut grad = vec![0.75; points.len()];
    activation.backward_inplace(&points, &mut grad);
    for (i, (after, before)) in value(STEP).into_iter().zip(value(-STEP)).enumerate() {
        let difference = 0.75 * (after - before) / (2.0 * STEP);
        assert!(
            (grad[i] - difference).abs() < 1e-7,
            "{activation:?} at {}: {} instead of {difference}",
            points[i],
            grad[i]
        );
    }
}

#[test]
fn gradients_are_derivatives() {
    cases().for_each(check);
}

/// (f(x + step) - f(x - step)) / (2 * step)
fn difference(x: f64, f: impl Fn(f64) -> f64) -> f64 {
    (f(x + STEP) - f(x - STEP)) / (2.0 * STEP)
}

fn assert_close(gradient: f64, difference: f64) {
    assert!(
        (gradient - difference).abs() < 1e-7,
        "{gradient} instead of {difference}"
    );
}

#[test]
fn gradients_of_several_tensors_are_derivatives() {
    let prelu = |x: f64, slope: f64| {
        let mut y = [x];
        PRelu::new(&[slope], Channels::Last).forward_inplace(&mut y);
        y[0]
    };
    let reglu = |a: f64, b: f64| {
        let mut y = [a];
        ReGlu::new().forward_inplace(&mut y, &[b]);
        y[0]
    };
    // With weights as the gradients at the outputs.
    let crelu = |x: f64| {
        let (mut positive, mut negative) = ([0.0], [0.0]);
        Crelu::new().forward(&[x], &mut positive, &mut negative);
        0.75 * positive[0] + 2.0 * negative[0]
    };
    for (x, parameter) in [(1.5, 0.25), (-1.5, 0.25), (-0.5, -2.0), (0.5, 3.0)] {
        let (mut grad, mut grad_slope) = ([1.0], [0.0]);
        PRelu::new(&[parameter], Channels::Last).backward_inplace(&[x], &mut grad, &mut grad_slope);
        assert_close(grad[0], difference(x, |x| prelu(x, parameter)));
        assert_close(grad_slope[0], difference(parameter, |slope| prelu(x, slope)));

        let (mut grad_a, mut grad_b) = ([0.0], [0.0]);
        ReGlu::new().backward(&[x], &[parameter], &[1.0], &mut grad_a, &mut grad_b);
        assert_close(grad_a[0], difference(x, |x| reglu(x, parameter)));
        assert_close(grad_b[0], difference(parameter, |b| reglu(x, b)));

        let mut grad = [0.0];
        Crelu::new().backward(&[x], &[0.75], &[2.0], &mut grad);
        assert_close(grad[0], difference(x, crelu));
    }
}

/// Where a function's page says so, `backward` may be given its output for its input.
#[test]
fn gradients_from_the_output() {
    for case in cases().filter(|case| (case.function.takes_output)(case.parameters)) {
        let activation = case.activation();
        let x: Vec<f32> = (-800..=800)
            .map(|i| i as f32 / 100.0)
            .chain([f32::NAN, f32::INFINITY, -f32::INFINITY])
            .collect();
        let mut y = x.clone();
        activation.forward_inplace(&mut y);
        let (mut from_input, mut from_output) = (vec![0.75; x.len()], vec![0.75; x.len()]);
        activation.backward_inplace(&x, &mut from_input);
        activation.backward_inplace(&y, &mut from_output);
        assert_eq!(from_input, from_output, "{activation:?}");
    }
}
