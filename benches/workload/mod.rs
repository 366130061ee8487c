//! What the benchmarks and the example `throughput` measure: the functions of this crate on random signs, and beside
//! them the limit.

mod limit;

use std::collections::TryReserveError;

use bytemuck::Pod;
use rectify::{Element, Kernels};

pub use limit::Limit;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    ReluInplace,
    Relu,
    ReluBackward,
    ReluBackwardInplace,
}

impl Function {
    pub const ALL: [Self; 4] = [
        Self::ReluInplace,
        Self::Relu,
        Self::ReluBackward,
        Self::ReluBackwardInplace,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::ReluInplace => "relu_inplace",
            Self::Relu => "relu",
            Self::ReluBackward => "relu_backward",
            Self::ReluBackwardInplace => "relu_backward_inplace",
        }
    }

    /// Slices that are read, and slices that are written. What the hardware reads of a line before it writes to it is
    /// not counted.
    pub fn traffic(self) -> usize {
        match self {
            Self::ReluInplace | Self::Relu => 2,
            Self::ReluBackward | Self::ReluBackwardInplace => 3,
        }
    }

    /// The loops of which the faster one is the limit, for slices of so many bytes.
    pub fn limits(self, kernels: Kernels, bytes: usize) -> impl Iterator<Item = Limit> {
        let limit = Limit::of(kernels);
        let is_inplace = matches!(self, Self::ReluInplace | Self::ReluBackwardInplace);
        let is_past_caches = !is_inplace && self.traffic() * bytes >= rectify::streaming_threshold();
        let streaming = limit.streaming().filter(|_| is_past_caches);
        [limit].into_iter().chain(streaming)
    }
}

/// A number format, as far as the measuring needs to know it.
pub trait Format: Element + Pod {
    const NAME: &'static str;

    /// A number between -1 and 1, never 0.
    fn random(random: &mut fastrand::Rng) -> Self;
}

macro_rules! format {
    ($format:ty, $name:literal, $from_f32:expr) => {
        impl Format for $format {
            const NAME: &'static str = $name;

            fn random(random: &mut fastrand::Rng) -> Self {
                let magnitude = 1.0 - random.f32();
                $from_f32(if random.bool() { magnitude } else { -magnitude })
            }
        }
    };
}

format!(f32, "f32", f32::from);
format!(f64, "f64", f64::from);
#[cfg(feature = "half")]
format!(rectify::f16, "f16", rectify::f16::from_f32);
#[cfg(feature = "half")]
format!(rectify::bf16, "bf16", rectify::bf16::from_f32);

/// Memory for three slices of up to so many bytes, aligned to cache lines.
pub struct Memory([Vec<u64>; 3]);

const LINE_BYTES: usize = 64;

impl Memory {
    pub fn new(max_bytes: usize) -> Result<Self, TryReserveError> {
        let len = (max_bytes + LINE_BYTES).div_ceil(size_of::<u64>());
        let mut memory = [const { Vec::new() }; 3];
        for slice in &mut memory {
            slice.try_reserve_exact(len)?;
            slice.resize(len, 0);
        }
        Ok(Self(memory))
    }

    /// The memory as slices of numbers with random signs.
    pub fn numbers<T: Format>(&mut self) -> Numbers<'_, T> {
        let [x, grad, target] = self.0.each_mut().map(|memory| {
            let start = memory.as_ptr().align_offset(LINE_BYTES);
            bytemuck::cast_slice_mut(&mut memory[start..])
        });
        // Longer than what a branch predictor remembers.
        let mut random = fastrand::Rng::with_seed(1969);
        let block: Vec<T> = (0..1 << 17).map(|_| T::random(&mut random)).collect();
        for (slice, shift) in [(&mut *x, 0), (&mut *grad, block.len() / 3)] {
            for chunk in slice.chunks_mut(block.len() - shift) {
                chunk.copy_from_slice(&block[shift..][..chunk.len()]);
            }
        }
        Numbers { x, grad, target }
    }
}

/// The input, the gradient at the output, and what is written to.
pub struct Numbers<'a, T> {
    x: &'a [T],
    grad: &'a [T],
    target: &'a mut [T],
}

impl<T: Format> Numbers<'_, T> {
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

    /// Puts into the target what `function` finds there.
    pub fn prepare(&mut self, function: Function) {
        self.target.copy_from_slice(match function {
            Function::ReluInplace => self.x,
            _ => self.grad,
        });
    }

    /// Run again, the functions in place find their own result. They have no branches, so it takes as long as the first
    /// time.
    pub fn run(&mut self, kernels: Kernels, function: Function) {
        match function {
            Function::ReluInplace => kernels.relu_inplace(self.target),
            Function::Relu => kernels.relu(self.x, self.target),
            Function::ReluBackward => kernels.relu_backward(self.x, self.grad, self.target),
            Function::ReluBackwardInplace => kernels.relu_backward_inplace(self.x, self.target),
        }
    }

    /// The same traffic as `function`'s. In place it leaves what is in the target.
    pub fn run_limit(&mut self, limit: Limit, function: Function) {
        let x = bytemuck::cast_slice(self.x);
        let grad = bytemuck::cast_slice(self.grad);
        let target = bytemuck::cast_slice_mut(self.target);
        match function {
            Function::ReluInplace => limit.load_store_inplace(target),
            Function::Relu => limit.load_store(x, target),
            Function::ReluBackward => limit.load_load_store(x, grad, target),
            Function::ReluBackwardInplace => limit.load_load_store_inplace(x, target),
        }
    }

    /// The loop that one would write without this crate: the compiler can vectorize it for f32 and f64. Run again in
    /// place, it finds its own result, where branches are easy to predict: that is in its favour.
    pub fn run_naive(&mut self, function: Function) {
        let zero = T::zeroed();
        let select = |x: T, value: T| if x > zero { value } else { zero };
        match function {
            Function::ReluInplace => self.target.iter_mut().for_each(|x| *x = select(*x, *x)),
            Function::Relu => {
                let rows = self.target.iter_mut().zip(self.x);
                rows.for_each(|(output, &x)| *output = select(x, x));
            }
            Function::ReluBackward => {
                let rows = self.target.iter_mut().zip(self.x).zip(self.grad);
                rows.for_each(|((grad_input, &x), &grad_output)| *grad_input = select(x, grad_output));
            }
            Function::ReluBackwardInplace => {
                let rows = self.target.iter_mut().zip(self.x);
                rows.for_each(|(grad, &x)| *grad = select(x, *grad));
            }
        }
    }

    /// Whether the target holds what `function` has to give. (There is no zero and no NaN among the numbers.)
    pub fn is_right(&self, function: Function) -> bool {
        let kept = match function {
            Function::ReluInplace | Function::Relu => self.x,
            Function::ReluBackward | Function::ReluBackwardInplace => self.grad,
        };
        let zero = T::zeroed();
        let rows = self.x.iter().zip(kept).zip(&*self.target);
        rows.fold(true, |right, ((&x, &kept), result)| {
            let expected = if x > zero { kept } else { zero };
            right & (bytemuck::bytes_of(&expected) == bytemuck::bytes_of(result))
        })
    }
}
