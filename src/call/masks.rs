//! Calls with a mask: a bit for each element.

use super::detect::Kernels;
use super::error::{Mismatch, ShapeError};
use super::loops::{ByBitLoops, COUNT_NONZERO, CompiledOneBit, LiveLoops, NO_PARAMS, Params, SliceLoops};
use super::slices::Source;
#[cfg(feature = "rayon")]
use super::split::{Split, run_parallel, share};
use super::streaming::streaming_threshold;
use crate::simd::{Access, Element, fence};
use crate::sweep::BitsArgs;

/// The size of a block of elements. It stays in the L1 cache between the loop for the mask and that of the function.
const BLOCK_BYTES: usize = 1 << 13;

/// The use of the mask.
#[derive(Clone, Copy)]
enum Kernel<'a> {
    /// `live` writes the mask, then `value` the output.
    Write {
        live: &'static LiveLoops,
        live_params: &'a Params,
        value: &'static SliceLoops,
        params: &'a Params,
    },
    /// The gradient, of `grad_output` and the mask.
    Read(&'static ByBitLoops, &'a Params),
}

/// Some elements of a call, and the bytes of their bits.
#[derive(Clone, Copy)]
struct Part<'a> {
    kernel: Kernel<'a>,
    mask: *mut u8,
    input: *const u8,
    output: *mut u8,
    len: usize,
    /// The size of an element in bytes.
    size: usize,
    is_beyond_caches: bool,
}

// SAFETY: the pointers come from slices of elements and bytes, which are `Send` and `Sync`. Parameters are plain
// numbers. The call waits for all parts, and parts have no byte in common that is written: `Split::split` divides at
// whole bytes of the mask.
#[cfg(feature = "rayon")]
unsafe impl Send for Part<'_> {}

impl Part<'_> {
    /// Returns the number of live elements if the mask is written, else 0.
    fn walk(self, kernels: Kernels, streaming: bool) -> usize {
        let all = BitsArgs {
            function: NO_PARAMS,
            mask: self.mask,
            input: self.input,
            output: self.output,
            len: self.len,
            streaming,
        };
        let mut live = 0;
        match self.kernel {
            // SAFETY: the slices have `len` elements and the mask as many bits, checked by `MaskCall::new`. The fence is
            // below.
            Kernel::Read(loops, params) => unsafe {
                let function = params.as_ptr();
                loops.call(kernels, &BitsArgs { function, ..all });
            },
            Kernel::Write { .. } => {
                let mut done = 0;
                let step = BLOCK_BYTES / self.size;
                for at in (0..self.len).step_by(step) {
                    let end = self.len.min(at + step);
                    // The function's blocks end at a cache line of the output: a line that is written in two parts
                    // takes longer.
                    let aligned_end = if end == self.len { end } else { self.line_before(end) };
                    live += self.block(kernels, (at, end), (done, aligned_end), streaming);
                    done = aligned_end;
                }
            }
        }
        if streaming {
            fence();
        }
        live
    }

    /// The last element up to `end` at which the output is aligned to a cache line, or `end` if there is none.
    fn line_before(&self, end: usize) -> usize {
        let into_line = self.output.wrapping_add(end * self.size).addr() % 64;
        if into_line.is_multiple_of(self.size) {
            end - into_line / self.size
        } else {
            end
        }
    }

    /// Computes the bits from `first_bit`, the first of a byte, to `last_bit`, and the function from `start` to `end`.
    ///
    /// The bits up to `end` have been written before or are written here.
    fn block(
        &self,
        kernels: Kernels,
        (first_bit, last_bit): (usize, usize),
        (start, end): (usize, usize),
        streaming: bool,
    ) -> usize {
        let offset = |at: usize| at * self.size;
        let len = (end - start, self.size);
        match self.kernel {
            Kernel::Write {
                live,
                live_params,
                value,
                params,
            } => {
                let args = BitsArgs {
                    function: live_params.as_ptr(),
                    mask: self.mask.wrapping_add(first_bit / 8),
                    input: self.input.wrapping_add(offset(first_bit)),
                    output: core::ptr::null_mut(),
                    len: last_bit - first_bit,
                    streaming: false,
                };
                let input = self.input.wrapping_add(offset(start));
                let output = self.output.wrapping_add(offset(start));
                // SAFETY: as in `walk`, for these elements. Null follows the single input of a value. In-place, the bits are
                // computed before the elements are overwritten.
                unsafe {
                    let count = live.call(kernels, &args);
                    value.call(
                        kernels,
                        params.as_ptr(),
                        [input, core::ptr::null()],
                        output,
                        len,
                        Access::new(streaming),
                    );
                    count
                }
            }
            Kernel::Read(..) => 0,
        }
    }
}

#[cfg(feature = "rayon")]
impl Split for Part<'_> {
    type Output = usize;

    fn weighted_traffic(&self) -> usize {
        // No smooth function has a mask.
        (self.len * self.size).saturating_mul(2)
    }

    fn is_beyond_caches(&self) -> bool {
        self.is_beyond_caches
    }

    fn split(self, first_parts: usize, parts: usize) -> (Self, Self) {
        // The bits of a cache line of the mask.
        const STEP: usize = 512;
        let middle = share(self.len / STEP, first_parts, parts) * STEP;
        let second = Self {
            mask: self.mask.wrapping_add(middle / 8),
            input: self.input.wrapping_add(middle * self.size),
            output: self.output.wrapping_add(middle * self.size),
            len: self.len - middle,
            ..self
        };
        (Self { len: middle, ..self }, second)
    }

    fn join(first: usize, second: usize) -> usize {
        first + second
    }

    fn enter(self, kernels: Kernels, streaming: bool) -> usize {
        self.walk(kernels, streaming)
    }
}

