//! What is computed, rather than chosen among bits.

use super::{Lane, Vector};
use crate::element::Format;

/// A vector whose lanes are the bits of `f32` or `f64`.
pub trait Float: Vector<Float = Self, Lane: FloatLane> {
    /// `self * other`, rounded to nearest. The CPU's modes apply.
    fn mul(self, other: Self) -> Self;

    /// `self + other`, the same.
    fn add(self, other: Self) -> Self;
}

/// The bits of a format that is computed in.
pub trait FloatLane: Lane {
    const NEG_INFINITY: Self;
    const INFINITY: Self;
    /// Of the least normal one.
    const MIN_POSITIVE: Self;

    /// Of the nearest number, of two the even one, but no infinity.
    fn nearest_finite(number: f64) -> Self;
}

impl FloatLane for i32 {
    const NEG_INFINITY: Self = f32::NEG_INFINITY.to_bits().cast_signed();
    const INFINITY: Self = f32::INFINITY.to_bits().cast_signed();
    const MIN_POSITIVE: Self = f32::MIN_POSITIVE.to_bits().cast_signed();

    #[inline(always)]
    fn nearest_finite(number: f64) -> Self {
        (number as f32).clamp(f32::MIN, f32::MAX).to_bits().cast_signed()
    }
}

impl FloatLane for i64 {
    const NEG_INFINITY: Self = f64::NEG_INFINITY.to_bits().cast_signed();
    const INFINITY: Self = f64::INFINITY.to_bits().cast_signed();
    const MIN_POSITIVE: Self = f64::MIN_POSITIVE.to_bits().cast_signed();

    #[inline(always)]
    fn nearest_finite(number: f64) -> Self {
        number.clamp(f64::MIN, f64::MAX).to_bits().cast_signed()
    }
}

/// What is computed in floating point, lane by lane.
pub trait FloatFn<const N: usize>: Copy {
    fn call<F: Float>(self, simd: F::Simd, inputs: [F; N]) -> F;
}

/// `function` of the elements of the inputs.
#[inline(always)]
pub fn compute<T: Format, V: Vector<Lane = T::Lane>, F: FloatFn<N>, const N: usize>(
    simd: V::Simd,
    function: F,
    inputs: [V; N],
) -> V {
    let mut results = [compute_float::<T, V, F, N>(simd, function, inputs, 0); 2];
    if V::FLOATS == 2 {
        results[1] = compute_float::<T, V, F, N>(simd, function, inputs, 1);
    }
    V::narrow::<T>(results)
}

/// For those at `index`.
#[inline(always)]
fn compute_float<T: Format, V: Vector<Lane = T::Lane>, F: FloatFn<N>, const N: usize>(
    simd: V::Simd,
    function: F,
    inputs: [V; N],
    index: usize,
) -> V::Float {
    let mut floats = [inputs[0].widen::<T>(index); N];
    for i in 1..N {
        floats[i] = inputs[i].widen::<T>(index);
    }
    function.call(simd, floats)
}
