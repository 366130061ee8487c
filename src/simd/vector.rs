//! The traits of lanes, vectors and registers, and of functions of them.

use core::mem::MaybeUninit;

use super::{Float, FloatFn, Format, Simd, scalar};

/// A signed integer with the bits of an element.
pub trait Lane: Copy + Ord + Send + Sync + 'static {
    /// The register of an instruction set.
    type Register<S: Simd>: Register<Simd = S, Lane = Self>;
    /// A vector of 16 bytes, for tails, or of one lane if the compilation target has neither SSE2 nor NEON.
    type Narrow<S: Simd>: Vector<Simd = S, Lane = Self>;
    /// A vector of one lane.
    type One<S: Simd>: Vector<Simd = S, Lane = Self>;
    /// The vector for short slices that are inlined into the caller. Every CPU of the compilation target has it.
    type InCaller: Vector<Simd = scalar::Scalar, Lane = Self>;

    const ZERO: Self;
    /// The integer 1: the bits of the least subnormal number.
    const LOWEST_BIT: Self;
    /// The bits of -0.0: the least integer.
    const SIGN_BIT: Self;
    /// All bits except the sign: the greatest integer.
    const WITHOUT_SIGN: Self;
    /// [`SIGN_BIT`](Self::SIGN_BIT), in memory.
    const MINUS_ZERO: &'static Self;

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
            const MINUS_ZERO: &'static Self = &$lane::MIN;

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
    if #[cfg(any(rectify_sse2, rectify_neon, rectify_simd128))] {
        use super::narrow::Narrow;

        lane!(i16: I16, narrow: Narrow<S, Self, 16>, in caller: Narrow<scalar::Scalar, Self, 16>);
        lane!(i32: I32, narrow: Narrow<S, Self, 16>, in caller: Narrow<scalar::Scalar, Self, 16>);
        cfg_if::cfg_if! {
            if #[cfg(rectify_simd128)] {
                lane!(i64: I64, narrow: Narrow<S, Self, 16>, in caller: Narrow<scalar::Scalar, Self, 16>);
            } else {
                // SSE2 has no compare of 64-bit lanes.
                lane!(i64: I64, narrow: Narrow<S, Self, 16>, in caller: scalar::One<scalar::Scalar, Self>);
            }
        }
    } else {
        lane!(i16: I16, narrow: scalar::One<S, Self>, in caller: scalar::One<scalar::Scalar, Self>);
        lane!(i32: I32, narrow: scalar::One<S, Self>, in caller: scalar::One<scalar::Scalar, Self>);
        lane!(i64: I64, narrow: scalar::One<S, Self>, in caller: scalar::One<scalar::Scalar, Self>);
    }
}

/// A vector, with the operations of functions.
///
/// # Safety
///
/// Loads and stores touch `LANES` lanes, a power of two, and nothing else.
pub unsafe trait Vector: Copy {
    type Simd: Simd;
    type Lane: Lane;
    /// A truth value for each lane.
    type Mask: Copy;
    /// The next narrower vector: with half as many lanes if there is one. `Self` if it has one lane.
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

    /// True where `a` and `b` are.
    fn and(simd: Self::Simd, a: Self::Mask, b: Self::Mask) -> Self::Mask;

    /// True where `a` is and `b` isn't.
    fn and_not(simd: Self::Simd, a: Self::Mask, b: Self::Mask) -> Self::Mask;

    /// `function` of lanes that are numbers of the format `T`. It is computed in [`Format::ComputedIn`] and rounded to
    /// `T`.
    fn compute<T: Format<Lane = Self::Lane>, F: FloatFn<N>, const N: usize>(
        simd: Self::Simd,
        function: F,
        inputs: [Self; N],
    ) -> Self;
}

/// A register, with the operations of loops.
///
/// # Safety
///
/// As for [`Vector`]. `load_first` and `store_first` touch the first `count` lanes, and nothing else.
pub unsafe trait Register: Vector {
    /// `load` that never becomes a masked load, which would wait for its mask.
    ///
    /// # Safety
    ///
    /// As for `load`.
    #[inline(always)]
    unsafe fn load_ahead(simd: Self::Simd, source: *const Self::Lane) -> Self {
        // SAFETY: LANES lanes can be read at `source`: this method's contract.
        unsafe { Self::load(simd, source) }
    }

