//! A call, from its slices to the code that walks them.

use core::mem::MaybeUninit;
use core::slice;

use crate::element::Element;
use crate::kernels::Kernels;
use crate::streaming::streaming_threshold;
use crate::sweep::{ALIGNED_BYTES, Map, VectorFn, walk_rest};

use super::scalar::Scalar;
#[cfg(feature = "rayon")]
use super::split::{Split, run_parallel, share, start_of_line};
use super::{Entries, Lane, Vector};

/// Fewer are walked in the caller.
const FEW_VECTORS: usize = 8;

/// Where an input comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a, T> {
    /// An argument of that name.
    Slice(&'static str, &'a [T]),
    /// What is in the output.
    Output,
}

impl<T> Source<'_, T> {
    /// Panics when the length is another one than the output's.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn check_len(&self, output_name: &str, output_len: usize) {
        if let Source::Slice(name, slice) = self
            && slice.len() != output_len
        {
            unequal_len(name, slice.len(), output_name, output_len);
        }
    }

    /// That of the slice, or of the output.
    #[inline(always)]
    pub(super) fn pointer(&self, output: *const T) -> *const T {
        match self {
            Source::Slice(_, slice) => slice.as_ptr(),
            Source::Output => output,
        }
    }

    #[cfg(feature = "rayon")]
    pub(super) fn split_at(self, middle: usize) -> (Self, Self) {
        match self {
            Source::Slice(name, slice) => {
                let (first, second) = slice.split_at(middle);
                (Source::Slice(name, first), Source::Slice(name, second))
            }
            Source::Output => (Source::Output, Source::Output),
        }
    }
}

/// `output[i] = function(inputs[i])`, with slices of the same length. It is always inlined, down to the call of an entry
/// function: a short call would take longer to pass it through memory than it has to do.
pub(crate) struct Call<'i, 'o, T, F: 'static, const N: usize> {
    entries: &'static Entries<F, N>,
    function: F,
    inputs: [Source<'i, T>; N],
    /// Initialised where it is the source of an input. Only elements are written to it.
    output: &'o mut [MaybeUninit<T>],
}

impl<'i, 'o, T: Element, F: VectorFn<N>, const N: usize> Call<'i, 'o, T, F, N> {
    /// Panics when the lengths differ.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn new(
        entries: &'static Entries<F, N>,
        function: F,
        inputs: [Source<'i, T>; N],
        (output_name, output): (&str, &'o mut [T]),
    ) -> Self {
        for input in &inputs {
            input.check_len(output_name, output.len());
        }
        Self {
            entries,
            function,
            inputs,
            // SAFETY: the elements of the slice; they stay initialised, since only elements are written.
            output: unsafe { slice::from_raw_parts_mut(output.as_mut_ptr().cast(), output.len()) },
        }
    }

    /// The same with an output that is none of the inputs, and need not be initialised.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn to_uninit(
        entries: &'static Entries<F, N>,
        function: F,
        inputs: [(&'static str, &'i [T]); N],
        (output_name, output): (&str, &'o mut [MaybeUninit<T>]),
    ) -> Self {
        let inputs = inputs.map(|(name, input)| Source::Slice(name, input));
        for input in &inputs {
            input.check_len(output_name, output.len());
        }
        Self {
            entries,
            function,
            inputs,
            output,
        }
    }

    /// On the caller's thread; gives the output. Few elements are walked right here, since the choice of an instruction set and
    /// the call of its entry function take longer.
    #[inline(always)]
    pub(crate) fn run(mut self, kernels: impl FnOnce() -> Kernels) -> &'o mut [T] {
        let len = self.output.len();
        // Where the compiler sees the user's constants it may give a NaN that is computed with another sign, or leave it
        // signalling. And without instructions for it, `f16` takes long to become `f32`.
        if len < FEW_VECTORS * <T::Lane as Lane>::InCaller::LANES && !F::COMPUTES {
            let (inputs, output) = self.pointers();
            // SAFETY: there are fewer than FEW_VECTORS vectors, as the condition says; of the pointers, see there.
            unsafe {
                let mut map =
                    Map::<Scalar, T, F, N, 1>::new(Scalar::always(), self.function.round::<T>(), inputs, [output]);
                walk_rest::<<T::Lane as Lane>::InCaller, _, FEW_VECTORS>(&mut map, 0, len);
            }
        } else {
            let streaming = self.is_past_caches();
            self.walk(kernels(), streaming);
        }
        // SAFETY: both ways have written to all of it.
        unsafe { self.written() }
    }

    /// On several threads.
    #[cfg(feature = "rayon")]
    pub(crate) fn run_parallel(self, kernels: Kernels) -> &'o mut [T] {
        let parts = Call {
            entries: self.entries,
            function: self.function,
            inputs: self.inputs,
            output: &mut *self.output,
        };
        run_parallel(parts, kernels);
        // SAFETY: the parts are all of it.
        unsafe { self.written() }
    }

    /// The output.
    ///
    /// # Safety
    ///
    /// All of it has been written.
    #[inline(always)]
    unsafe fn written(self) -> &'o mut [T] {
        // Its pointer is taken after the last write through another one.
        let output = self.output;
        // SAFETY: the caller's promise: they are elements now.
        unsafe { slice::from_raw_parts_mut(output.as_mut_ptr().cast(), output.len()) }
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
    fn walk(&mut self, kernels: Kernels, streaming: bool) {
        let len = self.output.len();
        let (inputs, output) = self.pointers();
        // SAFETY: of the pointers, see there.
        unsafe {
            self.entries
                .call::<T>(kernels, self.function, inputs, output, len, streaming);
        }
    }

    /// Each is that of a slice of as many elements as the output has, which `new` has checked, and as many lanes, which are as
    /// wide: an input is a shared slice, which can't overlap the exclusive output, or it is the pointer of the output itself.
    #[inline(always)]
    fn pointers(&mut self) -> ([*const T::Lane; N], *mut T::Lane) {
        let output = self.output.as_mut_ptr().cast::<T>();
        let mut inputs = [output.cast_const().cast(); N];
        for (pointer, input) in inputs.iter_mut().zip(&self.inputs) {
            *pointer = input.pointer(output).cast();
        }
        (inputs, output.cast())
    }
}

#[cfg(feature = "rayon")]
impl<T: Element, F: VectorFn<N>, const N: usize> Split for Call<'_, '_, T, F, N> {
    type Output = ();

    fn traffic(&self) -> usize {
        self.traffic()
    }

    fn is_past_caches(&self) -> bool {
        self.is_past_caches()
    }

    fn split(self, first_parts: usize, parts: usize) -> (Self, Self) {
        let middle = start_of_line(self.output, share(self.output.len(), first_parts, parts));
        let (first_output, second_output) = self.output.split_at_mut(middle);
        let mut first_inputs = self.inputs;
        let mut second_inputs = self.inputs;
        for (first, second) in first_inputs.iter_mut().zip(&mut second_inputs) {
            (*first, *second) = first.split_at(middle);
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
        (first, second)
    }

    fn join((): (), (): ()) {}

    fn enter(mut self, kernels: Kernels, streaming: bool) {
        self.walk(kernels, streaming);
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn unequal_len(name: &str, len: usize, other_name: &str, other_len: usize) -> ! {
    panic!("slices of unequal length: `{name}` has {len} elements, `{other_name}` has {other_len}");
}
