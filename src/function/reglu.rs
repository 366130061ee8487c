//! The arithmetic of ReGLU.

use core::marker::PhantomData;

use super::product::Product;
use super::relu::passes;
use crate::simd::{Format, Vector, VectorFn};

/// relu(a) * b, from a and b.
pub(crate) struct ReGluValue<T>(PhantomData<T>);

impl<T: Format> VectorFn<2> for ReGluValue<T> {
    type Lane = T::Lane;

    #[inline(always)]
    fn call<V: Vector<Lane = T::Lane>>(self, simd: V::Simd, [a, b]: [V; 2]) -> [V; 1] {
        [V::compute::<T, _, 2>(simd, Product, [a, b]).keep(passes(T::NEG_INFINITY, simd, a))]
    }
}

/// The gradients at a and b, from a, b and the gradient at the output.
pub(crate) struct ReGluGradient<T>(PhantomData<T>);

impl<T: Format> VectorFn<3, 2> for ReGluGradient<T> {
    type Lane = T::Lane;

    #[inline(always)]
    fn call<V: Vector<Lane = T::Lane>>(self, simd: V::Simd, [a, b, grad_output]: [V; 3]) -> [V; 2] {
        let passes = passes(T::NEG_INFINITY, simd, a);
        [
            V::compute::<T, _, 2>(simd, Product, [grad_output, b]).keep(passes),
            V::compute::<T, _, 2>(simd, Product, [grad_output, a]).keep(passes),
        ]
    }
}

super::copy_by_format!(ReGluValue, ReGluGradient);
