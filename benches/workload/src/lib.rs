//! What `family` and `throughput` measure: the functions of `rectify` on random signs, and beside them the limit. And the machine.

#![allow(missing_docs, reason = "not published")]

mod date;
mod function;
mod limit;
pub mod machine;
mod narrow_limit;
mod subnormal;
pub mod svg;
mod timing;

use std::collections::TryReserveError;
use std::hint::black_box;

use bytemuck::Pod;
use rectify::{AnyActivation, Element, Kernels};

pub use date::today;
pub use function::{Activation, Function, Method, any_magnitude};
pub use limit::Limit;
use narrow_limit::NarrowLimit;
pub use timing::{calls_per_round, lower_quartiles};

/// A number format, as far as the measuring needs to know it.
pub trait Format: Element + Pod + Into<f64> {
    const NAME: &'static str;
    const EPSILON: Self;
    const LEAST_NORMAL: Self;

    fn rounded(number: f64) -> Self;
}

macro_rules! format {
    ($format:ty, $name:literal, $rounded:expr) => {
        impl Format for $format {
            const NAME: &'static str = $name;
            const EPSILON: Self = Self::EPSILON;
            const LEAST_NORMAL: Self = Self::MIN_POSITIVE;

            fn rounded(number: f64) -> Self {
                $rounded(number)
            }
        }
    };
}

format!(f32, "f32", |number| number as f32);
format!(f64, "f64", |number| number);
format!(rectify::f16, "f16", Self::from_f64);
format!(rectify::bf16, "bf16", Self::from_f64);

/// Memory for N slices of up to so many bytes, aligned to cache lines.
pub struct Memory<const N: usize = 3>([Vec<u64>; N]);

pub const LINE_BYTES: usize = 64;

impl<const N: usize> Memory<N> {
    pub fn new(max_bytes: usize) -> Result<Self, TryReserveError> {
        let len = (max_bytes + LINE_BYTES).div_ceil(size_of::<u64>());
        let mut memory = [const { Vec::new() }; N];
        for slice in &mut memory {
            slice.try_reserve_exact(len)?;
            slice.resize(len, 0);
        }
        Ok(Self(memory))
    }

    pub fn slices<T: Format>(&mut self) -> [&mut [T]; N] {
        self.0.each_mut().map(|memory| {
            let start = memory.as_ptr().align_offset(LINE_BYTES);
            bytemuck::cast_slice_mut(&mut memory[start..])
        })
    }
}

impl Memory {
    /// The memory as slices of numbers with random signs, for `function` and ReLU's beside it.
    pub fn numbers<T: Format>(&mut self, function: Function) -> Numbers<'_, T> {
        let [x, grad, target] = self.slices();
        let mut random = fastrand::Rng::with_seed(1969);
        fill(x, &mut random, |random| sign(random) * function.magnitude(random));
        fill(grad, &mut random, |random| sign(random) * any_magnitude(random));
        Numbers::new(x, grad, target)
    }
}

/// After so many the numbers repeat: more than what a branch predictor remembers.
pub const PERIOD: usize = 1 << 17;

fn fill<T: Format>(slice: &mut [T], random: &mut fastrand::Rng, number: impl Fn(&mut fastrand::Rng) -> f64) {
    let block: Vec<T> = (0..PERIOD).map(|_| T::rounded(number(random))).collect();
    for chunk in slice.chunks_mut(block.len()) {
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
}

pub fn sign(random: &mut fastrand::Rng) -> f64 {
    if random.bool() { 1.0 } else { -1.0 }
}

/// The input, the gradient at the output, and what is written to.
pub struct Numbers<'a, T> {
    x: &'a [T],
    grad: &'a [T],
    target: &'a mut [T],
}

impl<'a, T: Format> Numbers<'a, T> {
    fn new(x: &'a [T], grad: &'a [T], target: &'a mut [T]) -> Self {
        Self { x, grad, target }
    }

