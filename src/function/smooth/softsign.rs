use super::{Code, Smooth};
use crate::function::order::without_sign;
use crate::math::{constant, number};
use crate::simd::{Float, FloatLane};

/// Softsign: f(x) = x / (1 + |x|).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | 1 | +0.0, even where g is infinite or NaN |
/// | finite | x / (1 + \|x\|) | g / (1 + \|x\|)² |
/// | -inf | -1 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Softsign};
///
/// let mut x = [-1.0_f32, 0.0, 3.0];
/// Softsign.forward_inplace(&mut x);
/// assert_eq!(x, [-0.5, 0.0, 0.75]);
///
/// let mut grad = [1.0_f32; 2];
/// Softsign.backward_inplace(&[-1.0, 0.0], &mut grad);
/// assert_eq!(grad, [0.25, 1.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - f is odd, also in bits: f(-0.0) is -0.0. |f(x)| is at most 1.
/// - 1 + |x| is not squared, which would overflow where the gradient does not underflow. Where the gradient for g = 1 is
///   rounded to 0 in the compute format, in `f32` from |x| = 2^75 on, it is +0.0 for each g.
/// - The sum and the quotient are rounded to nearest even each. The gradient is g * i * i for the rounded i = 1 / (1 + |x|).
///   `f32` and `f64`: the value is within 1.5 ulp of the exact one (in `f32` 1.4992 at x = -2047.3749), the
///   gradient for g = 1 within 3.75 (3.4983 at x = -16780110), for any g within 4.5 (4.3822 at x = 0.0014759917).
/// - `f16` and `bf16`: each value is the exact one rounded, and so is each gradient for g = 1.
/// - f is not monotonic: of all neighbours in `f32` 13,872,334 go down by an ulp and 2,796,202 by two, up to |x| = 2^25.
/// - The CPU's rounding and flush-to-zero modes apply.
///
/// It is PyTorch's `softsign` and ONNX's operator `Softsign`. It is due to Turian, Bergstra and Bengio (2009), after Bergstra,
/// Desjardins, Lamblin and Bengio.
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch: f(x) and the gradient are NaN at infinities.
/// - ONNX Runtime: f(x) is NaN at infinities.
/// - PyTorch in `f16` and `bf16`: f(x) is x / d for d = 1 + |x|, which is rounded to the format.
/// - ONNX Runtime in `f32`: f(x) is rounded otherwise, within 1.5 ulp.
/// - PyTorch: the gradient is g / d - g * (x / d / d) * sign(x) for d = 1 + |x|, with each step rounded to the format: it
///   cancels for large |x|.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Softsign;

impl Smooth for Softsign {
    const NAMES: &'static [(&'static str, Self)] = &[("softsign", Self), ("Softsign", Self)];

    type Code = Self;

    #[inline(always)]
    fn params<L: FloatLane>(self) {}
}

impl Code for Softsign {
    type Params = ();

    #[inline(always)]
    fn value<F: Float>((): (), simd: F::Simd, x: F) -> F {
        let magnitude = without_sign(simd, x);
        // Infinity becomes the greatest number, whose value is 1 too.
        let greatest = F::splat(simd, F::Lane::nearest_finite(f64::INFINITY));
        let finite = magnitude.lesser(greatest);
        finite.div(finite.add(number(simd, 1.0))).xor(x.xor(magnitude))
    }

    #[inline(always)]
    fn gradient<F: Float>((): (), simd: F::Simd, x: F, grad_output: F) -> F {
        let magnitude = without_sign(simd, x);
        let one: F = number(simd, 1.0);
        // Its square could leave the range where the gradient does not.
        let inverse = one.div(magnitude.add(one));
        // +0.0 where the slope is rounded to 0: from 2^75 on, or 2^537.5. No 0 * inf.
        let end = constant::<F>(simd, 0x6500_0000, 0x6186_a09e_667f_3bcd);
        grad_output.mul(inverse).mul(inverse).keep(end.gt(magnitude))
    }
}
