use rectify::{Activation, AnyActivation, Relu};

use crate::{Number, Slices};

pub fn time<T: Number>(function: &str, slices: Slices<T>, calls: usize) -> Option<f64> {
    match function {
        // By its own type, which walks few elements in the caller.
        "relu" => time_activation(Relu, slices, calls),
        _ => time_activation(function.parse::<AnyActivation>().ok()?, slices, calls),
    }
}

fn time_activation<T: Number>(activation: impl Activation, slices: Slices<T>, calls: usize) -> Option<f64> {
    match slices {
        Slices::Forward(x, y) => crate::time(calls, y, |y| activation.forward(x, y)),
        Slices::ForwardInplace(x) => crate::time(calls, x, |x| activation.forward_inplace(x)),
        Slices::Backward(x, grad, y) => crate::time(calls, y, |y| activation.backward(x, grad, y)),
        Slices::BackwardInplace(x, grad) => crate::time(calls, grad, |grad| activation.backward_inplace(x, grad)),
    }
}
