//! Vectors of 16 bytes and fewer, down to two lanes, for what is left where a wider one doesn't fit.

use core::marker::PhantomData;

use wide::{i16x8, i32x4, i64x2};

use super::scalar::One;
use super::{Simd, Vector};

/// The first `BYTES` of a register of the crate `wide`, in code for the instruction set `S`.
#[derive(Clone, Copy)]
pub struct Narrow<S, R, const BYTES: usize>(R, PhantomData<S>);

macro_rules! impl_vector {
    ($register:ident, $lane:ident, $bytes:literal as $chunk:ty, narrower: $narrower:ty) => {
        // SAFETY: loads and stores touch `BYTES` bytes, which are LANES lanes.
        unsafe impl<S: Simd> Vector for Narrow<S, $register, $bytes> {
            type Simd = S;
            type Lane = $lane;
            type Mask = $register;
            type Narrower = $narrower;

            const LANES: usize = $bytes / size_of::<$lane>();

            #[inline(always)]
            unsafe fn load(_: S, source: *const $lane) -> Self {
                let mut register = <$register>::ZERO;
                // SAFETY: the caller promises that LANES lanes can be read.
                let chunk = unsafe { source.cast::<$chunk>().read_unaligned() };
                bytemuck::cast_mut::<$register, [$chunk; 16 / $bytes]>(&mut register)[0] = chunk;
                Self(register, PhantomData)
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut $lane) {
                let [chunk, ..]: [$chunk; 16 / $bytes] = bytemuck::cast(self.0);
                // SAFETY: the caller promises that LANES lanes can be written.
                unsafe { target.cast::<$chunk>().write_unaligned(chunk) }
            }

            #[inline(always)]
            fn splat(_: S, lane: $lane) -> Self {
                Self(<$register>::splat(lane), PhantomData)
            }

            #[inline(always)]
            fn gt(self, other: Self) -> $register {
                self.0.simd_gt(other.0)
            }

            #[inline(always)]
            fn nonzero(self) -> $register {
                !self.0.simd_eq(<$register>::ZERO)
            }

            #[inline(always)]
            fn keep(self, mask: $register) -> Self {
                Self(self.0 & mask, PhantomData)
            }

            #[inline(always)]
            fn discard(self, mask: $register) -> Self {
                Self(self.0 & !mask, PhantomData)
            }

            #[inline(always)]
            fn replace(self, mask: $register, other: Self) -> Self {
                Self(self.0 ^ (self.0 ^ other.0) & mask, PhantomData)
            }

            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                Self(self.0 + other.0, PhantomData)
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                Self(self.0 ^ other.0, PhantomData)
            }

            #[inline(always)]
            fn and(_: S, a: $register, b: $register) -> $register {
                a & b
            }
        }
    };
}

impl_vector!(i16x8, i16, 16 as u128, narrower: Narrow<S, i16x8, 8>);
impl_vector!(i16x8, i16, 8 as u64, narrower: Narrow<S, i16x8, 4>);
impl_vector!(i16x8, i16, 4 as u32, narrower: One<S, i16>);
impl_vector!(i32x4, i32, 16 as u128, narrower: Narrow<S, i32x4, 8>);
impl_vector!(i32x4, i32, 8 as u64, narrower: One<S, i32>);
impl_vector!(i64x2, i64, 16 as u128, narrower: One<S, i64>);
