//! A function fused with a scale, a bias and a residual.

use core::mem::MaybeUninit;

use crate::activation::Activation;
use crate::call::{
    AsRowsMut, CallOptions, ChannelNumbers, Channels, ChannelsOf, Destination, Kernel, OrPanic, Params, PerChannel,
    Plan, Rows, RowsCall, RowsInput, RowsMut, ShapeError, call_options, loops,
};
use crate::simd::{Element, Lane};

/// A function fused with a scale and a bias per channel and a residual, in one pass over memory.
///
/// > output = f(z), z = (input * scale\[channel\] + bias\[channel\]) + residual
///
/// f is any [`Activation`]. Scale, bias and residual are optional. A folded batch normalization is a scale and a bias. This is a fused epilogue, as oneDNN's post-ops and
/// cuBLASLt's `RELU_BIAS` and `DRELU_BGRAD` are.
///
/// ```
/// use rectify::{Channels, Fused, Relu};
///
/// // NHWC, or a dense layer: two pixels with three channels.
/// let mut x = [1.0_f32, -2.0, 3.0, -4.0, 5.0, -6.0];
/// let skip = [0.5_f32; 6];
/// Fused::new(Relu).bias(&[1.0, 0.0, -3.0], Channels::Last).residual(&skip).forward_inplace(&mut x);
/// assert_eq!(x, [2.5, 0.0, 0.5, 0.0, 5.5, 0.0]);
///
/// // Backward, with the gradient of the bias. ReLU's gradient may be computed from its output.
/// let mut grad = [1.0_f32; 6];
/// let mut grad_bias = [0.0_f32; 3];
/// Fused::new(Relu).backward_bias_inplace(&x, &mut grad, Channels::Last, &mut grad_bias);
/// assert_eq!(grad, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
/// assert_eq!(grad_bias, [1.0, 1.0, 1.0]);
/// ```
///
/// NCHW:
///
/// ```
/// use rectify::{Channels, Fused, Relu};
///
/// // An image of two channels.
/// let (height, width) = (1, 3);
/// let channels = Channels::First { spatial: height * width };
/// let mut x = [1.0_f32, -2.0, 3.0, -4.0, 5.0, -6.0];
/// Fused::new(Relu).bias(&[1.0, 7.0], channels).forward_inplace(&mut x);
/// assert_eq!(x, [2.0, 0.0, 4.0, 3.0, 12.0, 1.0]);
/// ```
///
/// A folded batch normalization of `bf16` elements, with its numbers in `f32`:
///
/// ```
/// # #[cfg(feature = "half")] {
/// use rectify::{Channels, Fused, Relu, bf16};
///
/// // gamma / sqrt(variance + eps), and beta - mean * scale.
/// let (scale, bias) = ([0.5_f32, 2.0], [0.25_f32, -1.0]);
/// let mut x = [1.0, 2.0, -3.0, 0.25].map(bf16::from_f32);
/// Fused::new(Relu).scale(&scale, Channels::Last).bias(&bias, Channels::Last).forward_inplace(&mut x);
/// assert_eq!(x, [0.75, 3.0, 0.0, 0.0].map(bf16::from_f32));
/// # }
/// ```
///
/// # Tensors
///
/// A tensor is a slice, an array, a vector, [`Rows`] or [`RowsMut`]. All tensors have the same number of elements.
///
/// The rows of a strided tensor have as many columns as there are channels with [`Channels::Last`], and `spatial`
/// columns with [`Channels::First`]. Without channels, all strided tensors have rows of the same length.
///
/// # Notes
///
/// - The product and each sum are rounded in `f32` for `f32`, `f16` and `bf16`, else in `f64`; product and sum are not a fused
///   multiply-add. z is rounded to the format of the elements.
/// - For `f32` and `f64` the result is that of separate passes, bit for bit, except where z is NaN: it is the canonical
///   quiet NaN (positive, with only the quiet bit set).
/// - Without scale, bias and residual, z is the input, bit for bit.
/// - The CPU's rounding and flush-to-zero modes apply to the product and the sums.
/// - [`PRelu`](crate::PRelu) is not an [`Activation`], and can't be fused. There is no `Fused` with a mask.
/// - Bias without a function: `LeakyRelu::new(1.0)` is the identity.
/// - A wrong number of channels, or a wrong `spatial`, is noticed only if it doesn't divide the number of elements.
/// - A call needs 33 KB of stack.
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing before one of its methods is given tensors"]
pub struct Fused<'a, A, T: Element> {
    activation: A,
    scale: Option<(ChannelNumbers<'a, T>, Channels)>,
    bias: Option<(ChannelNumbers<'a, T>, Channels)>,
    residual: Option<Rows<'a, T>>,
    options: CallOptions,
}

impl<'a, A: Activation, T: Element> Fused<'a, A, T> {
    /// The function without scale, bias and residual.
    pub fn new(activation: A) -> Self {
        Self {
            activation,
            scale: None,
            bias: None,
            residual: None,
            options: CallOptions::default(),
        }
    }

    /// Multiplies by a scale: a number for each channel, broadcast to all its elements. It has the format of the elements; that
    /// of `f16` and `bf16` may be `f32`.
    pub fn scale<N: PerChannel<T>>(self, scale: &'a [N], channels: Channels) -> Self {
        Self {
            scale: Some((N::numbers(scale), channels)),
            ..self
        }
    }

    /// Adds a bias: a number for each channel, as with [`scale`](Self::scale).
    pub fn bias<N: PerChannel<T>>(self, bias: &'a [N], channels: Channels) -> Self {
        Self {
            bias: Some((N::numbers(bias), channels)),
            ..self
        }
    }

    /// Adds a residual: a tensor with as many elements as the input.
    pub fn residual(self, residual: impl Into<Rows<'a, T>>) -> Self {
        Self {
            residual: Some(residual.into()),
            ..self
        }
    }

    call_options!();

    /// `output = f(z)`
    ///
    /// # Panics
    ///
    /// Panics before anything is written if the tensors differ in their number of elements, if the channels don't
    /// divide it, if scale and bias differ in their length or layout, or if the rows of a strided tensor have another length than the layout or another strided tensor
    /// requires.
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

    /// `x = f(z)`, in-place: z is computed from x.
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

    /// [`forward`](Self::forward) to memory that may be uninitialized. Returns it as initialized elements.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn forward_uninit<'b>(self, input: impl Into<Rows<'b, T>>, output: &'b mut [MaybeUninit<T>]) -> &'b mut [T]
    where
        'a: 'b,
    {
        self.try_forward_uninit(input, output).or_panic()
    }

    /// [`forward_uninit`](Self::forward_uninit), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `forward_uninit` panics.
    pub fn try_forward_uninit<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        output: &'b mut [MaybeUninit<T>],
    ) -> Result<&'b mut [T], ShapeError>
    where
        'a: 'b,
    {
        self.run(RowsInput::Rows("input", input.into()), ("output", output))
    }

    fn run<'b, D: Destination<'b, T>>(
        self,
        input: RowsInput<'b, T>,
        output: (&'static str, D),
    ) -> Result<D::Written, ShapeError>
    where
        'a: 'b,
    {
        let mut params = Params::uninit();
        self.activation.write_loop_params::<T>(&mut params);
        let value = self.activation.forward_loops::<T>();
        if self.scale.is_none() && self.bias.is_none() && self.residual.is_none() {
            return RowsCall::map_to(None, [input], output, Kernel::Slices(value, &params), self.options);
        }
        let channels = self.channels()?;
        // -0.0: it changes no number, not even -0.0, unless the CPU rounds down.
        let absent = RowsInput::Number(<T::Lane as Lane>::MINUS_ZERO);
        let of_channels = |name, numbers: Option<(ChannelNumbers<'a, T>, Channels)>, absent| {
            numbers.map_or(absent, |(numbers, _)| RowsInput::PerChannel(name, numbers))
        };
        let bias = of_channels("bias", self.bias, absent);
        let residual = self
            .residual
            .map_or(absent, |residual| RowsInput::Rows("residual", residual));
        let is_sum = self.scale.is_none() && !matches!(self.bias, Some((ChannelNumbers::Sums(_), _)));
        let [fused, scaled] = [self.activation.fused_loops::<T>(), self.activation.scaled_loops::<T>()];
        if is_sum && (fused.is_compiled() || !scaled.is_compiled()) {
            let kernel = Kernel::Composed {
                fused,
                sum: const { loops::SUM[T::INDEX] },
                value,
                params: &params,
            };
            return RowsCall::map_to(channels, [input, bias, residual], output, kernel, self.options);
        }
        let scale = of_channels("scale", self.scale, RowsInput::Number(T::ONE));
        let kernel = Kernel::Composed {
            fused: scaled,
            sum: const { loops::AFFINE[T::INDEX] },
            value,
            params: &params,
        };
        RowsCall::map_to(channels, [input, scale, bias, residual], output, kernel, self.options)
    }

    /// The channels of scale and bias. An error if they differ.
    fn channels(&self) -> Result<Option<ChannelsOf>, ShapeError> {
        let of = |name, numbers: Option<(ChannelNumbers<'_, T>, _)>| {
            numbers.map(|(numbers, layout)| ChannelsOf {
                layout,
                name,
                count: numbers.len(),
            })
        };
        let scale = of("scale", self.scale);
        match of("bias", self.bias) {
            None => Ok(scale),
            Some(bias) => bias.matching(scale).map(|bias| scale.or(Some(bias))),
        }
    }

    /// `grad_input = f'(input) * grad_output`, as [`Activation::backward`] defines it.
    ///
    /// With a bias or a residual, `input` is **not** the input of `forward`: it is z, or the output of `forward` if the page
    /// of the function allows it. The bias and the residual of `self` are not added. A function that needs z, such as
    /// [`HardSwish`](crate::HardSwish), is applied in a pass of its own: `LeakyRelu::new(1.0)`, the identity, fused with
    /// the bias gives z.
    ///
    /// `grad_input` is the gradient at the input of [`forward`](Self::forward), and also the gradient at the residual.
    ///
    /// With a scale, it is the gradient at the input alone: (f'(input) * `grad_output`) * scale\[channel\], where the first product
    /// is rounded to the format of the elements. That product is the gradient at the residual: what a `Fused` without the
    /// scale returns.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), of these tensors.
    #[track_caller]
    pub fn backward<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad_output: impl Into<Rows<'b, T>>,
        grad_input: &'b mut (impl AsRowsMut<T> + ?Sized),
    ) {
        self.try_backward(input, grad_output, grad_input).or_panic();
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
    ) -> Result<(), ShapeError> {
        let grad_output = RowsInput::Rows("grad_output", grad_output.into());
        self.run_backward(
            None,
            input.into(),
            grad_output,
            ("grad_input", grad_input.as_rows_mut()),
            None,
        )
    }

    /// `grad = f'(input) * grad`: [`backward`](Self::backward) in-place.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), of these tensors.
    #[track_caller]
    pub fn backward_inplace<'b>(self, input: impl Into<Rows<'b, T>>, grad: &'b mut (impl AsRowsMut<T> + ?Sized)) {
        self.try_backward_inplace(input, grad).or_panic();
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
    ) -> Result<(), ShapeError> {
        self.run_backward(
            None,
            input.into(),
            RowsInput::Output,
            ("grad", grad.as_rows_mut()),
            None,
        )
    }

    /// [`backward`](Self::backward), and in the same pass the gradient of the bias.
    ///
    /// `grad_bias[channel]` is the sum of the channel's elements of `grad_input`, as they are written without a scale, in the
    /// format [`Element::Sum`]. It is overwritten. The length of `grad_bias` is the number of channels.
    ///
    /// # Reduction order
    ///
    /// The reduction order depends only on the shape. So the bits are the same on every instruction set and with any
    /// number of threads. Every sum starts from +0.0, and every addition is rounded.
    ///
    /// - Channels last: 256 elements of a channel are added in their order. Then the sums of these groups are added in
    ///   their order.
    /// - Channels first, with fewer than 32 elements of a channel in an image (16 of `f64`): the elements at each place in
    ///   the images are added as with channels last. Then the sum of place i is added to accumulator i % 4, and the
    ///   second half of the accumulators to the first half, until one is left. So a `spatial` of 1 is channels last.
    /// - Channels first, with more: a channel of an image is divided into stretches of 8192 elements (4096 of `f64`). Element i of
    ///   a stretch is added to accumulator i % 32 (i % 16 of `f64`). Then the second half of the accumulators is added
    ///   to the first half, until one is left. Then the sums of the stretches are added in their order, and then those
    ///   of the images.
    ///
    /// A sum that is NaN is the canonical quiet NaN.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), with `grad_bias.len()` channels; and if `self` has a scale or bias of another length
    /// or layout.
    #[track_caller]
    pub fn backward_bias<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad_output: impl Into<Rows<'b, T>>,
        grad_input: &'b mut (impl AsRowsMut<T> + ?Sized),
        channels: Channels,
        grad_bias: &mut [T::Sum],
    ) {
        self.try_backward_bias(input, grad_output, grad_input, channels, grad_bias)
            .or_panic();
    }

    /// [`backward_bias`](Self::backward_bias), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `backward_bias` panics.
    pub fn try_backward_bias<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad_output: impl Into<Rows<'b, T>>,
        grad_input: &'b mut (impl AsRowsMut<T> + ?Sized),
        channels: Channels,
        grad_bias: &mut [T::Sum],
    ) -> Result<(), ShapeError> {
        let grad_output = RowsInput::Rows("grad_output", grad_output.into());
        let output = ("grad_input", grad_input.as_rows_mut());
        self.run_backward(Some(channels), input.into(), grad_output, output, Some(grad_bias))
    }

    /// [`backward_bias`](Self::backward_bias) in-place: `grad` holds the gradient at the output, and is overwritten by
    /// that at the input.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), with `grad_bias.len()` channels; and if `self` has a scale or bias of another length
    /// or layout.
    #[track_caller]
    pub fn backward_bias_inplace<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad: &'b mut (impl AsRowsMut<T> + ?Sized),
        channels: Channels,
        grad_bias: &mut [T::Sum],
    ) {
        self.try_backward_bias_inplace(input, grad, channels, grad_bias)
            .or_panic();
    }

    /// [`backward_bias_inplace`](Self::backward_bias_inplace), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `backward_bias_inplace` panics.
    pub fn try_backward_bias_inplace<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad: &'b mut (impl AsRowsMut<T> + ?Sized),
        channels: Channels,
        grad_bias: &mut [T::Sum],
    ) -> Result<(), ShapeError> {
        let output = ("grad", grad.as_rows_mut());
        self.run_backward(Some(channels), input.into(), RowsInput::Output, output, Some(grad_bias))
    }

    fn run_backward<'b>(
        self,
        channels: Option<Channels>,
        input: Rows<'b, T>,
        grad_output: RowsInput<'b, T>,
        output: (&'static str, RowsMut<'b, T>),
        grad_bias: Option<&mut [T::Sum]>,
    ) -> Result<(), ShapeError> {
        let mut params = Params::uninit();
        self.activation.write_loop_params::<T>(&mut params);
        let gradient = self.activation.backward_loops::<T>();
        let mut of_channels = self.channels()?;
        if let Some(layout) = channels {
            let of_sums = ChannelsOf {
                layout,
                name: "grad_bias",
                count: grad_bias.as_ref().map_or(0, |grad_bias| grad_bias.len()),
            };
            of_channels = Some(of_sums.matching(of_channels)?);
        }
        let input = RowsInput::Rows("input", input);
        let mut plan = Plan::empty();
        let (call, kernel) = match self.scale {
            None => {
                let channels = of_channels.filter(|_| grad_bias.is_some());
                let call = RowsCall::new(&mut plan, channels, [input, grad_output], [output])?;
                (call, Kernel::Slices(gradient, &params))
            }
            Some((scale, _)) => {
                let scale = RowsInput::PerChannel("scale", scale);
                let absent = RowsInput::Number(<T::Lane as Lane>::MINUS_ZERO);
                let call = RowsCall::new(&mut plan, of_channels, [input, scale, absent, grad_output], [output])?;
                let kernel = Kernel::Scaled {
                    gradient,
                    scale: const { loops::AFFINE[T::INDEX] },
                    params: &params,
                };
                (call, kernel)
            }
        };
        match grad_bias {
            None => {
                call.map(kernel, self.options);
                Ok(())
            }
            Some(grad_bias) => {
                let sums = const { loops::SUMS[T::INDEX] };
                call.map_and_sum_outputs(kernel, sums, ("grad_bias", grad_bias), self.options)
            }
        }
    }
}
