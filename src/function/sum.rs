//! What comes before the function of a fused pass: input * scale + bias + residual.

use core::marker::PhantomData;

use super::Function;
use crate::simd::{Float, FloatFn, Format, Vector, VectorFn};

/// (input + bias) + residual, each sum rounded.
///
/// An absent operand is -0.0: x + -0.0 is x for every number x, including -0.0. Only in the rounding mode "down" does
/// +0.0 become -0.0.
pub(crate) struct Sum<T>(PhantomData<T>);

super::copy_by_format!(Sum);

impl<T: Format> VectorFn<3> for Sum<T> {
    type Lane = T::Lane;

    const FIRST_BROADCAST: usize = 1;

    #[inline(always)]
    fn call<V: Vector<Lane = T::Lane>>(self, simd: V::Simd, inputs: [V; 3]) -> [V; 1] {
        [V::compute::<T, _, 3>(simd, Add3, inputs)]
    }
}

/// A function's value at [`Sum`]. Has the layout of the parameters.
#[repr(transparent)]
pub(crate) struct ValueOfSum<A: Function, T: Format>(A::Params<T::Lane>);

impl<A: Function, T: Format> Clone for ValueOfSum<A, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: Function, T: Format> Copy for ValueOfSum<A, T> {}

impl<A: Function, T: Format> VectorFn<3> for ValueOfSum<A, T> {
    type Lane = T::Lane;

    const FIRST_BROADCAST: usize = 1;
    const HOISTS_BROADCASTS: bool = A::IS_COMMON;

    #[inline(always)]
    fn call<V: Vector<Lane = T::Lane>>(self, simd: V::Simd, inputs: [V; 3]) -> [V; 1] {
        let z = V::compute::<T, _, 3>(simd, Add3, inputs);
        [A::value::<T, V>(self.0, simd, z)]
    }
}

#[derive(Clone, Copy)]
struct Add3;

impl FloatFn<3> for Add3 {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, [input, bias, residual]: [F; 3]) -> F {
        input.add(bias).add(residual).with_canonical_nan(simd)
    }
}

/// (x * scale + bias) + residual, each result rounded.
///
/// An absent scale is 1. Other absent operands are those of [`Sum`].
#[derive(Clone, Copy, Default)]
pub(crate) struct Affine;

impl FloatFn<4> for Affine {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, [x, scale, bias, residual]: [F; 4]) -> F {
        x.mul(scale).add(bias).add(residual).with_canonical_nan(simd)
    }
}
