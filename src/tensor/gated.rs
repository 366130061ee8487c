use crate::activation::Activation;
use crate::call::{
    AsRowsMut, CallOptions, Kernel, OrPanic, Params, Plan, Rows, RowsCall, RowsInput, ShapeError, call_options, loops,
};
use crate::function::{Gelu, GeluTanh, Sigmoid, Silu};
use crate::simd::Element;

/// A gated linear unit: f(a) * b, where f is any [`Activation`].
///
/// | type | f | output |
/// | --- | --- | --- |
/// | [`Glu`] | [`Sigmoid`] | sigmoid(a) * b |
/// | [`SwiGlu`] | [`Silu`] | silu(a) * b |
/// | [`GeGlu`] | [`Gelu`] | gelu(a) * b |
/// | [`GeGluTanh`] | [`GeluTanh`] | the tanh form of gelu(a) * b |
/// | `Gated<A>` | `A` | f(a) * b |
///
/// Each result is that of separate passes, bit for bit: f(a) is rounded to the format of the elements, and then the
/// product is.
///
/// Tensors are slices, or [`Rows`] and [`RowsMut`](crate::RowsMut). [`Rows::split_at_column`] returns a and b where a layer
/// writes them side by side.
///
/// ```
/// use rectify::{Glu, Rows};
///
/// // Two rows: a, a, b, b.
/// let x = [0.0_f32, 100.0, 10.0, 20.0, 0.0, -100.0, -4.0, 0.0];
/// let (a, b) = Rows::new(&x, 4).split_at_column(2);
/// let mut output = [0.0; 4];
/// Glu::new().forward(a, b, &mut output);
/// assert_eq!(output, [5.0, 20.0, -2.0, 0.0]);
/// ```
///
/// Any other function:
///
/// ```
/// use rectify::{Gated, HardSwish};
///
/// let (a, b) = ([3.0_f32, -3.0], [2.0, 2.0]);
/// let mut output = [0.0; 2];
/// Gated::of(HardSwish).forward(&a, &b, &mut output);
/// assert_eq!(output, [6.0, 0.0]);
/// ```
///
/// # Notes
///
/// - A product is rounded to nearest even. The CPU's rounding and flush-to-zero modes apply.
/// - A product that is NaN is the canonical quiet NaN: positive, with only the quiet bit set. So is 0 * infinity:
///   [`ReGlu`](crate::ReGlu) is +0.0 there.
/// - PyTorch's `glu` halves its input, and takes the gate from the second half: pass that as `a`.
/// - A call needs 33 KB of stack.
///
/// Gated linear units are due to Dauphin et al. (2017), those of other functions to Shazeer (2020).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 returns for `f(a) * b` instead, on x86-64 with AVX2, besides the differences of f: a NaN comes out
/// with other bits. ONNX Runtime has no such operator.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "it does nothing before one of its methods is given tensors"]
pub struct Gated<A> {
    activation: A,
    options: CallOptions,
}

/// The gated linear unit of [`Sigmoid`].
pub type Glu = Gated<Sigmoid>;

/// The gated linear unit of [`Silu`], ggml's `SWIGLU`.
pub type SwiGlu = Gated<Silu>;

/// The gated linear unit of [`Gelu`], ggml's `GEGLU_ERF`.
pub type GeGlu = Gated<Gelu>;

/// The gated linear unit of [`GeluTanh`], ggml's `GEGLU`.
pub type GeGluTanh = Gated<GeluTanh>;

impl<A: Activation + Default> Gated<A> {
    /// The gated unit of the function with its default parameters.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<A: Activation> Gated<A> {
    /// The gated unit of that function.
    pub fn of(activation: A) -> Self {
        Self {
            activation,
            options: CallOptions::default(),
        }
    }

    call_options!();

