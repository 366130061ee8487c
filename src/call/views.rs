//! Views of matrices, with a stride between rows.

use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::slice;

use super::error::{Mismatch, OrPanic, ShapeError};

/// [`Rows`] or [`RowsMut`] without the type of their elements.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub(super) start: *mut u8,
    pub(super) shape: Shape,
}

/// The shape of a matrix, in elements. `columns <= stride`, and the slice has all columns of the last row.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) stride: usize,
}

impl Shape {
    fn of_len(len: usize, columns: usize, stride: usize) -> Result<Self, ShapeError> {
        if columns > stride {
            return Err(ShapeError::new("stride", Mismatch::Stride { stride, columns }));
        }
        let rows = if stride == 0 { 0 } else { len.div_ceil(stride) };
        let is_whole = if rows == 0 {
            len == 0
        } else {
            len - (rows - 1) * stride >= columns
        };
        if !is_whole {
            return Err(ShapeError::new("elements", Mismatch::End { len, columns, stride }));
        }
        Ok(Self { rows, columns, stride })
    }

    /// A single row.
    #[inline]
    fn of_slice(len: usize) -> Self {
        Self {
            rows: usize::from(len > 0),
            columns: len,
            stride: len,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows * self.columns
    }

    pub(super) fn is_contiguous(&self) -> bool {
        self.rows <= 1 || self.columns == self.stride
    }

    /// The number of rows of `columns` elements, probably `likely_rows`, and the stride between them. An error if they don't
    /// divide a contiguous matrix, or the matrix is strided.
    // By reference: a copy of what was just written waits for the stores.
    pub(super) fn rows_of(
        &self,
        name: &'static str,
        (likely_rows, columns): (usize, usize),
    ) -> Result<(usize, usize), ShapeError> {
        if self.columns == columns {
            return Ok((self.rows, self.stride));
        }
        let len = self.len();
        let rows = if likely_rows.checked_mul(columns) == Some(len) {
            likely_rows
        } else {
            len.checked_div(columns).unwrap_or(0)
        };
        if rows * columns != len {
            return Err(ShapeError::new(name, Mismatch::Columns { len, columns }));
        }
        if !self.is_contiguous() {
            let mismatch = Mismatch::Strided {
                columns: self.columns,
                stride: self.stride,
                needed: columns,
            };
            return Err(ShapeError::new(name, mismatch));
        }
        Ok((rows, columns))
    }

    #[track_caller]
    fn split_at_column(self, column: usize) -> (Self, Self) {
        assert!(
            column <= self.columns,
            "column {column} is beyond rows of {} columns",
            self.columns
        );
        let with_columns = |columns| Self { columns, ..self };
        (with_columns(column), with_columns(self.columns - column))
    }
}

macro_rules! rows {
    ($(#[$doc:meta])* $name:ident: $pointer:ty, of $slice:ty as $as_ptr:ident, from $from:ty: $as_trait:ident::$as_slice:ident) => {
        $(#[$doc])*
        pub struct $name<'a, T> {
            start: $pointer,
            shape: Shape,
            elements: PhantomData<$slice>,
        }

        // SAFETY: it stands for a `$slice`, of which it accesses some elements.
        unsafe impl<'a, T> Send for $name<'a, T> where $slice: Send {}
        // SAFETY: as for `Send`.
        unsafe impl<'a, T> Sync for $name<'a, T> where $slice: Sync {}

        impl<'a, T> $name<'a, T> {
            /// Contiguous rows of `columns` elements.
            ///
            /// # Panics
            ///
            /// Panics if `columns` does not divide the length of the slice.
            #[track_caller]
            pub fn new(elements: $slice, columns: usize) -> Self {
                Self::with_stride(elements, columns, columns)
            }

            /// Strided rows of `columns` elements: each begins `stride` elements after the previous one.
            ///
            /// `stride` is the leading dimension of BLAS. The elements between rows are neither read nor written. The
            /// slice may end after the columns of the last row.
            ///
            /// # Panics
            ///
            /// Panics if `stride` is less than `columns`, or the slice does not end with a whole row.
            #[track_caller]
            pub fn with_stride(elements: $slice, columns: usize, stride: usize) -> Self {
                Self::try_with_stride(elements, columns, stride).or_panic()
            }

            /// [`new`](Self::new), with an error instead of a panic.
            ///
            /// # Errors
            ///
            /// Where `new` panics.
            pub fn try_new(elements: $slice, columns: usize) -> Result<Self, ShapeError> {
                Self::try_with_stride(elements, columns, columns)
            }

            /// [`with_stride`](Self::with_stride), with an error instead of a panic.
            ///
            /// # Errors
            ///
            /// Where `with_stride` panics.
            pub fn try_with_stride(elements: $slice, columns: usize, stride: usize) -> Result<Self, ShapeError> {
                let shape = Shape::of_len(elements.len(), columns, stride)?;
                Ok(Self { start: elements.$as_ptr(), shape, elements: PhantomData })
            }

            /// Rows in memory of which no slice can be made, because what is between them belongs to someone else.
            ///
            /// Row i begins at `start + i * stride`, and has `columns` elements. Nothing else is accessed.
            ///
            /// # Safety
            ///
            /// - The elements are initialized and aligned. During the lifetime `'a` they may be accessed as those of a
            #[doc = concat!("   `", stringify!($slice), "` may be.")]
            /// - The rows are in one allocation, and from the first one to the end of the last one are at most
            ///   `isize::MAX` bytes.
            /// - `columns <= stride`, if there is more than one row.
            #[must_use]
            pub unsafe fn from_raw_parts(start: $pointer, rows: usize, columns: usize, stride: usize) -> Self {
                debug_assert!(rows <= 1 || columns <= stride);
                let shape = Shape { rows, columns, stride };
                Self { start, shape, elements: PhantomData }
            }

            /// Returns the number of rows.
            #[must_use]
            pub fn rows(&self) -> usize {
                self.shape.rows
            }

            /// Returns the number of elements in a row.
            #[must_use]
            pub fn columns(&self) -> usize {
                self.shape.columns
            }

            /// Returns the number of elements from the start of a row to the start of the next one.
            #[must_use]
            pub fn stride(&self) -> usize {
                self.shape.stride
            }

            /// Returns the columns before `column`, and those from `column` on. These may be the two halves of a gate.
            ///
            /// # Panics
            ///
            /// Panics if `column` is greater than the number of columns.
            #[must_use]
            #[track_caller]
            pub fn split_at_column(self, column: usize) -> (Self, Self) {
                let (first, second) = self.shape.split_at_column(column);
                let view = |start, shape| Self { start, shape, elements: PhantomData };
                (view(self.start, first), view(self.start.wrapping_add(column), second))
            }

            pub(super) fn view(&self) -> View {
                View { start: self.start as *mut u8, shape: self.shape }
            }
        }

        /// Converts a slice, array or vector to a single row.
        impl<'a, T, S: $as_trait<[T]> + ?Sized> From<$from> for $name<'a, T> {
            fn from(elements: $from) -> Self {
                let elements = elements.$as_slice();
                let shape = Shape::of_slice(elements.len());
                Self { start: elements.$as_ptr(), shape, elements: PhantomData }
            }
        }

        impl<T> fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("rows", &self.shape.rows)
                    .field("columns", &self.shape.columns)
                    .field("stride", &self.shape.stride)
                    .finish_non_exhaustive()
            }
        }
    };
}

