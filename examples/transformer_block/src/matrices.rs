//! Matrices of `f32`, and of elements that are multiplied in `f32`.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, linalg::general_mat_mul};
use rectify::bf16;

/// How the tokens of a block are laid out.
#[derive(Clone, Copy)]
pub struct Shape {
    pub tokens: usize,
    pub hidden: usize,
    /// The columns between the two products of matrices.
    pub inner: usize,
    /// The columns of the first product: those of the gate too.
    pub up: usize,
}

impl Shape {
    /// Fails where memory for `tensors` of the widest ones and for the weights can't be had.
    pub fn new(tokens: usize, hidden: usize, (inner, up): (usize, usize), tensors: usize) -> Result<Self, String> {
        let elements = tokens
            .saturating_mul(tensors)
            .saturating_add(hidden.saturating_mul(4))
            .saturating_mul(up);
        // The system refuses what is too much before any of it is used.
        Vec::<f32>::new()
            .try_reserve_exact(elements)
            .map_err(|error| format!("no room for {tokens} tokens of {hidden}: {error}"))?;
        Ok(Self {
            tokens,
            hidden,
            inner,
            up,
        })
    }

    /// Floating-point operations of the products of matrices, forward. Backward takes twice as many.
    pub fn operations(&self) -> f64 {
        2.0 * (self.tokens * self.hidden) as f64 * (self.up + self.inner) as f64
    }
}

/// Numbers up to `bound`.
pub fn random(rows: usize, columns: usize, bound: f32, random: &mut fastrand::Rng) -> Array2<f32> {
    Array2::from_shape_simple_fn((rows, columns), || bound * (2.0 * random.f32() - 1.0))
}

/// `product = a b`
pub fn multiply(a: ArrayView2<f32>, b: ArrayView2<f32>, mut product: ArrayViewMut2<f32>) {
    general_mat_mul(1.0, &a, &b, 0.0, &mut product);
}

/// A matrix of `bf16`, and of the same numbers in `f32` where matrices are multiplied.
pub struct Rounded {
    pub elements: Vec<bf16>,
    pub wide: Array2<f32>,
}

impl Rounded {
    pub fn new(rows: usize, columns: usize) -> Self {
        Self {
            elements: vec![bf16::ZERO; rows * columns],
            wide: Array2::zeros((rows, columns)),
        }
    }

    /// The product, rounded.
    pub fn set_product(&mut self, a: ArrayView2<f32>, b: ArrayView2<f32>) {
        multiply(a, b, self.wide.view_mut());
        for (element, &number) in self.elements.iter_mut().zip(&self.wide) {
            *element = rounded(number);
        }
    }

    /// The elements as a factor.
    pub fn widened(&mut self) -> ArrayView2<'_, f32> {
        for (number, &element) in self.wide.iter_mut().zip(&self.elements) {
            *number = widened(element);
        }
        self.wide.view()
    }
}

/// Of finite numbers, as [`rounded`]: `half` has branches here, which keep a loop from being vectorized.
#[inline(always)]
pub fn widened(number: bf16) -> f32 {
    f32::from_bits(u32::from(number.to_bits()) << 16)
}

#[inline(always)]
pub fn rounded(number: f32) -> bf16 {
    let bits = number.to_bits();
    bf16::from_bits(((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16)
}
