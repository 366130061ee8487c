use super::Function;
use super::order::{Interval, Nan, Nonzero, has_fast_minimum};
use super::relu::relu;
use crate::simd::{Float, FloatFn, FloatLane, Format, Lane, Vector};

/// Squared ReLU: f(x) = x² where x > 0, else +0.0.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | > 0, +inf | x * x | 2 * g * x; g where g is zero |
/// | < 0, -inf, -0.0, +0.0 | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, SquaredRelu};
///
/// let mut x = [-2.0_f32, 0.0, 3.0];
/// let mut grad = [1.0; 3];
/// SquaredRelu.backward_inplace(&x, &mut grad);
/// SquaredRelu.forward_inplace(&mut x);
/// assert_eq!(x, [0.0, 0.0, 9.0]);
/// assert_eq!(grad, [0.0, 0.0, 6.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - A gradient g of zero is returned as it is, for x = +inf too (no `inf * 0`).
/// - Value and gradient are the exact ones rounded to nearest even: within 0.5 ulp, subnormal `bf16` 0.51. The gradient
///   overflows only where 2 * g * x does: x is doubled below 1, else g. The CPU's rounding and flush-to-zero modes apply.
/// - A NaN g comes out of a product quiet.
///
/// PyTorch and ONNX have it as two functions. It is due to So et al. (Primer, 2021).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 returns for `relu(x).square()` instead, on x86-64 with AVX2. ONNX Runtime has no such operator.
///
/// - PyTorch: the gradient is g * inf where 2 * x overflows.
/// - PyTorch in `f32`, `f64` and `f16`: a signalling NaN comes out quiet.
/// - PyTorch in `f16` and `bf16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SquaredRelu;

impl Function for SquaredRelu {
    const NAMES: &'static [(&'static str, Self)] = &[];

    type Code<T: Format> = T;

    /// The positive numbers, and those that are not zero.
    type Params<L: Lane> = (Interval<L>, Nonzero<L>);

    #[inline(always)]
    fn params<T: Format>(self) -> Self::Params<T::Lane> {
        // As integers, positive numbers are in their own order.
        (Interval::new(T::Lane::LOWEST_BIT, T::INFINITY), Nonzero::new())
    }

    #[inline(always)]
    fn value<T: Format, V: Vector<Lane = T::Lane>>((positive, _): Self::Params<T::Lane>, simd: V::Simd, x: V) -> V {
        if has_fast_minimum::<V>() {
            let positive = x.keep(x.gt(V::splat(simd, T::Lane::ZERO)));
            let square = V::compute::<T, _, 1>(simd, Square, [positive]);
            return Nan::of::<T>().restore(simd, x, square);
        }
        let square = V::compute::<T, _, 1>(simd, Square, [x]);
        relu(T::NEG_INFINITY, simd, x).replace(positive.contains(simd, x), square)
    }

    #[inline(always)]
    fn gradient<T: Format, V: Vector<Lane = T::Lane>>(
        (positive, nonzero): Self::Params<T::Lane>,
        simd: V::Simd,
        x: V,
        grad_output: V,
    ) -> V {
        let product = V::compute::<T, _, 2>(simd, TwiceProduct, [x, grad_output]);
        let product = grad_output.replace(nonzero.contains(simd, grad_output), product);
        relu(T::NEG_INFINITY, simd, x).replace(positive.contains(simd, x), product)
    }
}

#[derive(Clone, Copy)]
struct Square;

impl FloatFn<1> for Square {
    #[inline(always)]
    fn call<F: Float>(self, _: F::Simd, [x]: [F; 1]) -> F {
        x.mul(x)
    }
}

#[derive(Clone, Copy)]
struct TwiceProduct;

impl FloatFn<2> for TwiceProduct {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, [x, g]: [F; 2]) -> F {
        // Doubling x below 1 can't overflow; from 1 on 2 * g overflows only where 2 * g * x does.
        let is_below_one = F::splat(simd, F::Lane::nearest_finite(1.0)).gt(x);
        let (doubled_x, doubled_g) = (x.add(x), g.add(g));
        doubled_g
            .replace(is_below_one, g)
            .mul(x.replace(is_below_one, doubled_x))
    }
}