    pub fn first(&mut self, len: usize) -> Numbers<'_, T> {
        Numbers {
            x: &self.x[..len],
            grad: &self.grad[..len],
            target: &mut self.target[..len],
        }
    }

    /// Of a slice, in bytes.
    pub fn size(&self) -> usize {
        size_of_val(self.target)
    }

    /// Puts into the target what `method` finds there.
    pub fn prepare(&mut self, method: Method) {
        self.target
            .copy_from_slice(if method.is_forward() { self.x } else { self.grad });
    }

    /// Calls `function` so many times. In place, a call finds the result of the one before; the functions have no branches, so it takes
    /// as long as the first one.
    pub fn run(&mut self, kernels: Kernels, function: Function, calls: u64) {
        match function.activation.row().function {
            // By its own type, which walks few elements in the caller.
            AnyActivation::Relu(relu) => self.run_activation(kernels, relu, function.method, calls),
            activation => self.run_activation(kernels, activation, function.method, calls),
        }
    }

    /// [`run`](Self::run) with the methods of the function, which ask for the kernels in each call.
    pub fn run_free(&mut self, function: Function, calls: u64) {
        match function.activation.row().function {
            AnyActivation::Relu(relu) => self.run_free_activation(relu, function.method, calls),
            activation => self.run_free_activation(activation, function.method, calls),
        }
    }

    fn run_free_activation(&mut self, activation: impl rectify::Activation, method: Method, calls: u64) {
        match method {
            Method::ForwardInplace => self.repeat(calls, |numbers| activation.forward_inplace(numbers.target)),
            Method::Forward => self.repeat(calls, |numbers| activation.forward(numbers.x, numbers.target)),
            Method::Backward => self.repeat(calls, |numbers| {
                activation.backward(numbers.x, numbers.grad, numbers.target)
            }),
            Method::BackwardInplace => {
                self.repeat(calls, |numbers| activation.backward_inplace(numbers.x, numbers.target))
            }
        }
    }

    fn run_activation(&mut self, kernels: Kernels, activation: impl rectify::Activation, method: Method, calls: u64) {
        match method {
            Method::ForwardInplace => self.repeat(calls, |numbers| kernels.forward_inplace(activation, numbers.target)),
            Method::Forward => self.repeat(calls, |numbers| kernels.forward(activation, numbers.x, numbers.target)),
            Method::Backward => self.repeat(calls, |numbers| {
                kernels.backward(activation, numbers.x, numbers.grad, numbers.target)
            }),
            Method::BackwardInplace => self.repeat(calls, |numbers| {
                kernels.backward_inplace(activation, numbers.x, numbers.target)
            }),
        }
    }

    /// Opaque, so that the calls stay apart.
    #[inline(always)]
    fn repeat(&mut self, calls: u64, call: impl Fn(&mut Self)) {
        (0..calls).for_each(|_| call(black_box(self)));
    }

    /// The same traffic as `method`'s. In place it leaves what is in the target.
    pub fn run_limit(&mut self, limit: Limit, method: Method) {
        let x = bytemuck::cast_slice(self.x);
        let grad = bytemuck::cast_slice(self.grad);
        let target = bytemuck::cast_slice_mut(self.target);
        match method {
            Method::ForwardInplace => limit.load_store_inplace(target),
            Method::Forward => limit.load_store(x, target),
            Method::Backward => limit.load_load_store(x, grad, target),
            Method::BackwardInplace => limit.load_load_store_inplace(x, target),
        }
    }

    /// The same traffic as `method`'s, so many times, by vectors of 32 bytes behind a function pointer. What is less than
    /// a vector is left out. In place it leaves what is in the target.
    pub fn run_narrow_limit(&mut self, method: Method, calls: u64) {
        let limit = black_box(NarrowLimit::of(method));
        self.repeat(calls, |numbers| {
            let [x, grad] = [numbers.x, numbers.grad].map(bytemuck::cast_slice);
            limit.run(x, grad, bytemuck::cast_slice_mut(numbers.target));
        });
    }

    /// So many times ReLU as a loop that one would write without this crate: the compiler can vectorize it for f32 and f64.
    /// Run again in place, it finds its own result, where branches are easy to predict: that is in its favour.
    pub fn run_plain_relu(&mut self, method: Method, calls: u64) {
        let zero = T::zeroed();
        let select = |x: T, value: T| if x > zero { value } else { zero };
        match method {
            Method::ForwardInplace => self.repeat(calls, |numbers| {
                numbers.target.iter_mut().for_each(|x| *x = select(*x, *x));
            }),
            Method::Forward => self.repeat(calls, |numbers| {
                let rows = numbers.target.iter_mut().zip(numbers.x);
                rows.for_each(|(output, &x)| *output = select(x, x));
            }),
            Method::Backward => self.repeat(calls, |numbers| {
                let rows = numbers.target.iter_mut().zip(numbers.x).zip(numbers.grad);
                rows.for_each(|((grad_input, &x), &grad_output)| *grad_input = select(x, grad_output));
            }),
            Method::BackwardInplace => self.repeat(calls, |numbers| {
                let rows = numbers.target.iter_mut().zip(numbers.x);
                rows.for_each(|(grad, &x)| *grad = select(x, *grad));
            }),
        }
    }

    /// Whether the target holds what one call of `function` has to give. (There is no zero and no NaN among the numbers.)
    pub fn is_right(&self, function: Function) -> bool {
        let bytes = bytemuck::cast_slice::<T, u8>;
        let mut periods = self.target.chunks(PERIOD);
        let first = periods.next().unwrap_or_default();
        let row = function.activation.row();
        let mut rows = self.x.iter().zip(self.grad).zip(first);
        let is_first_right = rows.all(|((&x, &grad), &result)| {
            let expected = if function.method.is_forward() {
                (row.value)(x.into())
            } else {
                (row.slope)(x.into()) * grad.into()
            };
            // +0.0 for -0.0.
            let expected = expected + 0.0;
            if row.is_exact {
                bytemuck::bytes_of(&T::rounded(expected)) == bytemuck::bytes_of(&result)
            } else {
                let result: f64 = result.into();
                // Infinity is. The second term is for sums whose terms cancel out.
                result == expected || (result - expected).abs() <= T::EPSILON.into() * expected.abs() + 1e-5
            }
        });
        is_first_right && periods.all(|period| bytes(period) == bytes(&first[..period.len()]))
    }
}