    /// A non-temporal store if the instruction set has one, else `store`.
    ///
    /// # Safety
    ///
    /// As for `store`, and `target` is aligned to the size of the register. [`fence`](super::fence) comes before any
    /// other access to the memory.
    #[inline(always)]
    unsafe fn stream(self, target: *mut Self::Lane) {
        // SAFETY: LANES lanes can be written at `target`: this method's contract.
        unsafe { self.store(target) }
    }

    /// Loads the first `count` lanes; the others are 0.
    ///
    /// # Safety
    ///
    /// `count < LANES`, and `source` can be read for `count` lanes.
    #[inline(always)]
    unsafe fn load_first(simd: Self::Simd, source: *const Self::Lane, count: usize) -> Self {
        let mut padded = Padded::<Self::Lane>::uninit();
        let padded = padded.as_mut_ptr();
        // SAFETY: `padded` has room for any register, and `count < LANES` lanes can be accessed: this method's
        // contract. All lanes of the register are initialized before it is loaded.
        unsafe {
            Self::splat(simd, Self::Lane::ZERO).store(padded);
            padded.copy_from_nonoverlapping(source, count);
            Self::load(simd, padded)
        }
    }

    /// Stores the first `count` lanes.
    ///
    /// # Safety
    ///
    /// `count < LANES`, and `target` can be written for `count` lanes.
    #[inline(always)]
    unsafe fn store_first(self, target: *mut Self::Lane, count: usize) {
        let mut padded = Padded::<Self::Lane>::uninit();
        let padded = padded.as_mut_ptr();
        // SAFETY: `padded` has room for any register, and `count < LANES` lanes can be accessed: this method's
        // contract.
        unsafe {
            self.store(padded);
            target.copy_from_nonoverlapping(padded, count);
        }
    }

    /// Loads the lanes whose bit is set, and nothing else. The others are 0. For AVX-512 alone.
    ///
    /// # Safety
    ///
    /// Each of these lanes can be read.
    #[cfg(feature = "strided")]
    #[inline(always)]
    unsafe fn load_lanes(_simd: Self::Simd, _source: *const Self::Lane, _bits: u64) -> Self {
        unreachable!("compiled for AVX-512 alone")
    }

    /// Stores the lanes whose bit is set, and nothing else. For AVX-512 alone.
    ///
    /// # Safety
    ///
    /// Each of these lanes can be written.
    #[cfg(feature = "strided")]
    #[inline(always)]
    unsafe fn store_lanes(self, _target: *mut Self::Lane, _bits: u64) {
        unreachable!("compiled for AVX-512 alone")
    }

    /// The lane at the index that is in each lane of `indices`. For AVX-512 alone.
    #[cfg(feature = "strided")]
    #[inline(always)]
    fn permute(self, _indices: Self) -> Self {
        unreachable!("compiled for AVX-512 alone")
    }

    /// The mask as bits, the lowest one for the first lane. The other bits are 0.
    fn to_bits(simd: Self::Simd, mask: Self::Mask) -> u64;

    /// The mask with the bits from `first` on, which is a multiple of `LANES`.
    fn from_bits(simd: Self::Simd, bits: u64, first: usize) -> Self::Mask;

    /// The register of the compute format: `Self`, or one with lanes of 32 bits if those of `Self` have 16.
    type Float: Float<Simd = Self::Simd>;

    /// The number of `Float` registers for the lanes of `Self`: 1 or 2.
    const FLOATS: usize;

    /// The `Float` register at `index`, with the elements in their order, as reductions need it.
    fn widen<T: Format<Lane = Self::Lane>>(self, index: usize) -> Self::Float;

    /// All `Float` registers, with the elements in any order that `join` undoes. A single register is returned twice.
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

    /// `split` of `bf16` into two registers: of each pair of neighbours, one goes to each register.
    #[inline(always)]
    fn split_bf16<T: Format<Lane = Self::Lane>>(self) -> [Self::Float; 2] {
        [self.widen::<T>(0), self.widen::<T>(1)]
    }

