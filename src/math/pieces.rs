//! Polynomials by intervals, for functions in `f32`.

use super::{Factor, by_bits, constant, is_nan, negated, number};
use crate::simd::{Float, Lane, Table};

/// A function as a polynomial of degree `N - 1` on each of eight intervals of x >= 0, or of seven on both sides of 0.
///
/// It takes a lookup and a multiply-add a degree, and no division. The node of an interval is where the differences from it cancel
/// little, and the function is nearly a number of `f32` there.
pub struct Pieces<const N: usize> {
    /// x is in the interval with the number that is nearest to `x * (index[0] + index[1] * |x|)`.
    pub index: [f32; 2],
    /// Where the last interval ends, and on the other side the first one.
    pub end: f32,
    pub nodes: Table,
    /// For what x is more than the node, from the constant one on.
    pub coefficients: [Table; N],
}

impl<const N: usize> Pieces<N> {
    /// The value at x. Beyond the end it has no meaning.
    #[inline(always)]
    pub fn at<F: Float>(&'static self, simd: F::Simd, x: F) -> F {
        self.at_either_side(simd, x, x)
    }

    /// The same for x of either sign, with intervals from -3 to 3: those below 0 are the last ones of the tables.
    #[inline(always)]
    pub fn at_either_side<F: Float>(&'static self, simd: F::Simd, x: F, magnitude: F) -> F {
        let interval = self.interval(simd, x, magnitude);
        self.at_in(simd, x, interval)
    }

    /// The same with other intervals: the number is nearest to `(index[0] + index[1] * x)²`. So the first interval may be short.
    #[inline(always)]
    pub fn at_by_square<F: Float>(&'static self, simd: F::Simd, x: F) -> F {
        let [first, second] = self.index.map(|factor| number::<F>(simd, factor));
        let root = x.mul_add(second, first);
        self.at_in(simd, x, root.mul_add(root, magic(simd)))
    }

    #[inline(always)]
    fn at_in<F: Float>(&'static self, simd: F::Simd, x: F, interval: F) -> F {
        let offset = x.sub(interval.lookup(simd, &self.nodes));
        self.polynomial(simd, interval, offset)
    }

    /// The value at `factor * x`, which isn't rounded. The index is linear.
    #[inline(always)]
    pub fn at_product<F: Float>(&'static self, simd: F::Simd, x: F, factor: Factor) -> F {
        let [high, low] = factor.parts.map(|bits| by_bits::<F>(simd, bits));
        let interval = interval(simd, x, high.mul(number(simd, self.index[0])));
        let offset = x.mul_add(high, negated(simd, interval.lookup(simd, &self.nodes)));
        self.polynomial(simd, interval, x.mul_add(low, offset))
    }

    #[inline(always)]
    fn interval<F: Float>(&self, simd: F::Simd, x: F, magnitude: F) -> F {
        let [first, second] = self.index.map(|factor| number::<F>(simd, factor));
        let factor = if self.index[1] == 0.0 {
            first
        } else {
            magnitude.mul_add(second, first)
        };
        interval(simd, x, factor)
    }

    #[inline(always)]
    fn polynomial<F: Float>(&'static self, simd: F::Simd, interval: F, offset: F) -> F {
        let mut value = interval.lookup(simd, &self.coefficients[N - 1]);
        for coefficients in self.coefficients[..N - 1].iter().rev() {
            value = value.mul_add(offset, interval.lookup(simd, coefficients));
        }
        value
    }

    /// Whether x, without a sign, is beyond the end, or NaN.
    #[inline(always)]
    pub fn is_beyond<F: Float>(&self, simd: F::Simd, x: F) -> F::Mask {
        x.gt(number(simd, self.end))
    }
}

/// The sum with this number, whose last digit is 1, is rounded to an integer.
#[inline(always)]
fn magic<F: Float>(simd: F::Simd) -> F {
    constant(simd, 0x4b40_0000, 0)
}

/// A number with that of the interval, which is nearest to `x * factor`, in its lowest bits.
#[inline(always)]
fn interval<F: Float>(simd: F::Simd, x: F, factor: F) -> F {
    x.mul_add(factor, magic(simd))
}

/// `near`, or what `far` gives where a number `is_far`. Where x is NaN, which is far, it is x.
///
/// `far` is computed only if a lane takes it: few numbers are far from 0.
#[inline(always)]
pub fn near_or_far<F: Float>(simd: F::Simd, x: F, is_far: F::Mask, near: F, far: impl FnOnce() -> F) -> F {
    if F::to_bits(simd, is_far) == 0 {
        return near;
    }
    near.replace(is_far, far().replace(is_nan(simd, x), x))
}

/// x, or -0.0 where it is negative: f(x) - f(-|x|) of a function with f(x) - f(-x) = x.
#[inline(always)]
pub fn positive_part<F: Float>(simd: F::Simd, x: F) -> F {
    let minus_zero = F::splat(simd, F::Lane::SIGN_BIT);
    x.replace(F::splat(simd, F::Lane::ZERO).gt(x), minus_zero)
}

/// f(x) of a function with f(x) + f(-x) = 1, by its value at -|x|.
#[inline(always)]
pub fn from_negative_side<F: Float>(simd: F::Simd, x: F, at_minus: F) -> F {
    let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
    number::<F>(simd, 1.0).sub(at_minus).replace(is_negative, at_minus)
}
