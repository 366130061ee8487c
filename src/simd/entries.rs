//! The one place that maps instruction sets to code.

use crate::element::{Element, FORMATS};
use crate::isa::Isa;
use crate::kernels::Kernels;
use crate::sweep::{Kernel, sweep};

#[cfg(rectify_avx2)]
use super::avx2;
#[cfg(rectify_avx512)]
use super::avx512;
#[cfg(rectify_neon)]
use super::neon::Neon;
#[cfg(rectify_portable)]
use super::portable::Portable;
use super::scalar::Scalar;
use super::{Lane, Simd};

/// A sweep compiled for one instruction set and format: kernel, inputs, output, number of elements.
///
/// # Safety
///
/// - The CPU has the instruction set.
/// - The pointers are those of elements of the format, and as [`sweep`] wants them.
pub(crate) type Entry<K, const N: usize> = unsafe fn(K, [*const u8; N], *mut u8, usize);

/// The sweep of one kernel, for every format and instruction set.
pub(crate) struct Entries<K, const N: usize> {
    table: [[Entry<K, N>; Isa::ALL.len()]; FORMATS],
}

impl<K: Kernel<N>, const N: usize> Entries<K, N> {
    pub(crate) const fn new() -> Self {
        Self {
            table: [
                Self::of_format::<f32>(),
                Self::of_format::<f64>(),
                #[cfg(feature = "half")]
                Self::of_format::<half::f16>(),
                #[cfg(feature = "half")]
                Self::of_format::<half::bf16>(),
            ],
        }
    }

    const fn of_format<T: Element>() -> [Entry<K, N>; Isa::ALL.len()] {
        let mut entries: [Entry<K, N>; Isa::ALL.len()] = [not_built_in; Isa::ALL.len()];
        entries[Isa::Scalar as usize] = enter::<Scalar, T, K, N>;
        #[cfg(rectify_portable)]
        {
            entries[Isa::Portable as usize] = enter::<Portable, T, K, N>;
        }
        #[cfg(rectify_neon)]
        {
            entries[Isa::Neon as usize] = enter::<Neon, T, K, N>;
        }
        #[cfg(rectify_avx2)]
        {
            entries[Isa::Avx2 as usize] = avx2::enter::<T, K, N>;
        }
        #[cfg(rectify_avx512)]
        {
            entries[Isa::Avx512 as usize] = avx512::enter::<T, K, N>;
        }
        entries
    }

    /// The sweep for `T`, on the instruction set that `kernels` proves to be there.
    #[inline]
    pub(crate) fn get<T: Element>(&self, kernels: Kernels) -> Entry<K, N> {
        self.table[T::INDEX][kernels.isa() as usize]
    }
}

/// The sweep, for an instruction set that every CPU of the compilation target has, or in a function that enables it.
///
/// # Safety
///
/// As for [`Entry`].
#[inline(always)]
pub(super) unsafe fn enter<S: Simd, T: Element, K: Kernel<N>, const N: usize>(
    kernel: K,
    inputs: [*const u8; N],
    output: *mut u8,
    len: usize,
) {
    // SAFETY: the caller promises the CPU.
    let simd = unsafe { S::assume_available() };
    // SAFETY: the caller promises the pointers.
    unsafe {
        sweep::<T, <T::Lane as Lane>::Vector<S>, K, N>(
            simd,
            kernel,
            inputs.map(|input| input.cast()),
            output.cast(),
            len,
        );
    }
}

/// Stands where an instruction set is not built in: no `Kernels` leads here.
unsafe fn not_built_in<K, const N: usize>(_: K, _: [*const u8; N], _: *mut u8, _: usize) {
    unreachable!("a Kernels exists only for an instruction set that is built in");
}
