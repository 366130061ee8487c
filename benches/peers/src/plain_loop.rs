//! Inlined and vectorized as the compiler sees fit. NaN becomes 0.

use crate::{Number, Slices};

pub fn time<T: Number>(function: &str, slices: Slices<T>, calls: usize) -> Option<f64> {
    let select = |x: T, value: T| if x > T::zero() { value } else { T::zero() };
    match slices {
        _ if function != "relu" => None,
        Slices::Forward(x, y) => crate::time(calls, y, |y| y.iter_mut().zip(x).for_each(|(y, &x)| *y = select(x, x))),
        Slices::ForwardInplace(x) => crate::time(calls, x, |x| x.iter_mut().for_each(|x| *x = select(*x, *x))),
        Slices::Backward(x, grad, y) => crate::time(calls, y, |y| {
            let inputs = x.iter().zip(grad);
            y.iter_mut()
                .zip(inputs)
                .for_each(|(y, (&x, &grad))| *y = select(x, grad));
        }),
        Slices::BackwardInplace(x, grad) => crate::time(calls, grad, |grad| {
            grad.iter_mut().zip(x).for_each(|(grad, &x)| *grad = select(x, *grad));
        }),
    }
}
