//! The product of two numbers.

#[cfg(feature = "smooth")]
use core::marker::PhantomData;

use crate::simd::{Float, FloatFn};
#[cfg(feature = "smooth")]
use crate::simd::{Format, Vector, VectorFn};

/// The product of two numbers; a NaN is the canonical quiet NaN.
#[derive(Clone, Copy)]
pub(super) struct Product;

impl FloatFn<2> for Product {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, [a, b]: [F; 2]) -> F {
        a.mul(b).with_canonical_nan(simd)
    }
}

/// The [`Product`] of elements of the format `T`.
#[cfg(feature = "smooth")]
pub(crate) struct ProductOf<T>(PhantomData<T>);

#[cfg(feature = "smooth")]
super::copy_by_format!(ProductOf);

#[cfg(feature = "smooth")]
impl<T> Default for ProductOf<T> {
    #[inline(always)]
    fn default() -> Self {
        Self(PhantomData)
    }
}

#[cfg(feature = "smooth")]
impl<T: Format> VectorFn<2> for ProductOf<T> {
    type Lane = T::Lane;

    #[inline(always)]
    fn call<V: Vector<Lane = T::Lane>>(self, simd: V::Simd, factors: [V; 2]) -> [V; 1] {
        [V::compute::<T, _, 2>(simd, Product, factors)]
    }
}
