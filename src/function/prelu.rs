//! The arithmetic of parametric ReLU.

use core::marker::PhantomData;

use super::order::Nonzero;
use super::product::Product;
use super::relu::passes;
use crate::simd::{Float, Format, Register, SumFn, Vector, VectorFn};

/// What the loops below read: which slopes are not zero.
pub(crate) fn prelu_params<T: Format>() -> Nonzero<T::Lane> {
    Nonzero::new()
}

/// The value, from x and the slope. Has the layout of [`prelu_params`].
#[repr(transparent)]
pub(crate) struct PReluValue<T: Format>(Nonzero<T::Lane>);

impl<T: Format> VectorFn<2> for PReluValue<T> {
    type Lane = T::Lane;

    const FIRST_BROADCAST: usize = 1;

    #[inline(always)]
    fn call<V: Vector<Lane = T::Lane>>(self, simd: V::Simd, [x, slope]: [V; 2]) -> [V; 1] {
        [choose::<T, V>(self.0, simd, x, x, slope)]
    }
}

/// The gradient at x, from x, the gradient at the output and the slope. Has the layout of [`prelu_params`].
#[repr(transparent)]
pub(crate) struct PReluGradient<T: Format>(Nonzero<T::Lane>);

impl<T: Format> VectorFn<3> for PReluGradient<T> {
    type Lane = T::Lane;

    const FIRST_BROADCAST: usize = 2;

    #[inline(always)]
    fn call<V: Vector<Lane = T::Lane>>(self, simd: V::Simd, [x, grad_output, slope]: [V; 3]) -> [V; 1] {
        [choose::<T, V>(self.0, simd, x, grad_output, slope)]
    }
}

super::copy_by_format!(PReluValue, PReluGradient);

/// `number` where x passes, else `number * slope`, or +0.0 where the slope is 0.
#[inline(always)]
fn choose<T: Format, V: Vector<Lane = T::Lane>>(
    nonzero: Nonzero<T::Lane>,
    simd: V::Simd,
    x: V,
    number: V,
    slope: V,
) -> V {
    V::compute::<T, _, 2>(simd, Product, [number, slope])
        .keep(nonzero.contains(simd, slope))
        .replace(passes(T::NEG_INFINITY, simd, x), number)
}

/// The summand of the gradient of a slope: x * `grad_output` where x doesn't pass, else +0.0.
pub(crate) struct PReluSlopes<T>(PhantomData<T>);

impl<T: Format> SumFn<2> for PReluSlopes<T> {
    type Format = T;

    #[inline(always)]
    fn summand<V: Register<Lane = T::Lane>>(simd: V::Simd, [x, grad_output]: [V; 2], index: usize) -> V::Float {
        let passes = passes(T::NEG_INFINITY, simd, x);
        let (x, grad_output) = (x.discard(passes), grad_output.discard(passes));
        x.widen::<T>(index).mul(grad_output.widen::<T>(index))
    }
}
