//! The libraries.

use std::cell::RefCell;
use std::rc::Rc;

use bytemuck::Pod;
use candle_core::{Device, Tensor, WithDType};
use half::{bf16, f16};
use ndarray::{ArrayView1, ArrayViewMut1, Zip};
use rectify::Element;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdUnaryOp};
use tract_linalg::Func;

/// One of [`peers::FUNCTIONS`] by a library.
pub struct Peer<'a, T> {
    pub name: &'static str,
    /// Changes the target, unless there is a `result`.
    pub run: Box<dyn FnMut(&mut [T]) + 'a>,
    /// Where the library allocates it.
    pub result: Option<Box<dyn Fn() -> Vec<T> + 'a>>,
}

fn in_target<'a, T>(name: &'static str, run: impl FnMut(&mut [T]) + 'a) -> Option<Peer<'a, T>> {
    Some(Peer {
        name,
        run: Box::new(run),
        result: None,
    })
}

pub trait Number: Element + Pod + WithDType {
    fn number(number: f32) -> Self;

    /// Those that have kernels for this format alone.
    fn special<'a>(_function: &str) -> Vec<Option<Peer<'a, Self>>> {
        vec![]
    }
}

impl Number for f32 {
    fn number(number: f32) -> Self {
        number
    }

    fn special<'a>(function: &str) -> Vec<Option<Peer<'a, Self>>> {
        if function != "relu_inplace" {
            return vec![];
        }
        let tract = Func::LeakyRelu.ew_f32_param().expect("a kernel of tract's");
        vec![
            in_target("rten-simd", |x| Max0.map_mut(x)),
            in_target("tract-linalg", move |x| {
                tract.run_with_params(x, 0.0).expect("tract runs")
            }),
        ]
    }
}

impl Number for f64 {
    fn number(number: f32) -> Self {
        number.into()
    }
}

impl Number for f16 {
    fn number(number: f32) -> Self {
        Self::from_f32(number)
    }

    fn special<'a>(function: &str) -> Vec<Option<Peer<'a, Self>>> {
        if function != "relu_inplace" {
            return vec![];
        }
        let tract = Func::LeakyRelu.ew_f16_param().expect("a kernel of tract's");
        vec![in_target("tract-linalg", move |x| {
            tract.run_with_params(x, f16::ZERO).expect("tract runs");
        })]
    }
}

impl Number for bf16 {
    fn number(number: f32) -> Self {
        Self::from_f32(number)
    }
}

/// rten has no kernel of its own for ReLU: this is one on its vectors. NaN becomes 0 or stays by instruction set.
struct Max0;

impl SimdUnaryOp<f32> for Max0 {
    #[inline(always)]
    fn eval<I: Isa>(&self, isa: I, x: I::F32) -> I::F32 {
        let ops = isa.f32();
        ops.max(x, ops.zero())
    }
}

pub fn rectify<'a, T: Number>(function: &str, x: &'a [T], grad: &'a [T]) -> Peer<'a, T> {
    let name = "rectify";
    let peer = match function {
        "relu_inplace" => in_target(name, move |y| rectify::relu_inplace(y)),
        "relu" => in_target(name, move |y| rectify::relu(x, y)),
        "relu_backward" => in_target(name, move |y| rectify::relu_backward(x, grad, y)),
        _ => in_target(name, move |y| rectify::relu_backward_inplace(x, y)),
    };
    peer.expect("every function")
}

/// Those that have `function`.
pub fn peers<'a, T: Number>(function: &str, x: &'a [T], grad: &'a [T]) -> impl Iterator<Item = Peer<'a, T>> {
    let mut peers = vec![
        plain_loop(function, x, grad),
        ndarray(function, x, grad),
        candle(function, x, grad),
    ];
    peers.extend(T::special(function));
    peers.into_iter().flatten()
}

/// Inlined and vectorized as the compiler sees fit. NaN becomes 0.
fn plain_loop<'a, T: Number>(function: &str, x: &'a [T], grad: &'a [T]) -> Option<Peer<'a, T>> {
    let zero = T::zeroed();
    let select = move |x: T, value: T| if x > zero { value } else { zero };
    let name = "plain loop";
    match function {
        "relu_inplace" => in_target(name, move |y: &mut [T]| y.iter_mut().for_each(|y| *y = select(*y, *y))),
        "relu" => in_target(name, move |y: &mut [T]| {
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = select(x, x))
        }),
        "relu_backward" => in_target(name, move |y: &mut [T]| {
            y.iter_mut()
                .zip(x)
                .zip(grad)
                .for_each(|((y, &x), &grad)| *y = select(x, grad));
        }),
        _ => in_target(name, move |y: &mut [T]| {
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = select(x, *y))
        }),
    }
}

fn ndarray<'a, T: Number>(function: &str, x: &'a [T], grad: &'a [T]) -> Option<Peer<'a, T>> {
    let zero = T::zeroed();
    let select = move |x: T, value: T| if x > zero { value } else { zero };
    let (x, grad) = (ArrayView1::from(x), ArrayView1::from(grad));
    let name = "ndarray";
    match function {
        "relu_inplace" => in_target(name, move |y| ArrayViewMut1::from(y).mapv_inplace(|y| select(y, y))),
        "relu" => in_target(name, move |y| {
            Zip::from(ArrayViewMut1::from(y))
                .and(x)
                .for_each(|y, &x| *y = select(x, x))
        }),
        "relu_backward" => in_target(name, move |y| {
            let zip = Zip::from(ArrayViewMut1::from(y)).and(x).and(grad);
            zip.for_each(|y, &x, &grad| *y = select(x, grad));
        }),
        _ => in_target(name, move |y| {
            Zip::from(ArrayViewMut1::from(y))
                .and(x)
                .for_each(|y, &x| *y = select(x, *y))
        }),
    }
}

/// Allocates the results; has nothing in place. The gradient as its autograd computes it: 1 at x = 0, and a product, so that
/// 0 * inf is NaN. NaN becomes 0.
fn candle<'a, T: Number>(function: &str, x: &'a [T], grad: &'a [T]) -> Option<Peer<'a, T>> {
    let tensor = |slice| Tensor::from_slice(slice, x.len(), &Device::Cpu).expect("a tensor");
    let (x, grad) = (tensor(x), tensor(grad));
    let mut call: Box<dyn FnMut() -> candle_core::Result<Tensor>> = match function {
        "relu" => Box::new(move || x.relu()),
        "relu_backward" => Box::new(move || x.ge(&x.zeros_like()?)?.to_dtype(x.dtype())?.mul(&grad)),
        _ => return None,
    };
    let last = Rc::new(RefCell::new(None));
    let result = Rc::clone(&last);
    Some(Peer {
        name: "candle",
        run: Box::new(move |_| *last.borrow_mut() = Some(call().expect("candle runs"))),
        result: Some(Box::new(move || {
            let result = result.borrow();
            result.as_ref().expect("it ran").to_vec1().expect("a vector")
        })),
    })
}
