//! The error of parameters that a function can't have.

use core::fmt;

/// The error of `try_new`: a function can't have such a parameter.
///
/// Its message, which is that of the panic of `new`, names the function and the parameter.
///
/// ```
/// use rectify::LeakyRelu;
///
/// let error = LeakyRelu::try_new(f64::NAN).unwrap_err();
/// assert_eq!(error.to_string(), "LeakyRelu: `negative_slope` is NaN or infinite");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterError(pub(in crate::function) &'static str);

impl ParameterError {
    pub(in crate::function) const fn message(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for ParameterError {}

/// Returns an error with the message where the condition, which is false for NaN, isn't met.
macro_rules! require {
    ($condition:expr, $message:literal) => {
        #[allow(
            clippy::neg_cmp_op_on_partial_ord,
            clippy::nonminimal_bool,
            reason = "NaN compares as false"
        )]
        if !($condition) {
            return Err(ParameterError($message));
        }
    };
}
pub(in crate::function) use require;

/// The value of a result, or a panic with the message of the error.
macro_rules! or_panic {
    ($result:expr) => {
        match $result {
            Ok(function) => function,
            Err(error) => panic!("{}", error.message()),
        }
    };
}
pub(in crate::function) use or_panic;
