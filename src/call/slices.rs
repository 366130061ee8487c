//! Calls on slices of equal length.

use core::mem::MaybeUninit;
use core::slice;

use super::detect::Kernels;
#[cfg(feature = "alloc")]
use super::error::OrPanic;
use super::error::{Mismatch, ShapeError};
#[cfg(feature = "strided")]
use super::loops::MapStepsLoops;
use super::loops::{Compiled, Params, SliceLoops, is_few};
#[cfg(feature = "rayon")]
use super::split::{Split, run_parallel, share, start_of_line};
use super::streaming::streaming_threshold;
use crate::simd::{Access, Element, fence};
use crate::sweep::ALIGNED_BYTES;
#[cfg(feature = "strided")]
use crate::sweep::MapStepsArgs;

/// The source of an input.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a, T> {
    /// An argument, with its name.
    Slice(&'static str, &'a [T]),
    /// The output itself, in-place.
    Output,
}

impl<T> Source<'_, T> {
    /// An error if the length differs from that of the output.
    #[inline(always)]
    pub(super) fn check_len(&self, output: (&'static str, usize)) -> Result<(), ShapeError> {
        match self {
            Source::Slice(name, slice) if slice.len() != output.1 => {
                let (len, other) = (slice.len(), output);
                Err(ShapeError::new(name, Mismatch::Length { len, other }))
            }
            _ => Ok(()),
        }
    }

    /// The pointer of the slice, or that of the output.
    #[inline(always)]
    pub(super) fn pointer(&self, output: *const T) -> *const T {
        match self {
            Source::Slice(_, slice) => slice.as_ptr(),
            Source::Output => output,
        }
    }
}

/// Panics if the lengths differ.
#[cfg(feature = "alloc")]
#[track_caller]
pub(crate) fn check_len<T>((name, slice): (&'static str, &[T]), (other_name, other): (&'static str, &[T])) {
    Source::Slice(name, slice)
        .check_len((other_name, other.len()))
        .or_panic();
}

/// A function's value or its gradient. These are types, so that a program that calls one doesn't link the other.
pub(crate) trait Direction<const N: usize>: Copy {
    const WALKS_FEW: bool;

    fn write_params<T: Element>(&self, room: &mut Params);

    fn loops<T: Element>(&self) -> &'static SliceLoops;

    /// The loops for elements at a step, if compiled.
    #[cfg(feature = "strided")]
    fn step_loops<T: Element>(&self) -> &'static MapStepsLoops;

    /// Scalar code for elements at a step, if it is compiled with the caller.
    #[cfg(feature = "strided")]
    fn steps_in_caller<T: Element>() -> Option<unsafe fn(&MapStepsArgs)>;

    /// # Safety
    ///
    /// As for [`Compiled::forward_few`].
    unsafe fn walk_few<T: Element>(&self, inputs: [*const T::Lane; N], output: *mut T::Lane, len: usize);
}

/// The function's value, from x.
#[derive(Clone, Copy)]
pub(crate) struct Forward<A>(pub(super) A);

/// The gradient at x, from x and the gradient at the output.
#[derive(Clone, Copy)]
pub(crate) struct Backward<A>(pub(super) A);

macro_rules! direction {
    ($direction:ident, $inputs:literal, $loops:ident, $steps:ident, $in_caller:ident, $few:ident) => {
        impl<A: Compiled> Direction<$inputs> for $direction<A> {
            const WALKS_FEW: bool = A::WALKS_FEW;

            #[inline(always)]
            fn write_params<T: Element>(&self, room: &mut Params) {
                self.0.write_loop_params::<T>(room);
            }

            #[inline(always)]
            fn loops<T: Element>(&self) -> &'static SliceLoops {
                self.0.$loops::<T>()
            }

            #[cfg(feature = "strided")]
            #[inline(always)]
            fn step_loops<T: Element>(&self) -> &'static MapStepsLoops {
                self.0.$steps::<T>()
            }

            #[cfg(feature = "strided")]
            #[inline(always)]
            fn steps_in_caller<T: Element>() -> Option<unsafe fn(&MapStepsArgs)> {
                A::$in_caller::<T>()
            }

            #[inline(always)]
            unsafe fn walk_few<T: Element>(&self, inputs: [*const T::Lane; $inputs], output: *mut T::Lane, len: usize) {
                // SAFETY: the pointers and `len` are those of this function's contract, which is that of `$few`.
                unsafe { self.0.$few::<T>(inputs, output, len) }
            }
        }
    };
}

direction!(
    Forward,
    1,
    forward_loops,
    forward_steps,
    forward_steps_in_caller,
    forward_few
);
direction!(
    Backward,
    2,
    backward_loops,
    backward_steps,
    backward_steps_in_caller,
    backward_few
);

