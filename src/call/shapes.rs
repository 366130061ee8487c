//! The shapes of the tensors of a call: checks that they agree, and makes a plan of them.

use super::error::{Mismatch, ShapeError};
use super::views::{Rows, View};
use crate::simd::Element;
use crate::sweep::{Operand, Plan};

/// The layout of the channels of a tensor in memory.
///
/// ```
/// use rectify::{Channels, Fused, Relu};
///
/// // NCHW: an image of two channels, 1 x 3.
/// let mut x = [1.0_f32, -2.0, 3.0, -4.0, 5.0, -6.0];
/// Fused::new(Relu).bias(&[1.0, 7.0], Channels::First { spatial: 3 }).forward_inplace(&mut x);
/// assert_eq!(x, [2.0, 0.0, 4.0, 3.0, 12.0, 1.0]);
///
/// // NHWC: the same numbers as 1 x 3 pixels of two channels.
/// let mut x = [1.0_f32, -2.0, 3.0, -4.0, 5.0, -6.0];
/// Fused::new(Relu).bias(&[1.0, 7.0], Channels::Last).forward_inplace(&mut x);
/// assert_eq!(x, [2.0, 5.0, 4.0, 3.0, 6.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channels {
    /// NHWC, and the output of a dense layer. The channel of element i is `i % channels`.
    Last,
    /// NCHW. The channel of element i is `i / spatial % channels`.
    First {
        /// The number of elements of a channel in an image: height * width.
        spatial: usize,
    },
}

/// The layout and number of channels. The number is the length of the argument `name`.
#[derive(Clone, Copy)]
pub(crate) struct ChannelsOf {
    pub(crate) layout: Channels,
    pub(crate) name: &'static str,
    pub(crate) count: usize,
}

/// A format that the numbers of channels may have beside elements of `T`: `T` itself; for `f16` and `bf16` also `f32`.
///
/// The trait is sealed, as [`Element`] is.
pub trait PerChannel<T: Element>: Element {
    #[doc(hidden)]
    fn numbers(numbers: &[Self]) -> ChannelNumbers<'_, T>;
}

impl<T: Element> PerChannel<T> for T {
    #[doc(hidden)]
    fn numbers(numbers: &[T]) -> ChannelNumbers<'_, T> {
        ChannelNumbers::Elements(numbers)
    }
}

#[cfg(feature = "half")]
impl PerChannel<half::f16> for f32 {
    #[doc(hidden)]
    fn numbers(numbers: &[f32]) -> ChannelNumbers<'_, half::f16> {
        ChannelNumbers::Sums(numbers)
    }
}

#[cfg(feature = "half")]
impl PerChannel<half::bf16> for f32 {
    #[doc(hidden)]
    fn numbers(numbers: &[f32]) -> ChannelNumbers<'_, half::bf16> {
        ChannelNumbers::Sums(numbers)
    }
}

/// A number for each channel, in the format of the elements or of their sums.
#[derive(Clone, Copy, Debug)]
pub enum ChannelNumbers<'a, T: Element> {
    Elements(&'a [T]),
    Sums(&'a [T::Sum]),
}

impl<T: Element> ChannelNumbers<'_, T> {
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Elements(numbers) => numbers.len(),
            Self::Sums(numbers) => numbers.len(),
        }
    }
}

impl ChannelsOf {
    /// Returns `self`. An error if `other`, another argument with a number for each channel, has not the same channels.
    pub(crate) fn matching(self, other: Option<Self>) -> Result<Self, ShapeError> {
        let Some(other) = other else { return Ok(self) };
        if self.layout != other.layout {
            let mismatch = Mismatch::Layout { other: other.name };
            return Err(ShapeError::new(self.name, mismatch));
        }
        if self.count != other.count {
            let (found, other) = (self.count, (other.name, other.count));
            return Err(ShapeError::new(self.name, Mismatch::OtherCount { found, other }));
        }
        Ok(self)
    }

