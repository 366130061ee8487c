//! Bytes of elements: aligned, or with a chosen misalignment and sentinels on both sides.

use std::ops::{Deref, DerefMut};

/// The widest vector of any instruction set, in bytes: misalignments are counted from here.
pub const VECTOR_BYTES: usize = 64;

/// Bytes with the alignment of any element.
#[derive(Clone)]
pub struct Bytes {
    words: Vec<u64>,
    len: usize,
}

impl Bytes {
    pub fn filled(byte: u8, len: usize) -> Self {
        Self {
            words: vec![u64::from_ne_bytes([byte; 8]); len.div_ceil(8)],
            len,
        }
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        let mut copy = Self::filled(0, bytes.len());
        copy.copy_from_slice(bytes);
        copy
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }
}

impl DerefMut for Bytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.len]
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

const MARGIN: usize = 2 * VECTOR_BYTES;
const SENTINEL: u8 = 0xa5;

/// Bytes in the middle of a larger buffer.
pub struct Guarded {
    buffer: Vec<u8>,
    start: usize,
    len: usize,
}

impl Guarded {
    /// `bytes`, so many bytes after a multiple of [`VECTOR_BYTES`].
    pub fn new(bytes: &[u8], misalignment: usize) -> Self {
        let mut buffer = vec![SENTINEL; bytes.len() + 2 * MARGIN + VECTOR_BYTES + misalignment];
        let start = MARGIN + buffer[MARGIN..].as_ptr().align_offset(VECTOR_BYTES) + misalignment;
        buffer[start..start + bytes.len()].copy_from_slice(bytes);
        Self {
            buffer,
            start,
            len: bytes.len(),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..][..self.len]
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..][..self.len]
    }

    /// At an offset from the first byte, for a test of [`is_intact_outside`](Self::is_intact_outside).
    pub fn write_beside(&mut self, offset: isize) {
        self.buffer[self.start.wrapping_add_signed(offset)] = 0;
    }

    pub fn is_intact_outside(&self) -> bool {
        let (before, after) = (&self.buffer[..self.start], &self.buffer[self.start + self.len..]);
        [before, after].into_iter().all(is_sentinel)
    }
}

/// By whole slices, since a loop takes long without optimisation.
fn is_sentinel(bytes: &[u8]) -> bool {
    const SENTINELS: [u8; 64] = [SENTINEL; 64];
    bytes.chunks(64).all(|chunk| chunk == &SENTINELS[..chunk.len()])
}
