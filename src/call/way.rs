//! Where a call runs: an instruction set, and threads.

use super::detect::Kernels;

/// Where a function runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Way {
    /// Else the best ones.
    pub(crate) kernels: Option<Kernels>,
    #[cfg(feature = "rayon")]
    pub(crate) is_parallel: bool,
}

/// The methods that choose a way, for a value that has a field for it.
macro_rules! ways {
    () => {
        /// On this instruction set, instead of [`Isa::best`](crate::Isa::best).
        pub fn on(mut self, kernels: $crate::call::Kernels) -> Self {
            self.way.kernels = Some(kernels);
            self
        }

        /// On the threads of rayon's pool in which it is called, when there is enough for them to do; see
        /// [`parallel`](crate::parallel). The results are the same, bit for bit.
        #[cfg(feature = "rayon")]
        pub fn parallel(mut self) -> Self {
            self.way.is_parallel = true;
            self
        }
    };
}
pub(crate) use ways;
