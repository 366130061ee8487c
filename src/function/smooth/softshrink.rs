use super::{Code, Smooth};
use crate::function::order::without_sign;
use crate::function::parameter::{ParameterError, or_panic, require};
use crate::math::by_bits;
use crate::simd::{Float, FloatLane, Lane};

/// Softshrink: f(x) = x - lambda where x > lambda, x + lambda where x < -lambda, else +0.0.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | > lambda, +inf | x - lambda | g |
/// | \|x\| <= lambda | +0.0 | +0.0, even where g is infinite or NaN |
/// | < -lambda, -inf | x + lambda | g |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Softshrink};
///
/// let mut x = [-2.0_f32, -0.5, 0.25, 0.75];
/// Softshrink::new(0.5).forward_inplace(&mut x);
/// assert_eq!(x, [-1.5, 0.0, 0.0, 0.25]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - The gradient is 0 at |x| = lambda.
/// - x is compared with `lambda` as it is. The difference is rounded to nearest even, and in `f32` what `lambda` has lost by
///   rounding is subtracted from it: the value is within 1 ulp of the exact one, by default within half.
/// - `f16` and `bf16` are computed in `f32` and rounded once more: by default each value is the exact one rounded, with another
///   `lambda` within 0.51 ulp.
/// - f is monotonic: by default no two neighbours in `f32` go down.
/// - In `f16` a signalling NaN g comes out quiet. The CPU's rounding and flush-to-zero modes apply.
///
/// It is PyTorch's `softshrink`, and ONNX's operator `Shrink` with a bias of lambda. It is the soft threshold of Donoho and
/// Johnstone (1994).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch in `f32`, `f16` and `bf16`: `lambda` is rounded to the format.
/// - ONNX Runtime in `f32`: `lambda` is rounded to `f32`.
/// - ONNX Runtime in `f64`: it is computed in `f32`.
/// - PyTorch in `f32`, `f16` and `bf16`: a `lambda` that rounds to infinity is an error.
/// - PyTorch: where it is 0, f(x) has the sign of x in the tail.
/// - PyTorch: the gradient at NaN is +0.0 in whole vectors.
/// - PyTorch: the gradient at NaN is g in the tail.
/// - ONNX Runtime: f(NaN) is +0.0.
/// - PyTorch in `f32`, `f64` and `f16`: a signalling NaN comes out quiet.
/// - PyTorch: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softshrink {
    lambda: f64,
}

impl Softshrink {
    /// Softshrink with the threshold `lambda`.
    ///
    /// The parameter is `f64`; of an `f32` write `f64::from(lambda)`.
    ///
    /// # Panics
    ///
    /// Panics if `lambda` is negative, infinite or NaN.
    #[must_use]
    #[track_caller]
    pub const fn new(lambda: f64) -> Self {
        or_panic!(Self::try_new(lambda))
    }

    /// [`new`](Self::new), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `new` panics.
    pub const fn try_new(lambda: f64) -> Result<Self, ParameterError> {
        require!(
            lambda >= 0.0 && lambda.is_finite(),
            "Softshrink: `lambda` is negative, infinite or NaN"
        );
        Ok(Self { lambda })
    }

    const DEFAULT: Self = Self::new(0.5);
}

/// The default of PyTorch: 0.5.
impl Default for Softshrink {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Smooth for Softshrink {
    const NAMES: &'static [(&'static str, Self)] = &[("softshrink", Self::DEFAULT), ("Softshrink", Self::DEFAULT)];

    type Code = Self;

    #[inline]
    fn params<L: FloatLane>(self) -> [u64; 2] {
        let nearest = L::nearest_finite(self.lambda);
        [nearest, L::nearest_finite(nearest.to_f64() - self.lambda)].map(L::to_bits)
    }
}

impl Code for Softshrink {
    const IS_SHORT: bool = true;

    /// The bits of lambda, rounded, and of what that is above lambda.
    type Params = [u64; 2];

    #[inline(always)]
    fn value<F: Float>(params: [u64; 2], simd: F::Simd, x: F) -> F {
        let above = above::<F>(params, simd, x);
        let sign = x.xor(without_sign(simd, x));
        above.xor(sign).keep(above.gt(F::splat(simd, F::Lane::ZERO)))
    }

    #[inline(always)]
    fn gradient<F: Float>(params: [u64; 2], simd: F::Simd, x: F, grad_output: F) -> F {
        grad_output.keep(above::<F>(params, simd, x).gt(F::splat(simd, F::Lane::ZERO)))
    }
}

/// `|x| - lambda`, within an ulp: next to 0 the first difference is exact.
#[inline(always)]
fn above<F: Float>(params: [u64; 2], simd: F::Simd, x: F) -> F {
    let [lambda, too_much] = params.map(|bits| by_bits::<F>(simd, bits));
    without_sign(simd, x).sub(lambda).add(too_much)
}
