//! The threshold for non-temporal stores.

use super::decided::Decided;
use crate::simd;

/// The threshold if the size of the last-level cache is unknown.
const DEFAULT: usize = 32 << 20;

/// The least threshold. Third-level caches beside AVX2 have at least 2 MiB; a virtual machine may report one core's share.
const MIN: usize = 4 << 20;

/// The greatest threshold. Larger caches are shared by many cores: a Xeon that reports 260 MB is twice as fast with
/// non-temporal stores at 128 MB.
const MAX: usize = 64 << 20;

static THRESHOLD: Decided = Decided::undecided();

/// Returns the number of bytes, of all slices of a call together, from which on non-temporal stores are used.
///
/// The default is the size of the last-level cache that the CPU reports, at least 4 MiB and at most 64 MiB. It is 32 MiB
/// if the CPU reports no cache beyond L2, as in virtual machines that hide the L3.
/// [`set_streaming_threshold`] changes it. The results are the same, bit for bit.
///
/// From the threshold on, AVX2 and AVX-512 write out-of-place outputs with non-temporal (streaming) stores, which
/// bypass the caches. An ordinary store to a line outside of the caches first reads the line, and evicts another one.
/// Below the threshold the results stay in the cache for their next use. In-place calls always use ordinary stores,
/// which are faster there.
///
/// ```
/// println!("{} MiB", rectify::streaming_threshold() >> 20);
/// ```
#[inline]
pub fn streaming_threshold() -> usize {
    match THRESHOLD.get() {
        0 => decide(),
        threshold => threshold,
    }
}

/// The default threshold with a last-level cache of so many bytes.
pub(super) fn for_cache(last_level: Option<usize>) -> usize {
    last_level.map_or(DEFAULT, |bytes| bytes.clamp(MIN, MAX))
}

#[cold]
fn decide() -> usize {
    let threshold = for_cache(simd::last_level_cache());
    // Another thread may have set it since.
    match THRESHOLD.decide(threshold) {
        Ok(()) => threshold,
        Err(set) => set,
    }
}

/// Sets [`streaming_threshold`] for all threads. `usize::MAX` disables non-temporal stores.
///
/// A smaller value helps where other work needs the cache too, or where the results are next read by another core.
///
/// ```
/// rectify::set_streaming_threshold(usize::MAX);
/// assert_eq!(rectify::streaming_threshold(), usize::MAX);
/// ```
pub fn set_streaming_threshold(bytes: usize) {
    // 0 would be undecided; 1 streams as much.
    THRESHOLD.set(bytes.max(1));
}
