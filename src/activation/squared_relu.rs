use super::order::{Interval, has_fast_minimum, unless_nan};
use super::relu::Relu;
use super::{Activation, Function, Loops};
use crate::element::{Element, Format};
use crate::simd::{Float, FloatFn, FloatLane, Lane, Vector, compute};

/// Squared ReLU: x² where x > 0, else +0.0.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | > 0, +inf | x * x | (2 * g) * x; g where it is zero |
/// | < 0, -inf, -0.0, +0.0 | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// A gradient of zero stays as it is, at x = inf too (no `inf * 0`). The products are computed in `f32` for `f32`, `f16` and `bf16`, else in
/// `f64`, in the order that is written here; of `f16` and `bf16` the result is rounded once more, to nearest and of two to even. The
/// CPU's rounding and flush-to-zero modes apply. A NaN g comes out of a product quiet. `backward` takes the input of `forward`.
///
/// It is due to So et al. (Primer, 2021); PyTorch and ONNX have it as two functions.
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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SquaredRelu;

impl Activation for SquaredRelu {}

static LOOPS: Loops<SquaredRelu> = Loops::new();

#[derive(Clone, Copy)]
pub struct Rounded<T: Format> {
    positive: Interval<T::Lane>,
}

impl Function for SquaredRelu {
    const LOOPS: &'static Loops<Self> = &LOOPS;

    const COMPUTES: bool = true;

    type Rounded<T: Element> = Rounded<T>;

    #[inline(always)]
    fn round<T: Element>(self) -> Rounded<T> {
        // Numbers without a sign are in the order of their bits.
        Rounded {
            positive: Interval::new(T::Lane::ONE, T::INFINITY),
        }
    }

    #[inline(always)]
    fn forward_vector<T: Element, V: Vector<Lane = T::Lane>>(rounded: Rounded<T>, simd: V::Simd, x: V) -> V {
        if has_fast_minimum::<V>() {
            let positive = x.keep(x.gt(V::splat(simd, T::Lane::ZERO)));
            return unless_nan::<T, V>(simd, x, compute::<T, V, _, 1>(simd, Square, [positive]));
        }
        let square = compute::<T, V, _, 1>(simd, Square, [x]);
        Relu::forward_vector::<T, V>((), simd, x).replace(rounded.positive.contains(simd, x), square)
    }

    #[inline(always)]
    fn backward_vector<T: Element, V: Vector<Lane = T::Lane>>(
        rounded: Rounded<T>,
        simd: V::Simd,
        x: V,
        grad_output: V,
    ) -> V {
        let without_sign = grad_output.wrapping_add(grad_output);
        let product = compute::<T, V, _, 2>(simd, TwiceProduct, [x, grad_output]);
        let product = grad_output.replace(without_sign.nonzero(), product);
        Relu::forward_vector::<T, V>((), simd, x).replace(rounded.positive.contains(simd, x), product)
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
        g.mul(F::splat(simd, F::Lane::nearest_finite(2.0))).mul(x)
    }
}
