use super::from_output::OfOutput;
use super::{Code, Smooth};
use crate::function::order::without_sign;
use crate::math::{Pieces, SIGMOID_SLOPE, exp_minus, is_f32, logistic_gradient, near_or_far, number, scale, unscale};
use crate::simd::{Float, FloatLane};

/// Hyperbolic tangent: f(x) = (e^x - e^-x) / (e^x + e^-x).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | 1 | +0.0, even where g is infinite or NaN |
/// | finite | tanh(x) | g * (1 - tanh(x)²) |
/// | +0.0, -0.0 | x | g |
/// | -inf | -1 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Tanh};
///
/// let x = [-40.0_f32, -0.0, 0.5];
/// let mut y = [0.0; 3];
/// Tanh.forward(&x, &mut y);
/// assert_eq!(y, [-1.0, -0.0, 0.46211717]);
///
/// let mut grad = [1.0; 3];
/// Tanh.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [7.2194053e-35, 1.0, 0.7864477]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`; [`FromOutput`](crate::FromOutput) takes the output. Where |f(x)| is rounded to 1, from |x| = 9.02 on, the gradient falls
///   down to the least subnormal number. In `f32` it is +0.0 from |x| = 52.7 on.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - f(-x) is -f(x), bit for bit, and |f(x)| is at most 1. A subnormal x is returned as it is. f is monotonic: no two
///   neighbours in `f32` go down. In `f64` some do, by an ulp.
/// - `f32`: the value is within 1.5 ulp of the exact one (1.1662 at x = 0.49283797), the gradient for g = 1 within 2.5
///   (1.7384 at x = 8.4610014). `f64`: within 2 and 2.5 ulp, the greatest found are 1.95 at x = 0.197681 and 2.39 at
///   x = -3.11895. For any g an ulp or two more.
/// - `f16` and `bf16`: each value is the exact one rounded, and so is each gradient for g = 1, except 4 of `f16` that are
///   its other neighbour.
/// - In `f32` the value is a polynomial on each of eight intervals, so is the gradient for |x| up to 4.68. In `f64` the value is (1 - t) / (1 + t) for
///   t = e^-2|x|, with the sign of x, as d/2 + d² / 2 (2 - d) for d = 1 - t. There and beyond 4.68 the gradient is 4 * t / (1 + t)². Fused
///   multiply-adds, `f64` and the CPU's modes are as for [`Sigmoid`](super::Sigmoid).
///
/// It is PyTorch's `tanh` and ONNX's operator `Tanh`. LeCun, Bottou, Orr and Müller (1998) recommend it
/// over sigmoid.
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch in `f32`: f(x) is rounded otherwise, within 0.6 ulp.
/// - PyTorch in `f64`: f(x) is rounded otherwise, in whole vectors and in the tail, within 0.75 ulp.
/// - ONNX Runtime in `f32`: f(x) is rounded otherwise, within 5.5 ulp: 1 + 2^-22 at some x, such as 8.60875.
/// - ONNX Runtime in `f32`: f(x) is off by up to 104 ulp where |x| is below 2^-120.
/// - ONNX Runtime in `f64`: f(x) is rounded otherwise, within 8.5 ulp.
/// - PyTorch: the gradient is g * (1 - y²) of the rounded y = f(x), where 1 - y² is rounded once. Where y is 1 or -1 that
///   is 0 with the sign of g, or NaN: in `f32` from |x| = 9.02 on, in `bf16` from 3.47 on.
/// - PyTorch in `f32` and `f64`, ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime in `f16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tanh;

impl Smooth for Tanh {
    const NAMES: &'static [(&'static str, Self)] = &[("tanh", Self), ("Tanh", Self)];

    type Code = Self;

    #[inline(always)]
    fn params<L: FloatLane>(self) {}
}

impl Code for Tanh {
    const KEEPS_NAN: bool = true;

    type Params = ();

