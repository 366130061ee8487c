//! Copies of short rows and of their numbers, in blocks where many rows are computed as one.

/// The bytes that [`expand`] writes at a time. It may write as many after the last number.
pub(super) const CHUNK_BYTES: usize = 32;

/// Writes each of `count` numbers of `size` bytes `times` times.
///
/// # Safety
///
/// The numbers can be read, and `target` written for `count * times` of them and [`CHUNK_BYTES`].
pub(super) unsafe fn expand(numbers: *const u8, count: usize, times: usize, size: usize, target: *mut u8) {
    // SAFETY: this function's contract, with numbers of `size` bytes.
    unsafe {
        match size {
            2 => expand_chunks::<u16, { CHUNK_BYTES / 2 }>(numbers.cast(), count, times, target.cast()),
            4 => expand_chunks::<u32, { CHUNK_BYTES / 4 }>(numbers.cast(), count, times, target.cast()),
            _ => expand_chunks::<u64, { CHUNK_BYTES / 8 }>(numbers.cast(), count, times, target.cast()),
        }
    }
}

/// # Safety
///
/// As for [`expand`].
unsafe fn expand_chunks<L: Copy, const N: usize>(numbers: *const L, count: usize, times: usize, target: *mut L) {
    for i in 0..count {
        // SAFETY: there are `count` numbers. A chunk begins among the `times` of a number; what is too much of it is
        // overwritten by the next number, or within CHUNK_BYTES after the last one.
        unsafe {
            let chunk = [numbers.add(i).read_unaligned(); N];
            let of_number = target.add(i * times);
            let mut at = 0;
            while at < times {
                of_number.add(at).cast::<[L; N]>().write_unaligned(chunk);
                at += N;
            }
        }
    }
}

/// Copies rows of `bytes` bytes. Each side is where its first row starts, and the stride in bytes.
///
/// # Safety
///
/// `bytes >= 2`. The rows can be read at `from` and written at `to`, and don't overlap.
pub(super) unsafe fn copy_rows(
    (from, from_stride): (*mut u8, usize),
    (to, to_stride): (*mut u8, usize),
    rows: usize,
    bytes: usize,
) {
    // By the greatest power of two that a row has room for: once, or at its start and at its end.
    macro_rules! copy {
        ($($half:literal)+) => {
            $(if bytes == $half {
                return for row in 0..rows {
                    // SAFETY: rows of `$half` bytes: this function's contract.
                    unsafe { copy::<$half>(from.add(row * from_stride), to.add(row * to_stride)) };
                };
            }
            if bytes < 2 * $half {
                return for row in 0..rows {
                    // SAFETY: rows of more than `$half` bytes: this function's contract.
                    unsafe {
                        let (from, to) = (from.add(row * from_stride), to.add(row * to_stride));
                        copy::<$half>(from, to);
                        copy::<$half>(from.add(bytes - $half), to.add(bytes - $half));
                    }
                };
            })+
        };
    }
    copy!(2 4 8 16 32);
    for row in 0..rows {
        // SAFETY: rows of `bytes` bytes: this function's contract.
        unsafe {
            to.add(row * to_stride)
                .copy_from_nonoverlapping(from.add(row * from_stride), bytes)
        };
    }
}

/// # Safety
///
/// `N` bytes can be read at `from` and written at `to`.
#[inline(always)]
unsafe fn copy<const N: usize>(from: *const u8, to: *mut u8) {
    // SAFETY: this function's contract.
    unsafe { to.cast::<[u8; N]>().write(from.cast::<[u8; N]>().read()) };
}
