//! Comparisons of numbers by integer comparisons, which raise no exception flags and don't depend on the CPU's modes.

use crate::isa::Isa;
use crate::simd::{Format, Lane, LiveFn, Simd, Vector};

/// Integers in the order of the numbers x: negative numbers have all bits except the sign inverted.
///
/// -infinity is the least number, and -0.0 comes right before +0.0. Negative NaNs are below all numbers, other NaNs
/// above.
#[inline(always)]
pub fn ordered<V: Vector>(simd: V::Simd, x: V) -> V {
    let has_sign = V::splat(simd, V::Lane::ZERO).gt(x);
    x.xor(V::splat(simd, V::Lane::WITHOUT_SIGN).keep(has_sign))
}

/// The bits without the sign. As integers they are in the order of the magnitudes, and NaNs come last.
#[inline(always)]
pub fn without_sign<V: Vector>(simd: V::Simd, x: V) -> V {
    x.bitand(V::splat(simd, V::Lane::WITHOUT_SIGN))
}

/// Detection of numbers that are neither +0.0 nor -0.0.
///
/// Its constants are parameters that the compiler doesn't see. Otherwise LLVM makes a floating-point compare of it, for which a
/// subnormal number is 0 in some modes of the CPU.
#[derive(Clone, Copy)]
pub struct Nonzero<L>(Interval<L>);

impl<L: Lane> Nonzero<L> {
    #[inline(always)]
    pub fn new() -> Self {
        Self(Interval::new(L::LOWEST_BIT, L::ZERO.wrapping_sub(L::LOWEST_BIT)))
    }

    #[inline(always)]
    pub fn contains<V: Vector<Lane = L>>(self, simd: V::Simd, x: V) -> V::Mask {
        self.0.contains(simd, x.wrapping_add(x))
    }
}

/// Detection of NaN, by the bits of infinity.
#[derive(Clone, Copy)]
pub struct Nan<L>(L);

impl<L: Lane> Nan<L> {
    #[inline(always)]
    pub fn of<T: Format<Lane = L>>() -> Self {
        Self(T::INFINITY)
    }

    /// x where it is NaN, else `number`.
    #[inline(always)]
    pub fn restore<V: Vector<Lane = L>>(self, simd: V::Simd, x: V, number: V) -> V {
        number.replace(without_sign(simd, x).gt(V::splat(simd, self.0)), x)
    }
}

/// Whether a minimum of integers, as which the compiler recognizes a compare and a select, is faster than a mask.
pub const fn has_fast_minimum<V: Vector>() -> bool {
    matches!(V::Simd::ISA, Isa::Avx512)
}

/// [`ordered`] of a single number.
#[inline(always)]
fn ordered_lane<L: Lane>(x: L) -> L {
    if x < L::ZERO { x.xor(L::WITHOUT_SIGN) } else { x }
}

/// An interval of integers, which may wrap around.
///
/// x is in it where `x + offset < end`.
#[derive(Clone, Copy)]
pub struct Interval<L> {
    /// The difference from the first integer to the least one.
    offset: L,
    /// The integer after the last one, plus `offset`.
    end: L,
}

impl<L: Lane> Interval<L> {
    /// From `first` to `last`, inclusive. Empty if `last + 1 == first`.
    #[inline(always)]
    pub fn new(first: L, last: L) -> Self {
        Self {
            offset: L::SIGN_BIT.wrapping_sub(first),
            end: L::SIGN_BIT.wrapping_add(last.wrapping_sub(first).wrapping_add(L::LOWEST_BIT)),
        }
    }

    /// The [`ordered`] numbers below `bound`, which is not -0.0.
    #[inline(always)]
    pub fn below<T: Format<Lane = L>>(bound: L) -> Self {
        // -0.0 is not below +0.0.
        let above_last = if bound == L::ZERO {
            L::ZERO.wrapping_sub(L::LOWEST_BIT)
        } else {
            ordered_lane(bound)
        };
        Self::new(ordered_lane(T::NEG_INFINITY), above_last.wrapping_sub(L::LOWEST_BIT))
    }

    /// The [`ordered`] numbers up to `bound`, which is not -0.0.
    #[inline(always)]
    pub fn up_to<T: Format<Lane = L>>(bound: L) -> Self {
        Self::new(ordered_lane(T::NEG_INFINITY), ordered_lane(bound))
    }

    /// The [`ordered`] numbers above `bound`, which is not -0.0.
    #[inline(always)]
    pub fn above<T: Format<Lane = L>>(bound: L) -> Self {
        Self::new(
            ordered_lane(bound).wrapping_add(L::LOWEST_BIT),
            ordered_lane(T::INFINITY),
        )
    }

    /// The [`ordered`] numbers from `bound` on, which is not -0.0.
    #[inline(always)]
    pub fn from<T: Format<Lane = L>>(bound: L) -> Self {
        // -0.0 equals +0.0.
        let first = if bound == L::ZERO {
            L::ZERO.wrapping_sub(L::LOWEST_BIT)
        } else {
            ordered_lane(bound)
        };
        Self::new(first, ordered_lane(T::INFINITY))
    }

    /// All other integers. `self` is not empty.
    #[inline(always)]
    pub fn complement(self) -> Self {
        let len = self.end.wrapping_sub(L::SIGN_BIT);
        Self {
            offset: self.offset.wrapping_sub(len),
            end: L::SIGN_BIT.wrapping_sub(len),
        }
    }

    #[inline(always)]
    pub fn contains<V: Vector<Lane = L>>(self, simd: V::Simd, x: V) -> V::Mask {
        V::splat(simd, self.end).gt(x.wrapping_add(V::splat(simd, self.offset)))
    }
}

/// Whether x is live: above one bound and below another, or NaN.
#[derive(Clone, Copy)]
pub struct Live<L> {
    above: Interval<L>,
    below: Interval<L>,
}

impl<L: Lane> Live<L> {
    /// `!(x <= min)`
    pub fn above<T: Format<Lane = L>>(min: L) -> Self {
        let above = Interval::up_to::<T>(min).complement();
        Self { above, below: above }
    }

    /// `!(x <= min || x >= max)`
    pub fn between<T: Format<Lane = L>>(min: L, max: L) -> Self {
        Self {
            above: Interval::up_to::<T>(min).complement(),
            below: Interval::from::<T>(max).complement(),
        }
    }
}

impl<L: Lane> LiveFn for Live<L> {
    type Lane = L;

    #[inline(always)]
    fn is_live<V: Vector<Lane = L>>(self, simd: V::Simd, x: V) -> V::Mask {
        let order = ordered(simd, x);
        V::and(simd, self.above.contains(simd, order), self.below.contains(simd, order))
    }
}

/// Whether |x| is above a bound, or x is NaN.
#[derive(Clone, Copy)]
pub struct Outside<L>(L);

impl<L: Lane> Outside<L> {
    /// Above `bound`, which has no sign.
    pub fn new(bound: L) -> Self {
        Self(bound)
    }
}

impl<L: Lane> LiveFn for Outside<L> {
    type Lane = L;

    #[inline(always)]
    fn is_live<V: Vector<Lane = L>>(self, simd: V::Simd, x: V) -> V::Mask {
        without_sign(simd, x).gt(V::splat(simd, self.0))
    }
}
