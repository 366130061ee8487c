//! The code for each instruction set and format.

use crate::element::{Element, FORMATS};
use crate::isa::Isa;
use crate::kernels::Kernels;
use crate::sweep::{ALIGNED_BYTES, VectorFn};

#[cfg(rectify_avx2)]
use super::avx2::Avx2;
#[cfg(rectify_avx512)]
use super::avx512::Avx512;
#[cfg(rectify_neon)]
use super::neon::Neon;
#[cfg(rectify_portable)]
use super::portable::Portable;
use super::scalar::Scalar;
use super::{Simd, Walk};

/// [`Simd::enter`] for some format.
type Entry<F> = unsafe fn(F, *const u8, *const u8, *mut u8, usize, bool);

/// The entry functions of one function on vectors, for every format and instruction set.
pub(crate) struct Entries<F, const N: usize> {
    unaligned: Table<F>,
    aligned: Table<F>,
}

type Table<F> = [[Entry<F>; Isa::ALL.len()]; FORMATS];

impl<F: VectorFn<N>, const N: usize> Entries<F, N> {
    pub(crate) const fn new() -> Self {
        let mut entries = Self {
            unaligned: [[not_built_in; Isa::ALL.len()]; FORMATS],
            aligned: [[not_built_in; Isa::ALL.len()]; FORMATS],
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
        self.add::<Scalar, T>();
        #[cfg(rectify_portable)]
        self.add::<Portable, T>();
        #[cfg(rectify_neon)]
        self.add::<Neon, T>();
        #[cfg(rectify_avx2)]
        self.add::<Avx2, T>();
        #[cfg(rectify_avx512)]
        self.add::<Avx512, T>();
    }

    const fn add<S: Simd, T: Element>(&mut self) {
        self.unaligned[T::INDEX][S::ISA as usize] = S::Unaligned::enter::<T, F, N, false>;
        self.aligned[T::INDEX][S::ISA as usize] = S::enter::<T, F, N, true>;
    }

    /// Calls the one for `T` on the instruction set that `kernels` proves to be available, and for aligned stores where they pay.
    ///
    /// # Safety
    ///
    /// The pointers are as [`Map`](crate::sweep::Map) wants them.
    #[inline(always)]
    pub(super) unsafe fn call<T: Element>(
        &self,
        kernels: Kernels,
        function: F,
        inputs: [*const T::Lane; N],
        output: *mut T::Lane,
        len: usize,
        streaming: bool,
    ) {
        let is_aligned = len * size_of::<T>() >= ALIGNED_BYTES;
        let table = if is_aligned { &self.aligned } else { &self.unaligned };
        let entry = table[T::INDEX][kernels.isa() as usize];
        let [first, last] = [inputs[0], inputs[N - 1]].map(|input| input.cast());
        // SAFETY: a `Kernels` proves that its instruction set is available, and with it the one for unaligned stores; `entry` is
        // that of `T`, for which the caller promises the pointers.
        unsafe { entry(function, first, last, output.cast(), len, streaming) }
    }
}

/// Stands where an instruction set is not built in: no `Kernels` leads here.
unsafe fn not_built_in<F>(_: F, _: *const u8, _: *const u8, _: *mut u8, _: usize, _: bool) {
    unreachable!("a Kernels exists only for an instruction set that is built in");
}

/// Runs `walk` on the instruction set that `kernels` proves to be available.
pub(crate) fn run<W: Walk>(walk: &W, kernels: Kernels) -> W::Output {
    let run: unsafe fn(&W) -> W::Output = match kernels.isa() {
        #[cfg(rectify_portable)]
        Isa::Portable => Portable::run,
        #[cfg(rectify_neon)]
        Isa::Neon => Neon::run,
        #[cfg(rectify_avx2)]
        Isa::Avx2 => Avx2::run,
        #[cfg(rectify_avx512)]
        Isa::Avx512 => Avx512::run,
        _ => Scalar::run,
    };
    // SAFETY: `kernels` proves that its instruction set is available, and scalar code always is.
    unsafe { run(walk) }
}
