//! The options of a call: an instruction set, and threads.

use super::detect::Kernels;

/// The options of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CallOptions {
    /// `None` for [`Kernels::best`].
    pub(crate) kernels: Option<Kernels>,
    #[cfg(feature = "rayon")]
    pub(crate) is_parallel: bool,
}

/// The methods that set the options, for a type with a field `options`.
macro_rules! call_options {
    () => {
        /// Runs on the instruction set of `kernels` instead of [`Isa::best`](crate::Isa::best).
        pub fn on(mut self, kernels: $crate::call::Kernels) -> Self {
            self.options.kernels = Some(kernels);
            self
        }

        /// Runs on the threads of the current rayon pool if the tensors are large enough; see
        /// [`parallel`](mod@crate::parallel). The results are the same, bit for bit.
        #[cfg(feature = "rayon")]
        pub fn parallel(mut self) -> Self {
            self.options.is_parallel = true;
            self
        }
    };
}
pub(crate) use call_options;
