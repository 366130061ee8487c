use super::{Code, Smooth, Tie};
use crate::function::order::without_sign;
use crate::math::{
    constant, exp_minus_half_square, half_of_least_number, negated, number, polynomial_by_bits, scale, tail, unscale,
};
use crate::simd::{Float, FloatLane, Lane};

/// GELU, the Gaussian error linear unit: f(x) = x * Φ(x), for the standard normal distribution function
/// Φ(x) = (1 + erf(x / sqrt(2))) / 2.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | +inf | g |
/// | finite | x * Φ(x) | g * (Φ(x) + x * e^(-x²/2) / sqrt(2π)) |
/// | +0.0, -0.0 | x | g / 2 |
/// | -inf | -0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Gelu};
///
/// let x = [-10.0_f32, -1.0, 1.0, f32::NEG_INFINITY];
/// let mut y = [0.0; 4];
/// Gelu.forward(&x, &mut y);
/// assert_eq!(y, [-7.619853e-23, -0.15865526, 0.8413447, -0.0]);
///
/// let mut grad = [1.0; 4];
/// Gelu.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [-7.6184e-22, -0.08331548, 1.0833155, 0.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - For x < 0, f(x) falls to -0.17 at x = -0.7518 and then rises to the greatest subnormal number below 0: in `f32` it is
///   -0.0 from x = -14.2 on, in `f64` from -38.5 on.
/// - `f32`: the value is within 2.5 ulp of the exact one (2.4565 at x = -1.8345913), in `f64` within 2.75 (the greatest
///   found is 2.58 at x = -1.31985).
/// - The gradient for g = 1 is within 4 ulp, or within 2^-23.9 from x = -1.1 to -0.4, next to its root at x = -0.7518. `f64`
///   alike by samples, there within 2^-52. For any g an ulp more, or that times g.
/// - `f16` and `bf16`: each value is the exact one rounded, except 128 subnormal ones of `bf16` that are half-way but for
///   one part in 10^37, and go to even. So is each gradient for g = 1, except 3 of `f16` from x = -1.4 to -0.74 that are
///   its other neighbour.
/// - On both sides of its minimum f is not monotonic: of all neighbours in `f32` 1,772,890 go against its direction by an ulp,
///   61,116 by two and 212 by three, from x = -1.59 to -0.4.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - f(-|x|) is -|x| e^(-x²/2) times a quotient of polynomials, with x²/2 in two parts; f(|x|) is |x| + f(-|x|). Next to 0 it is a
///   polynomial. Fused multiply-adds, `f64` and the CPU's modes are as for [`Sigmoid`](super::Sigmoid).
///
/// It is PyTorch's `gelu` and ONNX's operator `Gelu`, both by default. Hendrycks and Gimpel, *Gaussian Error Linear Units*
/// (2016).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX-512 (what is off by so much is 0 or of
/// another sign in the tail, from x = -5.6 on in `f32`):
///
/// - PyTorch in `f16` and `bf16`: f(x) is off by up to 0.75 * 2^-23.
/// - PyTorch in `f32` and `bf16`: f(x) is NaN at -inf, and in some places among many at inf.
/// - PyTorch in `f32` and `bf16`: f(x) is infinite in some places among many from 1.7e38 on.
/// - PyTorch in `f32`: f(x) is off by up to 6 * 2^-23.
/// - PyTorch in `f64` and `f16`, ONNX Runtime: f(x) is NaN at -inf.
/// - PyTorch in `f64`: f(x) is off by up to 2^-52.
/// - PyTorch in `bf16`: a subnormal gradient is 0 in some places among many.
/// - PyTorch in `bf16`: the gradient is off by up to 2^-26 * g.
/// - PyTorch in `f32` and `f16`: the gradient is off by up to 2^-23 * g.
/// - PyTorch in `f32`, `f16` and `bf16`: the gradient for an infinite g is NaN at some x, the slope of which is
///   taken for 0.
/// - PyTorch in `f64`: the gradient is off by up to 2^-52 * g.
/// - PyTorch: the gradient is 0 with the sign of g, or NaN, where it is +0.0 for each g.
/// - PyTorch: the gradient is NaN at infinities.
/// - PyTorch in `bf16`, PyTorch in `f32`, `f64` and `f16`, ONNX Runtime in `f16`: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime in `f16`: a NaN comes out with other bits.
/// - ONNX Runtime in `f16`: f(x) is off by up to 2^-24.
/// - ONNX Runtime in `f32`: f(x) is off by up to 2^-23.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gelu;

impl Smooth for Gelu {
    const NAMES: &'static [(&'static str, Self)] = &[("gelu", Self), ("Gelu", Self)];

    type Code = Self;

    #[inline(always)]
    fn params<L: FloatLane>(self) {}
}

impl Code for Gelu {
    type Params = ();

