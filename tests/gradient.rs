//! The gradients are the derivatives: against finite differences in `f64`, beside the kinks.

use rectify::{
    Activation, ClippedRelu, HardSigmoid, HardSwish, Hardtanh, LeakyRelu, Relu, SquaredRelu, ThresholdedRelu,
};

const STEP: f64 = 1e-6;

fn check(activation: impl Activation, kinks: &[f64]) {
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
    check(Relu, &[0.0]);
    check(LeakyRelu::new(0.125), &[0.0]);
    check(LeakyRelu::new(-2.0), &[0.0]);
    check(ClippedRelu::RELU6, &[0.0, 6.0]);
    check(Hardtanh::new(-2.5, 1.5), &[-2.5, 1.5]);
    check(ThresholdedRelu::new(1.0), &[1.0]);
    check(ThresholdedRelu::new(-1.0), &[-1.0]);
    check(SquaredRelu, &[0.0]);
    check(HardSigmoid::default(), &[-3.0, 3.0]);
    check(HardSigmoid::new(0.2, 0.5), &[-2.5, 2.5]);
    check(HardSwish, &[-3.0, 3.0]);
}
