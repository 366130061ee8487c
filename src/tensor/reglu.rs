use crate::call::{
    AsRowsMut, CallOptions, Kernel, OrPanic, Params, Plan, Rows, RowsCall, RowsInput, ShapeError, call_options, loops,
};
use crate::simd::Element;

/// ReGLU, a gated linear unit: f(a, b) = relu(a) * b.
///
/// | a | f(a, b) | gradient at a | gradient at b |
/// | --- | --- | --- | --- |
/// | > 0, +inf | a * b | g * b | g * a |
/// | < 0, -inf, -0.0, +0.0 | +0.0 | +0.0 | +0.0, even where b or g is infinite or NaN |
/// | NaN | NaN | g * b | NaN |
///
/// Tensors are slices, or [`Rows`] and [`RowsMut`](crate::RowsMut). [`Rows::split_at_column`] returns a and b where a layer writes them
/// side by side.
///
/// ```
/// use rectify::{ReGlu, Rows};
///
/// // Two rows: a, a, b, b.
/// let x = [1.0_f32, -2.0, 10.0, 20.0, 3.0, 4.0, 30.0, f32::NAN];
/// let (a, b) = Rows::new(&x, 4).split_at_column(2);
/// let mut output = [0.0; 4];
/// ReGlu::new().forward(a, b, &mut output);
/// assert_eq!(output[..3], [10.0, 0.0, 90.0]);
/// assert!(output[3].is_nan());
/// ```
///
/// # Notes
///
/// - A product that is NaN is the canonical quiet NaN: positive, with only the quiet bit set.
/// - Each product is the exact one rounded to nearest even: within 0.5 ulp, subnormal `bf16` 0.51. The CPU's rounding and
///   flush-to-zero modes apply.
///
/// It is ggml's `REGLU`. It is due to Shazeer (2020).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 returns for `relu(a) * b` instead, on x86-64 with AVX2. ONNX Runtime has no such operator.
///
/// - PyTorch: where a <= 0, the products with relu(a) are computed: -0.0 instead of +0.0, or NaN.
/// - PyTorch: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "it does nothing before one of its methods is given tensors"]
pub struct ReGlu {
    options: CallOptions,
}

impl ReGlu {
    /// ReGLU. It has no parameters.
    pub fn new() -> Self {
        Self::default()
    }

    call_options!();

    /// `output = relu(a) * b`
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
        let value = Kernel::Rows(const { loops::REGLU_VALUE[T::INDEX] }, &Params::new(()));
        RowsCall::new(&mut Plan::empty(), None, inputs, [("output", output.as_rows_mut())])?.map(value, self.options);
        Ok(())
    }

    /// `a = relu(a) * b`
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
        let value = Kernel::Rows(const { loops::REGLU_VALUE[T::INDEX] }, &Params::new(()));
        RowsCall::new(&mut Plan::empty(), None, inputs, [("a", a.as_rows_mut())])?.map(value, self.options);
        Ok(())
    }

    /// `grad_a = grad_output * b` and `grad_b = grad_output * a` where `!(a <= 0)`, else +0.0.
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
        let inputs = [("a", a.into()), ("b", b.into()), ("grad_output", grad_output.into())];
        let inputs = inputs.map(|(name, input)| RowsInput::Rows(name, input));
        let outputs = [("grad_a", grad_a.as_rows_mut()), ("grad_b", grad_b.as_rows_mut())];
        let gradient = Kernel::Rows(const { loops::REGLU_GRADIENT[T::INDEX] }, &Params::new(()));
        RowsCall::new(&mut Plan::empty(), None, inputs, outputs)?.map(gradient, self.options);
        Ok(())
    }
}
