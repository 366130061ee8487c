//! Allocates the results; has nothing in place. ReLU's gradient as its autograd computes it: 1 at x = 0, and a product, so that
//! 0 * inf is NaN. NaN becomes 0.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{Activation, Module};

use crate::{Number, Slices};

pub fn time<T: Number>(function: &str, slices: Slices<T>, calls: usize) -> Option<f64> {
    let tensor = |slice: &[T]| Tensor::from_slice(slice, slice.len(), &Device::Cpu).expect("a tensor");
    match slices {
        Slices::Forward(x, y) => {
            let x = tensor(x);
            let activation = match function {
                "relu" => Activation::Relu,
                "sigmoid" => Activation::Sigmoid,
                "gelu" => Activation::Gelu,
                "gelu_tanh" => Activation::GeluPytorchTanh,
                "silu" => Activation::Silu,
                "mish" => Activation::Mish,
                "elu" => Activation::Elu(1.0),
                // Of no other format.
                "selu" if T::DTYPE == DType::F32 => {
                    return time_call(calls, y, || candle_nn::ops::selu(&x, 1.673_263_2, 1.050_701));
                }
                "tanh" => return time_call(calls, y, || x.tanh()),
                _ => return None,
            };
            time_call(calls, y, || activation.forward(&x))
        }
        Slices::Backward(x, grad, y) if function == "relu" => {
            let (x, grad) = (tensor(x), tensor(grad));
            time_call(calls, y, || x.ge(&x.zeros_like()?)?.to_dtype(x.dtype())?.mul(&grad))
        }
        _ => None,
    }
}

fn time_call<T: Number>(calls: usize, y: &mut [T], call: impl Fn() -> Result<Tensor>) -> Option<f64> {
    let mut result = None;
    let ns = crate::time(calls, y, |_| result = Some(call().expect("candle runs")));
    if let Some(result) = result {
        y.copy_from_slice(&result.to_vec1().expect("a vector"));
    }
    ns
}
