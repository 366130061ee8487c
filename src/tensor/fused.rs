//! What engines do beside an activation, in the same pass.

use crate::activation::Activation;
use crate::call::{AsRowsMut, Channels, ChannelsOf, Map, Rows, RowsCall, RowsInput, RowsMut, Way, loops, ways};
use crate::simd::{Element, Lane};

/// A function of the family on matrices, with what engines do right before it in the same pass over memory: the addition of a bias
/// per channel and of a residual.
///
/// > output = f(z), z = (input + bias\[channel\]) + residual
///
/// The sums are rounded each, in `f32` for `f32`, `f16` and `bf16`, else in `f64`; z is rounded to the format of the elements, and
/// f is that of `forward`. So for `f32` and `f64` the result is that of separate passes, bit for bit; where z is NaN it is the quiet
/// NaN without a sign and a payload. Without a bias and a residual, z is the input as it is. The CPU's rounding and
/// flush-to-zero modes apply to the sums.
///
/// f is any [`Activation`] (which [`PRelu`](crate::PRelu) is not). Tensors are slices, arrays, vectors or [`Rows`] and [`RowsMut`].
/// They all have the same number of elements; where one has
/// something between its rows, the others are taken for rows of as many columns. With a bias, rows have as many columns as there are
/// channels where these come last, and `spatial` columns where they come first.
///
/// ```
/// use rectify::{Channels, Fused, Relu};
///
/// // Two pixels with three channels.
/// let mut x = [1.0_f32, -2.0, 3.0, -4.0, 5.0, -6.0];
/// let skip = [0.5_f32; 6];
/// Fused::new(Relu).bias(&[1.0, 0.0, -3.0], Channels::Last).residual(&skip).forward_inplace(&mut x);
/// assert_eq!(x, [2.5, 0.0, 0.5, 0.0, 5.5, 0.0]);
///
/// // Backward, with the gradient of the bias. ReLU may be given its output for its input.
/// let mut grad = [1.0_f32; 6];
/// let mut grad_bias = [0.0_f32; 3];
/// Fused::new(Relu).backward_bias_inplace(&x, &mut grad, Channels::Last, &mut grad_bias);
/// assert_eq!(grad, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
/// assert_eq!(grad_bias, [1.0, 1.0, 1.0]);
/// ```
///
/// Engines know this as an epilogue: oneDNN's post-ops, cuBLASLt's `RELU_BIAS` and `DRELU_BGRAD`.
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing before one of its methods is given tensors"]
pub struct Fused<'a, A, T> {
    activation: A,
    bias: Option<(&'a [T], Channels)>,
    residual: Option<Rows<'a, T>>,
    way: Way,
}

impl<'a, A: Activation, T: Element> Fused<'a, A, T> {
    /// The function alone, so far.
    pub fn new(activation: A) -> Self {
        Self {
            activation,
            bias: None,
            residual: None,
            way: Way::default(),
        }
    }

    /// With a number that is added to all elements of a channel.
    pub fn bias(self, bias: &'a [T], channels: Channels) -> Self {
        Self {
            bias: Some((bias, channels)),
            ..self
        }
    }

    /// With a tensor that is added.
    pub fn residual(self, residual: impl Into<Rows<'a, T>>) -> Self {
        Self {
            residual: Some(residual.into()),
            ..self
        }
    }

    ways!();

    /// `output = f(z)`
    ///
    /// # Panics
    ///
    /// When the tensors have not the same number of elements, the channels don't divide it, or the rows of one that has something
    /// between them don't fit the channels, or the others'. Nothing is written then.
    #[track_caller]
    pub fn forward<'b>(self, input: impl Into<Rows<'b, T>>, output: &'b mut (impl AsRowsMut<T> + ?Sized))
    where
        'a: 'b,
    {
        self.run(RowsInput::Rows("input", input.into()), ("output", output.as_rows_mut()));
    }

