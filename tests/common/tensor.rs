//! Matrices with sentinels between their rows and on both sides.

use super::format::Format;
use super::guarded::Guarded;

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
    pub fn elements(self) -> usize {
        self.rows * self.columns
    }

    fn stride(self) -> usize {
        self.columns + self.gap
    }
}

/// A matrix as bytes. Columns and stride are in elements.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub bytes: &'a [u8],
    pub columns: usize,
    pub stride: usize,
}

pub struct ViewMut<'a> {
    pub bytes: &'a mut [u8],
    pub columns: usize,
    pub stride: usize,
}

impl<'a> View<'a> {
    /// Of one row.
    pub fn row(format: Format, bytes: &'a [u8]) -> Self {
        let columns = bytes.len() / format.bytes();
        Self {
            bytes,
            columns,
            stride: columns,
        }
    }
}

impl<'a> ViewMut<'a> {
    /// Of one row.
    pub fn row(format: Format, bytes: &'a mut [u8]) -> Self {
        let columns = bytes.len() / format.bytes();
        Self {
            bytes,
            columns,
            stride: columns,
        }
    }
}

impl<'a> From<ViewMut<'a>> for View<'a> {
    fn from(view: ViewMut<'a>) -> Self {
        Self {
            bytes: view.bytes,
            columns: view.columns,
            stride: view.stride,
        }
    }
}

pub struct Tensor {
    guarded: Guarded,
    shape: Shape,
    element_bytes: usize,
}

/// What gaps are filled with: a signalling NaN in `f16`, some number in the other formats.
const GAP: u8 = 0x7d;

impl Tensor {
    /// Of values one after the other, as bytes.
    pub fn new(element_bytes: usize, values: &[u8], shape: Shape) -> Self {
        let (row_bytes, gap_bytes) = (shape.columns * element_bytes, shape.gap * element_bytes);
        let mut bytes = Vec::new();
        for row in 0..shape.rows {
            bytes.extend_from_slice(&values[row * row_bytes..][..row_bytes]);
            // Nothing after the last row.
            if row + 1 < shape.rows {
                bytes.resize(bytes.len() + gap_bytes, GAP);
            }
        }
        Self {
            guarded: Guarded::new(&bytes, shape.misalignment * element_bytes),
            shape,
            element_bytes,
        }
    }

    pub fn view(&self) -> View<'_> {
        View {
            bytes: self.guarded.bytes(),
            columns: self.shape.columns,
            stride: self.shape.stride(),
        }
    }

    pub fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut {
            columns: self.shape.columns,
            stride: self.shape.stride(),
            bytes: self.guarded.bytes_mut(),
        }
    }

    /// The values of the rows. Panics when something beside them was written to.
    pub fn values(&self) -> Vec<u8> {
        assert!(self.guarded.is_intact_outside(), "wrote outside of {:?}", self.shape);
        let [row_bytes, stride_bytes] = [self.shape.columns, self.shape.stride()].map(|len| len * self.element_bytes);
        let bytes = self.guarded.bytes();
        let mut values = Vec::new();
        for row in 0..self.shape.rows {
            let (columns, gap) = bytes[row * stride_bytes..].split_at(row_bytes);
            values.extend_from_slice(columns);
            let gap = &gap[..(stride_bytes - row_bytes).min(gap.len())];
            assert!(
                gap.iter().all(|&byte| byte == GAP),
                "wrote between the rows of {:?}",
                self.shape
            );
        }
        values
    }
}
