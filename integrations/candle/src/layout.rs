//! How the elements of a layout are walked.

use candle_core::Layout;

/// The number of elements that are gathered at a time, where they are not side by side: two blocks of `f64` are in the L1 cache.
const BLOCK: usize = 1024;

/// From so many bytes side by side on, they are not gathered.
const LONG: usize = 1024;

/// Calls `part` with parts of the inputs, in the order of the layouts, which have one shape. A part is at most `most` elements: what is side by
/// side in each storage, or else blocks.
pub fn for_each_part<T: Copy, const N: usize>(
    inputs: [(&[T], &Layout); N],
    most: usize,
    mut part: impl FnMut([&[T]; N]),
) {
    let mut left = inputs[0].1.shape().elem_count();
    let mut inputs = inputs.map(|(storage, layout)| (storage, Runs::of(layout)));
    let mut blocks = [const { Vec::new() }; N];
    while left > 0 {
        let long = inputs.iter().map(|(_, runs)| runs.side_by_side()).min().unwrap_or(0);
        let is_long = long >= left.min(LONG / size_of::<T>());
        let block = inputs.iter().map(|(_, runs)| runs.block()).max().unwrap_or(BLOCK);
        let len = left.min(if is_long { long.min(most) } else { block });
        let mut blocks = blocks.iter_mut();
        part(inputs.each_mut().map(|(storage, runs)| {
            let block = blocks.next().expect("a block for each input");
            if runs.side_by_side() >= len {
                let at = runs.next(len).at;
                &storage[at..at + len]
            } else {
                gather(storage, runs, len, block);
                block
            }
        }));
        left -= len;
    }
}

/// The next elements, one after the other.
fn gather<T: Copy>(storage: &[T], runs: &mut Runs, len: usize, block: &mut Vec<T>) {
    block.resize(len, storage[runs.at]);
    let mut left = block.as_mut_slice();
    while !left.is_empty() {
        let Rows { at, rows, row, strides } = runs.next(left.len());
        let (filled, rest) = std::mem::take(&mut left).split_at_mut(rows * row);
        left = rest;
        if (1..strides[0]).contains(&strides[1]) {
            // Down the columns, whose elements share cache lines.
            for column in 0..row {
                let column_at = at + column * strides[0];
                let to = filled[column..].iter_mut().step_by(row);
                let from = storage[column_at..].iter().step_by(strides[1]);
                for (to, &from) in to.zip(from) {
                    *to = from;
                }
            }
        } else {
            for (i, filled) in filled.chunks_exact_mut(row).enumerate() {
                let row_at = at + i * strides[1];
                match strides[0] {
                    0 => filled.fill(storage[row_at]),
                    1 => filled.copy_from_slice(&storage[row_at..row_at + row]),
                    stride => {
                        for (j, x) in filled.iter_mut().enumerate() {
                            *x = storage[row_at + j * stride];
                        }
                    }
                }
            }
        }
    }
}

/// Rows of elements, with the strides from element to element and from row to row.
struct Rows {
    at: usize,
    rows: usize,
    row: usize,
    strides: [usize; 2],
}

/// The elements of a layout, from the next one on.
struct Runs {
    /// From the innermost on. Where one continues the other they are merged.
    dims: Vec<Dim>,
    at: usize,
}

#[derive(Clone, Copy)]
struct Dim {
    len: usize,
    stride: usize,
    index: usize,
}

impl Runs {
    fn of(layout: &Layout) -> Self {
        let mut merged: Vec<Dim> = Vec::new();
        for (&len, &stride) in layout.dims().iter().zip(layout.stride()).rev() {
            match merged.last_mut() {
                _ if len == 1 => {}
                Some(inner) if stride == inner.len * inner.stride => inner.len *= len,
                _ => merged.push(Dim { len, stride, index: 0 }),
            }
        }
        if merged.is_empty() {
            merged.push(Dim {
                len: 1,
                stride: 1,
                index: 0,
            });
        }
        Self {
            dims: merged,
            at: layout.start_offset(),
        }
    }

    /// How many of the next elements are side by side in the storage.
    fn side_by_side(&self) -> usize {
        let Dim { len, stride, index } = self.dims[0];
        if stride == 1 { len - index } else { 1 }
    }

    /// The number of elements to gather at a time: several rows, where elements of one column share cache lines. More than eight rows can be too many
    /// for the sets of the cache.
    fn block(&self) -> usize {
        match self.dims[..] {
            [inner, outer, ..] if (1..inner.stride).contains(&outer.stride) => (8 * inner.len).clamp(BLOCK, 64 * BLOCK),
            _ => BLOCK,
        }
    }

    /// The next whole rows, or else a part of one, of at most `most` elements.
    fn next(&mut self, most: usize) -> Rows {
        let at = self.at;
        let Dim { len, stride, index } = self.dims[0];
        if let Some(outer) = self.dims.get(1)
            && index == 0
            && len <= most
        {
            let (rows, strides) = ((most / len).min(outer.len - outer.index), [stride, outer.stride]);
            self.advance(1, rows);
            return Rows {
                at,
                rows,
                row: len,
                strides,
            };
        }
        let row = most.min(len - index);
        self.advance(0, row);
        let strides = [stride, usize::MAX];
        Rows {
            at,
            rows: 1,
            row,
            strides,
        }
    }

    /// Steps along a dimension, at most to its end.
    fn advance(&mut self, dim: usize, steps: usize) {
        self.dims[dim].index += steps;
        self.at += steps * self.dims[dim].stride;
        for i in dim..self.dims.len() {
            let Dim { len, stride, index } = self.dims[i];
            if index < len {
                break;
            }
            self.dims[i].index = 0;
            self.at -= len * stride;
            if let Some(outer) = self.dims.get_mut(i + 1) {
                outer.index += 1;
                self.at += outer.stride;
            }
        }
    }
}
