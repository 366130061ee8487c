//! One element at a time, on whole numbers.

use super::Vector;

type I16 = i16;
type I32 = i32;
type I64 = i64;

isa!(Scalar);

macro_rules! vector {
    ($lane:ident) => {
        // SAFETY: loads and stores touch what they may, no more.
        unsafe impl Vector for $lane {
            type Simd = Scalar;
            type Lane = Self;
            type Mask = bool;

            const LANES: usize = 1;

            #[inline(always)]
            unsafe fn load(_: Scalar, source: *const Self) -> Self {
                // SAFETY: the caller promises that one lane can be read.
                unsafe { source.read_unaligned() }
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut Self) {
                // SAFETY: the caller promises that one lane can be written.
                unsafe { target.write_unaligned(self) }
            }

            unsafe fn load_partial(_: Scalar, _: *const Self, _: usize) -> Self {
                unreachable!("no length is between 0 and 1");
            }

            unsafe fn store_partial(self, _: *mut Self, _: usize) {
                unreachable!("no length is between 0 and 1");
            }

            #[inline(always)]
            fn splat(_: Scalar, lane: Self) -> Self {
                lane
            }

            #[inline(always)]
            fn gt(self, other: Self) -> bool {
                self > other
            }

            #[inline(always)]
            fn nonzero(self) -> bool {
                self != 0
            }

            #[inline(always)]
            fn keep(self, mask: bool) -> Self {
                // By AND: a branch on random signs is mispredicted every other time.
                self & -Self::from(mask)
            }

            #[inline(always)]
            fn and(_: Scalar, a: bool, b: bool) -> bool {
                a & b
            }
        }
    };
}

vector!(i16);
vector!(i32);
vector!(i64);
