//! The code for each instruction set and format.

use crate::element::{Element, FORMATS};
use crate::isa::Isa;
use crate::kernels::Kernels;
use crate::sweep::VectorFn;

use super::Simd;
#[cfg(rectify_avx2)]
use super::avx2::Avx2;
#[cfg(rectify_avx512)]
use super::avx512::Avx512;
#[cfg(rectify_neon)]
use super::neon::Neon;
#[cfg(rectify_portable)]
use super::portable::Portable;
use super::scalar::Scalar;

/// For short slices where there is AVX-512. Their stores are as misaligned as they come, and those of 64 bytes go to two lines
/// mostly, for which the loads that come next wait: 8 to 11 ns a call where AVX2 takes 4 to 7.
#[cfg(all(rectify_avx512, rectify_avx2))]
type WithAvx512 = Avx2;
#[cfg(all(rectify_avx512, not(rectify_avx2)))]
type WithAvx512 = Avx512;

/// [`Simd::enter`] for some format.
pub(super) type Entry<F> = unsafe fn(F, *const u8, *const u8, *mut u8, usize, bool);

/// The entry functions of one function on vectors, for every format and instruction set.
pub(crate) struct Entries<F, const N: usize> {
    short: Table<F>,
    long: Table<F>,
}

type Table<F> = [[Entry<F>; Isa::ALL.len()]; FORMATS];

impl<F: VectorFn<N>, const N: usize> Entries<F, N> {
    pub(crate) const fn new() -> Self {
        let mut entries = Self {
            short: [[not_built_in; Isa::ALL.len()]; FORMATS],
            long: [[not_built_in; Isa::ALL.len()]; FORMATS],
        };
        entries.add_format::<f32>();
        entries.add_format::<f64>();
        #[cfg(feature = "half")]
        entries.add_format::<half::f16>();
        #[cfg(feature = "half")]
        entries.add_format::<half::bf16>();
        entries
    }

    const fn add_format<T: Element>(&mut self) {
        self.add::<Scalar, Scalar, T>();
        #[cfg(rectify_portable)]
        self.add::<Portable, Portable, T>();
        #[cfg(rectify_neon)]
        self.add::<Neon, Neon, T>();
        #[cfg(rectify_avx2)]
        self.add::<Avx2, Avx2, T>();
        #[cfg(rectify_avx512)]
        self.add::<Avx512, WithAvx512, T>();
    }

    /// `S` is for long slices, and wherever it is available so is `Short`, for others.
    const fn add<S: Simd, Short: Simd, T: Element>(&mut self) {
        self.short[T::INDEX][S::ISA as usize] = Short::enter::<T, F, N, false>;
        self.long[T::INDEX][S::ISA as usize] = S::enter::<T, F, N, true>;
    }

    /// The one for `T` on the instruction set that `kernels` proves to be available, and for long slices or others.
    #[inline]
    pub(super) fn get<T: Element>(&self, kernels: Kernels, is_long: bool) -> Entry<F> {
        let table = if is_long { &self.long } else { &self.short };
        table[T::INDEX][kernels.isa() as usize]
    }
}

/// Stands where an instruction set is not built in: no `Kernels` leads here.
unsafe fn not_built_in<F>(_: F, _: *const u8, _: *const u8, _: *mut u8, _: usize, _: bool) {
    unreachable!("a Kernels exists only for an instruction set that is built in");
}
