//! From a call to the code for its instruction set and format.

use crate::element::{Element, FORMATS};
use crate::isa::Isa;
use crate::kernels::Kernels;
use crate::sweep::{VectorFn, sweep_short};

#[cfg(rectify_avx2)]
use super::avx2::Avx2;
#[cfg(rectify_avx512)]
use super::avx512::Avx512;
#[cfg(rectify_neon)]
use super::neon::Neon;
#[cfg(rectify_portable)]
use super::portable::Portable;
use super::scalar::Scalar;
use super::{Lane, Simd};

/// Slices shorter than this are walked where they are, since a call of an entry function takes longer.
const SHORT_BYTES: usize = 64;

/// [`Simd::enter`] for some format.
type Entry<F> = unsafe fn(F, *const u8, *const u8, *mut u8, usize);

/// The entry functions of one function on vectors, for every format and instruction set.
pub(crate) struct Entries<F, const N: usize> {
    table: [[Entry<F>; Isa::ALL.len()]; FORMATS],
}

/// Where an input comes from.
pub(crate) enum Source<'a, T> {
    /// An argument of that name.
    Slice(&'static str, &'a [T]),
    /// What is in the output.
    Output,
}

impl<F: VectorFn<N>, const N: usize> Entries<F, N> {
    pub(crate) const fn new() -> Self {
        let mut entries = Self {
            table: [[not_built_in; Isa::ALL.len()]; FORMATS],
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
        self.table[T::INDEX][S::ISA as usize] = S::enter::<T, F, N>;
    }

    /// `output[i] = function(inputs[i])`, on the instruction set of `kernels`.
    ///
    /// Panics, and writes nothing, when the lengths differ.
    #[inline]
    #[track_caller]
    pub(crate) fn call<T: Element>(
        &self,
        kernels: Kernels,
        function: F,
        inputs: [Source<T>; N],
        (output_name, output): (&str, &mut [T]),
    ) {
        let len = output.len();
        let output = output.as_mut_ptr();
        let mut sources = [output.cast_const().cast::<u8>(); N];
        for (source, input) in sources.iter_mut().zip(&inputs) {
            if let Source::Slice(name, slice) = input {
                if slice.len() != len {
                    unequal_len(name, slice.len(), output_name, len);
                }
                *source = slice.as_ptr().cast();
            }
        }
        if len < SHORT_BYTES / size_of::<T>() {
            // SAFETY: as below.
            return unsafe {
                sweep_short::<T, <T::Lane as Lane>::Narrow<Scalar>, F, N>(
                    Scalar::always(),
                    function,
                    sources.map(|source| source.cast()),
                    output.cast(),
                    0,
                    len,
                )
            };
        }
        let entry = self.table[T::INDEX][kernels.isa() as usize];
        // SAFETY: a `Kernels` proves that its instruction set is available. `entry` is that of `T`, and each pointer that of
        // a slice of `len` elements of `T`: an input is a shared slice, which can't overlap the exclusive output, or it is
        // the pointer of the output itself.
        unsafe { entry(function, sources[0], sources[N - 1], output.cast(), len) }
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn unequal_len(name: &str, len: usize, other_name: &str, other_len: usize) -> ! {
    panic!("slices of unequal length: `{name}` has {len} elements, `{other_name}` has {other_len}");
}

/// Stands where an instruction set is not built in: no `Kernels` leads here.
unsafe fn not_built_in<F>(_: F, _: *const u8, _: *const u8, _: *mut u8, _: usize) {
    unreachable!("a Kernels exists only for an instruction set that is built in");
}