    /// The same channels as a call walks them: of one element each, contiguous images are rows of channels.
    pub(super) fn as_walked(self, inputs: &[Input], outputs: &[(&'static str, View)]) -> Self {
        match self.layout {
            Channels::First { spatial: 1 }
                if divides(Some(self.count), outputs[0].1.shape.len()) && first_strided(inputs, outputs).is_none() =>
            {
                Self {
                    layout: Channels::Last,
                    ..self
                }
            }
            _ => self,
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum RowsInput<'a, T: Element> {
    /// An argument, with its name.
    Rows(&'static str, Rows<'a, T>),
    /// An argument with a number for each channel.
    PerChannel(&'static str, ChannelNumbers<'a, T>),
    /// The bits of one number for all elements.
    Number(&'a T::Lane),
    /// The first output, in-place.
    Output,
}

/// [`RowsInput`] without the type of the elements.
#[derive(Clone, Copy)]
pub(super) enum Input {
    Rows(&'static str, View),
    PerChannel(&'static str, Numbers),
    Number(*mut u8),
    Output,
}

/// [`ChannelNumbers`] without the type of the elements.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    start: *mut u8,
    len: usize,
    size: u8,
}

impl Numbers {
    fn of<N>(numbers: &[N]) -> Self {
        Self {
            start: numbers.as_ptr().cast::<u8>().cast_mut(),
            len: numbers.len(),
            size: size_of::<N>() as u8,
        }
    }
}

impl<T: Element> RowsInput<'_, T> {
    pub(super) fn erased(self) -> Input {
        match self {
            Self::Rows(name, rows) => Input::Rows(name, rows.view()),
            Self::PerChannel(name, ChannelNumbers::Elements(numbers)) => Input::PerChannel(name, Numbers::of(numbers)),
            Self::PerChannel(name, ChannelNumbers::Sums(numbers)) => Input::PerChannel(name, Numbers::of(numbers)),
            Self::Number(number) => Input::Number(core::ptr::from_ref(number).cast::<u8>().cast_mut()),
            Self::Output => Input::Output,
        }
    }
}

pub(super) fn check_count(name: &'static str, found: usize, needed: usize) -> Result<(), ShapeError> {
    if found == needed {
        return Ok(());
    }
    Err(ShapeError::new(name, Mismatch::Count { found, needed }))
}

/// Makes the plan: the shape of the tensors as groups of rows. An error if the shapes don't agree.
// Where it stays: a copy of what was just written waits for the stores.
pub(super) fn make_plan(
    channels: Option<ChannelsOf>,
    inputs: &[Input],
    outputs: &[(&'static str, View)],
    size: usize,
    plan: &mut Plan,
) -> Result<(), ShapeError> {
    let (output_name, elements) = (outputs[0].0, outputs[0].1.shape.len());
    let columns = match channels {
        Some(ChannelsOf {
            layout: Channels::Last,
            name,
            count,
        }) => {
            if !divides(Some(count), elements) {
                let (len, channels) = (elements, (name, count));
                return Err(ShapeError::new(output_name, Mismatch::Channels { len, channels }));
            }
            count
        }
        Some(ChannelsOf {
            layout: Channels::First { spatial },
            name,
            count,
        }) => {
            if !divides(spatial.checked_mul(count), elements) {
                let mismatch = Mismatch::Images {
                    len: elements,
                    channels: (name, count),
                    spatial,
                };
                return Err(ShapeError::new(output_name, mismatch));
            }
            spatial
        }
        None => common_columns(inputs, outputs),
    };
    plan.columns = columns;
    for (i, (name, output)) in outputs.iter().enumerate() {
        (plan.outputs[i], plan.rows) = operand((name, output), (output_name, elements), (plan.rows, columns), size)?;
    }
    for (i, input) in inputs.iter().enumerate() {
        plan.inputs[i] = match *input {
            Input::Rows(name, ref input) => {
                operand((name, input), (output_name, elements), (plan.rows, columns), size)?.0
            }
            Input::PerChannel(name, Numbers { start, len, size }) => {
                let Some(ChannelsOf {
                    layout,
                    name: other,
                    count,
                }) = channels
                else {
                    unreachable!("numbers of channels that aren't there")
                };
                if len != count {
                    let (found, other) = (len, (other, count));
                    return Err(ShapeError::new(name, Mismatch::OtherCount { found, other }));
                }
                let is_broadcast = layout != Channels::Last;
                Operand {
                    start,
                    row_stride: if is_broadcast { size.into() } else { 0 },
                    is_broadcast,
                    size,
                    ..Operand::NONE
                }
            }
            Input::Number(start) => Operand {
                start,
                is_broadcast: true,
                size: size as u8,
                ..Operand::NONE
            },
            Input::Output => plan.outputs[0],
        };
    }
    if let Some(ChannelsOf {
        layout: Channels::First { .. },
        count,
        ..
    }) = channels
    {
        plan.groups = plan.rows.checked_div(count).unwrap_or(0);
        plan.rows = count;
    }
    for operand in plan.inputs.iter_mut().chain(&mut plan.outputs) {
        // An input with a number for each row starts again with each group. With one group the stride is not used.
        if !operand.is_broadcast {
            operand.group_stride = plan.rows.wrapping_mul(operand.row_stride);
        }
    }
    Ok(())
}

/// Returns the rows of a tensor, and their number, which is `likely_rows` if another one was asked before. An error if it
/// has not as many elements as the first output, or no rows of so many columns.
#[inline(always)]
fn operand(
    (name, view): (&'static str, &View),
    output: (&'static str, usize),
    (likely_rows, columns): (usize, usize),
    size: usize,
) -> Result<(Operand, usize), ShapeError> {
    let len = view.shape.len();
    if len != output.1 {
        return Err(ShapeError::new(name, Mismatch::Size { len, other: output }));
    }
    let (rows, stride) = view.shape.rows_of(name, (likely_rows, columns))?;
    let operand = Operand {
        start: view.start,
        // With no columns, the stride is not used and may have any value.
        row_stride: stride.wrapping_mul(size),
        size: size as u8,
        ..Operand::NONE
    };
    Ok((operand, rows))
}

fn divides(divisor: Option<usize>, elements: usize) -> bool {
    elements == 0 || divisor.is_some_and(|divisor| divisor != 0 && elements.is_multiple_of(divisor))
}

/// The columns of the first strided tensor; if all are contiguous, the number of all elements.
fn common_columns(inputs: &[Input], outputs: &[(&'static str, View)]) -> usize {
    first_strided(inputs, outputs).map_or(outputs[0].1.shape.len(), |view| view.shape.columns)
}

fn first_strided<'a>(inputs: &'a [Input], outputs: &'a [(&'static str, View)]) -> Option<&'a View> {
    let inputs = inputs.iter().filter_map(|input| match input {
        Input::Rows(_, input) => Some(input),
        _ => None,
    });
    let mut views = inputs.chain(outputs.iter().map(|(_, output)| output));
    views.find(|view| !view.shape.is_contiguous())
}