    #[inline(always)]
    fn value<F: Float>((): (), simd: F::Simd, x: F) -> F {
        let magnitude = without_sign(simd, x);
        let sign = x.xor(magnitude);
        if is_f32::<F>() {
            let near = VALUE.at_by_square(simd, magnitude).xor(sign);
            return near_or_far(simd, x, VALUE.is_beyond(simd, magnitude), near, || {
                number::<F>(simd, 1.0).xor(sign)
            });
        }
        // t = e^-2|x|, scaled: (1 - t) / (1 + t). Next to 0 the power is 1, so that d = 1 - t is as exact as the growth.
        let exp = exp_minus(simd, magnitude.add(magnitude));
        let one: F = scale(simd);
        let (less, more) = (one.sub(exp.power), one.add(exp.power));
        // d / (2 - d) = d/2 + d * d/2 / (2 - d): next to 0 the first summand is most of it, and has no rounding error of the sum.
        let product = exp.growth.mul(exp.power);
        let difference = less.sub(product);
        let lost = less.sub(difference).sub(product);
        let half = difference.mul(number::<F>(simd, 0.5).mul(unscale(simd)));
        let quotient = half.div(more.add(product));
        difference
            .mul_add(quotient, lost.mul(unscale(simd)))
            .add(half)
            .xor(sign)
    }

    #[inline(always)]
    fn gradient<F: Float>((): (), simd: F::Simd, x: F, grad_output: F) -> F {
        // 4 t / (1 + t)² for t = e^-2|x|: sigmoid's slope at 2x, times 4
        let magnitude = without_sign(simd, x);
        let double = magnitude.add(magnitude);
        let four: F = number(simd, 4.0);
        let far = || {
            let exp = exp_minus(simd, double).value();
            logistic_gradient(simd, exp.mul(four), exp, grad_output)
        };
        if const { is_f32::<F>() } {
            let near = SIGMOID_SLOPE.at(simd, double).mul(four).mul(grad_output);
            return near_or_far(simd, x, SIGMOID_SLOPE.is_beyond(simd, double), near, far);
        }
        far()
    }
}

/// tanh(x), by square.
#[rustfmt::skip]
static VALUE: Pieces<8> = Pieces {
    index: [2.594, -0.365],
    end: 9.019999,
    nodes: [0x40e3_1740, 0x408e_72d0, 0x4050_aee0, 0x4018_3340, 0x3fd2_2c80, 0x3f7d_2fa0, 0x3e41_2d70, 0x0000_0000],
    coefficients: [
        [0x3f7f_ffe9, 0x3f7f_ee2e, 0x3f7f_3f63, 0x3f7b_a2af, 0x3f6d_80fa, 0x3f41_c6c1, 0x3e3e_eb02, 0x0000_0000],
        [0x3636_5620, 0x3a0e_8ae8, 0x3bc0_548a, 0x3d0a_7957, 0x3e0e_9fc1, 0x3eda_a56c, 0x3f77_19e6, 0x3f80_0000],
        [0xb63f_ae77, 0xba0e_827e, 0xbbbf_c40a, 0xbd08_1cd3, 0xbe04_51b2, 0xbea5_809d, 0xbe38_4758, 0xb093_56e3],
        [0x3600_5e65, 0x39bd_e7ff, 0x3b7e_2ea8, 0x3caf_44cf, 0x3d96_6f40, 0x3dd1_9444, 0xbe93_9102, 0xbeaa_aaa7],
        [0xb544_e85a, 0xb93d_4511, 0xbafb_1782, 0xbc23_2368, 0xbccd_8740, 0x3cf8_b941, 0x3de8_0eac, 0xb68b_dee9],
        [0x349d_3251, 0x3897_3fa9, 0x3a44_2d1d, 0x3b5f_21c1, 0x3af7_1a8c, 0xbd43_332d, 0x3dcf_eeaa, 0x3e08_9cb9],
        [0xb456_b3f0, 0xb7d6_12a3, 0xb97e_7f08, 0xba40_73fe, 0x3b82_0b54, 0x3c8e_b0fa, 0xbda8_0865, 0xba3b_d613],
        [0x3374_c8de, 0x36ee_1259, 0x3880_9366, 0x36ee_fcce, 0xbb3a_7155, 0x3b86_3491, 0x3c47_f792, 0xbd51_5257],
    ],
};

impl OfOutput for Tanh {
    #[inline(always)]
    fn slope<F: Float>(simd: F::Simd, y: F) -> F {
        let one: F = number(simd, 1.0);
        one.sub(y).mul(one.add(y))
    }
}