    /// `output = f(a) * b`
    ///
    /// # Panics
    ///
    /// Panics if the tensors differ in their number of elements, or if the rows of a strided tensor differ in length
    /// from those of another one, before anything is written.
    #[track_caller]
    pub fn forward<'a, T: Element>(
        self,
        a: impl Into<Rows<'a, T>>,
        b: impl Into<Rows<'a, T>>,
        output: &'a mut (impl AsRowsMut<T> + ?Sized),
    ) {
        self.try_forward(a, b, output).or_panic();
    }

    /// [`forward`](Self::forward), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `forward` panics.
    pub fn try_forward<'a, T: Element>(
        self,
        a: impl Into<Rows<'a, T>>,
        b: impl Into<Rows<'a, T>>,
        output: &'a mut (impl AsRowsMut<T> + ?Sized),
    ) -> Result<(), ShapeError> {
        let inputs = [RowsInput::Rows("a", a.into()), RowsInput::Rows("b", b.into())];
        self.run(RowsCall::new(
            &mut Plan::empty(),
            None,
            inputs,
            [("output", output.as_rows_mut())],
        )?);
        Ok(())
    }

    /// `a = f(a) * b`
    ///
    /// # Panics
    ///
    /// Panics if the tensors differ in their number of elements, or if the rows of a strided tensor differ in length
    /// from those of another one, before anything is written.
    #[track_caller]
    pub fn forward_inplace<'a, T: Element>(self, a: &'a mut (impl AsRowsMut<T> + ?Sized), b: impl Into<Rows<'a, T>>) {
        self.try_forward_inplace(a, b).or_panic();
    }

    /// [`forward_inplace`](Self::forward_inplace), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `forward_inplace` panics.
    pub fn try_forward_inplace<'a, T: Element>(
        self,
        a: &'a mut (impl AsRowsMut<T> + ?Sized),
        b: impl Into<Rows<'a, T>>,
    ) -> Result<(), ShapeError> {
        let inputs = [RowsInput::Output, RowsInput::Rows("b", b.into())];
        self.run(RowsCall::new(
            &mut Plan::empty(),
            None,
            inputs,
            [("a", a.as_rows_mut())],
        )?);
        Ok(())
    }

    fn run<T: Element>(self, call: RowsCall<'_, T>) {
        let mut params = Params::uninit();
        self.activation.write_loop_params::<T>(&mut params);
        let value = self.activation.forward_loops::<T>();
        let kernel = if value.takes_gate {
            Kernel::Slices(value, &params)
        } else {
            Kernel::Gated {
                value,
                product: const { loops::PRODUCT[T::INDEX] },
                params: &params,
            }
        };
        call.map(kernel, self.options);
    }

    /// `grad_a = f'(a) * (grad_output * b)`, as [`Activation::backward`] defines it, and `grad_b = grad_output * f(a)`.
    ///
    /// # Panics
    ///
    /// Panics if the tensors differ in their number of elements, or if the rows of a strided tensor differ in length
    /// from those of another one, before anything is written.
    #[track_caller]
    pub fn backward<'a, T: Element>(
        self,
        a: impl Into<Rows<'a, T>>,
        b: impl Into<Rows<'a, T>>,
        grad_output: impl Into<Rows<'a, T>>,
        grad_a: &'a mut (impl AsRowsMut<T> + ?Sized),
        grad_b: &'a mut (impl AsRowsMut<T> + ?Sized),
    ) {
        self.try_backward(a, b, grad_output, grad_a, grad_b).or_panic();
    }

    /// [`backward`](Self::backward), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `backward` panics.
    pub fn try_backward<'a, T: Element>(
        self,
        a: impl Into<Rows<'a, T>>,
        b: impl Into<Rows<'a, T>>,
        grad_output: impl Into<Rows<'a, T>>,
        grad_a: &'a mut (impl AsRowsMut<T> + ?Sized),
        grad_b: &'a mut (impl AsRowsMut<T> + ?Sized),
    ) -> Result<(), ShapeError> {
        let mut params = Params::uninit();
        self.activation.write_loop_params::<T>(&mut params);
        let inputs = [("a", a.into()), ("b", b.into()), ("grad_output", grad_output.into())];
        let inputs = inputs.map(|(name, input)| RowsInput::Rows(name, input));
        let outputs = [("grad_a", grad_a.as_rows_mut()), ("grad_b", grad_b.as_rows_mut())];
        let gradients = Kernel::GatedGradients {
            value: self.activation.forward_loops::<T>(),
            gradient: self.activation.backward_loops::<T>(),
            product: const { loops::PRODUCT[T::INDEX] },
            params: &params,
        };
        RowsCall::new(&mut Plan::empty(), None, inputs, outputs)?.map(gradients, self.options);
        Ok(())
    }
}
