//! Calls with a bit an element beside their slices.

use crate::activation::{OneBitFunction, OneBitGradient};
use crate::element::Element;
use crate::kernels::Kernels;
use crate::streaming::streaming_threshold;
use crate::sweep::{BackwardMask, ForwardMask};

use super::call::Source;
use super::run;
#[cfg(feature = "rayon")]
use super::split::{Split, run_parallel, share};

/// A function of one input, with its mask.
pub(crate) struct MaskCall<'a, T, A, M> {
    function: A,
    input: Source<'a, T>,
    output: &'a mut [T],
    mask: M,
}

/// The mask: `&mut [u8]` where it is written, `&[u8]` where it is read.
pub(crate) trait Mask: Send + Sized {
    fn bytes(&self) -> usize;

    #[cfg(feature = "rayon")]
    fn split_at(self, byte: usize) -> (Self, Self);

    /// Gives how many are live where the mask is written, else 0.
    ///
    /// # Safety
    ///
    /// `input` can be read and `output` written for `len` elements, of each of which the mask has a bit; they overlap nowhere, or are
    /// the same.
    unsafe fn run<A: OneBitFunction, T: Element>(
        self,
        function: A,
        input: *const T,
        output: *mut T,
        len: usize,
        streaming: bool,
        kernels: Kernels,
    ) -> usize;
}

impl Mask for &mut [u8] {
    fn bytes(&self) -> usize {
        self.len()
    }

    #[cfg(feature = "rayon")]
    fn split_at(self, byte: usize) -> (Self, Self) {
        self.split_at_mut(byte)
    }

    unsafe fn run<A: OneBitFunction, T: Element>(
        self,
        function: A,
        input: *const T,
        output: *mut T,
        len: usize,
        streaming: bool,
        kernels: Kernels,
    ) -> usize {
        // SAFETY: the caller's promises; `self` is exclusive.
        let walk = unsafe { ForwardMask::new(function, input, output, self.as_mut_ptr(), len, streaming) };
        run(&walk, kernels)
    }
}

impl Mask for &[u8] {
    fn bytes(&self) -> usize {
        self.len()
    }

    #[cfg(feature = "rayon")]
    fn split_at(self, byte: usize) -> (Self, Self) {
        self.split_at(byte)
    }

    unsafe fn run<A: OneBitFunction, T: Element>(
        self,
        function: A,
        input: *const T,
        output: *mut T,
        len: usize,
        streaming: bool,
        kernels: Kernels,
    ) -> usize {
        // SAFETY: the caller's promises; `self` is shared, which the output can't overlap.
        let walk = unsafe { BackwardMask::new(function, self.as_ptr(), input, output, len, streaming) };
        run(&walk, kernels);
        0
    }
}

impl<'a, T: Element, A: OneBitGradient, M: Mask> MaskCall<'a, T, A, M> {
    /// Panics when the lengths differ, or the mask has not one bit for each element, in whole bytes.
    #[track_caller]
    pub(crate) fn new(function: A, input: Source<'a, T>, (output_name, output): (&str, &'a mut [T]), mask: M) -> Self {
        input.check_len(output_name, output.len());
        let (bytes, len) = (output.len().div_ceil(8), output.len());
        assert!(
            mask.bytes() == bytes,
            "`mask` has {} bytes, not {bytes}: `{output_name}` has {len} elements",
            mask.bytes(),
        );
        Self {
            function,
            input,
            output,
            mask,
        }
    }

    pub(crate) fn run(self, kernels: Kernels) -> usize {
        let streaming = self.is_past_caches();
        self.enter(kernels, streaming)
    }

    #[cfg(feature = "rayon")]
    pub(crate) fn run_parallel(self, kernels: Kernels) -> usize {
        run_parallel(self, kernels)
    }

    fn is_past_caches(&self) -> bool {
        matches!(self.input, Source::Slice(..)) && self.traffic() >= streaming_threshold()
    }

    fn traffic(&self) -> usize {
        size_of_val(self.output).saturating_mul(2)
    }

    fn enter(self, kernels: Kernels, streaming: bool) -> usize {
        let len = self.output.len();
        let output = self.output.as_mut_ptr();
        let input = self.input.pointer(output);
        // SAFETY: the input is a shared slice as long as the output, which can't overlap it, or the output itself. `new` has checked
        // the lengths.
        unsafe { self.mask.run(self.function, input, output, len, streaming, kernels) }
    }
}

#[cfg(feature = "rayon")]
impl<T: Element, A: OneBitGradient, M: Mask> Split for MaskCall<'_, T, A, M> {
    type Output = usize;

    fn traffic(&self) -> usize {
        self.traffic()
    }

    fn is_past_caches(&self) -> bool {
        self.is_past_caches()
    }

    fn split(self, first_parts: usize, parts: usize) -> (Self, Self) {
        // A cache line of the mask.
        const STEP: usize = 512;
        let middle = share(self.output.len() / STEP, first_parts, parts) * STEP;
        let (first_input, second_input) = self.input.split_at(middle);
        let (first_output, second_output) = self.output.split_at_mut(middle);
        let (first_mask, second_mask) = self.mask.split_at(middle / 8);
        let part = |input, output, mask| Self {
            input,
            output,
            mask,
            ..self
        };
        (
            part(first_input, first_output, first_mask),
            part(second_input, second_output, second_mask),
        )
    }

    fn join(first: usize, second: usize) -> usize {
        first + second
    }

    fn enter(self, kernels: Kernels, streaming: bool) -> usize {
        self.enter(kernels, streaming)
    }
}
