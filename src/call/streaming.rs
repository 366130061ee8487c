//! From which size on results go past the caches.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::simd;

/// Where the CPU doesn't tell the size of its last-level cache.
const DEFAULT: usize = 32 << 20;

/// Larger caches are shared by many cores. (A Xeon that tells 260 MB is twice as fast with streaming stores at 128 MB.)
const MAX: usize = 64 << 20;

const UNDECIDED: usize = 0;

static THRESHOLD: AtomicUsize = AtomicUsize::new(UNDECIDED);

/// How many bytes the slices of a call have to have together to be taken for more than the caches hold.
///
/// From there on, AVX2 and AVX-512 write an output of its own past the caches, which would otherwise be read into them line by
/// line before it is overwritten, and put out what is there. In place that never pays. Below the threshold the results stay
/// in the cache for the next one who needs them. It is the size of the last-level cache as the CPU tells it (32 MiB where it
/// doesn't, at most 64 MiB), until [`set_streaming_threshold`] says otherwise. It changes no result.
///
/// ```
/// println!("{} MiB", rectify::streaming_threshold() >> 20);
/// ```
#[inline]
pub fn streaming_threshold() -> usize {
    match THRESHOLD.load(Ordering::Relaxed) {
        UNDECIDED => decide(),
        threshold => threshold,
    }
}

#[cold]
fn decide() -> usize {
    let threshold = simd::last_level_cache().unwrap_or(DEFAULT).clamp(1, MAX);
    // Another thread may have set one meanwhile.
    match THRESHOLD.compare_exchange(UNDECIDED, threshold, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => threshold,
        Err(set) => set,
    }
}

/// Sets [`streaming_threshold`] for every thread: less where others need the cache too or the results are next needed by
/// another core, `usize::MAX` for never.
///
/// ```
/// rectify::set_streaming_threshold(usize::MAX);
/// assert_eq!(rectify::streaming_threshold(), usize::MAX);
/// ```
pub fn set_streaming_threshold(bytes: usize) {
    // 0 would be undecided, and no call has less than 1 byte to write.
    THRESHOLD.store(bytes.max(1), Ordering::Relaxed);
}
