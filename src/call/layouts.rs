//! Tensors of any layout: views of memory with a stride per axis, and calls on them.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
#[cfg(feature = "alloc")]
use core::slice;

#[cfg(feature = "alloc")]
use super::append::append;
use super::error::{Mismatch, OrPanic, ShapeError};
use super::loops::Compiled;
#[cfg(feature = "alloc")]
use super::slices::Direction;
use super::slices::{Backward, Forward};
#[cfg(feature = "alloc")]
use super::strided::len_of;
use super::strided::{Layout, run};
use crate::simd::Element;

/// An error if the shape and the strides lead out of `len` elements, from the one at `offset`.
fn check_bounds(len: usize, offset: usize, shape: &[usize], strides: &[isize]) -> Result<(), ShapeError> {
    if strides.len() != shape.len() {
        let (found, needed) = (strides.len(), shape.len());
        return Err(ShapeError::new("strides", Mismatch::Count { found, needed }));
    }
    if shape.contains(&0) {
        return Ok(());
    }
    let as_index = |count: usize| isize::try_from(count).unwrap_or(isize::MAX);
    // A number that saturates is outside too.
    let (mut first, mut last) = (as_index(offset), as_index(offset));
    for (&len, &stride) in shape.iter().zip(strides) {
        let extent = as_index(len - 1).saturating_mul(stride);
        first = first.saturating_add(extent.min(0));
        last = last.saturating_add(extent.max(0));
    }
    let index = if first < 0 { first } else { last };
    if index < 0 || index >= as_index(len) {
        return Err(ShapeError::new("elements", Mismatch::Outside { len, index }));
    }
    Ok(())
}

/// An error if the strides may lead to one element more than once.
///
/// They don't if each is longer than all of the shorter ones together reach. Others may be distinct too, such as the strides 2 and 3 of a shape
/// of 3 and 2.
fn check_distinct(shape: &[usize], strides: &[isize]) -> Result<(), ShapeError> {
    let axes = || {
        shape
            .iter()
            .zip(strides)
            .map(|(&len, &stride)| (len, stride.unsigned_abs()))
            .enumerate()
            .filter(|&(_, (len, _))| len > 1)
    };
    let are_distinct = axes().all(|(i, (_, stride))| {
        let shorter = axes().filter(|&(j, (_, other))| (other, j) < (stride, i));
        let reach = shorter.fold(0_usize, |reach, (_, (len, other))| {
            reach.saturating_add((len - 1).saturating_mul(other))
        });
        stride > reach
    });
    if are_distinct || shape.contains(&0) {
        Ok(())
    } else {
        Err(ShapeError::new("strides", Mismatch::Repeated))
    }
}

