//! What engines do beside an activation, in the same pass.

use crate::activation::{Activation, Backward, Forward};
use crate::element::Element;
use crate::kernels::{Way, ways};
use crate::simd::{Channels, Float, FloatFn, FloatLane, Rows, RowsCall, RowsMut, RowsSource, Vector, compute};
use crate::sweep::{SumFn, VectorFn};

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
/// f is any [`Activation`] (which [`PRelu`](crate::PRelu) is not). Tensors are slices, arrays, vectors or [`Rows`] and [`RowsMut`];
/// a `&mut [T]` that is needed again goes in as `&mut *x`. They all have the same number of elements; where one has
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
    pub fn forward<'b>(self, input: impl Into<Rows<'b, T>>, output: impl Into<RowsMut<'b, T>>)
    where
        'a: 'b,
    {
        self.run(RowsSource::Rows("input", input.into()), ("output", output.into()));
    }

    /// `x = f(z)`, with x as the input.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn forward_inplace<'b>(self, x: impl Into<RowsMut<'b, T>>)
    where
        'a: 'b,
    {
        self.run(RowsSource::Output, ("x", x.into()));
    }

    #[track_caller]
    fn run<'b>(self, input: RowsSource<'b, T>, output: (&'static str, RowsMut<'b, T>))
    where
        'a: 'b,
    {
        let residual = self.residual.map(|residual| RowsSource::Rows("residual", residual));
        let channels = self.bias.map(|(bias, channels)| (channels, bias.len()));
        let outputs = [output];
        let sum = AfterSum(self.activation);
        match self.bias {
            None => match residual {
                None => {
                    RowsCall::new(channels, [input], outputs).map_compiled(
                        &A::LOOPS.forward,
                        Forward(self.activation),
                        self.way,
                    );
                }
                Some(residual) => RowsCall::new(channels, [input, residual], outputs).map(sum, self.way),
            },
            Some((bias, Channels::Last)) => {
                let bias = RowsSource::Row("bias", bias);
                match residual {
                    None => RowsCall::new(channels, [input, bias], outputs).map(sum, self.way),
                    Some(residual) => RowsCall::new(channels, [input, bias, residual], outputs).map(sum, self.way),
                }
            }
            Some((bias, Channels::First { .. })) => match residual {
                None => RowsCall::new(channels, [input], outputs)
                    .with_numbers(bias)
                    .map(sum, self.way),
                Some(residual) => RowsCall::new(channels, [input, residual], outputs)
                    .with_numbers(bias)
                    .map(sum, self.way),
            },
        }
    }

    /// `grad_input = f'(input) * grad_output` as [`Activation::backward`] has it, with z as the input (or, where the function's page
    /// allows it, its output). It is the gradient at the input of [`forward`](Self::forward) and at the residual, which are the same. The
    /// bias and the residual of this value are not looked at: the caller has z, or the output.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), of these tensors.
    #[track_caller]
    pub fn backward<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad_output: impl Into<Rows<'b, T>>,
        grad_input: impl Into<RowsMut<'b, T>>,
    ) {
        let grad_output = RowsSource::Rows("grad_output", grad_output.into());
        Self::backward_call(None, input.into(), grad_output, ("grad_input", grad_input.into())).map_compiled(
            &A::LOOPS.backward,
            Backward(self.activation),
            self.way,
        );
    }

    /// `grad = f'(input) * grad`: [`backward`](Self::backward) in place.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), of these tensors.
    #[track_caller]
    pub fn backward_inplace<'b>(self, input: impl Into<Rows<'b, T>>, grad: impl Into<RowsMut<'b, T>>) {
        Self::backward_call(None, input.into(), RowsSource::Output, ("grad", grad.into())).map_compiled(
            &A::LOOPS.backward,
            Backward(self.activation),
            self.way,
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
    /// As [`forward`](Self::forward), with one channel for each number of `grad_bias`.
    #[track_caller]
    pub fn backward_bias<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad_output: impl Into<Rows<'b, T>>,
        grad_input: impl Into<RowsMut<'b, T>>,
        channels: Channels,
        grad_bias: &mut [T::Sum],
    ) {
        let grad_output = RowsSource::Rows("grad_output", grad_output.into());
        let output = ("grad_input", grad_input.into());
        Self::backward_call(Some((channels, grad_bias.len())), input.into(), grad_output, output).sum(
            Backward(self.activation),
            ("grad_bias", grad_bias),
            self.way,
        );
    }

    /// [`backward_bias`](Self::backward_bias) with the gradient at the output overwritten by the one at the input.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), with one channel for each number of `grad_bias`.
    #[track_caller]
    pub fn backward_bias_inplace<'b>(
        self,
        input: impl Into<Rows<'b, T>>,
        grad: impl Into<RowsMut<'b, T>>,
        channels: Channels,
        grad_bias: &mut [T::Sum],
    ) {
        let channels = Some((channels, grad_bias.len()));
        Self::backward_call(channels, input.into(), RowsSource::Output, ("grad", grad.into())).sum(
            Backward(self.activation),
            ("grad_bias", grad_bias),
            self.way,
        );
    }

    #[track_caller]
    fn backward_call<'b>(
        channels: Option<(Channels, usize)>,
        input: Rows<'b, T>,
        grad_output: RowsSource<'b, T>,
        output: (&'static str, RowsMut<'b, T>),
    ) -> RowsCall<'b, T, 2, 1> {
        RowsCall::new(channels, [RowsSource::Rows("input", input), grad_output], [output])
    }
}

/// A function of the sum of the inputs, and of the channel's number.
#[derive(Clone, Copy)]
struct AfterSum<A>(A);

impl<A: Activation, const N: usize> VectorFn<N> for AfterSum<A> {
    const COMPUTES: bool = true;

    type Rounded<T: Element> = (A::Rounded<T>, Sum);

    #[inline(always)]
    fn round<T: Element>(self) -> Self::Rounded<T> {
        // It changes no number, not even -0.0, unless the CPU rounds down.
        (self.0.round::<T>(), Sum { addend: -0.0 })
    }

    #[inline(always)]
    fn with_channel<T: Element>((rounded, _): Self::Rounded<T>, bias: T::Lane) -> Self::Rounded<T> {
        (
            rounded,
            Sum {
                addend: T::to_f64(bias),
            },
        )
    }

    #[inline(always)]
    fn call<T: Element, V: Vector<Lane = T::Lane>>(
        (rounded, sum): Self::Rounded<T>,
        simd: V::Simd,
        inputs: [V; N],
    ) -> [V; 1] {
        let z = compute::<T, V, _, N>(simd, sum, inputs);
        [A::forward_vector::<T, V>(rounded, simd, z)]
    }
}

#[derive(Clone, Copy)]
struct Sum {
    addend: f64,
}

impl<const N: usize> FloatFn<N> for Sum {
    #[inline(always)]
    fn call<F: Float>(self, simd: F::Simd, inputs: [F; N]) -> F {
        let mut sum = inputs[0].add(F::splat(simd, F::Lane::nearest(self.addend)));
        for input in &inputs[1..] {
            sum = sum.add(*input);
        }
        sum.with_one_nan(simd)
    }
}

impl<A: Activation> SumFn<2> for Backward<A> {
    #[inline(always)]
    fn summand<T: Element, V: Vector<Lane = T::Lane>>(
        _: Self::Rounded<T>,
        _: V::Simd,
        _: [V; 2],
        grad_input: V,
        index: usize,
    ) -> V::Float {
        grad_input.widen::<T>(index)
    }
}
