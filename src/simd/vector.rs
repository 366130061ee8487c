//! Vectors: what functions do with them, and what loops need beside that.

use super::{Float, FloatFn, Format, Simd, scalar};

/// An integer as wide as an element, in which kernels see the element's bits.
pub trait Lane: Copy + Ord + Send + Sync + 'static {
    /// A register of the instruction set.
    type Register<S: Simd>: Register<Simd = S, Lane = Self>;
    /// Of 16 bytes, for tails; of one lane where the compilation target has no such vectors.
    type Narrow<S: Simd>: Vector<Simd = S, Lane = Self>;
    /// Of one lane.
    type One<S: Simd>: Vector<Simd = S, Lane = Self>;
    /// For the few elements that are walked in the caller, with what every CPU of the compilation target has.
    type InCaller: Vector<Simd = scalar::Scalar, Lane = Self>;

    const ZERO: Self;
    /// The integer 1: the bits of the least subnormal number.
    const LOWEST_BIT: Self;
    /// The bits of -0.0, which are those of the least integer.
    const SIGN_BIT: Self;
    /// All but the sign: the greatest integer.
    const WITHOUT_SIGN: Self;

    fn wrapping_add(self, other: Self) -> Self;
    fn wrapping_sub(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
}

macro_rules! lane {
    ($lane:ident: $register:ident, narrow: $narrow:ty, in caller: $in_caller:ty) => {
        impl Lane for $lane {
            type Register<S: Simd> = S::$register;
            type Narrow<S: Simd> = $narrow;
            type One<S: Simd> = scalar::One<S, Self>;
            type InCaller = $in_caller;

            const ZERO: Self = 0;
            const LOWEST_BIT: Self = 1;
            const SIGN_BIT: Self = $lane::MIN;
            const WITHOUT_SIGN: Self = $lane::MAX;

            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn wrapping_sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
        }
    };
}

cfg_if::cfg_if! {
    if #[cfg(any(rectify_sse2, rectify_neon))] {
        use super::narrow::Narrow;

        lane!(i16: I16, narrow: Narrow<S, Self, 16>, in caller: Narrow<scalar::Scalar, Self, 16>);
        lane!(i32: I32, narrow: Narrow<S, Self, 16>, in caller: Narrow<scalar::Scalar, Self, 16>);
        // SSE2 has no compare of 64 bits.
        lane!(i64: I64, narrow: Narrow<S, Self, 16>, in caller: scalar::One<scalar::Scalar, Self>);
    } else {
        lane!(i16: I16, narrow: scalar::One<S, Self>, in caller: scalar::One<scalar::Scalar, Self>);
        lane!(i32: I32, narrow: scalar::One<S, Self>, in caller: scalar::One<scalar::Scalar, Self>);
        lane!(i64: I64, narrow: scalar::One<S, Self>, in caller: scalar::One<scalar::Scalar, Self>);
    }
}

/// Some lanes, and what functions do with them.
///
/// # Safety
///
/// Loads and stores touch `LANES` lanes, a power of two, and nothing else.
pub unsafe trait Vector: Copy {
    type Simd: Simd;
    type Lane: Lane;
    /// A truth value for each lane.
    type Mask: Copy;
    /// With half as many lanes, or the next fewer that there are; itself where it has a single lane.
    type Narrower: Vector<Simd = Self::Simd, Lane = Self::Lane>;

    const LANES: usize;

    /// # Safety
    ///
    /// `source` can be read for `LANES` lanes. It need not be aligned.
    unsafe fn load(simd: Self::Simd, source: *const Self::Lane) -> Self;

    /// # Safety
    ///
    /// `target` can be written for `LANES` lanes. It need not be aligned.
    unsafe fn store(self, target: *mut Self::Lane);

    /// `lane` in every lane.
    fn splat(simd: Self::Simd, lane: Self::Lane) -> Self;

    /// `self > other`, as signed integers.
    fn gt(self, other: Self) -> Self::Mask;

    /// `self != 0`
    fn nonzero(self) -> Self::Mask;

    /// `self` where `mask` is true, else 0.
    fn keep(self, mask: Self::Mask) -> Self;

    /// 0 where `mask` is true, else `self`.
    fn discard(self, mask: Self::Mask) -> Self;

    /// `other` where `mask` is true, else `self`.
    fn replace(self, mask: Self::Mask, other: Self) -> Self;

    fn wrapping_add(self, other: Self) -> Self;

    fn xor(self, other: Self) -> Self;

    fn bitand(self, other: Self) -> Self;

    /// True where both are.
    fn and(simd: Self::Simd, a: Self::Mask, b: Self::Mask) -> Self::Mask;

    /// True where `a` is and `b` isn't.
    fn and_not(simd: Self::Simd, a: Self::Mask, b: Self::Mask) -> Self::Mask;

    /// `function` of the numbers whose bits the lanes are in the format `T`, computed in [`Format::ComputedIn`] and rounded to `T`.
    fn compute<T: Format<Lane = Self::Lane>, F: FloatFn<N>, const N: usize>(
        simd: Self::Simd,
        function: F,
        inputs: [Self; N],
    ) -> Self;
}

