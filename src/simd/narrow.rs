//! Vectors of 16 bytes and fewer, down to two lanes, for what is left where a wider one doesn't fit.

use core::marker::PhantomData;

use wide::{f32x4, f64x2, i16x8, i32x4, i64x2};

use super::scalar::One;
use super::{Float, Simd, Vector, halves};
use crate::element::Format;

macro_rules! computed_in_f32 {
    () => {
        type Float = Narrow<S, i32x4, 16>;

        const FLOATS: usize = 2;

        #[inline(always)]
        fn widen<T: Format<Lane = i16>>(self, index: usize) -> Self::Float {
            let halves: [[i16; 4]; 2] = bytemuck::cast(self.0);
            let floats = if T::IS_BF16 {
                halves::bf16_to_f32(halves[index])
            } else {
                // SAFETY: `self` was made with a proof that `S` is available.
                unsafe { S::f16_to_f32(halves[index]) }
            };
            Narrow(bytemuck::cast(floats), PhantomData)
        }

        #[inline(always)]
        fn split_bf16<T: Format<Lane = i16>>(self) -> [Self::Float; 2] {
            let [first, second] = halves::split_pairs_of_bf16(bytemuck::cast(self.0));
            [Narrow(first, PhantomData), Narrow(second, PhantomData)]
        }

        #[inline(always)]
        fn join<T: Format<Lane = i16>>([first, second]: [Self::Float; 2]) -> Self {
            let halves = if T::IS_BF16 {
                bytemuck::cast(halves::join_pairs_of_bf16([first.0, second.0]))
            } else {
                let [first, second] = bytemuck::cast([first.0, second.0]);
                // SAFETY: the arguments were made with a proof that `S` is available.
                bytemuck::cast(unsafe { [S::f16_from_f32(first), S::f16_from_f32(second)] })
            };
            Self(halves, PhantomData)
        }
    };
}

/// The first `BYTES` of a register of the crate `wide`, in code for the instruction set `S`.
#[derive(Clone, Copy)]
pub struct Narrow<S, R, const BYTES: usize>(R, PhantomData<S>);

macro_rules! impl_vector {
    ($register:ident, $lane:ident, $bytes:literal as $chunk:ty, narrower: $narrower:ty, floats: $floats:ident) => {
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
            unsafe fn stream(self, target: *mut $lane) {
                // SAFETY: the caller promises that LANES lanes can be written, and the alignment; `self` was made with a proof that `S` is
                // available.
                unsafe {
                    if $bytes == 16 {
                        S::stream_16(bytemuck::cast(self.0), target.cast());
                    } else {
                        self.store(target);
                    }
                }
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

            #[inline(always)]
            fn and_not(_: S, a: $register, b: $register) -> $register {
                a & !b
            }

            #[inline(always)]
            fn to_bits(_: S, mask: $register) -> u64 {
                u64::from(mask.to_bitmask()) & ((1 << Self::LANES) - 1)
            }

            #[inline(always)]
            fn from_bits(_: S, bits: u64, first: usize) -> $register {
                let mut powers = [0; 16 / size_of::<$lane>()];
                for (i, power) in powers.iter_mut().enumerate() {
                    *power = 1 << i;
                }
                let powers = <$register>::new(powers);
                (<$register>::splat((bits >> first) as $lane) & powers).simd_eq(powers)
            }

            $floats!();
        }
    };
}

impl_vector!(i16x8, i16, 16 as u128, narrower: Narrow<S, i16x8, 8>, floats: computed_in_f32);
impl_vector!(i16x8, i16, 8 as u64, narrower: Narrow<S, i16x8, 4>, floats: computed_in_f32);
impl_vector!(i16x8, i16, 4 as u32, narrower: One<S, i16>, floats: computed_in_f32);
impl_vector!(i32x4, i32, 16 as u128, narrower: Narrow<S, i32x4, 8>, floats: computed_as_they_are);
impl_vector!(i32x4, i32, 8 as u64, narrower: One<S, i32>, floats: computed_as_they_are);
impl_vector!(i64x2, i64, 16 as u128, narrower: One<S, i64>, floats: computed_as_they_are);

impl<S: Simd, const BYTES: usize> Float for Narrow<S, i32x4, BYTES>
where
    Self: Vector<Simd = S, Lane = i32, Mask = i32x4, Float = Self>,
{
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let product = bytemuck::cast::<_, f32x4>(self.0) * bytemuck::cast::<_, f32x4>(other.0);
        Self(bytemuck::cast(product), PhantomData)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let sum = bytemuck::cast::<_, f32x4>(self.0) + bytemuck::cast::<_, f32x4>(other.0);
        Self(bytemuck::cast(sum), PhantomData)
    }

    #[inline(always)]
    fn is_number(self) -> i32x4 {
        let numbers = bytemuck::cast::<_, f32x4>(self.0);
        bytemuck::cast(numbers.simd_eq(numbers))
    }
}

impl<S: Simd> Float for Narrow<S, i64x2, 16> {
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let product = bytemuck::cast::<_, f64x2>(self.0) * bytemuck::cast::<_, f64x2>(other.0);
        Self(bytemuck::cast(product), PhantomData)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let sum = bytemuck::cast::<_, f64x2>(self.0) + bytemuck::cast::<_, f64x2>(other.0);
        Self(bytemuck::cast(sum), PhantomData)
    }

    #[inline(always)]
    fn is_number(self) -> i64x2 {
        let numbers = bytemuck::cast::<_, f64x2>(self.0);
        bytemuck::cast(numbers.simd_eq(numbers))
    }
}
