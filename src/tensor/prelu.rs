use crate::call::{
    AsRowsMut, CallOptions, Channels, ChannelsOf, Kernel, OrPanic, Params, PerChannel, Plan, Rows, RowsCall, RowsInput,
    RowsMut, ShapeError, call_options, loops,
};
use crate::function::prelu_params;
use crate::simd::Element;

/// Parametric ReLU: f(x) = x where `!(x <= 0)`, else x * slope\[channel\], with a slope for each channel.
///
/// | x | f(x) | gradient | summand of the gradient of the slope |
/// | --- | --- | --- | --- |
/// | > 0, +inf | x | g | +0.0 |
/// | < 0, -inf, -0.0, +0.0 | x * slope | g * slope | g * x |
/// | NaN | the same NaN | g | +0.0 |
///
/// Tensors are slices, or [`Rows`] and [`RowsMut`].
///
/// ```
/// use rectify::{Channels, PRelu};
///
/// // NHWC: two pixels with two channels.
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
///
/// NCHW:
///
/// ```
/// use rectify::{Channels, PRelu};
///
/// // An image of two channels.
/// let (height, width) = (1, 2);
/// let x = [-1.0_f32, 2.0, -4.0, 3.0];
/// let mut y = [0.0; 4];
/// PRelu::new(&[0.5, 0.25], Channels::First { spatial: height * width }).forward(&x, &mut y);
/// assert_eq!(y, [-0.5, 2.0, -1.0, 3.0]);
/// ```
///
/// One slope for all elements is a single channel, `Channels::First { spatial: x.len() }`. [`Channels::Last`] would sum
/// the gradient of the slope one element after the other, which is slow.
///
/// # Notes
///
/// - `backward` accepts the input of `forward`. Where all slopes are positive, `grad_input` is the same from the output
///   of `forward`, but `grad_slopes` is not.
/// - Where a slope is 0, products with it are +0.0. Slopes are learnt, so any value is allowed.
/// - A product that is NaN is the canonical quiet NaN: positive, with only the quiet bit set.
/// - Value and gradient are the exact products rounded to nearest even: within 0.5 ulp, subnormal `bf16` 0.51. The
///   summands of the gradient of a slope are products in [`Element::Sum`]: exact for `f16` and `bf16` except those that
///   leave the range of `f32`. The CPU's rounding and flush-to-zero modes apply.
///
/// It is PyTorch's `prelu` and ONNX's operator `PRelu`. It is due to He et al. (2015).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch: the gradient at NaN is g * slope.
/// - PyTorch in `f16` and `bf16`: the gradient of a slope is a sum of rounded products, and rounded to the format.
/// - PyTorch: the gradient of a slope is NaN where an x is.
/// - ONNX Runtime: zeros are returned as they are, whatever the slope.
/// - PyTorch, ONNX Runtime: products with a slope of 0 are computed: -0.0 instead of +0.0, or NaN.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing before one of its methods is given tensors"]
pub struct PRelu<'a, T> {
    slopes: &'a [T],
    channels: Channels,
    options: CallOptions,
}

impl<'a, T: Element> PRelu<'a, T> {
    /// Parametric ReLU with a slope for each channel.
    pub fn new(slopes: &'a [T], channels: Channels) -> Self {
        Self {
            slopes,
            channels,
            options: CallOptions::default(),
        }
    }

    call_options!();

    /// `output = f(input)`
    ///
    /// # Panics
    ///
    /// Panics before anything is written if the tensors differ in their number of elements, if the channels don't
    /// divide it, or if the rows of a strided tensor have another length than those of [`Channels`].
    #[track_caller]
    pub fn forward<'b>(self, input: impl Into<Rows<'b, T>>, output: &'b mut (impl AsRowsMut<T> + ?Sized))
    where
        'a: 'b,
    {
        self.try_forward(input, output).or_panic();
    }