/// `output[i] = function(inputs[i])`, with slices of equal length.
///
/// All of it is inlined into the caller, down to the call of a loop: for a short slice, passing this type through
/// memory would take longer than the loop.
pub(crate) struct Call<'i, 'o, T, D, const N: usize> {
    direction: D,
    inputs: [Source<'i, T>; N],
    /// Initialized if it is the source of an input. Only initialized elements are written to it.
    output: &'o mut [MaybeUninit<T>],
}

impl<'i, 'o, T: Element, D: Direction<N>, const N: usize> Call<'i, 'o, T, D, N> {
    /// An error if the lengths differ.
    #[inline(always)]
    fn new(
        direction: D,
        inputs: [Source<'i, T>; N],
        (output_name, output): (&'static str, &'o mut [T]),
    ) -> Result<Self, ShapeError> {
        for input in &inputs {
            input.check_len((output_name, output.len()))?;
        }
        // SAFETY: it is the same slice. Its elements stay initialized, since only initialized elements are written to
        // it.
        let output = unsafe { slice::from_raw_parts_mut(output.as_mut_ptr().cast(), output.len()) };
        Ok(Self {
            direction,
            inputs,
            output,
        })
    }

    /// [`new`](Self::new), with an output that is not an input and may be uninitialized.
    #[inline(always)]
    pub(super) fn to_uninit(
        direction: D,
        inputs: [(&'static str, &'i [T]); N],
        (output_name, output): (&'static str, &'o mut [MaybeUninit<T>]),
    ) -> Result<Self, ShapeError> {
        let inputs = inputs.map(|(name, input)| Source::Slice(name, input));
        for input in &inputs {
            input.check_len((output_name, output.len()))?;
        }
        Ok(Self {
            direction,
            inputs,
            output,
        })
    }

    /// Runs on the caller's thread. Returns the output.
    #[inline(always)]
    pub(crate) fn run(mut self, kernels: impl FnOnce() -> Kernels) -> &'o mut [T] {
        let len = self.output.len();
        let (inputs, output) = self.pointers();
        if D::WALKS_FEW && is_few::<T>(len) {
            // SAFETY: `is_few(len)`, checked above; the pointers are of `len` elements, and the output overlaps no
            // input or is one, established by `pointers`.
            unsafe {
                self.direction
                    .walk_few::<T>(inputs.map(|input| input.cast()), output.cast(), len)
            };
        } else {
            let streaming = self.is_beyond_caches();
            let mut params = Params::uninit();
            self.direction.write_params::<T>(&mut params);
            let inputs = first_and_last(inputs);
            // SAFETY: the pointers are of `len` elements, and the output overlaps no input or is one, established by
            // `pointers`. Null follows a single input: `first_and_last`. The parameters are those of the direction's loops.
            // The fence is below.
            unsafe {
                let loops = self.direction.loops::<T>();
                loops.call(
                    kernels(),
                    params.as_ptr(),
                    inputs,
                    output.cast(),
                    (len, size_of::<T>()),
                    Access::new(streaming),
                );
            }
            if streaming {
                fence();
            }
        }
        // SAFETY: either branch has written all of the output.
        unsafe { self.written() }
    }

    /// Runs on several threads. Returns the output.
    #[cfg(feature = "rayon")]
    pub(crate) fn run_parallel(mut self, kernels: Kernels) -> &'o mut [T] {
        let mut params = Params::uninit();
        self.direction.write_params::<T>(&mut params);
        let (inputs, output) = self.pointers();
        let part = Part {
            loops: self.direction.loops::<T>(),
            params: params.as_ptr(),
            inputs: first_and_last(inputs),
            output: output.cast(),
            len: self.output.len(),
            size: size_of::<T>(),
            traffic: traffic(N, size_of_val(self.output)),
            is_beyond_caches: self.is_beyond_caches(),
        };
        run_parallel(part, kernels);
        // SAFETY: the parts together have written all of the output.
        unsafe { self.written() }
    }

    /// Returns the output as initialized elements.
    ///
    /// # Safety
    ///
    /// All of it has been written.
    #[inline(always)]
    unsafe fn written(self) -> &'o mut [T] {
        // The pointer is taken from `self.output` again, after the last write through another one.
        let output = self.output;
        // SAFETY: all elements are initialized: this function's contract.
        unsafe { slice::from_raw_parts_mut(output.as_mut_ptr().cast(), output.len()) }
    }

    /// Whether the call is out-of-place, and all slices together exceed the streaming threshold.
    #[inline(always)]
    fn is_beyond_caches(&self) -> bool {
        let has_own_output = self.inputs.iter().all(|input| matches!(input, Source::Slice(..)));
        has_own_output && is_beyond_caches(N, size_of_val(self.output))
    }

    /// The pointers of the inputs and the output.
    ///
    /// Each is of as many elements as the output has, checked by `new` and `to_uninit`. An input is a shared slice,
    /// which can't overlap the exclusive output, or it is the pointer of the output itself.
    #[inline(always)]
    fn pointers(&mut self) -> ([*const T; N], *mut T) {
        let output = self.output.as_mut_ptr().cast::<T>();
        let mut inputs = [output.cast_const(); N];
        for (pointer, input) in inputs.iter_mut().zip(&self.inputs) {
            *pointer = input.pointer(output);
        }
        (inputs, output)
    }
}

/// The number of bytes that a call reads and writes, with so many inputs and an output of so many bytes.
#[inline(always)]
fn traffic(inputs: usize, output_bytes: usize) -> usize {
    output_bytes.saturating_mul(inputs + 1)
}

