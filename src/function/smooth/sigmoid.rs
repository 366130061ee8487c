use super::from_output::OfOutput;
use super::{Code, Smooth, Tie};
use crate::function::order::without_sign;
use crate::math::{
    SIGMOID, SIGMOID_SLOPE, exp_minus, from_negative_side, is_f32, logistic_gradient, near_or_far, negated, number,
    unscale,
};
use crate::simd::{Float, FloatLane, Lane};

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
/// - `backward` accepts only the input of `forward`; [`FromOutput`](crate::FromOutput) takes the output.
/// - f(x) is from 0 to 1, and for x < 0 falls down to the least subnormal number: in `f32` it is +0.0 from x = -104 on.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - `f32`: the value is within 2 ulp of the exact one (1.5159 at x = -16.965979), the gradient for g = 1 within 2.5
///   (1.7384 at x = 16.922003). `f64`: within 2 and 2.5 ulp, the greatest found are 1.75 at x = -1.13403 and 2.40 at x = -7.62393. For any g an ulp or two more.
/// - `f16` and `bf16`: each value is the exact one rounded, and so is each gradient for g = 1, except 4 of `f16` that are
///   its other neighbour.
/// - f is not monotonic: of all neighbours in `f32` 62 go down by an ulp, from x = -0.65 to 0.65.
/// - In `f32`, `f16` and `bf16` it is a polynomial on each of eight intervals of |x| up to 9.37. Beyond, and in `f64`, it takes e^-|x|, a power
///   of two times a polynomial. All but `f64` is defined by fused multiply-adds, which
///   are emulated where the CPU has none. `portable` then takes 60 times as long as AVX-512, `scalar` 200 times. In `f64`
///   product and sum are rounded each, and the value is 1/2 + (1 - t) / (1 + t) / 2 for t = e^-|x|, or t times that.
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

impl Smooth for Sigmoid {
    const NAMES: &'static [(&'static str, Self)] = &[("sigmoid", Self), ("Sigmoid", Self)];

    type Code = Self;

    #[inline(always)]
    fn params<L: FloatLane>(self) {}
}

impl Code for Sigmoid {
    const KEEPS_NAN: bool = true;

    type Params = ();

    fn ties((): ()) -> &'static [Tie] {
        &[
            // 0.0029296875, 0.0068359375, 0.0107421875, -0.00146484375, -0.00341796875, -0.00537109375, -0.00732421875
            [0x1a00, 0x3801],
            [0x1f00, 0x3803],
            [0x2180, 0x3805],
            [0x9600, 0x37ff],
            [0x9b00, 0x37fd],
            [0x9d80, 0x37fb],
            [0x9f80, 0x37f9],
        ]
    }

    #[inline(always)]
    fn value<F: Float>((): (), simd: F::Simd, x: F) -> F {
        let magnitude = without_sign(simd, x);
        if is_f32::<F>() {
            let near = from_negative_side(simd, x, SIGMOID.at(simd, magnitude));
            return near_or_far(simd, x, SIGMOID.is_beyond(simd, magnitude), near, || {
                // t / (1 + t) is t - t², but for t³.
                let t = exp_minus(simd, magnitude).value().mul(unscale(simd));
                from_negative_side(simd, x, t.mul_add(negated(simd, t), t))
            });
        }
        // 1/2 + (1 - t) / 2 (1 + t), of which roundings of the second summand count less. For negative x it is t = p (1 + g) times
        // that, or p times 1/2 + (1 - t + 2 g) / 2 (1 + t).
        let exp = exp_minus(simd, magnitude);
        let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
        let [half, one, two] = [0.5, 1.0, 2.0].map(|n| number::<F>(simd, n));
        let p = exp.power.mul(unscale(simd));
        let numerator = exp.growth.mul_add(two.keep(is_negative).sub(p), one.sub(p));
        let quotient = numerator.div(exp.growth.mul_add(p, one.add(p)));
        let base = half.replace(is_negative, p.mul(half));
        quotient.mul_add(base, base)
    }

    #[inline(always)]
    fn gradient<F: Float>((): (), simd: F::Simd, x: F, grad_output: F) -> F {
        let magnitude = without_sign(simd, x);
        let far = || {
            let exp = exp_minus(simd, magnitude).value();
            logistic_gradient(simd, exp, exp, grad_output)
        };
        if const { is_f32::<F>() } {
            let near = SIGMOID_SLOPE.at(simd, magnitude).mul(grad_output);
            return near_or_far(simd, x, SIGMOID_SLOPE.is_beyond(simd, magnitude), near, far);
        }
        far()
    }
}

impl OfOutput for Sigmoid {
    #[inline(always)]
    fn slope<F: Float>(simd: F::Simd, y: F) -> F {
        number::<F>(simd, 1.0).sub(y).mul(y)
    }
}
