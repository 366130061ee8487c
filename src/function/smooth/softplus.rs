use super::{Code, Smooth, Tie};
use crate::function::hard_sigmoid::quotient;
use crate::function::order::without_sign;
use crate::function::parameter::{ParameterError, or_panic, require};
use crate::math::{
    Factor, Pieces, SIGMOID, by_bits, exp_minus_product, from_negative_side, is_f32, log1p_quotient, near_or_far,
    number, scale, scaled_gradient, unscale,
};
use crate::simd::{Float, FloatLane, Lane};

/// Softplus: f(x) = log(1 + e^(beta * x)) / beta.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | +inf | g |
/// | finite | max(0, x) + log(1 + e^-\|beta * x\|) / beta | g / (1 + e^-(beta * x)) |
/// | -inf | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Softplus};
///
/// let x = [-100.0_f32, 0.0, 100.0];
/// let mut y = [0.0; 3];
/// Softplus::default().forward(&x, &mut y);
/// assert_eq!(y, [3.783506e-44, 0.6931472, 100.0]);
///
/// let mut grad = [1.0; 3];
/// Softplus::default().backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [3.783506e-44, 0.5, 1.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - There is no threshold from which on f(x) is x: in `f32` it is so by rounding. For x < 0 f(x) falls down to the
///   least subnormal number.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - `f32`: the value is within 2.5 ulp of the exact one for any beta (by default 1.5: 1.3329 at x = -10.012078), the gradient
///   for g = 1 within 2.75 (by default 2.1516 at x = -15.537395). `f64`: the value is within 3 ulp by samples, by default within 2 (the
///   greatest found is 1.93 at x = 0.00278077), the gradient within 2.75.
///   For any g an ulp or two more.
/// - The product of beta and x is not rounded. The bounds hold for a beta from 2^-60 to 2^120, in `f64` from 1e-200 to 1e300.
///   A beta beyond that is taken as the nearest one in it.
/// - `f16` and `bf16`: by default each value is the exact one rounded, and so is each gradient for g = 1, except 7 of `f16`
///   that are its other neighbour. With another beta there are a few such values.
/// - f is not monotonic: by default, of all neighbours in `f32` 2,289,658 go down by an ulp, from
///   x = -0.67 to 0.44.
/// - In `f32`, `f16` and `bf16` log(1 + e^-|beta * x|) and the gradient are a polynomial on each of eight intervals of |beta * x| up to 9.37. Beyond, and in
///   `f64`, e^-|beta * x| is a power of two times a polynomial, and the logarithm another polynomial. In `f32`, `f16` and `bf16` they are
///   defined by fused multiply-adds, which are emulated where the CPU has none: `portable` and `scalar` are slow. In `f64` product
///   and sum are rounded each.
/// - The CPU's rounding and flush-to-zero modes apply.
///
/// It is PyTorch's `softplus`, but without its threshold, and ONNX's operator `Softplus`, which has no beta. It is due to
/// Dugas, Bengio, Bélisle, Nadeau and Garcia (2000).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch in `f64`: where beta * x > 20, f(x) is x, and the gradient g.
/// - PyTorch in `f32` and `f64`: with beta 1 f(x) and the gradient are rounded otherwise, within 2.5 ulp.
/// - PyTorch in `f32`: with another beta its product with x is rounded: f(x) and the gradient are off by up to 32 ulp in
///   the tail.
/// - PyTorch in `f64`: with another beta its product with x is rounded: f(x) and the gradient are off by up to 256 ulp in
///   the tail.
/// - PyTorch in `f16`: with beta 1 f(x) and the gradient are rounded to `f32` first: within 0.51 ulp.
/// - ONNX Runtime in `f16`: f(x) is rounded to `f32` first: within 0.51 ulp.
/// - ONNX Runtime in `f32`: f(x) is rounded otherwise, within 1.5 ulp.
/// - PyTorch: the gradient is g * z / (z + 1) for z = e^(beta * x), rounded in that order: infinite where the product
///   overflows, and of few bits where z is subnormal. Where z is 0, that is 0 with the sign of g, or NaN.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime in `f32`: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softplus {
    beta: f64,
}