    /// `split` of elements that are `Float` registers already, in their order.
    #[inline(always)]
    fn split_wide<T: Format<Lane = Self::Lane>>(floats: [Self::Float; 2]) -> [Self::Float; 2] {
        if Self::FLOATS == 2 && T::IS_BF16 {
            Self::unzip(floats)
        } else {
            floats
        }
    }

    /// Of each pair of neighbours, one goes to each register, as by `split_bf16`.
    #[inline(always)]
    fn unzip(floats: [Self::Float; 2]) -> [Self::Float; 2] {
        floats
    }

    /// The inverse of `split`. Rounds to `T`, to nearest, ties to even. If `FLOATS` is 1, the second register is
    /// ignored.
    ///
    /// A NaN comes from a number of `T` or from an invalid operation, so that its lower bits are 0.
    fn join<T: Format<Lane = Self::Lane>>(floats: [Self::Float; 2]) -> Self;
}

/// Room for any register. It is not initialized: to clear all of it is more code than the register takes.
#[repr(align(64))]
pub(crate) struct Padded<L>(MaybeUninit<[L; 32]>);

impl<L: Lane> Padded<L> {
    #[inline(always)]
    pub(crate) const fn uninit() -> Self {
        const { assert!(size_of::<Self>() >= super::REGISTER_BYTES) };
        Self(MaybeUninit::uninit())
    }

    #[inline(always)]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut L {
        self.0.as_mut_ptr().cast()
    }
}

/// The first `N` of three vectors.
#[inline(always)]
pub(crate) fn first_of<V: Copy, const N: usize>(vectors: [V; MAX_INPUTS]) -> [V; N] {
    const { assert!(N <= MAX_INPUTS) };
    // SAFETY: an array of `N` vectors is the beginning of an array of as many or more.
    unsafe { core::ptr::from_ref(&vectors).cast::<[V; N]>().read() }
}

/// [`Vector::compute`] for registers.
#[inline(always)]
pub(super) fn compute_in_registers<T: Format<Lane = V::Lane>, V: Register, F: FloatFn<N>, const N: usize>(
    simd: V::Simd,
    function: F,
    inputs: [V; N],
) -> V {
    let (first, second) = {
        let [a, b, c] = inputs!(N, i => inputs[i].split::<T>(), as all);
        (first_of([a[0], b[0], c[0]]), first_of([a[1], b[1], c[1]]))
    };
    let first = function.call(simd, first);
    let second = if const { V::FLOATS == 2 } {
        function.call(simd, second)
    } else {
        first
    };
    V::join::<T>([first, second])
}

/// The greatest number of inputs of a function.
pub(crate) const MAX_INPUTS: usize = 3;

/// A function from vectors of `N` inputs to vectors of `M` outputs, lane by lane. Its value holds the parameters as
/// lanes.
pub trait VectorFn<const N: usize, const M: usize = 1>: Copy {
    type Lane: Lane;

    /// Inputs from this index on may be broadcast: one number for a whole row.
    const FIRST_BROADCAST: usize = N;

    /// Whether a loop is compiled for each set of broadcast inputs, which keeps these in registers.
    const HOISTS_BROADCASTS: bool = false;

    fn call<V: Vector<Lane = Self::Lane>>(self, simd: V::Simd, inputs: [V; N]) -> [V; M];
}

/// The summand of a reduction, from the elements of `N` inputs. It is +0.0 if all inputs are +0.0.
pub trait SumFn<const N: usize> {
    type Format: Format;

    /// Returns the summands of the elements in the `Float` register at `index`.
    fn summand<V: Register<Lane = <Self::Format as Format>::Lane>>(
        simd: V::Simd,
        inputs: [V; N],
        index: usize,
    ) -> V::Float;
}

/// Decides the mask bit of each element.
pub trait LiveFn: Copy {
    type Lane: Lane;

    fn is_live<V: Vector<Lane = Self::Lane>>(self, simd: V::Simd, x: V) -> V::Mask;
}

/// A function of x and its mask bit.
pub trait ChooseFn: Copy {
    type Lane: Lane;

    fn choose<V: Vector<Lane = Self::Lane>>(self, simd: V::Simd, is_live: V::Mask, x: V) -> V;
}
