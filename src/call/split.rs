//! Splitting work over several threads.

use std::sync::{Mutex, PoisonError};

use super::block::LINE_BYTES;
use super::detect::Kernels;

// In bytes that ReLU reads and writes in the same time:

/// The least work to split.
const LEAST_BYTES: usize = 2 << 20;

/// The least work to split if the caller is not a thread of the pool, which sleeps then.
const WORTH_WAKING_BYTES: usize = 4 << 20;

/// The least part. They are small, since threads start late.
const PART_BYTES: usize = 1 << 18;

/// Work that can be split.
pub(crate) trait Split: Sized + Send {
    /// Bytes to read and write, multiplied by the [weight](super::loops::SliceLoops::weight) of the loops.
    fn weighted_traffic(&self) -> usize;

    fn is_beyond_caches(&self) -> bool;

    /// Splits off approximately `first_parts` of `parts` equal parts.
    fn split(self, first_parts: usize, parts: usize) -> (Self, Self);

    fn enter(self, kernels: Kernels, streaming: bool);
}

/// Runs the work on the threads of the rayon pool, or on the caller's thread if it is too little.
pub(crate) fn run_parallel<W: Split>(work: W, kernels: Kernels) {
    let bytes = work.weighted_traffic();
    let streaming = work.is_beyond_caches();
    let is_in_pool = || rayon::current_thread_index().is_some();
    if bytes < LEAST_BYTES || bytes < WORTH_WAKING_BYTES && !is_in_pool() {
        return work.enter(kernels, streaming);
    }
    let parts = (bytes / PART_BYTES).min(4 * rayon::current_num_threads());
    if is_in_pool() {
        run_parts(work, kernels, streaming, parts);
    } else {
        run_beside_pool(work, kernels, streaming, parts);
    }
}

fn run_parts<W: Split>(work: W, kernels: Kernels, streaming: bool, parts: usize) {
    if parts < 2 {
        return work.enter(kernels, streaming);
    }
    let first_parts = parts / 2;
    let (first, second) = work.split(first_parts, parts);
    rayon::join(
        || run_parts(first, kernels, streaming, first_parts),
        || run_parts(second, kernels, streaming, parts - first_parts),
    );
}

/// The caller's thread and those of the pool take part by part. So the caller doesn't wait until the pool is awake.
fn run_beside_pool<W: Split>(work: W, kernels: Kernels, streaming: bool, parts: usize) {
    let rest = Mutex::new(Some((work, parts)));
    let next = || {
        let mut rest = rest.lock().unwrap_or_else(PoisonError::into_inner);
        let (work, parts) = rest.take()?;
        if parts < 2 {
            return Some(work);
        }
        let (first, others) = work.split(1, parts);
        *rest = Some((others, parts - 1));
        Some(first)
    };
    let run = || {
        while let Some(part) = next() {
            part.enter(kernels, streaming);
        }
    };
    rayon::in_place_scope(|scope| {
        for _ in 1..rayon::current_num_threads() {
            scope.spawn(|_| run());
        }
        run();
    });
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