/// A mask, which forward writes and backward reads.
enum Mask<'a> {
    Written(&'a mut [u8]),
    Read(&'a [u8]),
}

/// A call with a mask: checked arguments.
pub(crate) struct MaskCall<'a, T, A> {
    activation: A,
    input: Source<'a, T>,
    output: &'a mut [T],
    mask: Mask<'a>,
}

impl<'a, T: Element, A: CompiledOneBit> MaskCall<'a, T, A> {
    /// An error if the lengths differ, or the mask doesn't have `len.div_ceil(8)` bytes.
    fn new(
        activation: A,
        input: Source<'a, T>,
        (output_name, output): (&'static str, &'a mut [T]),
        mask: Mask<'a>,
    ) -> Result<Self, ShapeError> {
        let of = (output_name, output.len());
        input.check_len(of)?;
        let found = match &mask {
            Mask::Written(mask) => mask.len(),
            Mask::Read(mask) => mask.len(),
        };
        if found != output.len().div_ceil(8) {
            return Err(ShapeError::new("mask", Mismatch::MaskBytes { found, of }));
        }
        Ok(Self {
            activation,
            input,
            output,
            mask,
        })
    }

    pub(crate) fn run(self, kernels: Kernels) -> usize {
        self.with_part(|part| {
            let streaming = part.is_beyond_caches;
            part.walk(kernels, streaming)
        })
    }

    #[cfg(feature = "rayon")]
    pub(crate) fn run_parallel(self, kernels: Kernels) -> usize {
        self.with_part(|part| run_parallel(part, kernels))
    }

    /// Calls `run` with all elements. The input is a shared slice, which can't overlap the output, or in-place the
    /// output itself.
    fn with_part(self, run: impl FnOnce(Part<'_>) -> usize) -> usize {
        let output = self.output.as_mut_ptr();
        let part = |kernel, mask| Part {
            kernel,
            mask,
            input: self.input.pointer(output).cast(),
            output: output.cast(),
            len: self.output.len(),
            size: size_of::<T>(),
            is_beyond_caches: matches!(self.input, Source::Slice(..))
                && size_of_val(self.output).saturating_mul(2) >= streaming_threshold(),
        };
        match self.mask {
            Mask::Written(mask) => {
                let mut params = Params::uninit();
                self.activation.write_loop_params::<T>(&mut params);
                let kernel = Kernel::Write {
                    live: self.activation.live_loops::<T>(),
                    live_params: &self.activation.live_params::<T>(),
                    value: self.activation.forward_loops::<T>(),
                    params: &params,
                };
                run(part(kernel, mask.as_mut_ptr()))
            }
            Mask::Read(mask) => run(part(
                Kernel::Read(
                    self.activation.by_bit_loops::<T>(),
                    &self.activation.by_bit_params::<T>(),
                ),
                mask.as_ptr().cast_mut(),
            )),
        }
    }
}

pub(crate) fn forward_mask<'a, A: CompiledOneBit, T: Element>(
    activation: A,
    input: &'a [T],
    output: &'a mut [T],
    mask: &'a mut [u8],
) -> Result<MaskCall<'a, T, A>, ShapeError> {
    MaskCall::new(
        activation,
        Source::Slice("input", input),
        ("output", output),
        Mask::Written(mask),
    )
}

pub(crate) fn forward_mask_inplace<'a, A: CompiledOneBit, T: Element>(
    activation: A,
    x: &'a mut [T],
    mask: &'a mut [u8],
) -> Result<MaskCall<'a, T, A>, ShapeError> {
    MaskCall::new(activation, Source::Output, ("x", x), Mask::Written(mask))
}

pub(crate) fn backward_mask<'a, A: CompiledOneBit, T: Element>(
    activation: A,
    mask: &'a [u8],
    grad_output: &'a [T],
    grad_input: &'a mut [T],
) -> Result<MaskCall<'a, T, A>, ShapeError> {
    let input = Source::Slice("grad_output", grad_output);
    MaskCall::new(activation, input, ("grad_input", grad_input), Mask::Read(mask))
}

pub(crate) fn backward_mask_inplace<'a, A: CompiledOneBit, T: Element>(
    activation: A,
    mask: &'a [u8],
    grad: &'a mut [T],
) -> Result<MaskCall<'a, T, A>, ShapeError> {
    MaskCall::new(activation, Source::Output, ("grad", grad), Mask::Read(mask))
}

pub(crate) fn count_zeros<T: Element>(x: &[T], kernels: Kernels) -> usize {
    let args = BitsArgs {
        function: NO_PARAMS,
        mask: core::ptr::null_mut(),
        input: x.as_ptr().cast(),
        output: core::ptr::null_mut(),
        len: x.len(),
        streaming: false,
    };
    // SAFETY: the input can be read for `len` elements: it is a slice.
    x.len() - unsafe { const { COUNT_NONZERO[T::INDEX] }.call(kernels, &args) }
}
