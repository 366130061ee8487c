//! Values and gradients beside those of candle's own operations in `f64`.

use candle_core::{DType, Result, Tensor, Var};
use rectify_candle::{Activate, Gate};

use super::functions::functions;
use super::{Format, flat, for_each_format, tensor};

#[test]
fn values_and_gradients() {
    for_each_format!(each_function());
}

fn each_function<T: Format>() {
    for function in functions() {
        let x: Vec<T> = (-2000..2000)
            .map(|i| T::of(f64::from(i) * 0.004 + 0.0011))
            .filter(|x| function.kinks.iter().all(|kink| (x.to_f64() - kink).abs() > 0.01))
            .collect();
        let grad: Vec<T> = x.iter().map(|x| T::of(0.7 + x.to_f64().sin())).collect();
        let (x, grad) = (tensor(&x, &[x.len()]), tensor(&grad, &[x.len()]));
        let name = function.function.name();
        let [value, gradient] = value_and_gradient(&x, &grad, |x| x.activate(function.function));
        let [own, own_gradient] = {
            let (x, grad) = (x.to_dtype(DType::F64).unwrap(), grad.to_dtype(DType::F64).unwrap());
            value_and_gradient(&x, &grad, function.own)
        };
        near::<T>(name, &value, &own, 1e-13);
        near::<T>(
            &format!("the gradient of {name}"),
            &gradient,
            &own_gradient,
            function.own_gradient_error,
        );
    }
}

#[test]
fn gated_units() {
    for_each_format!(each_gated_unit());
}

fn each_gated_unit<T: Format>() {
    for function in functions() {
        let numbers = |seed| -> Vec<T> {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut numbers = Vec::new();
            while numbers.len() < 3000 {
                let x = T::of(random.f64() * 8.0 - 4.0);
                if function.kinks.iter().all(|kink| (x.to_f64() - kink).abs() > 0.01) {
                    numbers.push(x);
                }
            }
            numbers
        };
        let [x, grad] = [tensor(&numbers(1), &[10, 300]), tensor(&numbers(2)[..1500], &[10, 150])];
        let name = function.function.name();
        let gate = Gate::new(function.function);
        let [value, gradient] = value_and_gradient(&x, &grad, |x| candle_core::Module::forward(&gate, x));
        let [own, own_gradient] = {
            let (x, grad) = (x.to_dtype(DType::F64).unwrap(), grad.to_dtype(DType::F64).unwrap());
            value_and_gradient(&x, &grad, |x| {
                let halves = x.chunk(2, 1)?;
                (function.own)(&halves[0].contiguous()?)? * &halves[1]
            })
        };
        // Three roundings instead of one.
        near::<T>(&format!("{name}, gated"), &value, &own, 1e-12);
        near::<T>(
            &format!("the gradients of {name}, gated"),
            &gradient,
            &own_gradient,
            10.0 * function.own_gradient_error,
        );
    }
}

fn value_and_gradient(x: &Tensor, grad: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> [Tensor; 2] {
    let x = Var::from_tensor(x).unwrap();
    let value = f(&x).unwrap();
    let loss = (&value * grad).unwrap().sum_all().unwrap();
    let gradient = loss.backward().unwrap().remove(&x).unwrap();
    [value, gradient]
}

/// Within four units in the last place of 1 or of the number, beside the error of candle's own.
fn near<T: Format>(what: &str, ours: &Tensor, own: &Tensor, own_error: f64) {
    assert_eq!(ours.dtype(), T::DTYPE);
    let epsilon = match T::DTYPE {
        DType::F32 => 2f64.powi(-23),
        DType::F64 => 2f64.powi(-52),
        DType::F16 => 2f64.powi(-10),
        _ => 2f64.powi(-7),
    };
    let (ours, own) = (flat::<T>(ours), flat::<f64>(own));
    assert_eq!(ours.len(), own.len());
    for (i, (ours, own)) in ours.iter().zip(own).enumerate() {
        let error = (ours.to_f64() - own).abs();
        let bound = (4.0 * epsilon + own_error) * own.abs().max(1.0);
        assert!(
            error <= bound,
            "{what} in {:?}, element {i}: {ours} for candle's {own}",
            T::DTYPE
        );
    }
}
