//! The crate `wide`: two registers of 128 bits or one of 256, whatever the compilation target has.

use bytemuck::cast;
use wide::{i16x16 as I16, i32x8 as I32, i64x4 as I64};

use super::{Vector, partial};

isa!(Portable);

macro_rules! vector {
    ($vector:ident, $lane:ident) => {
        // SAFETY: loads and stores touch what they may, no more.
        unsafe impl Vector for $vector {
            type Simd = Portable;
            type Lane = $lane;
            type Mask = Self;

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
            unsafe fn load_partial(_: Portable, source: *const $lane, len: usize) -> Self {
                let bytes = len * size_of::<$lane>();
                let source = source.cast::<u8>();
                // SAFETY: the caller promises that `bytes` bytes can be read, fewer than 32; an even number, as a lane's is.
                cast(unsafe {
                    if bytes >= 16 {
                        let second = source.add(bytes - 16);
                        [source, second].map(|chunk| chunk.cast::<[u64; 2]>().read_unaligned())
                    } else {
                        [partial::load(source, bytes), [0; 2]]
                    }
                })
            }

            #[inline(always)]
            unsafe fn store_partial(self, target: *mut $lane, len: usize) {
                let [first, second]: [[u64; 2]; 2] = cast(self);
                let bytes = len * size_of::<$lane>();
                let target = target.cast::<u8>();
                // SAFETY: the caller promises that `bytes` bytes can be written, fewer than 32; an even number, as a lane's is.
                unsafe {
                    if bytes >= 16 {
                        target.cast::<[u64; 2]>().write_unaligned(first);
                        target.add(bytes - 16).cast::<[u64; 2]>().write_unaligned(second);
                    } else {
                        partial::store(first, target, bytes);
                    }
                }
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
            fn and(_: Portable, a: Self, b: Self) -> Self {
                a & b
            }
        }
    };
}

vector!(I16, i16);
vector!(I32, i32);
vector!(I64, i64);