/// Whether a call out-of-place is beyond the caches.
#[inline(always)]
pub(super) fn is_beyond_caches(inputs: usize, output_bytes: usize) -> bool {
    // The threshold is loaded only where non-temporal stores are possible.
    output_bytes >= ALIGNED_BYTES && traffic(inputs, output_bytes) >= streaming_threshold()
}

/// The inputs of a loop over slices. After a single one, null.
#[inline(always)]
fn first_and_last<T, const N: usize>(inputs: [*const T; N]) -> [*const u8; 2] {
    let last = if N == 1 {
        core::ptr::null()
    } else {
        inputs[N - 1].cast()
    };
    [inputs[0].cast(), last]
}

/// Some elements of a [`Call`].
#[cfg(feature = "rayon")]
struct Part {
    loops: &'static SliceLoops,
    params: *const u8,
    inputs: [*const u8; 2],
    output: *mut u8,
    len: usize,
    /// The size of an element in bytes.
    size: usize,
    traffic: usize,
    is_beyond_caches: bool,
}

// SAFETY: the pointers come from slices of elements, which are `Send` and `Sync`. Parameters are plain numbers. The
// call waits for all parts, and parts have no element in common.
#[cfg(feature = "rayon")]
unsafe impl Send for Part {}

#[cfg(feature = "rayon")]
impl Split for Part {
    type Output = ();

    fn weighted_traffic(&self) -> usize {
        self.traffic.saturating_mul(self.loops.weight)
    }

    fn is_beyond_caches(&self) -> bool {
        self.is_beyond_caches
    }

    fn split(self, first_parts: usize, parts: usize) -> (Self, Self) {
        let middle = share(self.len, first_parts, parts);
        let middle = start_of_line(self.output, middle, self.size);
        let second = Self {
            inputs: self.inputs.map(|input| {
                if input.is_null() {
                    input
                } else {
                    input.wrapping_add(middle * self.size)
                }
            }),
            output: self.output.wrapping_add(middle * self.size),
            len: self.len - middle,
            ..self
        };
        (Self { len: middle, ..self }, second)
    }

    fn join((): (), (): ()) {}

    fn enter(self, kernels: Kernels, streaming: bool) {
        // SAFETY: the pointers are of `len` elements, established by `Call::pointers` and `split`; parts have no
        // element in common. Null follows a single input: `first_and_last`, and `split` leaves it. The parameters are
        // those of the loops, and outlive the call. The fence is below.
        unsafe {
            let len = (self.len, self.size);
            self.loops.call(
                kernels,
                self.params,
                self.inputs,
                self.output,
                len,
                Access::new(streaming),
            );
        }
        if streaming {
            fence();
        }
    }
}

#[inline(always)]
pub(crate) fn forward_inplace<A: Compiled, T: Element>(
    activation: A,
    x: &mut [T],
) -> Result<Call<'_, '_, T, Forward<A>, 1>, ShapeError> {
    Call::new(Forward(activation), [Source::Output], ("x", x))
}

#[inline(always)]
pub(crate) fn forward<'a, A: Compiled, T: Element>(
    activation: A,
    input: &'a [T],
    output: &'a mut [T],
) -> Result<Call<'a, 'a, T, Forward<A>, 1>, ShapeError> {
    Call::new(Forward(activation), [Source::Slice("input", input)], ("output", output))
}

#[inline(always)]
pub(crate) fn backward<'a, A: Compiled, T: Element>(
    activation: A,
    input: &'a [T],
    grad_output: &'a [T],
    grad_input: &'a mut [T],
) -> Result<Call<'a, 'a, T, Backward<A>, 2>, ShapeError> {
    let inputs = [Source::Slice("input", input), Source::Slice("grad_output", grad_output)];
    Call::new(Backward(activation), inputs, ("grad_input", grad_input))
}

#[inline(always)]
pub(crate) fn backward_inplace<'a, A: Compiled, T: Element>(
    activation: A,
    input: &'a [T],
    grad: &'a mut [T],
) -> Result<Call<'a, 'a, T, Backward<A>, 2>, ShapeError> {
    Call::new(
        Backward(activation),
        [Source::Slice("input", input), Source::Output],
        ("grad", grad),
    )
}

#[inline(always)]
pub(crate) fn forward_uninit<'i, 'o, A: Compiled, T: Element>(
    activation: A,
    input: &'i [T],
    output: &'o mut [MaybeUninit<T>],
) -> Result<Call<'i, 'o, T, Forward<A>, 1>, ShapeError> {
    Call::to_uninit(Forward(activation), [("input", input)], ("output", output))
}

#[inline(always)]
pub(crate) fn backward_uninit<'i, 'o, A: Compiled, T: Element>(
    activation: A,
    input: &'i [T],
    grad_output: &'i [T],
    grad_input: &'o mut [MaybeUninit<T>],
) -> Result<Call<'i, 'o, T, Backward<A>, 2>, ShapeError> {
    let inputs = [("input", input), ("grad_output", grad_output)];
    Call::to_uninit(Backward(activation), inputs, ("grad_input", grad_input))
}
