//! Fewer elements than a vector holds, without a loop and without touching what lies beside them: two chunks that
//! overlap, the first one from the start and the second one up to the end.

/// # Safety
///
/// `source` can be read for `bytes` bytes, an even number with 0 < `bytes` < 16.
#[inline(always)]
pub(super) unsafe fn load(source: *const u8, bytes: usize) -> [u64; 2] {
    debug_assert!(0 < bytes && bytes < 16 && bytes.is_multiple_of(2));
    // SAFETY: each chunk is at most `bytes` long, and begins at the start or ends at the end.
    unsafe {
        if bytes >= 8 {
            let second = source.add(bytes - 8);
            [
                source.cast::<u64>().read_unaligned(),
                second.cast::<u64>().read_unaligned(),
            ]
        } else if bytes >= 4 {
            let second = source.add(bytes - 4);
            let [first, second] = [source, second].map(|chunk| u64::from(chunk.cast::<u32>().read_unaligned()));
            [first | second << 32, 0]
        } else {
            [u64::from(source.cast::<u16>().read_unaligned()), 0]
        }
    }
}

/// Stores what [`load`] loaded.
///
/// # Safety
///
/// `target` can be written for `bytes` bytes, an even number with 0 < `bytes` < 16.
#[inline(always)]
pub(super) unsafe fn store([first, second]: [u64; 2], target: *mut u8, bytes: usize) {
    debug_assert!(0 < bytes && bytes < 16 && bytes.is_multiple_of(2));
    // SAFETY: each chunk is at most `bytes` long, and begins at the start or ends at the end.
    unsafe {
        if bytes >= 8 {
            target.cast::<u64>().write_unaligned(first);
            target.add(bytes - 8).cast::<u64>().write_unaligned(second);
        } else if bytes >= 4 {
            target.cast::<u32>().write_unaligned(first as u32);
            target
                .add(bytes - 4)
                .cast::<u32>()
                .write_unaligned((first >> 32) as u32);
        } else {
            target.cast::<u16>().write_unaligned(first as u16);
        }
    }
}
