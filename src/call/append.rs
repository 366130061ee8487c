//! Appending to a `Vec`.

use alloc::vec::Vec;
use core::mem::MaybeUninit;

/// Appends `len` elements. `write` initializes the memory that it is given, and returns it.
pub(crate) fn append<T>(output: &mut Vec<T>, len: usize, write: impl FnOnce(&mut [MaybeUninit<T>]) -> &mut [T]) {
    output.reserve(len);
    let spare = &mut output.spare_capacity_mut()[..len];
    let start = spare.as_ptr();
    let written = write(spare);
    assert!(written.as_ptr() == start.cast() && written.len() == len);
    // SAFETY: `written` is initialized elements, and is the spare memory, checked by the assertion.
    unsafe { output.set_len(output.len() + len) };
}
