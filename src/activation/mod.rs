//! What is computed: one file a function.

mod relu;

pub(crate) use relu::Relu;

use crate::element::Element;
use crate::simd::{Entries, Vector};
use crate::sweep::VectorFn;

/// A function of one number and its gradient, stated once for every format and instruction set.
pub(crate) trait Activation: Copy + Send + Sync + 'static {
    /// Statics, so that the loops are compiled here, with this crate's optimisation level, and not in each user's crate.
    const FORWARD: &'static Entries<Forward<Self>, 1>;
    const BACKWARD: &'static Entries<Backward<Self>, 2>;

    fn forward<T: Element, V: Vector<Lane = T::Lane>>(self, simd: V::Simd, x: V) -> V;

    fn backward<T: Element, V: Vector<Lane = T::Lane>>(self, simd: V::Simd, x: V, grad_output: V) -> V;
}

/// The function from x to the function's value.
#[derive(Clone, Copy)]
pub(crate) struct Forward<A>(pub(crate) A);

impl<A: Activation> VectorFn<1> for Forward<A> {
    #[inline(always)]
    fn call<T: Element, V: Vector<Lane = T::Lane>>(self, simd: V::Simd, [x]: [V; 1]) -> V {
        self.0.forward::<T, V>(simd, x)
    }
}

/// The function from x and the gradient at the output to the gradient at the input.
#[derive(Clone, Copy)]
pub(crate) struct Backward<A>(pub(crate) A);

impl<A: Activation> VectorFn<2> for Backward<A> {
    #[inline(always)]
    fn call<T: Element, V: Vector<Lane = T::Lane>>(self, simd: V::Simd, [x, grad_output]: [V; 2]) -> V {
        self.0.backward::<T, V>(simd, x, grad_output)
    }
}
