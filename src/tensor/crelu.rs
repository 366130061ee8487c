use crate::call::{AsRowsMut, Map, Params, Rows, RowsCall, RowsInput, Way, loops, ways};
use crate::simd::Element;

/// Concatenated ReLU: relu(x) and relu(-x).
///
/// | x | outputs | gradient, from those at the outputs |
/// | --- | --- | --- |
/// | > 0, +inf | x and +0.0 | that of the first one |
/// | < 0, -inf | +0.0 and -x | minus that of the second one |
/// | -0.0, +0.0 | +0.0 both | +0.0 |
/// | NaN | the same NaN, and with the other sign | x, the same NaN |
///
/// It chooses among bits in every format. Tensors are slices, or [`RowsMut`](crate::RowsMut), which [split](crate::RowsMut::split_at_column) into the halves
/// of a concatenated one. It is due to Shang et al. (2016), TensorFlow's `tf.nn.crelu`.
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
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "it does nothing before one of its methods is given tensors"]
pub struct Crelu {
    way: Way,
}

impl Crelu {
    /// It has no parameters.
    pub fn new() -> Self {
        Self::default()
    }

    ways!();

    /// `positive = relu(input)`, `negative = relu(-input)`
    ///
    /// # Panics
    ///
    /// When the tensors have not the same number of elements, or one that has something between its rows has rows of another length.
    /// Nothing is written then.
    #[track_caller]
    pub fn forward<'a, T: Element>(
        self,
        input: impl Into<Rows<'a, T>>,
        positive: &'a mut (impl AsRowsMut<T> + ?Sized),
        negative: &'a mut (impl AsRowsMut<T> + ?Sized),
    ) {
        let outputs = [
            ("positive", positive.as_rows_mut()),
            ("negative", negative.as_rows_mut()),
        ];
        let value = Map::Rows(const { loops::CRELU_VALUE[T::INDEX] }, &Params::new(()));
        RowsCall::new(None, [RowsInput::Rows("input", input.into())], outputs).map(value, self.way);
    }

    /// `grad_input = grad_positive` where input > 0, `-grad_negative` where input < 0.
    ///
    /// # Panics
    ///
    /// When the tensors have not the same number of elements, or one that has something between its rows has rows of another length.
    /// Nothing is written then.
    #[track_caller]
    pub fn backward<'a, T: Element>(
        self,
        input: impl Into<Rows<'a, T>>,
        grad_positive: impl Into<Rows<'a, T>>,
        grad_negative: impl Into<Rows<'a, T>>,
        grad_input: &'a mut (impl AsRowsMut<T> + ?Sized),
    ) {
        let inputs = [
            ("input", input.into()),
            ("grad_positive", grad_positive.into()),
            ("grad_negative", grad_negative.into()),
        ];
        let inputs = inputs.map(|(name, input)| RowsInput::Rows(name, input));
        let gradient = Map::Rows(const { loops::CRELU_GRADIENT[T::INDEX] }, &Params::new(()));
        RowsCall::new(None, inputs, [("grad_input", grad_input.as_rows_mut())]).map(gradient, self.way);
    }
}
