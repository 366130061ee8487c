//! Matrices with sentinels between their rows and on both sides.

use bytemuck::Pod;
use rectify::{Rows, RowsMut};

use crate::guarded::Guarded;

/// The shape of a matrix: what comes after the columns of a row is a gap.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub rows: usize,
    pub columns: usize,
    pub gap: usize,
    /// In elements.
    pub misalignment: usize,
}

impl Shape {
    pub fn len(self) -> usize {
        self.rows * self.columns
    }

    fn stride(self) -> usize {
        self.columns + self.gap
    }
}

pub struct Tensor<B> {
    guarded: Guarded<B>,
    shape: Shape,
}

/// What gaps are filled with: a signalling NaN in `f16`, some number in the other formats.
const GAP: u8 = 0x7d;

impl<B: Pod + PartialEq> Tensor<B> {
    pub fn new(values: &[B], shape: Shape) -> Self {
        let gap: B = bytemuck::pod_read_unaligned(&[GAP; 8][..size_of::<B>()]);
        let mut elements = Vec::new();
        for row in 0..shape.rows {
            elements.extend_from_slice(&values[row * shape.columns..][..shape.columns]);
            // Nothing after the last row.
            if row + 1 < shape.rows {
                elements.resize(elements.len() + shape.gap, gap);
            }
        }
        Self {
            guarded: Guarded::new(&elements, shape.misalignment),
            shape,
        }
    }

    pub fn rows<F: Pod>(&self) -> Rows<'_, F> {
        Rows::with_stride(self.guarded.elements(), self.shape.columns, self.shape.stride())
    }

    pub fn rows_mut<F: Pod>(&mut self) -> RowsMut<'_, F> {
        RowsMut::with_stride(self.guarded.elements_mut(), self.shape.columns, self.shape.stride())
    }

    /// Those of the rows. Panics when something beside them was written to.
    pub fn values(&self) -> Vec<B> {
        assert!(self.guarded.is_intact_outside(), "wrote outside of {:?}", self.shape);
        let mut values = Vec::new();
        for row in 0..self.shape.rows {
            let row = &self.guarded.values()[row * self.shape.stride()..];
            let (columns, gap) = row.split_at(self.shape.columns);
            values.extend_from_slice(columns);
            let gap = &gap[..self.shape.gap.min(gap.len())];
            assert!(
                bytemuck::cast_slice::<B, u8>(gap).iter().all(|&byte| byte == GAP),
                "wrote between the rows of {:?}",
                self.shape
            );
        }
        values
    }
}
