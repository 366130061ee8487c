use super::Smooth;
use super::silu::SiluOfProduct;
use crate::function::parameter::{ParameterError, or_panic, require};
use crate::math::Factor;
use crate::simd::FloatLane;

/// Swish: f(x) = x * sigmoid(beta * x) = x / (1 + e^(-beta * x)). With beta = 1.702 it is [`QUICK_GELU`](Self::QUICK_GELU).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | +inf | g |
/// | finite | x * sigmoid(beta * x) | g * sigmoid(beta * x) * (1 + beta * x * sigmoid(-beta * x)) |
/// | +0.0, -0.0 | x | g / 2 |
/// | -inf | -0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// With beta = 1 it is [`Silu`](super::Silu), bit for bit.
///
/// ```
/// use rectify::{Activation, Swish};
///
/// let mut x = [-1.0_f32, 0.0, 1.0];
/// let mut grad = [1.0; 3];
/// Swish::QUICK_GELU.backward_inplace(&x, &mut grad);
/// Swish::QUICK_GELU.forward_inplace(&mut x);
/// assert_eq!(x, [-0.15420423, 0.0, 0.84579575]);
/// assert_eq!(grad, [-0.067779616, 0.5, 1.0677797]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - f(x) has the sign of x. It falls to -0.2785 / beta at x = -1.2785 / beta, and rises from there to -0.0 down to the least
///   subnormal number.
/// - The gradient is 0 at x = -1.2785 / beta. Where it is rounded to 0 in the compute format for g = 1, it is +0.0 for each g.
/// - `f32`: the value is within 2.75 ulp of the exact one (`QUICK_GELU` 2.5: 2.4123 at x = -5.95873), the gradient for g = 1 within
///   4 (3.0863 at x = -6.2455959). For beta * x from -2 to -0.8, about the root, that is 4 ulp of 2^-5 where the gradient is less.
///   `f64`: within 2 and 4 ulp, the greatest found of `QUICK_GELU` are 1.92 at x = -5.48051 and 3.58 at x = -2.20707. For any g up to 3 ulp more.
/// - `f16` and `bf16`: with beta 1 or 1.702 each value is the exact one rounded, and so is each gradient for g = 1. With any beta they are within 0.51 ulp.
/// - On both sides of its minimum f is not monotonic: of all neighbours in `f32` 923,268 go against the direction of `QUICK_GELU`
///   by an ulp, from x = -1.4 to -0.007.
/// - The bounds hold for a beta from 2^-26 to 2^100. In `f32` a beta beyond 2^-60 or 2^120 is taken as that, in `f64` one beyond 1e-200 or 1e300.
///   beta is taken in two parts, so that beta * x isn't rounded. Both are computed as
///   by [`Silu`](super::Silu), in the same loops.
///
/// It is ONNX's operator `Swish`, whose alpha is beta, by default 1; PyTorch has it as `silu` with beta 1. With beta 1.702 it is
/// ONNX Runtime's operator `QuickGelu` and Hugging Face's `quick_gelu`. It is due to Ramachandran, Zoph and Le (2017), with 1.702
/// to Hendrycks and Gimpel (2016).
///
/// # PyTorch and ONNX Runtime
///
/// What `silu` of PyTorch 2.15.0 with beta 1 and `Swish` of ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch: f(-inf) is NaN, and so is the gradient at both infinities.
/// - PyTorch: f(x) is -0.0 where e^-x overflows, below -88.72, in `f64` below -709.78. There the gradient is g * -0.0, or
///   NaN.
/// - PyTorch in `f32` and `f64`: f(x) is rounded otherwise, within 2 ulp.
/// - PyTorch in `f32`: the gradient is off by up to 9 * 2^-23 * g, whatever its size.
/// - PyTorch in `f64`: the gradient is off by up to 20 * 2^-52 * g, whatever its size.
/// - PyTorch in `f16`: results are rounded to `f32` first: within 0.51 ulp.
/// - ONNX Runtime: f(-inf) is NaN.
/// - ONNX Runtime in `f32`: f(x) is off by up to 20 * 2^-23 and rounded: -0.0 where beta * x is below -18.
/// - ONNX Runtime in `f64`: beta is rounded to `f32`, and f(x) off by up to 2e7 * 2^-52, whatever its size.
/// - ONNX Runtime in `f16`: f(x) is off by up to 10 * 2^-23 in `f32`, whatever its size, and rounded once more.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime in `f64` and `f16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swish {
    beta: f64,
}

impl Swish {
    /// Quick GELU: x * sigmoid(1.702 * x).
    pub const QUICK_GELU: Self = Self::new(1.702);

    /// Swish with the factor `beta`.
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
            "Swish: `beta` is not positive and finite"
        );
        Ok(Self { beta })
    }
}

impl Smooth for Swish {
    const NAMES: &'static [(&'static str, Self)] = &[("Swish", Self::new(1.0)), ("QuickGelu", Self::QUICK_GELU)];

    type Code = SiluOfProduct;

    #[inline(always)]
    fn params<L: FloatLane>(self) -> Factor {
        Factor::new::<L>(Factor::in_range::<L>(self.beta))
    }
}
