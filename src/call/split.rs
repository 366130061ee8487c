//! Work on several threads.

use super::detect::Kernels;

/// What another thread takes at least, in bytes that are read and written.
const PART_BYTES: usize = 1 << 20;

/// From here on the pool is worth the call for a caller that is none of its threads: they sleep, and so will the caller.
const WORTH_WAKING_BYTES: usize = 24 << 20;

/// Work that can be done in parts.
pub(crate) trait Split: Sized + Send {
    type Output: Send;

    /// Bytes to read and write.
    fn traffic(&self) -> usize;

    fn is_beyond_caches(&self) -> bool;

    /// The first `first_parts` of `parts` and the others, or nearly so.
    fn split(self, first_parts: usize, parts: usize) -> (Self, Self);

    fn join(first: Self::Output, second: Self::Output) -> Self::Output;

    fn enter(self, kernels: Kernels, streaming: bool) -> Self::Output;
}

/// On the threads of rayon's pool, when there is enough for them to do.
pub(crate) fn run_parallel<W: Split>(work: W, kernels: Kernels) -> W::Output {
    let bytes = work.traffic();
    let streaming = work.is_beyond_caches();
    if bytes < 2 * PART_BYTES || bytes < WORTH_WAKING_BYTES && rayon::current_thread_index().is_none() {
        return work.enter(kernels, streaming);
    }
    // More than one a thread, for those that start late.
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

/// As much of `len` as `first_parts` of `parts` are.
pub(super) fn share(len: usize, first_parts: usize, parts: usize) -> usize {
    len / parts * first_parts + len % parts * first_parts / parts
}

/// The first element that is in the cache line of the one at `index`, of slices with elements of `size` bytes.
pub(super) fn start_of_line(start: *const u8, index: usize, size: usize) -> usize {
    const LINE_BYTES: usize = 64;
    let into_line = start.wrapping_add(index * size).addr() % LINE_BYTES;
    index.saturating_sub(into_line / size)
}
