//! Concatenated ReLU, a select function.

use core::marker::PhantomData;

use super::relu::{passes, relu};
use crate::simd::{Format, Lane, Vector, VectorFn};

/// relu(x) and relu(-x), from x.
pub(crate) struct CreluValue<T>(PhantomData<T>);

impl<T: Format> VectorFn<1, 2> for CreluValue<T> {
    type Lane = T::Lane;

    #[inline(always)]
    fn call<V: Vector<Lane = T::Lane>>(self, simd: V::Simd, [x]: [V; 1]) -> [V; 2] {
        let positive = relu(T::NEG_INFINITY, simd, x);
        [positive, relu(T::NEG_INFINITY, simd, negated(simd, x))]
    }
}

/// The gradient at x, from x and the gradients at both outputs.
pub(crate) struct CreluGradient<T>(PhantomData<T>);

impl<T: Format> VectorFn<3> for CreluGradient<T> {
    type Lane = T::Lane;

    #[inline(always)]
    fn call<V: Vector<Lane = T::Lane>>(self, simd: V::Simd, [x, grad_positive, grad_negative]: [V; 3]) -> [V; 1] {
        let is_positive = passes(T::NEG_INFINITY, simd, x);
        let is_negative = passes(T::NEG_INFINITY, simd, negated(simd, x));
        let grad_input = grad_positive
            .keep(is_positive)
            .replace(is_negative, negated(simd, grad_negative));
        // Only a NaN is both.
        [grad_input.replace(V::and(simd, is_positive, is_negative), x)]
    }
}

super::copy_by_format!(CreluValue, CreluGradient);

/// -x, of NaNs too.
#[inline(always)]
fn negated<V: Vector>(simd: V::Simd, x: V) -> V {
    x.xor(V::splat(simd, V::Lane::SIGN_BIT))
}
