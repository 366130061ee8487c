//! The crate `wide`: vectors of 256 bits, in one register or two of the compilation target.

use wide::{f32x8, f64x4, i16x16 as I16, i32x8 as I32, i64x4 as I64};

use super::fused::fused_by_f64;
use super::{Float, Format, Lane, Register, Vector, halves};

isa!(Portable);

macro_rules! computed_in_f32 {
    () => {
        type Float = I32;

        const FLOATS: usize = 2;

        #[inline(always)]
        fn widen<T: Format<Lane = i16>>(self, index: usize) -> I32 {
            let halves: [[[i16; 4]; 2]; 2] = bytemuck::cast(self);
            let [first, second] = halves[index];
            let to_f32 = if T::IS_BF16 {
                halves::bf16_to_f32
            } else {
                halves::f16_to_f32
            };
            bytemuck::cast([to_f32(first), to_f32(second)])
        }

        #[inline(always)]
        fn split_bf16<T: Format<Lane = i16>>(self) -> [I32; 2] {
            let [first, second] = bytemuck::cast(self);
            let [a, b] = halves::split_pairs_of_bf16(first);
            let [c, d] = halves::split_pairs_of_bf16(second);
            bytemuck::cast([[a, c], [b, d]])
        }

        #[inline(always)]
        fn unzip(floats: [I32; 2]) -> [I32; 2] {
            let pairs: [[i32; 2]; 8] = bytemuck::cast(floats);
            // As `split_pairs_of_bf16`.
            let first = usize::from(cfg!(target_endian = "big"));
            bytemuck::cast([pairs.map(|pair| pair[first]), pairs.map(|pair| pair[1 - first])])
        }

        #[inline(always)]
        fn join<T: Format<Lane = i16>>(floats: [I32; 2]) -> Self {
            if T::IS_BF16 {
                let [[a, c], [b, d]] = bytemuck::cast(floats);
                return bytemuck::cast([
                    halves::join_pairs_of_bf16([a, b]),
                    halves::join_pairs_of_bf16([c, d]),
                ]);
            }
            let [a, b, c, d] = bytemuck::cast(floats);
            bytemuck::cast([
                halves::f16_from_f32(a),
                halves::f16_from_f32(b),
                halves::f16_from_f32(c),
                halves::f16_from_f32(d),
            ])
        }
    };
}

macro_rules! vector {
    ($vector:ident, $lane:ident, floats: $floats:ident) => {
        // SAFETY: loads and stores touch the bytes of a type of `wide`, which are LANES lanes. Any bits are valid in
        // it.
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
            fn bitand(self, other: Self) -> Self {
                self & other
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }

            #[inline(always)]
            fn and(_: Portable, a: Self, b: Self) -> Self {
                a & b
            }

            #[inline(always)]
            fn and_not(_: Portable, a: Self, b: Self) -> Self {
                a & !b
            }

            computed_in_registers!();
        }

        // SAFETY: the defaults touch the lanes that they are given.
        unsafe impl Register for $vector {
            #[inline(always)]
            fn to_bits(_: Portable, mask: Self) -> u64 {
                mask.to_bitmask().into()
            }

            #[inline(always)]
            fn from_bits(_: Portable, bits: u64, first: usize) -> Self {
                let powers: &[$lane] = &powers_of_2!($lane);
                let (bits, first) = lane_of_bits!($lane, bits, first);
                let mut lanes = [0; <Self as Vector>::LANES];
                lanes.copy_from_slice(&powers[first..][..<Self as Vector>::LANES]);
                let powers = Self::new(lanes);
                (Self::splat(bits) & powers).simd_eq(powers)
            }

            $floats!();
        }
    };
}

vector!(I16, i16, floats: computed_in_f32);
vector!(I32, i32, floats: computed_as_they_are);
vector!(I64, i64, floats: computed_as_they_are);

macro_rules! float {
    ($vector:ident, $floats:ident, $mantissa_width:literal: $($method:ident $operator:tt),+; mul_add: $mul_add:expr) => {
        impl Float for $vector {
            $(
                #[inline(always)]
                fn $method(self, other: Self) -> Self {
                    bytemuck::cast(bytemuck::cast::<_, $floats>(self) $operator bytemuck::cast::<_, $floats>(other))
                }
            )+

            #[inline(always)]
            fn is_number(self) -> Self {
                let numbers = bytemuck::cast::<_, $floats>(self);
                bytemuck::cast(numbers.simd_eq(numbers))
            }

            #[inline(always)]
            fn mul_add(self, factor: Self, summand: Self) -> Self {
                let mul_add: fn(Self, Self, Self) -> Self = $mul_add;
                mul_add(self, factor, summand)
            }

            #[inline(always)]
            fn into_exponent(self) -> Self {
                self << $mantissa_width
            }
        }
    };
}

float!(I32, f32x8, 23: mul *, add +, sub -, div /; mul_add: fused);
float!(I64, f64x4, 52: mul *, add +, sub -, div /; mul_add: |a, b, c| a.mul(b).add(c));

/// Not inlined: it is a lot of code, which a function would repeat for each of its multiply-adds.
#[cfg_attr(not(feature = "smooth"), allow(dead_code, reason = "for smooth functions"))]
#[inline(never)]
fn fused(a: I32, b: I32, c: I32) -> I32 {
    let [a, b, c] = [a, b, c].map(bytemuck::cast::<_, [f32; 8]>);
    let mut results = [0.0; 8];
    for (i, result) in results.iter_mut().enumerate() {
        *result = fused_by_f64(a[i], b[i], c[i]);
    }
    bytemuck::cast(results)
}