macro_rules! strided {
    (
        $(#[$doc:meta])*
        $name:ident: $pointer:ty, of $slice:ty as $as_ptr:ident,
        $(distinct by $check:ident, $(#[$panics:meta])+ and unsafe $(#[$safety:meta])+)?
    ) => {
        $(#[$doc])*
        pub struct $name<'a, T> {
            start: $pointer,
            /// As many as `strides`.
            shape: &'a [usize],
            strides: &'a [isize],
            elements: PhantomData<$slice>,
        }

        // SAFETY: it stands for a `$slice`, of which it accesses some elements.
        unsafe impl<'a, T> Send for $name<'a, T> where $slice: Send {}
        // SAFETY: as for `Send`.
        unsafe impl<'a, T> Sync for $name<'a, T> where $slice: Sync {}

        impl<'a, T> $name<'a, T> {
            /// The tensor of a shape whose first element is `elements[offset]`.
            ///
            /// A stride is the number of elements from one index of an axis to the next one. It may be negative.
            ///
            /// # Panics
            ///
            /// Panics if there is not a stride for each axis, or an element is outside of the slice. A tensor without elements may be
            /// anywhere.
            $($(#[$panics])+)?
            #[must_use]
            #[track_caller]
            pub fn new(elements: $slice, offset: usize, shape: &'a [usize], strides: &'a [isize]) -> Self {
                Self::try_new(elements, offset, shape, strides).or_panic()
            }

            /// [`new`](Self::new), with an error instead of a panic.
            ///
            /// # Errors
            ///
            /// Where `new` panics.
            pub fn try_new(
                elements: $slice,
                offset: usize,
                shape: &'a [usize],
                strides: &'a [isize],
            ) -> Result<Self, ShapeError> {
                check_bounds(elements.len(), offset, shape, strides)?;
                $($check(shape, strides)?;)?
                let start = elements.$as_ptr().wrapping_add(offset);
                Ok(Self { start, shape, strides, elements: PhantomData })
            }

            /// A tensor in memory of which no slice can be made, because what is between the elements belongs to someone else.
            ///
            /// `start` is the element at index 0 of each axis. Nothing but the elements is accessed.
            ///
            /// # Safety
            ///
            /// - There are as many strides as axes.
            /// - The elements are initialized and aligned. During the lifetime `'a` they may be accessed as those of a
            #[doc = concat!("   `", stringify!($slice), "` may be.")]
            /// - They are in one allocation, and from the one with the lowest address to the end of the last one are at most
            ///   `isize::MAX` bytes.
            $($(#[$safety])+)?
            #[must_use]
            pub unsafe fn from_raw_parts(start: $pointer, shape: &'a [usize], strides: &'a [isize]) -> Self {
                debug_assert!(strides.len() == shape.len());
                Self { start, shape, strides, elements: PhantomData }
            }

            /// Returns the number of indices of each axis.
            #[must_use]
            pub fn shape(&self) -> &'a [usize] {
                self.shape
            }

            /// Returns the number of elements from one index of an axis to the next one, for each axis.
            #[must_use]
            pub fn strides(&self) -> &'a [isize] {
                self.strides
            }

            fn layout(&self) -> Layout<'a> {
                Layout { start: self.start as *mut u8, strides: self.strides }
            }
        }

        impl<T> fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("shape", &self.shape)
                    .field("strides", &self.strides)
                    .finish_non_exhaustive()
            }
        }
    };
}

strided!(
    /// A tensor of any layout to be read: a view of a slice with a shape, and a stride per axis.
    ///
    /// ```
    /// use rectify::{Activation, Relu, Strided, StridedMut};
    ///
    /// // Two rows of three, of which every second column is taken, the last one first.
    /// let x = [1.0_f32, -2.0, 3.0, -4.0, 5.0, 6.0];
    /// let columns = Strided::new(&x, 2, &[2, 2], &[3, -2]);
    /// let mut y = [0.0; 4];
    /// Relu.forward_strided(columns, &mut StridedMut::new(&mut y, 0, &[2, 2], &[2, 1]));
    /// assert_eq!(y, [3.0, 1.0, 6.0, 0.0]);
    /// ```
    ///
    /// With a stride of 0 an axis repeats the same elements: a tensor that is broadcast.
    ///
    /// # How it is walked
    ///
    /// Axes are sorted and merged: tensors that are contiguous in memory, with their axes in the same order, are one slice, whatever that order
    /// is. Others go through a block on the stack, to which elements are copied, or are computed where they are, where that is faster.
    /// The results are those of [`Activation`](crate::Activation)'s methods on slices, bit for bit. What is between the elements is neither
    /// read nor written. A call runs on its thread alone, by [`Isa::best`](crate::Isa::best).
    ///
    /// For matrices in functions of several tensors there is [`Rows`](crate::Rows).
    Strided: *const T, of &'a [T] as as_ptr,
);

impl<T> Clone for Strided<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Strided<'_, T> {}

strided!(
    /// A tensor of any layout to be written: [`Strided`] of a mutable slice.
    ///
    /// ```
    /// use rectify::{Activation, Relu, StridedMut};
    ///
    /// // The second column.
    /// let mut x = [-1.0_f32, -2.0, -3.0, 4.0, 5.0, -6.0];
    /// Relu.forward_strided_inplace(&mut StridedMut::new(&mut x, 1, &[3], &[2]));
    /// assert_eq!(x, [-1.0, 0.0, -3.0, 4.0, 5.0, 0.0]);
    /// ```
    StridedMut: *mut T, of &'a mut [T] as as_mut_ptr,
    distinct by check_distinct,
    ///
    /// Panics if the strides may lead to one element more than once: each has to be longer than all of the shorter ones together reach, except
    /// those of axes of one index.
    and unsafe
    /// - No two indices have the same element.
);

/// A shape and the name of its argument.
type Shape<'a> = (&'static str, &'a [usize]);

/// An error if the shapes differ.
fn check_shape((argument, found): Shape, (other, needed): Shape) -> Result<(), ShapeError> {
    if found == needed {
        return Ok(());
    }
    let mismatch = match found.iter().zip(needed).position(|(found, needed)| found != needed) {
        Some(axis) if found.len() == needed.len() => Mismatch::Axis {
            axis,
            len: found[axis],
            other: (other, needed[axis]),
        },
        _ => Mismatch::Axes {
            axes: found.len(),
            other: (other, needed.len()),
        },
    };
    Err(ShapeError::new(argument, mismatch))
}

pub(crate) fn forward_strided<A: Compiled, T: Element>(
    activation: A,
    input: Strided<T>,
    output: &mut StridedMut<T>,
) -> Result<(), ShapeError> {
    let shape = input.shape;
    check_shape(("output", output.shape), ("input", shape))?;
    // SAFETY: the shapes are equal, checked above. The elements are those of the views, of which only that of the output can write, so that
    // they are apart.
    unsafe { run::<T, _, 1>(Forward(activation), shape, [input.layout()], output.layout(), true) };
    Ok(())
}

pub(crate) fn forward_strided_inplace<A: Compiled, T: Element>(activation: A, x: &mut StridedMut<T>) {
    let layout = x.layout();
    // SAFETY: the elements are those of the view, and the input is the output.
    unsafe { run::<T, _, 1>(Forward(activation), x.shape, [layout], layout, false) };
}

pub(crate) fn backward_strided<A: Compiled, T: Element>(
    activation: A,
    input: Strided<T>,
    grad_output: Strided<T>,
    grad_input: &mut StridedMut<T>,
) -> Result<(), ShapeError> {
    let shape = input.shape;
    check_shape(("grad_output", grad_output.shape), ("input", shape))?;
    check_shape(("grad_input", grad_input.shape), ("input", shape))?;
    let inputs = [input.layout(), grad_output.layout()];
    // SAFETY: as for `forward_strided`.
    unsafe { run::<T, _, 2>(Backward(activation), shape, inputs, grad_input.layout(), true) };
    Ok(())
}

pub(crate) fn backward_strided_inplace<A: Compiled, T: Element>(
    activation: A,
    input: Strided<T>,
    grad: &mut StridedMut<T>,
) -> Result<(), ShapeError> {
    let shape = input.shape;
    check_shape(("grad", grad.shape), ("input", shape))?;
    let layout = grad.layout();
    // SAFETY: the shapes are equal, checked above. The elements are those of the views. The second input is the output, and the first one is apart
    // from it.
    unsafe { run::<T, _, 2>(Backward(activation), shape, [input.layout(), layout], layout, false) };
    Ok(())
}

#[cfg(feature = "alloc")]
pub(crate) fn forward_strided_append<A: Compiled, T: Element>(activation: A, input: Strided<T>, output: &mut Vec<T>) {
    // SAFETY: the shape is that of the view.
    unsafe { run_append(Forward(activation), input.shape, [input.layout()], output) };
}

#[cfg(feature = "alloc")]
pub(crate) fn backward_strided_append<A: Compiled, T: Element>(
    activation: A,
    input: Strided<T>,
    grad_output: Strided<T>,
    grad_input: &mut Vec<T>,
) -> Result<(), ShapeError> {
    check_shape(("grad_output", grad_output.shape), ("input", input.shape))?;
    let inputs = [input.layout(), grad_output.layout()];
    // SAFETY: the shapes are equal, checked above.
    unsafe { run_append(Backward(activation), input.shape, inputs, grad_input) };
    Ok(())
}

/// Appends the elements in the order of their indices, the last axis first.
///
/// # Safety
///
/// The inputs are those of a [`Strided`] of `shape`.
#[cfg(feature = "alloc")]
unsafe fn run_append<T: Element, D: Direction<N>, const N: usize>(
    direction: D,
    shape: &[usize],
    inputs: [Layout; N],
    output: &mut Vec<T>,
) {
    let len = len_of(shape);
    // New memory that is large has just been cleared by the system: it is in the caches.
    let is_new = output.capacity() - output.len() < len;
    append(output, len, |output| {
        let mut strides = alloc::vec![0; shape.len()];
        let mut stride = 1_usize;
        for (axis, &len) in shape.iter().enumerate().rev() {
            strides[axis] = stride as isize;
            stride = stride.wrapping_mul(len);
        }
        let layout = Layout {
            start: output.as_mut_ptr().cast(),
            strides: &strides,
        };
        // SAFETY: the elements of the inputs: this function's contract. Those of the output are contiguous, and as many. Each has been written
        // after the call.
        unsafe {
            run::<T, D, N>(direction, shape, inputs, layout, !is_new);
            slice::from_raw_parts_mut(output.as_mut_ptr().cast(), output.len())
        }
    });
}