impl Softplus {
    /// Softplus with the factor `beta`.
    ///
    /// The parameter is `f64`; of an `f32` write `f64::from(beta)`.
    ///
    /// # Panics
    ///
    /// Panics if `beta` is not positive and finite.
    #[must_use]
    #[track_caller]
    pub const fn new(beta: f64) -> Self {
        or_panic!(Self::try_new(beta))
    }

    /// [`new`](Self::new), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `new` panics.
    pub const fn try_new(beta: f64) -> Result<Self, ParameterError> {
        require!(
            beta > 0.0 && beta.is_finite(),
            "Softplus: `beta` is not positive and finite"
        );
        Ok(Self { beta })
    }

    const DEFAULT: Self = Self::new(1.0);
}

/// The default of PyTorch: beta 1.
impl Default for Softplus {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Smooth for Softplus {
    const NAMES: &'static [(&'static str, Self)] = &[("softplus", Self::DEFAULT), ("Softplus", Self::DEFAULT)];

    type Code = SoftplusCode;

    #[inline]
    fn params<L: FloatLane>(self) -> Params {
        let ties: &[Tie] = if self == Self::DEFAULT { TIES } else { &[] };
        Params::new::<L>(self.beta, L::ZERO, ties)
    }
}

/// For beta 1.
const TIES: &[Tie] = &[
    // -6.389618e-5, -6.3955784e-5
    [0x8430, 0x398b],
    [0x8431, 0x398b],
];

/// Softplus of x and -x, the latter with the sign changed.
pub struct SoftplusCode;

/// Numbers are bits.
#[derive(Clone, Copy)]
pub struct Params {
    beta: Factor,
    /// 1 / beta, rounded; and what that has lost, as a part of it.
    inverse: u64,
    lost: u64,
    /// In `f32` `inverse + inverse_rest` is 1 / beta.
    inverse_rest: u64,
    /// The sign that x and the value are multiplied by.
    sign: u64,
    ties: &'static [Tie],
}

impl Params {
    #[inline]
    pub fn new<L: FloatLane>(beta: f64, sign: L, ties: &'static [Tie]) -> Self {
        let beta = Factor::in_range::<L>(beta);
        let [inverse, rounding_error] = quotient(1.0, beta);
        let nearest = L::nearest_finite(inverse);
        let rest = inverse - nearest.to_f64();
        let lost = (rest + rounding_error) * beta;
        Self {
            beta: Factor::new::<L>(beta),
            inverse: nearest.to_bits(),
            lost: L::nearest_finite(lost).to_bits(),
            inverse_rest: L::nearest_finite(rest).to_bits(),
            sign: sign.to_bits(),
            ties,
        }
    }
}

impl Code for SoftplusCode {
    const KEEPS_NAN: bool = true;

    type Params = Params;

    fn ties(params: Params) -> &'static [Tie] {
        params.ties
    }

    #[inline(always)]
    fn value<F: Float>(params: Params, simd: F::Simd, x: F) -> F {
        let bits = |bits| by_bits::<F>(simd, bits);
        let sign = bits(params.sign);
        let x = x.xor(sign);
        let magnitude = without_sign(simd, x);
        let is_positive = x.gt(F::splat(simd, F::Lane::ZERO));
        let positive = x.keep(is_positive);
        let far = || params.by_exp(simd, magnitude, is_positive, positive);
        if const { !is_f32::<F>() } {
            return far().xor(sign);
        }
        let log = LOG1P.at_product(simd, magnitude, params.beta);
        let near = log.mul_add(bits(params.inverse), log.mul_add(bits(params.inverse_rest), positive));
        near_or_far(simd, x, params.beta.is_beyond(simd, magnitude), near, far).xor(sign)
    }

    #[inline(always)]
    fn gradient<F: Float>(params: Params, simd: F::Simd, x: F, grad_output: F) -> F {
        let sign = by_bits(simd, params.sign);
        let x = x.xor(sign);
        let magnitude = without_sign(simd, x);
        // As of sigmoid.
        let far = || {
            let exp = exp_minus_product(simd, magnitude, params.beta).value();
            let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
            let numerator = scale::<F>(simd).replace(is_negative, exp);
            let denominator = exp.mul(unscale(simd)).add(number(simd, 1.0));
            scaled_gradient(simd, numerator, denominator, grad_output)
        };
        if const { !is_f32::<F>() } {
            return far();
        }
        let slope = from_negative_side(simd, x, SIGMOID.at_product(simd, magnitude, params.beta));
        let is_far = params.beta.is_beyond(simd, magnitude);
        near_or_far(simd, x.xor(sign), is_far, slope.mul(grad_output), far)
    }
}

