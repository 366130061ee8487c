//! Functions of real numbers that several of the smooth functions share, on vectors of `f32` and `f64`.
//!
//! In `f32` they multiply and add in one operation, in `f64` in two: [`Float::mul_add`]. `coefficients.sollya` prints the
//! coefficients.

mod exp;
mod log1p;
mod logistic;
mod normal;
mod pieces;

pub use exp::{
    Factor, LnSteps, ScaledExp, UPPER_26_BITS, exp_bound, exp_minus, exp_minus_product, exp_minus_sum, exp_quotient,
    half_of_least_number, scale, unscale,
};
pub use log1p::log1p_quotient;
pub use logistic::{
    SIGMOID, SIGMOID_SLOPE, center, gradient_of_scaled, logistic_gradient, logistic_gradient_beside_half,
    logistic_product, scaled_gradient,
};
pub use normal::{exp_minus_half_square, tail};
pub use pieces::{Pieces, from_negative_side, near_or_far, positive_part};

use crate::simd::{Float, FloatLane, Lane};

/// Whether the lanes are `f32`, else `f64`.
pub const fn is_f32<F: Float>() -> bool {
    size_of::<F::Lane>() == size_of::<f32>()
}

/// A number that `f32` has too.
#[inline(always)]
pub fn number<F: Float>(simd: F::Simd, number: f32) -> F {
    F::splat(simd, F::Lane::nearest_finite(number.into()))
}

/// A number by its bits, in the lowest ones.
#[inline(always)]
pub fn by_bits<F: Float>(simd: F::Simd, bits: u64) -> F {
    F::splat(simd, F::Lane::from_bits(bits))
}

/// A number of each format, by its bits.
#[inline(always)]
pub fn constant<F: Float>(simd: F::Simd, f32: u32, f64: u64) -> F {
    by_bits(simd, if is_f32::<F>() { f32.into() } else { f64 })
}

/// `-x`, by its bits.
#[inline(always)]
pub fn negated<F: Float>(simd: F::Simd, x: F) -> F {
    x.xor(F::splat(simd, F::Lane::SIGN_BIT))
}

/// |x|, by its bits.
#[inline(always)]
fn magnitude<F: Float>(simd: F::Simd, x: F) -> F {
    x.bitand(F::splat(simd, F::Lane::WITHOUT_SIGN))
}

#[inline(always)]
pub fn is_nan<F: Float>(simd: F::Simd, x: F) -> F::Mask {
    magnitude(simd, x).gt(constant(simd, 0x7f80_0000, 0x7ff0_0000_0000_0000))
}

/// The polynomial of x with these coefficients from x^0 on, by Estrin's scheme: neighbours are joined by x, then pairs
/// by x², and so on. These steps wait for each other less than those of Horner's scheme.
macro_rules! polynomial {
    (@join $x:ident; [$($joined:expr),*]; $a:expr, $b:expr $(, $rest:expr)*) => {
        $crate::math::polynomial!(@join $x; [$($joined,)* $b.mul_add($x, $a)]; $($rest),*)
    };
    (@join $x:ident; [$($joined:expr),*]; $($last:expr)?) => {{
        let square = $x.mul($x);
        $crate::math::polynomial!(square; $($joined),* $(, $last)?)
    }};
    ($x:ident; $only:expr) => {
        $only
    };
    ($x:ident; $a:expr, $b:expr) => {
        $b.mul_add($x, $a)
    };
    ($x:ident; $($coefficient:expr),+) => {
        $crate::math::polynomial!(@join $x; []; $($coefficient),+)
    };
}
pub(crate) use polynomial;

/// The polynomial of x with these coefficients from x^0 on, by Horner's scheme, whose roundings are fewer.
macro_rules! horner {
    ($x:ident; $only:expr) => {
        $only
    };
    ($x:ident; $first:expr, $($rest:expr),+) => {
        $crate::math::horner!($x; $($rest),+).mul_add($x, $first)
    };
}
pub(crate) use horner;

/// A polynomial in vectors of `F`, with the coefficients of a format, or of each, by their bits: in `f32` by Horner's scheme, in
/// `f64` by Estrin's, since there each step is two operations, except the last one: that rounds less so.
macro_rules! polynomial_by_bits {
    ($simd:ident, $x:ident; f32: [$($f32:literal),+]) => {
        $crate::math::horner!($x; $(F::splat($simd, F::Lane::from_bits($f32))),+)
    };
    ($simd:ident, $x:ident; f64: [$first:literal, $($f64:literal),+]) => {
        $crate::math::polynomial!($x; $(F::splat($simd, F::Lane::from_bits($f64))),+)
            .mul_add($x, F::splat($simd, F::Lane::from_bits($first)))
    };
    ($simd:ident, $x:ident; f32: $f32:tt, f64: $f64:tt) => {
        if $crate::math::is_f32::<F>() {
            $crate::math::polynomial_by_bits!($simd, $x; f32: $f32)
        } else {
            $crate::math::polynomial_by_bits!($simd, $x; f64: $f64)
        }
    };
}
pub(crate) use polynomial_by_bits;
