//! From slices and tensors to the loops. Checks lengths and shapes, makes pointers of them, and chooses the instruction
//! set, non-temporal stores and threads.

#[cfg(feature = "alloc")]
mod append;
#[cfg(all(feature = "half", feature = "smooth"))]
mod blocks;
mod decided;
mod detect;
pub(crate) mod loops;
mod masks;
mod options;
mod rows;
mod short;
mod slices;
#[cfg(feature = "rayon")]
mod split;
mod streaming;
mod views;

#[cfg(feature = "alloc")]
pub(crate) use append::append;
pub use detect::{Kernels, UnsupportedIsa};
pub(crate) use loops::{ByBitLoops, LiveLoops, RowsLoops};
pub use loops::{Compiled, CompiledOneBit, Params, SliceLoops};
pub(crate) use masks::{backward_mask, backward_mask_inplace, count_zeros, forward_mask, forward_mask_inplace};
pub(crate) use options::{CallOptions, call_options};
pub use rows::Channels;
pub(crate) use rows::{ChannelsOf, Kernel, RowsCall, RowsInput};
#[cfg(feature = "alloc")]
pub(crate) use slices::check_len;
pub(crate) use slices::{backward, backward_inplace, backward_uninit, forward, forward_inplace, forward_uninit};
pub use streaming::{set_streaming_threshold, streaming_threshold};
pub use views::{AsRowsMut, Rows, RowsMut};
