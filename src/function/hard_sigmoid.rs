use super::Function;
use super::leaky_relu::Slope;
use super::order::{Live, Nan};
use super::parameter::{ParameterError, or_panic, require};
use crate::simd::{Float, FloatFn, FloatLane, Format, Lane, LiveFn, Rounding, Vector};

/// Hard sigmoid: f(x) = max(0, min(1, alpha * x + beta)).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | >= (1 - beta) / alpha, +inf | 1 | +0.0, even where g is infinite or NaN |
/// | between | alpha * x + beta | g * alpha |
/// | <= -beta / alpha, -inf | +0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | g * alpha |
///
/// By default it is max(0, min(1, (x + 3) / 6)).
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
/// - The gradient is 0 at both bounds, x = -3 and x = 3 by default. 1 - beta and the quotients are rounded in `f64`, and
///   x is compared with them exactly. A value just below 1 may be rounded to 1, where the gradient is still g * alpha:
///   at x = 2.9999998 by default.
/// - `f32` and `f64`: the value is within 2 ulp of the exact one, by default within 1.34 ulp (1.3333 at x = 2.9999988). The
///   gradient is within 1.5 ulp, by default 0.67. `f16` and `bf16` are computed in `f32` and rounded once more: within
///   0.51 ulp.
/// - The value is `(x * scale + shift) * factor`, which doesn't cancel next to the root. `scale` is the greatest power of
///   two up to alpha, `factor` is alpha / scale and `shift` is beta / factor. What the shift and the sum lose by
///   rounding is added to the sum. Each operation is rounded to nearest even. The CPU's rounding and flush-to-zero modes
///   apply.
/// - Where the sum may be subnormal and the value is not, `scale` and `shift` are 2^120 times as great, and `factor` as much
///   less.
/// - The bounds of the error hold for an alpha in the normal range of the compute format, and normal results. In the
///   gradient an alpha above that range becomes its greatest number, one below the least subnormal number that number.
/// - A NaN g comes out of a product quiet.
///
/// It is PyTorch's `hardsigmoid`, with the same defaults, and ONNX's operator `HardSigmoid`, whose defaults are 0.2 and
/// 0.5. It is due to Courbariaux, Bengio and David (2015).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch in `f32` and `f64`: f(x) is (x + 3) / 6, rounded in that order.
/// - ONNX Runtime in `f32`: f(x) is alpha * x + beta, rounded in that order, which cancels next to the root.
/// - PyTorch: the gradient at NaN is +0.0.
/// - PyTorch in `f64`: the gradient is g times the `f32` nearest to 1/6.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime in `f16`: a NaN comes out with other bits.
#[derive(Clone, Copy, PartialEq)]
pub struct HardSigmoid {
    alpha: f64,
    beta: f64,
    /// Where the line is 0 and 1.
    bounds: [f64; 2],
    /// The shift of [`Line`] and its rounding error, if alpha is normal.
    shift: [f64; 2],
}

impl core::fmt::Debug for HardSigmoid {
    fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
        f.debug_struct("HardSigmoid")
            .field("alpha", &self.alpha)
            .field("beta", &self.beta)
            .finish()
    }
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
        or_panic!(Self::try_new(alpha, beta))
    }

    /// [`new`](Self::new), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `new` panics.
    pub const fn try_new(alpha: f64, beta: f64) -> Result<Self, ParameterError> {
        require!(
            alpha > 0.0 && alpha.is_finite(),
            "HardSigmoid: `alpha` is not positive and finite"
        );
        require!(beta.is_finite(), "HardSigmoid: `beta` is NaN or infinite");
        Ok(Self {
            alpha,
            beta,
            bounds: [-beta / alpha, (1.0 - beta) / alpha],
            shift: if alpha == 1.0 / 6.0 && beta == 0.5 {
                // Of 1/6 and not the f64 next to it.
                [0.375, 0.0]
            } else {
                quotient(beta, factor(alpha))
            },
        })
    }

    const PYTORCH: Self = Self::new(1.0 / 6.0, 0.5);

    #[inline(always)]
    fn line<F: FloatLane>(self) -> Line {
        let [least, greatest] = [F::MIN_POSITIVE, F::nearest_finite(f64::MAX)].map(F::to_f64);
        let [shift, _] = self.shift;
        if self.alpha < least || self.alpha > greatest || shift.abs() > greatest {
            return self.line_out_of_range::<F>();
        }
        if self.alpha < 1.0 && shift.abs() < least * HALF_LIFT {
            return self.lifted_line::<F>();
        }
        Line::new::<F>(power_of_two_up_to(self.alpha), self.shift, factor(self.alpha))
    }

    /// With a sum that is not subnormal where the value is not: it is greater, and the factor less.
    #[cold]
    #[inline(never)]
    fn lifted_line<F: FloatLane>(self) -> Line {
        let lift = HALF_LIFT * HALF_LIFT;
        let factor = factor(self.alpha);
        Line::new::<F>(
            power_of_two_up_to(self.alpha) * lift,
            quotient(self.beta * lift, factor),
            factor / lift,
        )
    }

    /// With a lesser scale where the shift would be too large, and a factor that isn't next to 1.
    #[cold]
    #[inline(never)]
    fn line_out_of_range<F: FloatLane>(self) -> Line {
        let [least, greatest] = [F::MIN_POSITIVE, F::nearest_finite(f64::MAX)].map(F::to_f64);
        let [root, _] = self.bounds;
        let scale = power_of_two_up_to(self.alpha.min(greatest / 2.0 / root.abs()).clamp(least, greatest));
        let factor = (self.alpha / scale).max(least);
        Line::new::<F>(scale, quotient(self.beta, factor), factor)
    }
}