    /// `x = f(z)`, with x as the input.
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
        let params = self.activation.loop_params::<T>();
        let value = self.activation.forward_loops::<T>();
        if self.bias.is_none() && self.residual.is_none() {
            RowsCall::new(None, [input], [output]).map(Map::Slices(value, &params), self.way);
            return;
        }
        // -0.0: it changes no number, not even -0.0, unless the CPU rounds down.
        let absent = &<T::Lane as Lane>::SIGN_BIT;
        let (channels, bias) = match self.bias {
            None => (None, RowsInput::Number(absent)),
            Some((bias, layout)) => {
                let input = match layout {
                    Channels::Last => RowsInput::Row("bias", bias),
                    Channels::First { .. } => RowsInput::PerRow(bias),
                };
                (
                    Some(ChannelsOf {
                        layout,
                        name: "bias",
                        count: bias.len(),
                    }),
                    input,
                )
            }
        };
        let residual = self.residual.map_or(RowsInput::Number(absent), |residual| {
            RowsInput::Rows("residual", residual)
        });
        let map = Map::Fused {
            fused: self.activation.fused_loops::<T>(),
            sum: const { loops::SUM[T::INDEX] },
            value,
            params: &params,
        };
        RowsCall::new(channels, [input, bias, residual], [output]).map(map, self.way);
    }

    /// `grad_input = f'(input) * grad_output` as [`Activation::backward`] has it, with z as the input (or, where the function's page
    /// allows it, its output). It is the gradient at the input of [`forward`](Self::forward) and at the residual, which are the same. The
    /// bias and the residual of this value are not added: the caller has z, or the output.
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
        let grad_output = RowsInput::Rows("grad_output", grad_output.into());
        self.run_backward(
            None,
            input.into(),
            grad_output,
            ("grad_input", grad_input.as_rows_mut()),
            None,
        );
    }

    /// `grad = f'(input) * grad`: [`backward`](Self::backward) in place.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), of these tensors.
    #[track_caller]
    pub fn backward_inplace<'b>(self, input: impl Into<Rows<'b, T>>, grad: &'b mut (impl AsRowsMut<T> + ?Sized)) {
        self.run_backward(
            None,
            input.into(),
            RowsInput::Output,
            ("grad", grad.as_rows_mut()),
            None,
        );
    }

    /// [`backward`](Self::backward), and in the same pass the gradient of the bias: of each channel the sum of `grad_input`, as it is
    /// written, in the format [`Element::Sum`]; what was in `grad_bias` is overwritten.
    /// It has an element for each channel: its length says how many there are.
    ///
    /// Sums start from +0.0 and are rounded each. One of an order that depends on the shape alone, whatever the instruction set and
    /// the number of threads:
    ///
    /// - Channels last: a channel's elements are added one by one, in their order, 256 at a time; and these sums in theirs.
    /// - Channels first: a channel's elements in a stretch of 8192 (4096 of `f64`) of an image are added in 32 (16) lanes, the first one in
    ///   the first lane; the second half of the lanes to the first one, until one is left; then the stretches of an image, and then
    ///   the images, in their order.
    ///
    /// A sum that is NaN is the quiet one without a sign and a payload.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), with one channel for each number of `grad_bias`; and when this value has a bias of another length.
    #[track_caller]
    pub fn backward_bias<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad_output: impl Into<Rows<'b, T>>,
        grad_input: &'b mut (impl AsRowsMut<T> + ?Sized),
        channels: Channels,
        grad_bias: &mut [T::Sum],
    ) {
        let grad_output = RowsInput::Rows("grad_output", grad_output.into());
        let output = ("grad_input", grad_input.as_rows_mut());
        self.run_backward(Some(channels), input.into(), grad_output, output, Some(grad_bias));
    }

    /// [`backward_bias`](Self::backward_bias) with the gradient at the output overwritten by the one at the input.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), with one channel for each number of `grad_bias`; and when this value has a bias of another length.
    #[track_caller]
    pub fn backward_bias_inplace<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad: &'b mut (impl AsRowsMut<T> + ?Sized),
        channels: Channels,
        grad_bias: &mut [T::Sum],
    ) {
        let output = ("grad", grad.as_rows_mut());
        self.run_backward(Some(channels), input.into(), RowsInput::Output, output, Some(grad_bias));
    }

    #[track_caller]
    fn run_backward<'b>(
        self,
        channels: Option<Channels>,
        input: Rows<'b, T>,
        grad_output: RowsInput<'b, T>,
        output: (&'static str, RowsMut<'b, T>),
        grad_bias: Option<&mut [T::Sum]>,
    ) {
        let params = self.activation.loop_params::<T>();
        let gradient = Map::Slices(self.activation.backward_loops::<T>(), &params);
        let count = grad_bias.as_ref().map_or(0, |grad_bias| grad_bias.len());
        if let (Some((bias, _)), Some(_)) = (self.bias, channels) {
            assert!(
                count == bias.len(),
                "`grad_bias` has {count} elements, `bias` has {}",
                bias.len()
            );
        }
        let channels = channels.map(|layout| ChannelsOf {
            layout,
            name: "grad_bias",
            count,
        });
        let call = RowsCall::new(channels, [RowsInput::Rows("input", input), grad_output], [output]);
        match grad_bias {
            None => call.map(gradient, self.way),
            Some(grad_bias) => {
                call.map_and_sum_outputs(
                    gradient,
                    const { loops::SUMS[T::INDEX] },
                    ("grad_bias", grad_bias),
                    self.way,
                );
            }
        }
    }
}