rows!(
    /// A matrix to be read: a view of a slice as rows, contiguous or strided.
    ///
    /// Rows are contiguous if the stride equals the number of columns. Functions reshape contiguous rows to the length
    /// that they need. So a slice, an array or a vector, which converts to a single row, can be any tensor.
    ///
    /// ```
    /// use rectify::{Fused, Relu, Rows};
    ///
    /// // Two rows of three, padded to four.
    /// let padded = [1.0_f32, -2.0, 3.0, f32::NAN, -4.0, 5.0, -6.0, f32::NAN];
    /// let mut output = [0.0; 6];
    /// Fused::new(Relu).forward(Rows::with_stride(&padded, 3, 4), &mut output);
    /// assert_eq!(output, [1.0, 0.0, 3.0, 0.0, 5.0, 0.0]);
    /// ```
    Rows: *const T, of &'a [T] as as_ptr, from &'a S: AsRef::as_ref
);

impl<T> Clone for Rows<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Rows<'_, T> {}

rows!(
    /// A matrix to be written: [`Rows`] of a mutable slice.
    ///
    /// ```
    /// use rectify::{Fused, Relu, RowsMut};
    ///
    /// let mut padded = [1.0_f32, -2.0, 3.0, -0.5, -4.0, 5.0, -6.0];
    /// Fused::new(Relu).forward_inplace(&mut RowsMut::with_stride(&mut padded, 3, 4));
    /// assert_eq!(padded, [1.0, 0.0, 3.0, -0.5, 0.0, 5.0, 0.0]);
    /// ```
    RowsMut: *mut T, of &'a mut [T] as as_mut_ptr, from &'a mut S: AsMut::as_mut
);

/// What rows can be written to: a slice, an array or a vector, which is a single row, or [`RowsMut`].
///
/// Methods that write take a `&mut` of it, so that it can be used again after the call.
pub trait AsRowsMut<T> {
    /// A view of all of its elements.
    fn as_rows_mut(&mut self) -> RowsMut<'_, T>;
}

impl<T, S: AsMut<[T]> + ?Sized> AsRowsMut<T> for S {
    fn as_rows_mut(&mut self) -> RowsMut<'_, T> {
        self.into()
    }
}

impl<T> AsRowsMut<T> for RowsMut<'_, T> {
    fn as_rows_mut(&mut self) -> RowsMut<'_, T> {
        RowsMut {
            start: self.start,
            shape: self.shape,
            elements: PhantomData,
        }
    }
}

/// What a call writes all elements of.
pub(crate) trait Destination<'a, T> {
    type Written;

    /// Whether it is initialized.
    const CAN_BE_READ: bool;

    /// A view of all elements, to be written, and read only if they can be.
    fn rows(&mut self) -> RowsMut<'_, T>;

    /// # Safety
    ///
    /// Each element has been written.
    unsafe fn written(self) -> Self::Written;
}

impl<'a, T> Destination<'a, T> for RowsMut<'a, T> {
    type Written = ();

    const CAN_BE_READ: bool = true;

    fn rows(&mut self) -> RowsMut<'_, T> {
        self.as_rows_mut()
    }

    unsafe fn written(self) {}
}

impl<'a, T> Destination<'a, T> for &'a mut [MaybeUninit<T>] {
    type Written = &'a mut [T];

    const CAN_BE_READ: bool = false;

    fn rows(&mut self) -> RowsMut<'_, T> {
        RowsMut {
            start: self.as_mut_ptr().cast(),
            shape: Shape::of_slice(self.len()),
            elements: PhantomData,
        }
    }

    unsafe fn written(self) -> &'a mut [T] {
        // SAFETY: all elements are initialized: this function's contract.
        unsafe { slice::from_raw_parts_mut(self.as_mut_ptr().cast(), self.len()) }
    }
}
