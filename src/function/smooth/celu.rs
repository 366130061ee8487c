use super::Smooth;
use super::elu::{ExpLinear, Params};
use crate::function::hard_sigmoid::quotient;
use crate::function::parameter::{ParameterError, or_panic, require};
use crate::simd::FloatLane;

/// CELU, the continuously differentiable [`Elu`](super::Elu): f(x) = x for x > 0, else alpha * (e^(x / alpha) - 1).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | > 0, +inf | x | g |
/// | +0.0, -0.0 | x | g |
/// | < 0 | alpha * (e^(x / alpha) - 1) | g * e^(x / alpha) |
/// | -inf | -alpha | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Celu};
///
/// let celu = Celu::new(0.5);
/// let x = [-100.0_f32, -0.0, -0.5, 2.0];
/// let mut y = [0.0; 4];
/// celu.forward(&x, &mut y);
/// assert_eq!(y, [-0.5, -0.0, -0.31606027, 2.0]);
///
/// let mut grad = [1.0; 4];
/// celu.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [0.0, 1.0, 0.36787945, 1.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - f(x) has the sign of x, down to the least subnormal number.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - `f32`: by default the value is within 1 ulp of the exact one, the gradient for g = 1 within 1.05: those of [`Elu`](super::Elu).
///   For any alpha the value is within 3 ulp, the gradient within 2, and for any g within 4. `f64`: likewise by samples.
/// - In `f64`, with an alpha above 2, values below alpha times the least normal number are off by up to another alpha / 2 ulp.
/// - An alpha below 2^-127, in `f64` 2^-1023, is taken as that. With one above 2^120, in `f64` 2^1014, -inf counts as the
///   least finite number.
/// - `f16` and `bf16`: by default each value is the exact one rounded, and so is each gradient for g = 1. For any alpha they are
///   within 0.51 ulp.
/// - f is monotonic: by default no two neighbours in `f32` go down.
/// - x / alpha isn't rounded before e^(x / alpha) is split into a power of two and the rest. `alpha` is rounded to the compute format.
///   Value and gradient are computed as by [`Elu`](super::Elu), in the same loops.
///
/// It is PyTorch's `celu` and ONNX's operator `Celu`, with the same default of alpha, 1. It is due to Barron (2017).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch in `f32`: f(x) is rounded otherwise, within 1.5 ulp.
/// - PyTorch in `f64`: f(x) is rounded otherwise, within 2 ulp.
/// - PyTorch in `f32`: the gradient has 1 / alpha rounded to `f32`: within 30 ulp, of alpha = 1 within 2.
/// - PyTorch in `f64`: the gradient has 1 / alpha rounded to `f32`.
/// - PyTorch: where e^(x / alpha) is 0 or subnormal in `f32`, the gradient is its product with g: 0 with the sign of g, or
///   NaN.
/// - PyTorch: the gradient at NaN is NaN in whole vectors, and g in the tail.
/// - ONNX Runtime: f(x) is alpha * (e^(x / alpha) - 1), off by up to 2^-25 and rounded: 0 for small x.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch: a NaN comes out with other bits.
#[derive(Clone, Copy, PartialEq)]
pub struct Celu {
    alpha: f64,
    /// 1 / alpha and its rounding error.
    reciprocal: [f64; 2],
}

impl core::fmt::Debug for Celu {
    fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
        f.debug_struct("Celu").field("alpha", &self.alpha).finish()
    }
}

impl Celu {
    /// CELU that falls to `-alpha`.
    ///
    /// The parameter is `f64`; of an `f32` write `f64::from(alpha)`.
    ///
    /// # Panics
    ///
    /// Panics if `alpha` is not positive and finite.
    #[must_use]
    #[track_caller]
    pub const fn new(alpha: f64) -> Self {
        or_panic!(Self::try_new(alpha))
    }

    /// [`new`](Self::new), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `new` panics.
    pub const fn try_new(alpha: f64) -> Result<Self, ParameterError> {
        require!(
            alpha > 0.0 && alpha.is_finite(),
            "Celu: `alpha` is not positive and finite"
        );
        Ok(Self {
            alpha,
            reciprocal: quotient(1.0, alpha),
        })
    }
}

/// The default of PyTorch and ONNX: alpha is 1.
impl Default for Celu {
    fn default() -> Self {
        Self::new(1.0)
    }
}

impl Smooth for Celu {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("celu", Self::new(1.0)),
        ("CELU", Self::new(1.0)),
        ("Celu", Self::new(1.0)),
    ];

    type Code = ExpLinear;

    #[inline(always)]
    fn params<L: FloatLane>(self) -> Params {
        // 2^-127 or 2^-1023: the reciprocal of a lesser one is beyond the greatest number.
        let least = if size_of::<L>() == size_of::<f32>() {
            f64::from_bits((1023 - 127) << 52)
        } else {
            f64::from_bits(1 << 51)
        };
        let (alpha, reciprocal) = if self.alpha < least {
            (least, [least.recip(), 0.0])
        } else {
            (self.alpha, self.reciprocal)
        };
        Params::new::<L>(1.0, alpha, 1.0, reciprocal)
    }
}
