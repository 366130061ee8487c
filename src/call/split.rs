//! Splitting work over several threads.

use super::block::LINE_BYTES;
use super::detect::Kernels;

// In bytes that ReLU reads and writes in the same time:

/// The least work to split.
const LEAST_BYTES: usize = 2 << 20;

/// The least work to split if the caller is not a thread of the pool: the pool has to be woken, and the caller then.
const WORTH_WAKING_BYTES: usize = 24 << 20;

/// The least part. They are small, since threads start late.
const PART_BYTES: usize = 1 << 18;

/// Work that can be split.
pub(crate) trait Split: Sized + Send {
    type Output: Send;

    /// Bytes to read and write, multiplied by the [weight](super::loops::SliceLoops::weight) of the loops.
    fn weighted_traffic(&self) -> usize;

    fn is_beyond_caches(&self) -> bool;

    /// Splits off approximately `first_parts` of `parts` equal parts.
    fn split(self, first_parts: usize, parts: usize) -> (Self, Self);

    fn join(first: Self::Output, second: Self::Output) -> Self::Output;

    fn enter(self, kernels: Kernels, streaming: bool) -> Self::Output;
}

/// Runs the work on the threads of the rayon pool, or on the caller's thread if it is too little.
pub(crate) fn run_parallel<W: Split>(work: W, kernels: Kernels) -> W::Output {
    let bytes = work.weighted_traffic();
    let streaming = work.is_beyond_caches();
    if bytes < LEAST_BYTES || bytes < WORTH_WAKING_BYTES && rayon::current_thread_index().is_none() {
        return work.enter(kernels, streaming);
    }
    let parts = (bytes / PART_BYTES).min(4 * rayon::current_num_threads());
    run_parts(work, kernels, streaming, parts)
}

fn run_parts<W: Split>(work: W, kernels: Kernels, streaming: bool, parts: usize) -> W::Output {
    if parts < 2 {
        return work.enter(kernels, streaming);
    }
    let first_parts = parts / 2;
    let (first, second) = work.split(first_parts, parts);
    let (first, second) = rayon::join(
        || run_parts(first, kernels, streaming, first_parts),
        || run_parts(second, kernels, streaming, parts - first_parts),
    );
    W::join(first, second)
}

/// `len * first_parts / parts`, without overflow.
pub(super) fn share(len: usize, first_parts: usize, parts: usize) -> usize {
    len / parts * first_parts + len % parts * first_parts / parts
}

/// The index of the first element in the cache line of the one at `index`, in a slice with elements of `size` bytes.
pub(super) fn start_of_line(start: *const u8, index: usize, size: usize) -> usize {
    let into_line = start.wrapping_add(index * size).addr() % LINE_BYTES;
    index.saturating_sub(into_line / size)
}
