//! The gradients of `rectify` from the output, which was computed before, as PyTorch's are.

use rectify::{Activation, FromOutput, Sigmoid, Tanh};

use crate::{Number, Slices};

pub fn time<T: Number>(function: &str, slices: Slices<T>, calls: usize) -> Option<f64> {
    match function {
        "sigmoid" => time_backward(FromOutput(Sigmoid), slices, calls),
        "tanh" => time_backward(FromOutput(Tanh), slices, calls),
        _ => None,
    }
}

fn time_backward<T: Number>(activation: impl Activation, slices: Slices<T>, calls: usize) -> Option<f64> {
    let Slices::Backward(x, grad, target) = slices else {
        return None;
    };
    let mut output = x.to_vec();
    activation.forward_inplace(&mut output);
    crate::time(calls, target, |target| activation.backward(&output, grad, target))
}
