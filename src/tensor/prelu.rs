use crate::call::{AsRowsMut, Channels, ChannelsOf, Map, Params, Rows, RowsCall, RowsInput, RowsMut, Way, loops, ways};
use crate::simd::Element;

/// Parametric ReLU, with a slope for each channel: x where `!(x <= 0)`, else x * slope\[channel\].
///
/// | x | f(x) | gradient | gradient of the slope |
/// | --- | --- | --- | --- |
/// | > 0, +inf | x | g | |
/// | < 0, -inf, -0.0, +0.0 | x * slope | g * slope | g * x |
/// | NaN | the same NaN | g | |
///
/// Where a slope is 0 both products with it are +0.0. Slopes may be anything, since they are learnt: a product that is NaN is the
/// quiet one without a sign and a payload. Products are rounded in `f32` for `f32`, `f16` and `bf16`, else in `f64`, and of `f16` and
/// `bf16` once more; the CPU's rounding and flush-to-zero modes apply. `backward` takes the input of `forward`; it may take the
/// output where all slopes are positive, but for the gradient of the slopes.
///
/// One slope for all is a single channel: [`Channels::First`] with the number of elements, whose gradient is summed in many lanes, and
/// not one element after the other as with [`Channels::Last`]. It is due to He et al. (2015), PyTorch's
/// `prelu` and ONNX's operator `PRelu`. Tensors are slices, or [`Rows`].
///
/// ```
/// use rectify::{Channels, PRelu};
///
/// // Two pixels with two channels.
/// let x = [-1.0_f32, -2.0, 3.0, -4.0];
/// let prelu = PRelu::new(&[0.5, 0.25], Channels::Last);
/// let mut y = [0.0; 4];
/// prelu.forward(&x, &mut y);
/// assert_eq!(y, [-0.5, -0.5, 3.0, -1.0]);
///
/// let (mut grad_input, mut grad_slopes) = ([0.0; 4], [0.0; 2]);
/// prelu.backward(&x, &[1.0; 4], &mut grad_input, &mut grad_slopes);
/// assert_eq!(grad_input, [0.5, 0.25, 1.0, 0.25]);
/// assert_eq!(grad_slopes, [-1.0, -6.0]);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing before one of its methods is given tensors"]
pub struct PRelu<'a, T> {
    slopes: &'a [T],
    channels: Channels,
    way: Way,
}

impl<'a, T: Element> PRelu<'a, T> {
    /// With a slope for each channel.
    pub fn new(slopes: &'a [T], channels: Channels) -> Self {
        Self {
            slopes,
            channels,
            way: Way::default(),
        }
    }

    ways!();

    /// `output = f(input)`
    ///
    /// # Panics
    ///
    /// When the tensors have not the same number of elements, the channels don't divide it, or the rows of one that has something
    /// between them don't fit the channels. Nothing is written then.
    #[track_caller]
    pub fn forward<'b>(self, input: impl Into<Rows<'b, T>>, output: &'b mut (impl AsRowsMut<T> + ?Sized))
    where
        'a: 'b,
    {
        self.run(RowsInput::Rows("input", input.into()), ("output", output.as_rows_mut()));
    }

    /// `x = f(x)`
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn forward_inplace<'b>(self, x: &'b mut (impl AsRowsMut<T> + ?Sized))
    where
        'a: 'b,
    {
        self.run(RowsInput::Output, ("x", x.as_rows_mut()));
    }

    #[track_caller]
    fn run<'b>(self, input: RowsInput<'b, T>, output: (&'static str, RowsMut<'b, T>))
    where
        'a: 'b,
    {
        let value = Map::Rows(const { loops::PRELU_VALUE[T::INDEX] }, &Params::new(()));
        RowsCall::new(self.channels(), [input, self.slopes()], [output]).map(value, self.way);
    }

    fn channels(&self) -> Option<ChannelsOf> {
        Some(ChannelsOf {
            layout: self.channels,
            name: "slopes",
            count: self.slopes.len(),
        })
    }

    fn slopes(&self) -> RowsInput<'a, T> {
        match self.channels {
            Channels::Last => RowsInput::Row("slopes", self.slopes),
            Channels::First { .. } => RowsInput::PerRow(self.slopes),
        }
    }

    /// `grad_input = f'(input) * grad_output`, and in the same pass the gradient of the slopes: of each channel the sum of
    /// input * `grad_output` where input <= 0, in the format [`Element::Sum`] and in the order of
    /// [`Fused::backward_bias`](crate::Fused::backward_bias), the same on every instruction set and number of threads.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), and when `grad_slopes` has not as many elements as the slopes.
    #[track_caller]
    pub fn backward<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad_output: impl Into<Rows<'b, T>>,
        grad_input: &'b mut (impl AsRowsMut<T> + ?Sized),
        grad_slopes: &mut [T::Sum],
    ) where
        'a: 'b,
    {
        let grad_output = RowsInput::Rows("grad_output", grad_output.into());
        self.run_backward(
            input.into(),
            grad_output,
            ("grad_input", grad_input.as_rows_mut()),
            grad_slopes,
        );
    }

    /// [`backward`](Self::backward) with the gradient at the output overwritten by the one at the input.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), and when `grad_slopes` has not as many elements as the slopes.
    #[track_caller]
    pub fn backward_inplace<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad: &'b mut (impl AsRowsMut<T> + ?Sized),
        grad_slopes: &mut [T::Sum],
    ) where
        'a: 'b,
    {
        self.run_backward(
            input.into(),
            RowsInput::Output,
            ("grad", grad.as_rows_mut()),
            grad_slopes,
        );
    }

    #[track_caller]
    fn run_backward<'b>(
        self,
        input: Rows<'b, T>,
        grad_output: RowsInput<'b, T>,
        output: (&'static str, RowsMut<'b, T>),
        grad_slopes: &mut [T::Sum],
    ) where
        'a: 'b,
    {
        let gradient = Map::Rows(const { loops::PRELU_GRADIENT[T::INDEX] }, &Params::new(()));
        let inputs = [RowsInput::Rows("input", input), grad_output, self.slopes()];
        RowsCall::new(self.channels(), inputs, [output]).map_and_sum_inputs(
            gradient,
            const { loops::PRELU_SUMS[T::INDEX] },
            ("grad_slopes", grad_slopes),
            self.way,
        );
    }
}