/// The line `(x * scale + shift) * factor`, with the bits of numbers of the compute format.
///
/// Unlike `alpha * x + beta` it is exact to 2 ulp next to its root: there the sum is exact. What `shift` and the sum have
/// lost by rounding is added to the sum. `scale` is a power of two, so that neither beta / alpha nor alpha leaves the
/// range of the format.
#[derive(Clone, Copy)]
pub struct Line {
    scale: u64,
    shift: u64,
    shift_low: u64,
    factor: u64,
}

impl Line {
    #[inline(always)]
    fn new<F: FloatLane>(scale: f64, [shift, rounding_error]: [f64; 2], factor: f64) -> Self {
        let nearest = F::nearest_finite(shift);
        Self {
            scale: F::nearest_finite(scale).to_bits(),
            shift: nearest.to_bits(),
            shift_low: F::nearest_finite((shift - nearest.to_f64()) + rounding_error).to_bits(),
            factor: F::nearest_finite(factor).to_bits(),
        }
    }

    #[inline(always)]
    fn at<F: Float>(self, simd: F::Simd, x: F) -> F {
        let number = |bits| F::splat(simd, F::Lane::from_bits(bits));
        let (scaled, shift) = (x.mul(number(self.scale)), number(self.shift));
        let sum = scaled.add(shift);
        let factor = number(self.factor);
        if self.shift_low == 0 {
            // What the sum has lost alone would not change it.
            return sum.mul(factor);
        }
        // TwoSum (Knuth, 1969).
        let of_shift = sum.sub(scaled);
        let lost = scaled.sub(sum.sub(of_shift)).add(shift.sub(of_shift));
        // Infinity has lost nothing.
        let lost = lost.keep(lost.is_number());
        sum.add(lost.add(number(self.shift_low))).mul(factor)
    }
}

/// Its square is what the sum of a line is multiplied by where that may be subnormal.
const HALF_LIFT: f64 = (1_u64 << 60) as f64;

const EXPONENT: u64 = f64::INFINITY.to_bits();

/// The greatest power of two up to `number`, which is positive and normal.
#[inline]
const fn power_of_two_up_to(number: f64) -> f64 {
    f64::from_bits(number.to_bits() & EXPONENT)
}

/// `number` by that power of two: from 1 to 2 if `number` is normal.
#[inline]
const fn factor(number: f64) -> f64 {
    f64::from_bits(number.to_bits() & !EXPONENT | 1_f64.to_bits())
}

/// `dividend / divisor` for a positive divisor: the nearest number, and its rounding error.
pub(super) const fn quotient(dividend: f64, divisor: f64) -> [f64; 2] {
    if dividend == 0.0 {
        return [dividend, 0.0];
    }
    let nearest = dividend / divisor;
    // Of numbers next to 1, which can be split.
    let unit = power_of_two_up_to(dividend.abs().max(f64::MIN_POSITIVE));
    let (dividend, quotient) = (dividend / unit, nearest / unit);
    // The remainder, by halves whose products are exact except that of the lower ones (Dekker, 1971).
    let ([q, q_low], [d, d_low]) = (halves(quotient), halves(divisor));
    let remainder = (((dividend - q * d) - q * d_low) - q_low * d) - q_low * d_low;
    [
        nearest,
        if nearest.is_finite() {
            remainder / divisor * unit
        } else {
            0.0
        },
    ]
}

const fn halves(number: f64) -> [f64; 2] {
    let upper = f64::from_bits(number.to_bits() & (u64::MAX << 27));
    [upper, number - upper]
}

/// The default of PyTorch: alpha 1/6 and beta 1/2.
impl Default for HardSigmoid {
    fn default() -> Self {
        Self::PYTORCH
    }
}

#[derive(Clone, Copy)]
pub struct Params<L> {
    line: Line,
    alpha: Slope,
    live: Live<L>,
}

impl Function for HardSigmoid {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("hardsigmoid", Self::PYTORCH),
        ("Hardsigmoid", Self::PYTORCH),
        ("HardSigmoid", Self::new(0.2, 0.5)),
    ];

    type Code<T: Format> = T;
    type Params<L: Lane> = Params<L>;

    #[inline(always)]
    fn params<T: Format>(self) -> Params<T::Lane> {
        let [min, max] = self.bounds;
        Params {
            line: self.line::<T::ComputedIn>(),
            // Not 0: infinity * alpha would be NaN.
            alpha: Slope::new(T::ComputedIn::nearest_finite(self.alpha).max(T::ComputedIn::LOWEST_BIT)),
            live: Live::between::<T>(T::bits_of(min, Rounding::Down), T::bits_of(max, Rounding::Up)),
        }
    }

    #[inline(always)]
    fn value<T: Format, V: Vector<Lane = T::Lane>>(params: Params<T::Lane>, simd: V::Simd, x: V) -> V {
        Nan::of::<T>().restore(simd, x, V::compute::<T, _, 1>(simd, Value(params.line), [x]))
    }

    #[inline(always)]
    fn gradient<T: Format, V: Vector<Lane = T::Lane>>(
        params: Params<T::Lane>,
        simd: V::Simd,
        x: V,
        grad_output: V,
    ) -> V {
        V::compute::<T, _, 1>(simd, params.alpha, [grad_output]).keep(params.live.is_live(simd, x))
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
