//! A call, from its slices to the code that walks them.

use crate::element::Element;
use crate::kernels::Kernels;
use crate::streaming::streaming_threshold;
use crate::sweep::{REST_VECTORS, VectorFn, sweep_rest};

use super::scalar::Scalar;
use super::{Entries, Lane, Vector};

/// In each slice. From here on it pays to align the stores, which streaming ones need.
const ALIGNED_BYTES: usize = 512;

/// What another thread takes at least, in bytes that are read and written.
#[cfg(feature = "rayon")]
const PART_BYTES: usize = 1 << 20;

/// From here on the pool is worth the call for a caller that is none of its threads: they sleep, and so will the caller.
#[cfg(feature = "rayon")]
const WORTH_WAKING_BYTES: usize = 24 << 20;

/// Where an input comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a, T> {
    /// An argument of that name.
    Slice(&'static str, &'a [T]),
    /// What is in the output.
    Output,
}

/// `output[i] = function(inputs[i])`, with slices of the same length. It is always inlined, down to the call of an entry
/// function: a short call would take longer to pass it through memory than it has to do.
pub(crate) struct Call<'a, T, F: 'static, const N: usize> {
    entries: &'static Entries<F, N>,
    function: F,
    inputs: [Source<'a, T>; N],
    output: &'a mut [T],
}

impl<'a, T: Element, F: VectorFn<N>, const N: usize> Call<'a, T, F, N> {
    /// Panics when the lengths differ.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn new(
        entries: &'static Entries<F, N>,
        function: F,
        inputs: [Source<'a, T>; N],
        (output_name, output): (&str, &'a mut [T]),
    ) -> Self {
        for input in &inputs {
            if let Source::Slice(name, slice) = input
                && slice.len() != output.len()
            {
                unequal_len(name, slice.len(), output_name, output.len());
            }
        }
        Self {
            entries,
            function,
            inputs,
            output,
        }
    }

    /// On the caller's thread. Few elements are walked right here, since the choice of an instruction set and the call of its
    /// entry function take longer.
    #[inline(always)]
    pub(crate) fn run(mut self, kernels: impl FnOnce() -> Kernels) {
        let len = self.output.len();
        // Where the compiler sees the user's constants it may give a NaN that is computed with another sign, or leave it
        // signalling. And without instructions for it, 16 bits take long to become 32.
        if len < REST_VECTORS * <T::Lane as Lane>::InCaller::LANES && !F::COMPUTES {
            let (inputs, output) = self.pointers();
            // SAFETY: of the pointers, see there.
            unsafe {
                sweep_rest::<T, <T::Lane as Lane>::InCaller, F, N>(
                    Scalar::always(),
                    self.function.round::<T>(),
                    inputs.map(|input| input.cast()),
                    output.cast(),
                    0,
                    len,
                );
            }
        } else {
            let streaming = self.is_past_caches();
            self.enter(kernels(), streaming);
        }
    }

    /// Whether the output is one of its own, and all slices together don't fit into the caches.
    #[inline(always)]
    fn is_past_caches(&self) -> bool {
        let has_own_output = self.inputs.iter().all(|input| matches!(input, Source::Slice(..)));
        has_own_output && self.is_aligned() && self.traffic() >= streaming_threshold()
    }

    #[inline(always)]
    fn is_aligned(&self) -> bool {
        size_of_val(self.output) >= ALIGNED_BYTES
    }

    /// Bytes to read and write.
    #[inline(always)]
    fn traffic(&self) -> usize {
        size_of_val(self.output).saturating_mul(N + 1)
    }

    #[inline(always)]
    fn enter(mut self, kernels: Kernels, streaming: bool) {
        let len = self.output.len();
        let entry = self.entries.get::<T>(kernels, self.is_aligned());
        let (inputs, output) = self.pointers();
        let [first, last] = [inputs[0], inputs[N - 1]].map(|input| input.cast());
        // SAFETY: a `Kernels` proves that its instruction set is available, and with it the one for unaligned stores; `entry` is
        // that of `T`. Of the pointers, see there.
        unsafe {
            entry(self.function, first, last, output.cast(), len, streaming);
        }
    }

    /// Each is that of a slice of as many elements as the output has, which `new` has checked, and as many lanes, which are as
    /// wide: an input is a shared slice, which can't overlap the exclusive output, or it is the pointer of the output itself.
    #[inline(always)]
    fn pointers(&mut self) -> ([*const T; N], *mut T) {
        let output = self.output.as_mut_ptr();
        let mut inputs = [output.cast_const(); N];
        for (pointer, input) in inputs.iter_mut().zip(&self.inputs) {
            if let Source::Slice(_, slice) = input {
                *pointer = slice.as_ptr();
            }
        }
        (inputs, output)
    }

    /// On the threads of rayon's pool, when there is enough for them to do.
    #[cfg(feature = "rayon")]
    pub(crate) fn run_parallel(self, kernels: Kernels) {
        let bytes = self.traffic();
        if bytes < 2 * PART_BYTES || bytes < WORTH_WAKING_BYTES && rayon::current_thread_index().is_none() {
            return self.run(|| kernels);
        }
        let streaming = self.is_past_caches();
        // More than one a thread, for those that start late.
        let parts = (bytes / PART_BYTES).min(4 * rayon::current_num_threads());
        self.run_parts(kernels, streaming, parts);
    }

    #[cfg(feature = "rayon")]
    fn run_parts(self, kernels: Kernels, streaming: bool, parts: usize) {
        if parts < 2 {
            return self.enter(kernels, streaming);
        }
        let first_parts = parts / 2;
        let middle = self.start_of_line(self.output.len() / parts * first_parts);
        let (first_output, second_output) = self.output.split_at_mut(middle);
        let mut first_inputs = self.inputs;
        let mut second_inputs = self.inputs;
        for (first, second) in first_inputs.iter_mut().zip(&mut second_inputs) {
            if let (Source::Slice(_, first), Source::Slice(_, second)) = (first, second) {
                (*first, *second) = first.split_at(middle);
            }
        }
        let first = Self {
            inputs: first_inputs,
            output: first_output,
            ..self
        };
        let second = Self {
            inputs: second_inputs,
            output: second_output,
            ..self
        };
        rayon::join(
            || first.run_parts(kernels, streaming, first_parts),
            || second.run_parts(kernels, streaming, parts - first_parts),
        );
    }

    /// The first element of the output that is in the cache line of the one at `index`.
    #[cfg(feature = "rayon")]
    fn start_of_line(&self, index: usize) -> usize {
        const LINE_BYTES: usize = 64;
        let into_line = self.output[index..].as_ptr().addr() % LINE_BYTES;
        index.saturating_sub(into_line / size_of::<T>())
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn unequal_len(name: &str, len: usize, other_name: &str, other_len: usize) -> ! {
    panic!("slices of unequal length: `{name}` has {len} elements, `{other_name}` has {other_len}");
}