    fn ties((): ()) -> &'static [Tie] {
        &[
            // 2^-24, 0.0013389587, -0.0013389587
            [0x0001, 0x0001],
            [0x157c, 0x117d],
            [0x957c, 0x917b],
        ]
    }

    #[inline(always)]
    fn value<F: Float>((): (), simd: F::Simd, x: F) -> F {
        let a = Magnitude::new(simd, x, magnitude_of_zero(simd), end_of_polynomials(simd));
        let (exp, square) = exp_minus_half_square(simd, a.bounded);
        let far = tail(simd, a.bounded).times(simd, exp);
        let slope = polynomial_by_bits!(simd, square;
        f32: [0x3f4c_422a, 0xbe88_2c5c, 0x3da3_781a, 0xbc9a_56e0],
        f64: [
            0x3fe9_8845_33d4_3651,
            0xbfd1_0583_77e2_cfce,
            0x3fb4_6d04_2977_afc5,
            0xbf93_7403_f753_f856,
            0x3f6e_42b1_2c7b_38cf,
            0xbf43_ce9d_95e5_2a19,
            0x3f16_5b19_e99d_b758,
            0xbee6_59fe_7381_242f,
            0x3eb4_f585_8a68_2dab
        ]);
        a.value(simd, x, square, slope, far)
    }

    #[inline(always)]
    fn gradient<F: Float>((): (), simd: F::Simd, x: F, grad_output: F) -> F {
        let a = Magnitude::new(simd, x, magnitude_of_zero(simd), end_of_polynomials(simd));
        let (exp, square) = exp_minus_half_square(simd, a.bounded);
        // 1 / sqrt(2π), by the scale of the quotient
        let minus_density = constant(simd, 0xa0cc_422a, 0xad19_8845_33d4_3651);
        let sum = a.bounded.mul_add(minus_density, tail(simd, a.bounded).quotient(simd));
        let rise = polynomial_by_bits!(simd, square;
        f32: [0x3f4c_422a, 0xbf08_2c25, 0x3e75_0932, 0xbd96_be78],
        f64: [
            0x3fe9_8845_33d4_3651,
            0xbfe1_0583_77e2_cf76,
            0x3fce_a386_3e32_bf4f,
            0xbfb3_7403_f709_613e,
            0x3f92_e9ae_a305_5922,
            0xbf6d_b5e4_abc0_82b0,
            0x3f43_8f4f_27a0_ce93,
            0xbf16_694a_0c71_a9c6,
            0x3eec_1d0e_dc86_f9df,
            0xbed2_fdbf_a4ea_e1b6
        ]);
        a.gradient(simd, x, rise, exp.growth.mul_add(sum, sum), exp.power, grad_output)
    }
}

#[inline(always)]
fn end_of_polynomials<F: Float>(simd: F::Simd) -> F {
    // 0.4 and 0.6
    constant(simd, 0x3ecc_cccd, 0x3fe3_3333_3333_3333)
}

/// Where the value at -x is below half of the least subnormal number.
#[inline(always)]
fn magnitude_of_zero<F: Float>(simd: F::Simd) -> F {
    // 14.625 and 38.6875
    constant(simd, 0x416a_0000, 0x4043_5800_0000_0000)
}

/// |x|, for functions that are x / 2 and an even function.
#[derive(Clone, Copy)]
pub(super) struct Magnitude<F: Float> {
    /// Up to where the value at -x is rounded to 0.
    pub(super) bounded: F,
    /// Whether the value and gradient are those of polynomials.
    is_near_zero: F::Mask,
}

impl<F: Float> Magnitude<F> {
    #[inline(always)]
    pub(super) fn new(simd: F::Simd, x: F, bound: F, end_of_polynomials: F) -> Self {
        let magnitude = without_sign(simd, x);
        Self {
            bounded: magnitude.replace(magnitude.gt(bound), bound),
            is_near_zero: end_of_polynomials.gt(magnitude),
        }
    }

    /// The value, of minus the value at `-self.bounded`; near 0 that is `|x| / 2 - square * slope`.
    #[inline(always)]
    pub(super) fn value(self, simd: F::Simd, x: F, square: F, slope: F, far: F) -> F {
        let near = slope.mul_add(negated(simd, square), self.bounded.mul(number(simd, 0.5)));
        let tail = far.replace(self.is_near_zero, near);
        let minus_zero = F::splat(simd, F::Lane::SIGN_BIT);
        x.replace(F::splat(simd, F::Lane::ZERO).gt(x), minus_zero).sub(tail)
    }

    /// The gradient, of the slope at `-self.bounded`, which is `far * power`; near 0 that is `1 / 2 + rise * x`.
    #[inline(always)]
    pub(super) fn gradient(self, simd: F::Simd, x: F, rise: F, far: F, power: F, grad_output: F) -> F {
        let one: F = number(simd, 1.0);
        let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
        // Where the slope may be subnormal, the gradient at the output takes the scale.
        let is_far = F::and(simd, is_negative, number::<F>(simd, 1.0 / 64.0).gt(power));
        let far = far.mul(one.replace(is_far, scale(simd))).mul(power);
        let near = rise.mul_add(x, number(simd, 0.5));
        let slope = one.sub(far).replace(is_negative, far).replace(self.is_near_zero, near);
        // Without a product with 1, which flushes subnormal numbers in some modes and is left out elsewhere.
        let product = grad_output.replace(is_far, grad_output.mul(unscale(simd))).mul(slope);
        product.keep(without_sign(simd, slope).gt(half_of_least_number(simd)))
    }
}
