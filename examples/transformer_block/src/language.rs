//! silu(a) * b in `bf16`. One product of matrices writes a and b side by side.

use bytemuck::cast_slice_mut;
use ndarray::Array2;
use rectify::{Fused, Rows, RowsMut, Silu, SwiGlu, bf16};

use crate::matrices::{Rounded, Shape, multiply, random, rounded, widened};
use crate::measure::{Direction, Mlp};

pub struct Language {
    shape: Shape,
    x: Array2<f32>,
    /// The weights: of the gate and the rest, and back.
    up: Array2<f32>,
    down: Array2<f32>,
    /// a and b.
    h: Rounded,
    /// silu(a), in separate passes.
    gate: Vec<bf16>,
    product: Rounded,
    output: Array2<f32>,
    grad_output: Array2<f32>,
    grad_product: Rounded,
    grad_gate: Vec<bf16>,
    grad_h: Rounded,
    grad_x: Array2<f32>,
    grad_up: Array2<f32>,
    grad_down: Array2<f32>,
}

impl Language {
    pub fn new(tokens: usize, hidden: usize) -> Result<Self, String> {
        // As Llama has it: two thirds of 4 times, so that three matrices have as many weights as two.
        let inner = (hidden * 8 / 3).next_multiple_of(32);
        let shape = Shape::new(tokens, hidden, (inner, 2 * inner), 6)?;
        let mut numbers = fastrand::Rng::with_seed(2020);
        let mut number = |rows, columns, bound| random(rows, columns, bound, &mut numbers);
        Ok(Self {
            shape,
            x: number(tokens, hidden, 2.0),
            up: number(hidden, 2 * inner, 2.0 / (hidden as f32).sqrt()),
            down: number(inner, hidden, 2.0 / (inner as f32).sqrt()),
            h: Rounded::new(tokens, 2 * inner),
            gate: vec![bf16::ZERO; tokens * inner],
            product: Rounded::new(tokens, inner),
            output: Array2::zeros((tokens, hidden)),
            grad_output: number(tokens, hidden, 1.0),
            grad_product: Rounded::new(tokens, inner),
            grad_gate: vec![bf16::ZERO; tokens * inner],
            grad_h: Rounded::new(tokens, 2 * inner),
            grad_x: Array2::zeros((tokens, hidden)),
            grad_up: Array2::zeros((hidden, 2 * inner)),
            grad_down: Array2::zeros((inner, hidden)),
        })
    }
}

impl Mlp for Language {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn before(&mut self, direction: Direction) {
        match direction {
            Direction::Forward => self.h.set_product(self.x.view(), self.up.view()),
            Direction::Backward => self.grad_product.set_product(self.grad_output.view(), self.down.t()),
        }
    }

    fn forward_separate(&mut self) {
        let inner = self.shape.inner;
        let (a, _) = Rows::new(&self.h.elements, 2 * inner).split_at_column(inner);
        Fused::new(Silu).forward(a, &mut self.gate);
        let rows = self.h.elements.chunks_exact(2 * inner);
        let outputs = self.product.elements.chunks_exact_mut(inner);
        for ((output, gate), row) in outputs.zip(self.gate.chunks_exact(inner)).zip(rows) {
            multiply_elements(gate, &row[inner..], output);
        }
    }

    fn forward_fused(&mut self) {
        let inner = self.shape.inner;
        let (a, b) = Rows::new(&self.h.elements, 2 * inner).split_at_column(inner);
        SwiGlu::new().forward(a, b, &mut self.product.elements);
    }

    fn backward_separate(&mut self) {
        let inner = self.shape.inner;
        let rows = self.h.elements.chunks_exact(2 * inner);
        let grad_rows = self.grad_h.elements.chunks_exact_mut(2 * inner);
        let grads = self.grad_product.elements.chunks_exact(inner);
        let gates = self.gate.chunks_exact(inner);
        let grad_gates = self.grad_gate.chunks_exact_mut(inner);
        for ((((row, grad_row), grad), gate), grad_gate) in rows.zip(grad_rows).zip(grads).zip(gates).zip(grad_gates) {
            multiply_elements(grad, gate, &mut grad_row[inner..]);
            multiply_elements(grad, &row[inner..], grad_gate);
        }
        let (a, _) = Rows::new(&self.h.elements, 2 * inner).split_at_column(inner);
        let (mut grad_a, _) = RowsMut::new(&mut self.grad_h.elements, 2 * inner).split_at_column(inner);
        Fused::new(Silu).backward(a, &self.grad_gate, &mut grad_a);
    }

    fn backward_fused(&mut self) {
        let inner = self.shape.inner;
        let (a, b) = Rows::new(&self.h.elements, 2 * inner).split_at_column(inner);
        let (mut grad_a, mut grad_b) = RowsMut::new(&mut self.grad_h.elements, 2 * inner).split_at_column(inner);
        SwiGlu::new().backward(a, b, &self.grad_product.elements, &mut grad_a, &mut grad_b);
    }
    fn after(&mut self, direction: Direction) {
        match direction {
            Direction::Forward => multiply(self.product.widened(), self.down.view(), self.output.view_mut()),
            Direction::Backward => {
                let grad_h = self.grad_h.widened();
                multiply(grad_h, self.up.t(), self.grad_x.view_mut());
                multiply(self.x.t(), grad_h, self.grad_up.view_mut());
                let product = self.product.widened();
                multiply(product.t(), self.grad_output.view(), self.grad_down.view_mut());
            }
        }
    }

    fn results(&mut self, direction: Direction) -> Vec<&mut [u8]> {
        match direction {
            Direction::Forward => vec![cast_slice_mut(&mut self.product.elements)],
            Direction::Backward => vec![cast_slice_mut(&mut self.grad_h.elements)],
        }
    }
}

/// In a loop that the compiler vectorizes.
fn multiply_elements(a: &[bf16], b: &[bf16], products: &mut [bf16]) {
    for ((product, &a), &b) in products.iter_mut().zip(a).zip(b) {
        *product = rounded(widened(a) * widened(b));
    }
}