    /// [`forward`](Self::forward), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `forward` panics.
    pub fn try_forward<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        output: &'b mut (impl AsRowsMut<T> + ?Sized),
    ) -> Result<(), ShapeError>
    where
        'a: 'b,
    {
        self.run(RowsInput::Rows("input", input.into()), ("output", output.as_rows_mut()))
    }

    /// `x = f(x)`, in-place.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn forward_inplace<'b>(self, x: &'b mut (impl AsRowsMut<T> + ?Sized))
    where
        'a: 'b,
    {
        self.try_forward_inplace(x).or_panic();
    }

    /// [`forward_inplace`](Self::forward_inplace), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `forward_inplace` panics.
    pub fn try_forward_inplace<'b>(self, x: &'b mut (impl AsRowsMut<T> + ?Sized)) -> Result<(), ShapeError>
    where
        'a: 'b,
    {
        self.run(RowsInput::Output, ("x", x.as_rows_mut()))
    }

    fn run<'b>(self, input: RowsInput<'b, T>, output: (&'static str, RowsMut<'b, T>)) -> Result<(), ShapeError>
    where
        'a: 'b,
    {
        let value = Kernel::Rows(
            const { loops::PRELU_VALUE[T::INDEX] },
            &Params::new(prelu_params::<T>()),
        );
        RowsCall::new(&mut Plan::empty(), self.channels(), [input, self.slopes()], [output])?.map(value, self.options);
        Ok(())
    }

    fn channels(&self) -> Option<ChannelsOf> {
        Some(ChannelsOf {
            layout: self.channels,
            name: "slopes",
            count: self.slopes.len(),
        })
    }

    fn slopes(&self) -> RowsInput<'a, T> {
        RowsInput::PerChannel("slopes", T::numbers(self.slopes))
    }

    /// `grad_input = f'(input) * grad_output`, and in the same pass the gradient of the slopes.
    ///
    /// `grad_slopes[channel]` is the sum of input * `grad_output` over the channel's elements with input <= 0, in the
    /// format [`Element::Sum`]. It is overwritten. The reduction order is that of
    /// [`Fused::backward_bias`](crate::Fused::backward_bias): the same on every instruction set and with any number of
    /// threads.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), and if `grad_slopes` differs in length from the slopes.
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
        self.try_backward(input, grad_output, grad_input, grad_slopes)
            .or_panic();
    }

    /// [`backward`](Self::backward), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `backward` panics.
    pub fn try_backward<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad_output: impl Into<Rows<'b, T>>,
        grad_input: &'b mut (impl AsRowsMut<T> + ?Sized),
        grad_slopes: &mut [T::Sum],
    ) -> Result<(), ShapeError>
    where
        'a: 'b,
    {
        let grad_output = RowsInput::Rows("grad_output", grad_output.into());
        self.run_backward(
            input.into(),
            grad_output,
            ("grad_input", grad_input.as_rows_mut()),
            grad_slopes,
        )
    }

    /// [`backward`](Self::backward) in-place: `grad` holds the gradient at the output, and is overwritten by that at
    /// the input.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), and if `grad_slopes` differs in length from the slopes.
    #[track_caller]
    pub fn backward_inplace<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad: &'b mut (impl AsRowsMut<T> + ?Sized),
        grad_slopes: &mut [T::Sum],
    ) where
        'a: 'b,
    {
        self.try_backward_inplace(input, grad, grad_slopes).or_panic();
    }

    /// [`backward_inplace`](Self::backward_inplace), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `backward_inplace` panics.
    pub fn try_backward_inplace<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad: &'b mut (impl AsRowsMut<T> + ?Sized),
        grad_slopes: &mut [T::Sum],
    ) -> Result<(), ShapeError>
    where
        'a: 'b,
    {
        self.run_backward(
            input.into(),
            RowsInput::Output,
            ("grad", grad.as_rows_mut()),
            grad_slopes,
        )
    }

    fn run_backward<'b>(
        self,
        input: Rows<'b, T>,
        grad_output: RowsInput<'b, T>,
        output: (&'static str, RowsMut<'b, T>),
        grad_slopes: &mut [T::Sum],
    ) -> Result<(), ShapeError>
    where
        'a: 'b,
    {
        let gradient = Kernel::Rows(
            const { loops::PRELU_GRADIENT[T::INDEX] },
            &Params::new(prelu_params::<T>()),
        );
        let inputs = [RowsInput::Rows("input", input), grad_output, self.slopes()];
        RowsCall::new(&mut Plan::empty(), self.channels(), inputs, [output])?.map_and_sum_inputs(
            gradient,
            const { loops::PRELU_SUMS[T::INDEX] },
            ("grad_slopes", grad_slopes),
            self.options,
        )
    }
}
