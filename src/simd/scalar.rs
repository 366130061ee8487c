//! Scalar code: one element at a time, on integers.

use core::marker::PhantomData;

use super::fused::fused_by_f64;
use super::{Float, Format, Register, Simd, Vector};

type I16 = One<Scalar, i16>;
type I32 = One<Scalar, i32>;
type I64 = One<Scalar, i64>;

isa!(Scalar);

impl Scalar {
    pub(crate) fn always() -> Self {
        Self(())
    }
}

/// A single lane, in code for the instruction set `S`.
#[derive(Clone, Copy)]
pub struct One<S, L>(L, PhantomData<S>);

macro_rules! computed_in_f32 {
    () => {
        type Float = One<S, i32>;

        const FLOATS: usize = 1;

        #[inline(always)]
        fn widen<T: Format<Lane = i16>>(self, _: usize) -> Self::Float {
            One(T::to_f32(self.0).to_bits().cast_signed(), PhantomData)
        }

        #[inline(always)]
        fn join<T: Format<Lane = i16>>([float, _]: [Self::Float; 2]) -> Self {
            Self(T::from_f32(f32::from_bits(float.0.cast_unsigned())), PhantomData)
        }
    };
}

macro_rules! impl_vector {
    ($lane:ident, floats: $floats:ident) => {
        // SAFETY: loads and stores touch one lane.
        unsafe impl<S: Simd> Vector for One<S, $lane> {
            type Simd = S;
            type Lane = $lane;
            type Mask = bool;
            type Narrower = Self;

            const LANES: usize = 1;

            #[inline(always)]
            unsafe fn load(_: S, source: *const $lane) -> Self {
                // SAFETY: the caller promises that one lane can be read.
                Self(unsafe { source.read_unaligned() }, PhantomData)
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut $lane) {
                // SAFETY: the caller promises that one lane can be written.
                unsafe { target.write_unaligned(self.0) }
            }

            #[inline(always)]
            fn splat(_: S, lane: $lane) -> Self {
                Self(lane, PhantomData)
            }

            #[inline(always)]
            fn gt(self, other: Self) -> bool {
                self.0 > other.0
            }

            #[inline(always)]
            fn nonzero(self) -> bool {
                self.0 != 0
            }

            #[inline(always)]
            fn keep(self, mask: bool) -> Self {
                // Without a branch: on random signs it would be mispredicted every other time.
                Self(self.0 & -$lane::from(mask), PhantomData)
            }

            #[inline(always)]
            fn discard(self, mask: bool) -> Self {
                self.keep(!mask)
            }

            #[inline(always)]
            fn replace(self, mask: bool, other: Self) -> Self {
                Self(self.0 ^ (self.0 ^ other.0) & -$lane::from(mask), PhantomData)
            }

            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                Self(self.0.wrapping_add(other.0), PhantomData)
            }

            #[inline(always)]
            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0, PhantomData)
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                Self(self.0 ^ other.0, PhantomData)
            }

            #[inline(always)]
            fn and(_: S, a: bool, b: bool) -> bool {
                a & b
            }

            #[inline(always)]
            fn and_not(_: S, a: bool, b: bool) -> bool {
                a & !b
            }

            computed_in_registers!();
        }

        // SAFETY: the defaults touch the lanes that they are given.
        unsafe impl<S: Simd> Register for One<S, $lane> {
            #[inline(always)]
            fn to_bits(_: S, mask: bool) -> u64 {
                mask.into()
            }

            #[inline(always)]
            fn from_bits(_: S, bits: u64, first: usize) -> bool {
                bits >> first & 1 != 0
            }

            $floats!();
        }
    };
}

impl_vector!(i16, floats: computed_in_f32);
impl_vector!(i32, floats: computed_as_they_are);
impl_vector!(i64, floats: computed_as_they_are);

macro_rules! impl_float {
    ($lane:ident, $float:ident, $mantissa_width:literal: $($method:ident $operator:tt),+; mul_add: $mul_add:expr) => {
        impl<S: Simd> Float for One<S, $lane> {
            $(
                #[inline(always)]
                fn $method(self, other: Self) -> Self {
                    let (a, b) = (
                        $float::from_bits(self.0.cast_unsigned()),
                        $float::from_bits(other.0.cast_unsigned()),
                    );
                    Self((a $operator b).to_bits().cast_signed(), PhantomData)
                }
            )+

            #[inline(always)]
            fn is_number(self) -> bool {
                !$float::from_bits(self.0.cast_unsigned()).is_nan()
            }

            #[inline(always)]
            fn mul_add(self, factor: Self, summand: Self) -> Self {
                let mul_add: fn($float, $float, $float) -> $float = $mul_add;
                let [a, b, c] = [self, factor, summand].map(|vector| $float::from_bits(vector.0.cast_unsigned()));
                Self(mul_add(a, b, c).to_bits().cast_signed(), PhantomData)
            }

            #[inline(always)]
            fn into_exponent(self) -> Self {
                Self(self.0 << $mantissa_width, PhantomData)
            }
        }
    };
}

impl_float!(i32, f32, 23: mul *, add +, sub -, div /; mul_add: fused);
impl_float!(i64, f64, 52: mul *, add +, sub -, div /; mul_add: |a, b, c| a * b + c);

/// Not inlined: a function would repeat it for each of its multiply-adds.
#[cfg_attr(not(feature = "smooth"), allow(dead_code, reason = "for smooth functions"))]
#[inline(never)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    fused_by_f64(a, b, c)
}
