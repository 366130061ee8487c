//! The error of tensors whose shapes don't agree.

use core::fmt;

/// The error of the methods that begin with `try_`: the lengths or shapes of the arguments don't agree.
///
/// Nothing has been written. Its message is that of the panic of the same method without `try_`, and names the arguments.
///
/// ```
/// use rectify::{Activation, Relu};
///
/// let error = Relu.try_forward(&[-1.0_f32, 2.0], &mut [0.0; 3]).unwrap_err();
/// assert_eq!(error.argument(), "input");
/// assert_eq!(error.to_string(), "slices of unequal length: `input` has 2 elements, `output` has 3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeError {
    argument: &'static str,
    mismatch: Mismatch,
}

/// What is wrong with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "strided"),
    allow(dead_code, reason = "some variants are of `Strided` alone")
)]
pub(crate) enum Mismatch {
    /// Another length than the other slice.
    Length { len: usize, other: (&'static str, usize) },
    /// Another number of elements than the other tensor.
    Size { len: usize, other: (&'static str, usize) },
    /// Not as many elements as are needed.
    Count { found: usize, needed: usize },
    /// Not as many elements as another argument, which counts channels too.
    OtherCount { found: usize, other: (&'static str, usize) },
    /// A mask of another number of bytes.
    MaskBytes { found: usize, of: (&'static str, usize) },
    /// The channels, whose number is the length of an argument, don't divide it.
    Channels {
        len: usize,
        channels: (&'static str, usize),
    },
    /// Channels of `spatial` elements don't divide it.
    Images {
        len: usize,
        channels: (&'static str, usize),
        spatial: usize,
    },
    /// Another layout of channels than another argument.
    Layout { other: &'static str },
    /// A stride that is less than the columns.
    Stride { stride: usize, columns: usize },
    /// Elements that don't end with a row.
    End { len: usize, columns: usize, stride: usize },
    /// No rows of so many columns.
    Columns { len: usize, columns: usize },
    /// Strided rows of other columns.
    Strided {
        columns: usize,
        stride: usize,
        needed: usize,
    },
    /// Another number of axes than the other tensor.
    Axes { axes: usize, other: (&'static str, usize) },
    /// Another length of an axis than the other tensor.
    Axis {
        axis: usize,
        len: usize,
        other: (&'static str, usize),
    },
    /// Strides that lead out of the elements.
    Outside { len: usize, index: isize },
    /// Strides that may lead to one element more than once.
    Repeated,
}

impl ShapeError {
    #[cold]
    pub(crate) fn new(argument: &'static str, mismatch: Mismatch) -> Self {
        Self { argument, mismatch }
    }

    /// Returns the name of the argument that is wrong.
    #[must_use]
    pub fn argument(self) -> &'static str {
        self.argument
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn panic(self) -> ! {
        panic!("{self}");
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.argument;
        match self.mismatch {
            Mismatch::Length {
                len,
                other: (other, other_len),
            } => write!(
                f,
                "slices of unequal length: `{name}` has {len} elements, `{other}` has {other_len}"
            ),
            Mismatch::Size {
                len,
                other: (other, other_len),
            } => write!(
                f,
                "tensors of unequal size: `{name}` has {len} elements, `{other}` has {other_len}"
            ),
            Mismatch::Count { found, needed } => write!(f, "`{name}` has {found} elements, not {needed}"),
            Mismatch::OtherCount {
                found,
                other: (other, count),
            } => {
                write!(f, "`{name}` has {found} elements, `{other}` has {count}")
            }
            Mismatch::MaskBytes {
                found,
                of: (other, len),
            } => write!(
                f,
                "`{name}` has {found} bytes, not {}: `{other}` has {len} elements",
                len.div_ceil(8)
            ),
            Mismatch::Channels {
                len,
                channels: (other, count),
            } => write!(
                f,
                "`{name}` has {len} elements: no multiple of the {count} channels of `{other}`"
            ),
            Mismatch::Images {
                len,
                channels: (other, count),
                spatial,
            } => write!(
                f,
                "`{name}` has {len} elements: no multiple of the {count} channels of `{other}` times spatial {spatial}"
            ),
            Mismatch::Layout { other } => write!(f, "`{name}` has another layout of channels than `{other}`"),
            Mismatch::Stride { stride, columns } => {
                write!(f, "the {name} {stride} is less than the {columns} columns")
            }
            Mismatch::End { len, columns, stride } if columns == stride => {
                write!(f, "{columns} columns don't divide {len} {name}")
            }
            Mismatch::End { len, columns, stride } => write!(
                f,
                "{len} {name} don't end with a row of {columns}, with a stride of {stride}"
            ),
            Mismatch::Columns { len, columns } => write!(
                f,
                "`{name}` has {len} elements: no multiple of rows of {columns} columns"
            ),
            Mismatch::Strided {
                columns,
                stride,
                needed,
            } => write!(
                f,
                "`{name}` has rows of {columns} columns with a stride of {stride}: rows of {needed} columns are needed"
            ),
            Mismatch::Axes {
                axes,
                other: (other, other_axes),
            } => write!(
                f,
                "tensors of unequal shape: `{name}` is {axes}-dimensional, `{other}` {other_axes}-dimensional"
            ),
            Mismatch::Axis {
                axis,
                len,
                other: (other, other_len),
            } => write!(
                f,
                "tensors of unequal shape: on axis {axis} `{name}` has {len} indices, `{other}` has {other_len}"
            ),
            Mismatch::Outside { len, index } => {
                write!(f, "`{name}` has {len} elements, and the layout leads to index {index}")
            }
            Mismatch::Repeated => write!(f, "the {name} may lead to one element more than once"),
        }
    }
}

impl core::error::Error for ShapeError {}

/// What the methods without `try_` do with an error.
pub(crate) trait OrPanic<T> {
    fn or_panic(self) -> T;
}

impl<T> OrPanic<T> for Result<T, ShapeError> {
    #[inline(always)]
    #[track_caller]
    fn or_panic(self) -> T {
        match self {
            Ok(value) => value,
            Err(error) => error.panic(),
        }
    }
}
