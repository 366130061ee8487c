//! Elements at the end of a `Vec`.

use alloc::vec::Vec;
use core::mem::MaybeUninit;

/// Appends `len` elements that `write` writes to the memory it is given, and gives back.
pub(crate) fn append<T>(output: &mut Vec<T>, len: usize, write: impl FnOnce(&mut [MaybeUninit<T>]) -> &mut [T]) {
    output.reserve(len);
    let spare = &mut output.spare_capacity_mut()[..len];
    let start = spare.as_ptr();
    let written = write(spare);
    assert!(written.as_ptr() == start.cast() && written.len() == len);
    // SAFETY: `write` gave back the memory as initialised elements.
    unsafe { output.set_len(output.len() + len) };
}