/// A whole register, and what loops need of it beside [`Vector`].
///
/// # Safety
///
/// As for [`Vector`]; and `load_first` and `store_first` touch the number of lanes that they are given, and nothing else.
pub unsafe trait Register: Vector {
    /// As `load`, but begins before a mask is there that goes with it.
    ///
    /// # Safety
    ///
    /// As for `load`.
    #[inline(always)]
    unsafe fn load_ahead(simd: Self::Simd, source: *const Self::Lane) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self::load(simd, source) }
    }

    /// As `store`, non-temporal where the instruction set has such stores.
    ///
    /// # Safety
    ///
    /// As for `store`, and `target` is aligned to the size of the register. [`fence`](super::fence) comes before any other access to
    /// the memory.
    #[inline(always)]
    unsafe fn stream(self, target: *mut Self::Lane) {
        // SAFETY: the caller promises more.
        unsafe { self.store(target) }
    }

    /// `count` lanes, the others 0.
    ///
    /// # Safety
    ///
    /// `count < LANES`, and `source` can be read for as many lanes.
    #[inline(always)]
    unsafe fn load_first(simd: Self::Simd, source: *const Self::Lane, count: usize) -> Self {
        let mut padded = Padded([Self::Lane::ZERO; 32]);
        // SAFETY: the array has room for every register, of which `count` lanes are fewer.
        unsafe {
            padded.0.as_mut_ptr().copy_from_nonoverlapping(source, count);
            Self::load(simd, padded.0.as_ptr())
        }
    }

    /// Stores the first `count` lanes.
    ///
    /// # Safety
    ///
    /// `count < LANES`, and `target` can be written for as many lanes.
    #[inline(always)]
    unsafe fn store_first(self, target: *mut Self::Lane, count: usize) {
        let mut padded = Padded([Self::Lane::ZERO; 32]);
        // SAFETY: the array has room for every register, of which `count` lanes are fewer.
        unsafe {
            self.store(padded.0.as_mut_ptr());
            target.copy_from_nonoverlapping(padded.0.as_ptr(), count);
        }
    }

    /// A bit for each lane, the lowest one for the first; the others are 0.
    fn to_bits(simd: Self::Simd, mask: Self::Mask) -> u64;

    /// The mask of such bits, from that at `first` on, which is a multiple of `LANES`.
    fn from_bits(simd: Self::Simd, bits: u64, first: usize) -> Self::Mask;

    /// What the elements are computed in: itself, or of 32 bits a lane where its own have 16.
    type Float: Float<Simd = Self::Simd>;

    /// How many of them the elements of this one take: 1 or 2.
    const FLOATS: usize;

    /// The elements that go to the one at `index`, in its format and in their order, which sums need.
    fn widen<T: Format<Lane = Self::Lane>>(self, index: usize) -> Self::Float;

    /// All of them, in an order that may be another one. Where they go to a single register, it stands twice.
    #[inline(always)]
    fn split<T: Format<Lane = Self::Lane>>(self) -> [Self::Float; 2] {
        if Self::FLOATS == 1 {
            [self.widen::<T>(0); 2]
        } else if T::IS_BF16 {
            self.split_bf16::<T>()
        } else {
            [self.widen::<T>(0), self.widen::<T>(1)]
        }
    }

    /// `split` of a format that is half of an `f32`, to two registers: of two elements side by side one goes to each.
    #[inline(always)]
    fn split_bf16<T: Format<Lane = Self::Lane>>(self) -> [Self::Float; 2] {
        [self.widen::<T>(0), self.widen::<T>(1)]
    }

    /// Those of `split` in their places, each rounded to the nearest number of `T`, ties to even. A second register is not
    /// looked at where one is enough. A NaN is one that came of a number of `T`, or of an invalid operation.
    fn join<T: Format<Lane = Self::Lane>>(floats: [Self::Float; 2]) -> Self;
}

/// Room for the lanes of any register.
#[repr(align(64))]
struct Padded<L>([L; 32]);

/// [`Vector::compute`] of a register.
#[inline(always)]
pub(super) fn compute_in_registers<T: Format<Lane = V::Lane>, V: Register, F: FloatFn<N>, const N: usize>(
    simd: V::Simd,
    function: F,
    inputs: [V; N],
) -> V {
    let [first, second] = inputs[0].split::<T>();
    let (mut first, mut second) = ([first; N], [second; N]);
    for i in 1..N {
        [first[i], second[i]] = inputs[i].split::<T>();
    }
    let mut results = [function.call(simd, first); 2];
    if V::FLOATS == 2 {
        results[1] = function.call(simd, second);
    }
    V::join::<T>(results)
}

/// A function that makes a vector of each of the `M` outputs from one of each of the `N` inputs, lane by lane. Its value holds the
/// parameters as the lanes have them.
pub trait VectorFn<const N: usize, const M: usize = 1>: Copy {
    type Lane: Lane;

    /// Inputs from this one on may be the same number for a whole row.
    const FIRST_BROADCAST: usize = N;

    /// Whether there is a loop for each choice of such inputs, which keeps their numbers in registers.
    const HOISTS_BROADCASTS: bool = false;

    fn call<V: Vector<Lane = Self::Lane>>(self, simd: V::Simd, inputs: [V; N]) -> [V; M];
}

/// What is summed, of the elements of `N` inputs. It is +0.0 where all of them are.
pub trait SumFn<const N: usize> {
    type Format: Format;

    /// The summands for the elements that go to the float register at `index`.
    fn summand<V: Register<Lane = <Self::Format as Format>::Lane>>(
        simd: V::Simd,
        inputs: [V; N],
        index: usize,
    ) -> V::Float;
}

/// What decides on a bit of each element.
pub trait LiveFn: Copy {
    type Lane: Lane;

    fn is_live<V: Vector<Lane = Self::Lane>>(self, simd: V::Simd, x: V) -> V::Mask;
}
