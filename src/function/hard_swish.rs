use super::Function;
use super::order::{Nan, without_sign};
use super::relu::{above_negative_infinity, relu};
use crate::simd::{Float, FloatFn, FloatLane, Format, Lane, Vector};

/// Hard swish: f(x) = x * max(0, min(1, (x + 3) / 6)).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | >= 3, +inf | x | g |
/// | -3 < x < 3 | x * ((x + 3) / 6) | g * ((2 * x + 3) / 6); +0.0 at x = -1.5 |
/// | <= -3, -inf | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, HardSwish};
///
/// let mut x = [-4.0_f32, 0.0, 3.0];
/// HardSwish.forward_inplace(&mut x);
/// assert_eq!(x, [0.0, 0.0, 3.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - The gradient is 0 at x = -3 and g at x = 3, as in PyTorch.
/// - `f32`: the value is within 1.88 ulp of the exact one (1.8715 at x = 1.3714979), the gradient for g = 1 within 1 ulp
///   (at x = 2.9999993), for any g within 2.5 ulp (2.4963 at x = 0.50044477, g = 1.4996665). `f64` has the same bounds by
///   samples. `f16` and `bf16` are within 0.51 ulp.
/// - Each sum, quotient and product is rounded to nearest even, in the order of the table, in `f32` for `f32`, `f16` and
///   `bf16`, else in `f64`. For `f16` and `bf16` the result is rounded once more to the format of the elements. The
///   CPU's rounding and flush-to-zero modes apply.
/// - On both sides of its minimum f is not monotonic: of all neighbours in `f32` 1,626,819 go against its direction by an ulp
///   and 38,512 by two, from x = -1.72 to -1e-6.
/// - A NaN g comes out of a product quiet.
///
/// It is PyTorch's `hardswish` and ONNX's operator `HardSwish`. It is due to Howard et al. (MobileNetV3, 2019).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch, ONNX Runtime: f(x) is -0.0 at finite x <= -3, and NaN at -inf.
/// - ONNX Runtime in `f32`: f(x) is x * (1/6 * x + 1/2), rounded from the inside out, which cancels next to -3.
/// - PyTorch in `f32`, `f64` and `bf16`: f(x) is x * min(x + 3, 6) / 6, rounded in that order: inf where the product
///   overflows, and not always x above 3.
/// - PyTorch: the gradient at NaN is NaN in whole vectors, and g in the tail.
/// - PyTorch: the gradient is g * (x / 3 + 1/2), which cancels next to -1.5. At -1.5 it is -0.0 for a negative g, and
///   NaN for an infinity or NaN.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime in `f16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HardSwish;

impl Function for HardSwish {
    const NAMES: &'static [(&'static str, Self)] = &[("hardswish", Self), ("Hardswish", Self), ("HardSwish", Self)];

    type Code<T: Format> = T;

    /// The bits of 3.
    type Params<L: Lane> = L;

    #[inline(always)]
    fn params<T: Format>(self) -> T::Lane {
        T::bits_of_nearest(3.0)
    }

    #[inline(always)]
    fn value<T: Format, V: Vector<Lane = T::Lane>>(three: T::Lane, simd: V::Simd, x: V) -> V {
        let product = V::compute::<T, _, 1>(simd, Value, [x]);
        let elsewhere = relu(T::NEG_INFINITY, simd, x);
        elsewhere.replace(V::splat(simd, three).gt(without_sign(simd, x)), product)
    }

    #[inline(always)]
    fn gradient<T: Format, V: Vector<Lane = T::Lane>>(three: T::Lane, simd: V::Simd, x: V, grad_output: V) -> V {
        let product = V::compute::<T, _, 2>(simd, Gradient, [x, grad_output]);
        let elsewhere = grad_output.keep(above_negative_infinity(T::NEG_INFINITY, simd, x));
        Nan::of::<T>()
            .restore(simd, x, elsewhere)
            .replace(V::splat(simd, three).gt(without_sign(simd, x)), product)
    }
}

#[derive(Clone, Copy)]
struct Value;

impl FloatFn<1> for Value {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, [x]: [F; 1]) -> F {
        x.mul(x.add(three(simd)).sixth(simd))
    }
}

#[derive(Clone, Copy)]
struct Gradient;

impl FloatFn<2> for Gradient {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, [x, g]: [F; 2]) -> F {
        let slope = x.add(x).add(three(simd)).sixth(simd);
        // +0.0 where the slope is 0: no 0 * inf.
        g.mul(slope).keep(slope.nonzero())
    }
}

#[inline(always)]
fn three<F: Float>(simd: F::Simd) -> F {
    F::splat(simd, F::Lane::nearest_finite(3.0))
}
