use super::Function;
use super::order::{Nan, without_sign};
use crate::math::{SCALE, constant, exp_minus, number, scale};
use crate::simd::{Float, FloatFn, Format, Lane, Vector};

/// Sigmoid: f(x) = 1 / (1 + e^-x).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | 1 | +0.0, even where g is infinite or NaN |
/// | finite | 1 / (1 + e^-x) | g * e^-\|x\| / (1 + e^-\|x\|)² |
/// | -inf | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Sigmoid};
///
/// let x = [-100.0_f32, 0.0, 100.0];
/// let mut y = [0.0; 3];
/// Sigmoid.forward(&x, &mut y);
/// assert_eq!(y, [3.783506e-44, 0.5, 1.0]);
///
/// let mut grad = [1.0; 3];
/// Sigmoid.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [3.783506e-44, 0.25, 3.783506e-44]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - f(x) is from 0 to 1, and for x < 0 falls down to the least subnormal number: in `f32` it is +0.0 from x = -104 on.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - `f32`: the value is within 2.5 ulp of the exact one (2.4019 at x = -4.157294), the gradient for g = 1 within 2.75
///   by samples. `f64`: within 2 and 2.5 ulp by samples. For any g an ulp or two more.
/// - `f16` and `bf16`: each value is the exact one rounded, and so is each gradient for g = 1, except 6 of `f16` that are
///   its other neighbour.
/// - f is not monotonic: of all neighbours in `f32` 198,097 go down by an ulp.
/// - e^-|x| is a power of two times a polynomial. In `f32`, `f16` and `bf16` it is defined by fused multiply-adds, which
///   are emulated where the CPU has none. `portable` then takes 60 times as long as AVX-512, `scalar` 200 times. In `f64`
///   product and sum are rounded each.
/// - The CPU's rounding and flush-to-zero modes apply.
///
/// It is PyTorch's `sigmoid` and ONNX's operator `Sigmoid`, the logistic function (Verhulst, 1838).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch in `f32`, `f64` and `bf16`: f(x) is +0.0 where e^-x overflows: below -88.72, in `f64` below -709.78.
/// - PyTorch in `f32` and `f64`: f(x) is rounded otherwise, within 2.5 ulp.
/// - PyTorch in `f16`: f(x) is rounded to `f32` first: within 0.51 ulp.
/// - ONNX Runtime in `f32`: f(x) is off by up to 1.5 * 2^-23, whatever its size: +0.0 from x = -18 on.
/// - ONNX Runtime in `f32`: f(x) is 1 + 2^-23 at some x next to 18, such as 17.844.
/// - ONNX Runtime in `f64`: f(x) is off by up to 2^-52, whatever its size: +0.0 from x = -37 on.
/// - ONNX Runtime in `f16`: f(x) is off by up to 2^-23 in `f32`, whatever its size, and rounded once more: +0.0 from
///   x = -18 on.
/// - PyTorch in `f32`, `f64` and `bf16`: the gradient is g * (1 - y) * y of the rounded y = f(x), rounded in that order.
///   Where y is 0 or 1 that is 0 with the sign of g, or NaN: in `f32` from x = 16.64 on, in `bf16` from 6.25 on.
/// - PyTorch in `f16`: the gradient is g * (1 - y) * y of the rounded y = f(x), rounded to `f16` in that order. Where y
///   is 0 or 1, from x = 8.32 on, that is 0 with the sign of g, or NaN.
/// - ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime in `f64` and `f16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sigmoid;

impl Function for Sigmoid {
    const NAMES: &'static [(&'static str, Self)] = &[("sigmoid", Self), ("Sigmoid", Self)];

    type Code<T: Format> = T;
    type Params<L: Lane> = ();

    #[inline(always)]
    fn params<T: Format>(self) {}

    #[inline(always)]
    fn value<T: Format, V: Vector<Lane = T::Lane>>((): (), simd: V::Simd, x: V) -> V {
        let value = V::compute::<T, _, 1>(simd, Value, [x]);
        Nan::of::<T>().restore(simd, x, patched::<T, V>(simd, x, value))
    }

    #[inline(always)]
    fn gradient<T: Format, V: Vector<Lane = T::Lane>>((): (), simd: V::Simd, x: V, grad_output: V) -> V {
        Nan::of::<T>().restore(simd, x, V::compute::<T, _, 2>(simd, Gradient, [x, grad_output]))
    }
}

/// Inputs of `f16` whose values in `f32` are half-way between two of `f16`, to which the exact ones are not, and those.
const TIES: [(f64, f64); 6] = [
    (0.0029296875, 0.50048828125),
    (0.0068359375, 0.50146484375),
    (0.0107421875, 0.50244140625),
    (-0.00146484375, 0.499755859375),
    (-0.00341796875, 0.499267578125),
    (-0.00537109375, 0.498779296875),
];

#[inline(always)]
fn patched<T: Format, V: Vector<Lane = T::Lane>>(simd: V::Simd, x: V, mut value: V) -> V {
    if const { size_of::<T>() == 2 && !T::IS_BF16 } {
        for (tie, nearest) in TIES {
            let is_other = x.xor(V::splat(simd, T::bits_of_nearest(tie))).nonzero();
            value = V::splat(simd, T::bits_of_nearest(nearest)).replace(is_other, value);
        }
    }
    value
}

#[derive(Clone, Copy)]
struct Value;

impl FloatFn<1> for Value {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, [x]: [F; 1]) -> F {
        // Both are scaled, so that the quotient is rounded once where it is subnormal.
        let exp = exp_minus(simd, without_sign(simd, x)).value();
        let one: F = scale(simd);
        let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
        one.replace(is_negative, exp).div(exp.add(one))
    }
}

#[derive(Clone, Copy)]
struct Gradient;

impl FloatFn<2> for Gradient {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, [x, g]: [F; 2]) -> F {
        let exp = exp_minus(simd, without_sign(simd, x)).value();
        let (one, unscaled): (F, F) = (number(simd, 1.0), number(simd, 1.0 / SCALE));
        // (1 + t)² = t (t + 2) + 1
        let t = exp.mul(unscaled);
        let square = t.mul_add(t.add(number(simd, 2.0)), one);
        // Where the slope may be subnormal, g takes the scale.
        let is_far = one.gt(exp);
        let slope = exp.div(square.mul(scale::<F>(simd).replace(is_far, one)));
        let product = g.mul(one.replace(is_far, unscaled)).mul(slope);
        // +0.0 where the slope is rounded to 0: no 0 * inf.
        product.keep(exp.gt(half_of_least_number(simd)))
    }
}

/// Scaled.
#[inline(always)]
fn half_of_least_number<F: Float>(simd: F::Simd) -> F {
    // 2^-150 and 2^-1075, times 2^60.
    constant(simd, 0x1280_0000, 0x0080_0000_0000_0000)
}
