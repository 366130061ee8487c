//! Room on the stack for what one loop writes and another one reads.

use core::mem::MaybeUninit;

/// The size of a cache line.
pub(super) const LINE_BYTES: usize = 64;

/// The size of a block of a tensor where loops are composed. The blocks of all operands together stay in the L1 cache.
pub(super) const BLOCK_BYTES: usize = 1 << 13;

/// Room for a block of elements.
#[repr(align(64))]
pub(super) struct Block([MaybeUninit<u8>; BLOCK_BYTES + LINE_BYTES]);

impl Block {
    pub(super) fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; _])
    }

    pub(super) fn start(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}
