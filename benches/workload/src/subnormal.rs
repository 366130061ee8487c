//! Calls whose results are all subnormal, with which CPUs are slow, and beside them the same calls on normal numbers.

use rectify::{AnyActivation, Kernels};

use crate::{Activation, Format, Function, LINE_BYTES, Memory, Method, Numbers, fill};

/// How an arithmetic function comes to subnormal results of normal numbers.
pub(super) struct Subnormal {
    pub(super) function: AnyActivation,
    /// The x of forward, for the least normal number; none where f(x) is never subnormal.
    pub(super) forward: Option<fn(f64) -> f64>,
    /// The x of backward, where the slope is from 0 to a quarter. The gradient at the output is small.
    pub(super) backward: f64,
}

impl Function {
    /// Those of the activations that compute, out-of-place: in-place, a call would find the subnormal results of the one before.
    pub fn with_subnormal_results(activations: impl IntoIterator<Item = Activation>) -> impl Iterator<Item = Self> {
        Self::all(activations).filter(|function| {
            let subnormal = function.activation.row().subnormal.as_ref();
            subnormal.is_some_and(|subnormal| match function.method {
                Method::Forward => subnormal.forward.is_some(),
                Method::Backward => true,
                Method::ForwardInplace | Method::BackwardInplace => false,
            })
        })
    }

    fn subnormal(self) -> &'static Subnormal {
        let subnormal = self.activation.row().subnormal.as_ref();
        subnormal.expect("one of `with_subnormal_results`")
    }
}

impl Memory {
    /// Two halves of the memory: numbers of which `function` has subnormal results, and larger ones.
    pub fn subnormal_and_normal<T: Format>(&mut self, function: Function) -> [Numbers<'_, T>; 2] {
        let line = LINE_BYTES / size_of::<T>();
        // Both begin with a cache line.
        let [x, grad, target] = self
            .slices::<T>()
            .map(|slice| slice.split_at_mut(slice.len() / 2 / line * line));
        let mut random = fastrand::Rng::with_seed(1969);
        let mut numbers = |x: &mut [T], grad: &mut [T], least| {
            let subnormal = function.subnormal();
            let x_magnitude = match (function.method, subnormal.forward) {
                (Method::Forward, Some(forward)) => forward(least),
                _ => subnormal.backward,
            };
            let of_forward = function.method.is_forward();
            fill(x, &mut random, |random| {
                x_magnitude * if of_forward { mantissa(random) } else { 1.0 }
            });
            fill(grad, &mut random, |random| 2.0 * least * mantissa(random));
        };
        numbers(x.0, grad.0, T::LEAST_NORMAL.into());
        numbers(x.1, grad.1, 1.0);
        [Numbers::new(x.0, grad.0, target.0), Numbers::new(x.1, grad.1, target.1)]
    }
}

fn mantissa(random: &mut fastrand::Rng) -> f64 {
    1.0 + random.f64() / 4.0
}

impl<T: Format> Numbers<'_, T> {
    /// [`run`](Self::run) of a function with subnormal results.
    pub fn run_subnormal(&mut self, kernels: Kernels, function: Function, calls: u64) {
        self.run_activation(kernels, function.subnormal().function, function.method, calls);
    }

    /// Whether all results are.
    pub fn are_subnormal(&self) -> bool {
        self.target
            .iter()
            .all(|&result| result.into() != 0.0 && result.into().abs() < T::LEAST_NORMAL.into())
    }
}
