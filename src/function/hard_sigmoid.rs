use super::Function;
use super::order::{Interval, Nan};
use crate::simd::{Float, FloatFn, FloatLane, Format, Lane, Vector};

/// Hard sigmoid: f(x) = max(0, min(1, alpha * x + beta)).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | alpha * x + beta >= 1, +inf | 1 | +0.0, even where g is infinite or NaN |
/// | 0 < alpha * x + beta < 1 | alpha * x + beta | g * alpha |
/// | alpha * x + beta <= 0, -inf | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | g * alpha |
///
/// ```
/// use rectify::{Activation, HardSigmoid};
///
/// let mut x = [-4.0_f32, 0.0, 3.0];
/// HardSigmoid::default().forward_inplace(&mut x);
/// assert_eq!(x, [0.0, 0.5, 1.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - The gradient is 0 where the line reaches 0 and 1, as in PyTorch: at x = -3 and x = 3 by default.
/// - The product and the sum are rounded separately to nearest even, in `f32` for `f32`, `f16` and `bf16`, else in
///   `f64`, and then compared to 0 and 1. For `f16` and `bf16` the result is rounded once more to the format of the
///   elements.
/// - The parameters are rounded to the compute format. One that is too large for it becomes its greatest finite number.
///   An alpha that is too small becomes its least positive normal number.
/// - The CPU's rounding and flush-to-zero modes apply.
/// - A NaN g comes out of a product quiet.
///
/// It is PyTorch's `hardsigmoid`, with the same defaults, and ONNX's operator `HardSigmoid`, whose defaults are 0.2 and
/// 0.5. It is due to Courbariaux, Bengio and David (2015).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardSigmoid {
    alpha: f64,
    beta: f64,
}

impl HardSigmoid {
    /// Hard sigmoid with the slope `alpha` and the value `beta` at x = 0.
    ///
    /// The parameters are `f64`; of an `f32` write `f64::from(alpha)`.
    ///
    /// # Panics
    ///
    /// Panics if `alpha` is not positive and finite, or `beta` is NaN or infinite.
    #[must_use]
    #[track_caller]
    pub const fn new(alpha: f64, beta: f64) -> Self {
        assert!(
            alpha > 0.0 && alpha.is_finite(),
            "HardSigmoid: `alpha` is not positive and finite"
        );
        assert!(beta.is_finite(), "HardSigmoid: `beta` is NaN or infinite");
        Self { alpha, beta }
    }

    const PYTORCH: Self = Self::new(1.0 / 6.0, 0.5);
}

/// alpha * x + beta, with the bits of numbers of the compute format.
#[derive(Clone, Copy)]
pub struct Line {
    alpha: u64,
    beta: u64,
}

impl Line {
    #[inline(always)]
    fn at<F: Float>(self, simd: F::Simd, x: F) -> F {
        x.mul(self.alpha(simd))
            .add(F::splat(simd, F::Lane::from_bits(self.beta)))
    }

    #[inline(always)]
    fn alpha<F: Float>(self, simd: F::Simd) -> F {
        F::splat(simd, F::Lane::from_bits(self.alpha))
    }
}

/// The default of PyTorch: alpha 1/6 and beta 1/2.
impl Default for HardSigmoid {
    fn default() -> Self {
        Self::PYTORCH
    }
}

impl Function for HardSigmoid {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("hardsigmoid", Self::PYTORCH),
        ("Hardsigmoid", Self::PYTORCH),
        ("HardSigmoid", Self::new(0.2, 0.5)),
    ];

    type Code<T: Format> = T;
    type Params<L: Lane> = Line;

    #[inline(always)]
    fn params<T: Format>(self) -> Line {
        // Not 0: infinity * alpha would be NaN.
        let alpha = T::ComputedIn::nearest_finite(self.alpha).max(T::ComputedIn::MIN_POSITIVE);
        Line {
            alpha: alpha.to_bits(),
            beta: T::ComputedIn::nearest_finite(self.beta).to_bits(),
        }
    }

    #[inline(always)]
    fn value<T: Format, V: Vector<Lane = T::Lane>>(line: Line, simd: V::Simd, x: V) -> V {
        Nan::of::<T>().restore(simd, x, V::compute::<T, _, 1>(simd, Value(line), [x]))
    }

    #[inline(always)]
    fn gradient<T: Format, V: Vector<Lane = T::Lane>>(line: Line, simd: V::Simd, x: V, grad_output: V) -> V {
        V::compute::<T, _, 2>(simd, Gradient(line), [x, grad_output])
    }
}

#[derive(Clone, Copy)]
struct Value(Line);

impl FloatFn<1> for Value {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, [x]: [F; 1]) -> F {
        let line = self.0.at(simd, x);
        let one = F::splat(simd, F::Lane::nearest_finite(1.0));
        // As integers, positive numbers are in their own order. A NaN becomes 0 or 1 here; `Nan::restore` restores
        // it.
        let line = line.keep(line.gt(F::splat(simd, F::Lane::ZERO)));
        line.replace(line.gt(one), one)
    }
}

#[derive(Clone, Copy)]
struct Gradient(Line);

impl FloatFn<2> for Gradient {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, [x, g]: [F; 2]) -> F {
        let line = self.0.at(simd, x);
        let between = Interval::new(
            F::Lane::LOWEST_BIT,
            F::Lane::nearest_finite(1.0).wrapping_sub(F::Lane::LOWEST_BIT),
        );
        let is_dead = F::and_not(simd, line.is_number(), between.contains(simd, line));
        g.mul(self.0.alpha(simd)).discard(is_dead)
    }
}
