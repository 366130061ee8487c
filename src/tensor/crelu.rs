use crate::call::{
    AsRowsMut, CallOptions, Kernel, OrPanic, Params, Plan, Rows, RowsCall, RowsInput, ShapeError, call_options, loops,
};
use crate::simd::Element;

/// Concatenated ReLU: relu(x) and relu(-x).
///
/// | x | outputs | gradient at x |
/// | --- | --- | --- |
/// | > 0, +inf | x and +0.0 | `grad_positive` |
/// | < 0, -inf | +0.0 and -x | `-grad_negative` |
/// | -0.0, +0.0 | +0.0 and +0.0 | +0.0 |
/// | NaN | the same NaN, and with the other sign | x, the same NaN |
///
/// It selects bits in every format. `backward` accepts only the input of `forward`.
///
/// Tensors are slices, or [`Rows`] and [`RowsMut`](crate::RowsMut).
/// [`RowsMut::split_at_column`](crate::RowsMut::split_at_column) returns the two halves of a
/// concatenated output.
///
/// ```
/// use rectify::{Crelu, Rows, RowsMut};
///
/// let x = [1.0_f32, -2.0, 3.0, -4.0];
/// let mut y = [0.0_f32; 8];
/// let (mut positive, mut negative) = RowsMut::new(&mut y, 4).split_at_column(2);
/// Crelu::new().forward(Rows::new(&x, 2), &mut positive, &mut negative);
/// assert_eq!(y, [1.0, 0.0, 0.0, 2.0, 3.0, 0.0, 0.0, 4.0]);
/// ```
///
/// It is TensorFlow's `tf.nn.crelu`. It is due to Shang et al. (2016).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 returns for `cat([relu(x), relu(-x)])` instead, on x86-64 with AVX2. ONNX Runtime has no such
/// operator.
///
/// - PyTorch: the gradient at NaN is `grad_positive - grad_negative`.
/// - PyTorch: the gradient at x < 0 is +0.0, not -0.0, where `grad_negative` is +0.0.
/// - PyTorch: relu(-0.0) is -0.0.
/// - PyTorch in `f32`, `f64` and `f16`: a signalling NaN comes out quiet.
/// - PyTorch: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "it does nothing before one of its methods is given tensors"]
pub struct Crelu {
    options: CallOptions,
}

impl Crelu {
    /// Concatenated ReLU. It has no parameters.
    pub fn new() -> Self {
        Self::default()
    }

    call_options!();

    /// `positive = relu(input)`, `negative = relu(-input)`
    ///
    /// # Panics
    ///
    /// Panics if the tensors differ in their number of elements, or if the rows of a strided tensor differ in length
    /// from those of another one, before anything is written.
    #[track_caller]
    pub fn forward<'a, T: Element>(
        self,
        input: impl Into<Rows<'a, T>>,
        positive: &'a mut (impl AsRowsMut<T> + ?Sized),
        negative: &'a mut (impl AsRowsMut<T> + ?Sized),
    ) {
        self.try_forward(input, positive, negative).or_panic();
    }

    /// [`forward`](Self::forward), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `forward` panics.
    pub fn try_forward<'a, T: Element>(
        self,
        input: impl Into<Rows<'a, T>>,
        positive: &'a mut (impl AsRowsMut<T> + ?Sized),
        negative: &'a mut (impl AsRowsMut<T> + ?Sized),
    ) -> Result<(), ShapeError> {
        let outputs = [
            ("positive", positive.as_rows_mut()),
            ("negative", negative.as_rows_mut()),
        ];
        let value = Kernel::Rows(const { loops::CRELU_VALUE[T::INDEX] }, &Params::new(()));
        RowsCall::new(
            &mut Plan::empty(),
            None,
            [RowsInput::Rows("input", input.into())],
            outputs,
        )?
        .map(value, self.options);
        Ok(())
    }

    /// `grad_input = grad_positive` where input > 0, `-grad_negative` where input < 0; see the table above.
    ///
    /// # Panics
    ///
    /// Panics if the tensors differ in their number of elements, or if the rows of a strided tensor differ in length
    /// from those of another one, before anything is written.
    #[track_caller]
    pub fn backward<'a, T: Element>(
        self,
        input: impl Into<Rows<'a, T>>,
        grad_positive: impl Into<Rows<'a, T>>,
        grad_negative: impl Into<Rows<'a, T>>,
        grad_input: &'a mut (impl AsRowsMut<T> + ?Sized),
    ) {
        self.try_backward(input, grad_positive, grad_negative, grad_input)
            .or_panic();
    }

    /// [`backward`](Self::backward), with an error instead of a panic.
    ///
    /// # Errors
    ///
    /// Where `backward` panics.
    pub fn try_backward<'a, T: Element>(
        self,
        input: impl Into<Rows<'a, T>>,
        grad_positive: impl Into<Rows<'a, T>>,
        grad_negative: impl Into<Rows<'a, T>>,
        grad_input: &'a mut (impl AsRowsMut<T> + ?Sized),
    ) -> Result<(), ShapeError> {
        let inputs = [
            ("input", input.into()),
            ("grad_positive", grad_positive.into()),
            ("grad_negative", grad_negative.into()),
        ];
        let inputs = inputs.map(|(name, input)| RowsInput::Rows(name, input));
        let gradient = Kernel::Rows(const { loops::CRELU_GRADIENT[T::INDEX] }, &Params::new(()));
        RowsCall::new(
            &mut Plan::empty(),
            None,
            inputs,
            [("grad_input", grad_input.as_rows_mut())],
        )?
        .map(gradient, self.options);
        Ok(())
    }
}
