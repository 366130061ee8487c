//! Comparisons of numbers by those of whole numbers, which neither raise exception flags nor depend on a mode.

use crate::element::Element;
use crate::isa::Isa;
use crate::simd::{Lane, Simd, Vector};

/// The whole numbers in whose order the numbers are. Those with a sign have their other bits inverted: -infinity is the
/// least, -0.0 comes right before +0.0, the NaNs with a sign are below all of it and the others above.
#[inline(always)]
pub fn ordered<V: Vector>(simd: V::Simd, x: V) -> V {
    let has_sign = V::splat(simd, V::Lane::ZERO).gt(x);
    x.xor(V::splat(simd, V::Lane::MAX).keep(has_sign))
}

/// Twice the whole number without its sign: as numbers without a sign these are in the order of the magnitudes, and the NaNs come last.
#[inline(always)]
pub fn magnitude<V: Vector>(x: V) -> V {
    x.wrapping_add(x)
}

/// x where it is NaN, else `number`.
#[inline(always)]
pub fn unless_nan<T: Element, V: Vector<Lane = T::Lane>>(simd: V::Simd, x: V, number: V) -> V {
    let infinity = T::INFINITY.wrapping_add(T::INFINITY);
    let nan = Interval::new(
        infinity.wrapping_add(V::Lane::ONE),
        V::Lane::ZERO.wrapping_sub(V::Lane::ONE),
    );
    number.replace(nan.contains(simd, magnitude(x)), x)
}

/// Whether the lesser of two whole numbers, which the compiler sees in a compare and a choice, takes less time than a mask.
pub const fn has_fast_minimum<V: Vector>() -> bool {
    matches!(V::Simd::ISA, Isa::Avx512)
}

/// [`ordered`], of a single number.
#[inline(always)]
fn ordered_lane<L: Lane>(x: L) -> L {
    if x < L::ZERO { x.xor(L::MAX) } else { x }
}

/// Whole numbers from one to another, which may be once around.
#[derive(Clone, Copy)]
pub struct Interval<L> {
    /// What moves the first one to `MIN`,
    offset: L,
    /// and the one after the last one to this.
    end: L,
}

impl<L: Lane> Interval<L> {
    /// Empty where `last` is the one before `first`.
    #[inline(always)]
    pub fn new(first: L, last: L) -> Self {
        Self {
            offset: L::MIN.wrapping_sub(first),
            end: L::MIN.wrapping_add(last.wrapping_sub(first).wrapping_add(L::ONE)),
        }
    }

    /// Of the [`ordered`] numbers, those below `bound`, which is no -0.0.
    #[inline(always)]
    pub fn below<T: Element<Lane = L>>(bound: L) -> Self {
        // -0.0 isn't below +0.0.
        let above_last = if bound == L::ZERO {
            L::ZERO.wrapping_sub(L::ONE)
        } else {
            ordered_lane(bound)
        };
        Self::new(ordered_lane(T::NEG_INFINITY), above_last.wrapping_sub(L::ONE))
    }

    /// Those up to `bound`, which is no -0.0.
    #[inline(always)]
    pub fn up_to<T: Element<Lane = L>>(bound: L) -> Self {
        Self::new(ordered_lane(T::NEG_INFINITY), ordered_lane(bound))
    }

    /// Those above `bound`, which is no -0.0.
    #[inline(always)]
    pub fn above<T: Element<Lane = L>>(bound: L) -> Self {
        Self::new(ordered_lane(bound).wrapping_add(L::ONE), ordered_lane(T::INFINITY))
    }

    /// Those from `bound` on, which is no -0.0.
    #[inline(always)]
    pub fn from<T: Element<Lane = L>>(bound: L) -> Self {
        // -0.0 is as great as +0.0.
        let first = if bound == L::ZERO {
            L::ZERO.wrapping_sub(L::ONE)
        } else {
            ordered_lane(bound)
        };
        Self::new(first, ordered_lane(T::INFINITY))
    }

    /// Of the [`magnitude`]s, those below that of `bound`, which is not 0.
    #[inline(always)]
    pub fn magnitude_below(bound: L) -> Self {
        Self::new(L::ZERO, bound.wrapping_add(bound).wrapping_sub(L::ONE))
    }

    /// All others. Not of an empty one.
    #[inline(always)]
    pub fn complement(self) -> Self {
        let len = self.end.wrapping_sub(L::MIN);
        Self {
            offset: self.offset.wrapping_sub(len),
            end: L::MIN.wrapping_sub(len),
        }
    }

    #[inline(always)]
    pub fn contains<V: Vector<Lane = L>>(self, simd: V::Simd, x: V) -> V::Mask {
        V::splat(simd, self.end).gt(x.wrapping_add(V::splat(simd, self.offset)))
    }
}