impl Params {
    /// The value at x without the sign, beyond the intervals in `f32`; `positive` is x where it is positive.
    // Not a closure: that would not be inlined.
    #[inline(always)]
    fn by_exp<F: Float>(self, simd: F::Simd, magnitude: F, is_positive: F::Mask, positive: F) -> F {
        let bits = |bits| by_bits::<F>(simd, bits);
        let exp = exp_minus_product(simd, magnitude, self.beta);
        let t = exp.value().mul(unscale(simd));
        let lost = bits(self.lost);
        // log(1 + t) / t - 1
        let quotient = if is_f32::<F>() {
            t.mul_add(number(simd, -0.5), lost)
        } else {
            log1p_quotient(simd, t, lost)
        };
        // log(1 + t) / beta = power / beta * (1 + growth) * (1 + quotient), where the first product is exact but for a constant
        // factor.
        let power = exp.power.mul(bits(self.inverse));
        let growth = exp.growth.mul_add(quotient, exp.growth);
        if is_f32::<F>() {
            return growth
                .add(quotient)
                .mul_add(power, power)
                .mul_add(unscale(simd), positive);
        }
        // Of positive x the lesser summands first.
        let (one, unscale) = (number::<F>(simd, 1.0), unscale(simd));
        let power = power.mul(one.replace(is_positive, unscale));
        let lesser = quotient.mul_add(power, growth.mul_add(power, positive));
        lesser.add(power).mul(unscale.replace(is_positive, one))
    }
}

/// log(1 + e^-x)
#[rustfmt::skip]
static LOG1P: Pieces<8> = Pieces {
    index: [0.8, 0.0],
    end: 9.374999,
    nodes: [0x0000_0000, 0x3fb6_b082, 0x402b_80c8, 0x407b_a11b, 0x40a5_dce1, 0x40cd_fd31, 0x40f6_331a, 0x410e_e558],
    coefficients: [
        [0x3f31_7218, 0x3e5c_3eca, 0x3d87_d904, 0x3c9f_176b, 0x3bb7_5032, 0x3ad1_ac10, 0x39ee_d94a, 0x390a_a402],
        [0xbf00_0005, 0xbe46_2b99, 0xbd83_70b1, 0xbc9d_8e7f, 0xbbb6_cd2d, 0xbad1_8127, 0xb9ee_cb5c, 0xb90a_a1a9],
        [0x3e00_01ef, 0x3d9f_d1b5, 0x3cf6_0243, 0x3c1a_86c1, 0x3b35_c81c, 0x3a51_2b6b, 0x396e_af80, 0x388a_9cf7],
        [0xb890_7a6a, 0xbc82_9f35, 0xbc0e_f39c, 0xbb46_1bb9, 0xba6f_abe1, 0xb98b_0061, 0xb89e_fafe, 0xb7b8_c536],
        [0xbba0_8b08, 0x39d9_0483, 0x3ad1_cc96, 0x3a36_b4e6, 0x396a_4f24, 0x388a_1d85, 0x379e_b26c, 0x36b8_ad07],
        [0xba3c_535e, 0x3a38_3bd7, 0xb900_fb1d, 0xb8f5_b7c9, 0xb832_eaf9, 0xb759_e088, 0xb67c_8dac, 0xb593_58cb],
        [0x3a9c_0724, 0xb92b_b888, 0xb802_7d03, 0x3752_67f7, 0x36d8_9849, 0x360d_a190, 0x3527_35f0, 0x3444_859e],
        [0xb9d8_2b66, 0xb7d2_6d07, 0x3789_5b49, 0x353c_b057, 0xb552_e9f9, 0xb4b1_b5f7, 0xb3e0_63dc, 0xb303_9467],
    ],
};
