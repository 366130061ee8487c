use ndarray::{ArrayView1, ArrayViewMut1, Zip};

use crate::{Number, Slices};

pub fn time<T: Number>(function: &str, slices: Slices<T>, calls: usize) -> Option<f64> {
    let select = |x: T, value: T| if x > T::zero() { value } else { T::zero() };
    let view = |slice| ArrayView1::from(slice);
    match slices {
        _ if function != "relu" => None,
        Slices::Forward(x, y) => crate::time(calls, y, |y| {
            let zip = Zip::from(ArrayViewMut1::from(y)).and(view(x));
            zip.for_each(|y, &x| *y = select(x, x));
        }),
        Slices::ForwardInplace(x) => crate::time(calls, x, |x| {
            ArrayViewMut1::from(x).mapv_inplace(|x| select(x, x));
        }),
        Slices::Backward(x, grad, y) => crate::time(calls, y, |y| {
            let zip = Zip::from(ArrayViewMut1::from(y)).and(view(x)).and(view(grad));
            zip.for_each(|y, &x, &grad| *y = select(x, grad));
        }),
        Slices::BackwardInplace(x, grad) => crate::time(calls, grad, |grad| {
            let zip = Zip::from(ArrayViewMut1::from(grad)).and(view(x));
            zip.for_each(|grad, &x| *grad = select(x, *grad));
        }),
    }
}
