//! The crate `wide`: two registers of 128 bits or one of 256, whatever the compilation target has.

use wide::{i16x16 as I16, i32x8 as I32, i64x4 as I64};

use super::{Lane, Vector};

isa!(Portable);

macro_rules! vector {
    ($vector:ident, $lane:ident) => {
        // SAFETY: loads and stores touch the bytes of one of `wide`'s types, all of them lanes; any bits are fine in it.
        unsafe impl Vector for $vector {
            type Simd = Portable;
            type Lane = $lane;
            type Mask = Self;
            type Narrower = <$lane as Lane>::Narrow<Portable>;

            const LANES: usize = size_of::<Self>() / size_of::<$lane>();

            #[inline(always)]
            unsafe fn load(_: Portable, source: *const $lane) -> Self {
                // SAFETY: the caller promises that LANES lanes can be read.
                unsafe { source.cast::<Self>().read_unaligned() }
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut $lane) {
                // SAFETY: the caller promises that LANES lanes can be written.
                unsafe { target.cast::<Self>().write_unaligned(self) }
            }

            #[inline(always)]
            fn splat(_: Portable, lane: $lane) -> Self {
                Self::splat(lane)
            }

            #[inline(always)]
            fn gt(self, other: Self) -> Self {
                self.simd_gt(other)
            }

            #[inline(always)]
            fn nonzero(self) -> Self {
                !self.simd_eq(Self::ZERO)
            }

            #[inline(always)]
            fn keep(self, mask: Self) -> Self {
                self & mask
            }

            #[inline(always)]
            fn discard(self, mask: Self) -> Self {
                self & !mask
            }

            #[inline(always)]
            fn replace(self, mask: Self, other: Self) -> Self {
                self ^ (self ^ other) & mask
            }

            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                self + other
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }

            #[inline(always)]
            fn and(_: Portable, a: Self, b: Self) -> Self {
                a & b
            }
        }
    };
}

vector!(I16, i16);
vector!(I32, i32);
vector!(I64, i64);
