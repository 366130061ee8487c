//! Slices with a chosen misalignment and sentinels on both sides.

use bytemuck::Pod;

/// The widest vector of any instruction set, in bytes: misalignments are counted from here.
pub const VECTOR_BYTES: usize = 64;

const MARGIN_BYTES: usize = 2 * VECTOR_BYTES;
const SENTINEL: u8 = 0xa5;

/// Values in the middle of a larger buffer.
pub struct Guarded<B> {
    buffer: Vec<B>,
    start: usize,
    len: usize,
}

impl<B: Pod> Guarded<B> {
    /// `values`, `misalignment` elements after a multiple of [`VECTOR_BYTES`].
    pub fn new(values: &[B], misalignment: usize) -> Self {
        let margin = MARGIN_BYTES / size_of::<B>();
        let sentinel: B = bytemuck::pod_read_unaligned(&[SENTINEL; 8][..size_of::<B>()]);
        let mut buffer = vec![sentinel; values.len() + 3 * margin];
        let start = margin + buffer[margin..].as_ptr().align_offset(VECTOR_BYTES) + misalignment;
        buffer[start..start + values.len()].copy_from_slice(values);
        Self {
            buffer,
            start,
            len: values.len(),
        }
    }

    pub fn values(&self) -> &[B] {
        &self.buffer[self.start..][..self.len]
    }

    /// The values as elements.
    pub fn elements<F: Pod>(&self) -> &[F] {
        bytemuck::cast_slice(self.values())
    }

    pub fn elements_mut<F: Pod>(&mut self) -> &mut [F] {
        bytemuck::cast_slice_mut(&mut self.buffer[self.start..][..self.len])
    }

    pub fn is_intact_outside(&self) -> bool {
        let outside = [&self.buffer[..self.start], &self.buffer[self.start + self.len..]];
        outside
            .into_iter()
            .all(|side| bytemuck::cast_slice::<B, u8>(side).iter().all(|&byte| byte == SENTINEL))
    }
}

pub fn a_write_beside_the_values_is_seen() {
    let guarded = || Guarded::new(&[0_u16; 3], 1);
    assert!(guarded().is_intact_outside());
    let misaligned = guarded();
    let start = misaligned.elements::<u16>().as_ptr();
    assert_eq!(start.align_offset(VECTOR_BYTES), VECTOR_BYTES / 2 - 1);
    for offset in [-1, 3] {
        let mut guarded = guarded();
        let beside = guarded.start.wrapping_add_signed(offset);
        guarded.buffer[beside] = 0;
        assert!(!guarded.is_intact_outside());
    }
}
