//! ReLU: x where `!(x <= 0)`, else +0.0.

use super::{Activation, Backward, Forward};
use crate::element::Element;
use crate::simd::{Entries, Vector};

#[derive(Clone, Copy)]
pub(crate) struct Relu;

static FORWARD: Entries<Forward<Relu>, 1> = Entries::new();
static BACKWARD: Entries<Backward<Relu>, 2> = Entries::new();

impl Activation for Relu {
    const FORWARD: &'static Entries<Forward<Self>, 1> = &FORWARD;
    const BACKWARD: &'static Entries<Backward<Self>, 2> = &BACKWARD;

    #[inline(always)]
    fn forward<T: Element, V: Vector<Lane = T::Lane>>(self, simd: V::Simd, x: V) -> V {
        x.keep(above_negative_infinity::<T, V>(simd, x))
    }

    #[inline(always)]
    fn backward<T: Element, V: Vector<Lane = T::Lane>>(self, simd: V::Simd, x: V, grad_output: V) -> V {
        let pass = V::and(simd, above_negative_infinity::<T, V>(simd, x), x.nonzero());
        grad_output.keep(pass)
    }
}

/// As whole numbers, -0.0 is the least and -infinity the greatest of the numbers with a sign; the NaNs with a sign lie
/// between -infinity and +0.0. So this is true for +0.0, for x > 0 and for every NaN.
#[inline(always)]
fn above_negative_infinity<T: Element, V: Vector<Lane = T::Lane>>(simd: V::Simd, x: V) -> V::Mask {
    x.gt(V::splat(simd, T::NEG_INFINITY))
}
