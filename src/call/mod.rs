//! From slices and tensors to the loops. Checks lengths and shapes, makes pointers of them, and chooses the instruction
//! set, non-temporal stores and threads.

#[cfg(feature = "alloc")]
mod append;
#[cfg(feature = "ndarray")]
mod arrays;
mod block;
mod decided;
mod detect;
mod error;
mod join;
#[cfg(feature = "strided")]
mod layouts;
pub(crate) mod loops;
mod masks;
mod options;
mod pack;
mod parts;
mod repeat;
mod rows;
mod shapes;
mod slices;
#[cfg(feature = "rayon")]
mod split;
mod streaming;
#[cfg(feature = "strided")]
mod strided;
mod sums;
mod tile;
mod views;
mod walk;
#[cfg(all(feature = "half", feature = "smooth"))]
mod widened;

pub(crate) use crate::sweep::Plan;
#[cfg(feature = "alloc")]
pub(crate) use append::append;
#[cfg(feature = "ndarray")]
pub(crate) use arrays::{
    backward_array, backward_array_inplace, backward_array_to, forward_array, forward_array_inplace, forward_array_to,
};
pub use detect::{Kernels, UnsupportedIsa};
pub(crate) use error::OrPanic;
pub use error::ShapeError;
#[cfg(feature = "strided")]
pub use layouts::{Strided, StridedMut};
#[cfg(feature = "strided")]
pub(crate) use layouts::{backward_strided, backward_strided_inplace, forward_strided, forward_strided_inplace};
#[cfg(all(feature = "strided", feature = "alloc"))]
pub(crate) use layouts::{backward_strided_append, forward_strided_append};
#[cfg(feature = "strided")]
pub(crate) use loops::MapStepsLoops;
pub(crate) use loops::{ByBitLoops, LiveLoops, RowsLoops};
pub use loops::{Compiled, CompiledOneBit, Params, SliceLoops};
pub(crate) use masks::{backward_mask, backward_mask_inplace, count_zeros, forward_mask, forward_mask_inplace};
pub(crate) use options::{CallOptions, call_options};
pub(crate) use rows::RowsCall;
pub(crate) use shapes::{ChannelNumbers, ChannelsOf, RowsInput};
pub use shapes::{Channels, PerChannel};
#[cfg(feature = "alloc")]
pub(crate) use slices::check_len;
pub(crate) use slices::{backward, backward_inplace, backward_uninit, forward, forward_inplace, forward_uninit};
pub use streaming::{set_streaming_threshold, streaming_threshold};
pub(crate) use tile::Kernel;
pub(crate) use views::Destination;
pub use views::{AsRowsMut, Rows, RowsMut};
