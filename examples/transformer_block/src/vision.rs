//! gelu(x + bias\[column\]) in `f32`.

use bytemuck::cast_slice_mut;
use ndarray::Array2;
use rectify::{Activation, Channels, Fused, Gelu, LeakyRelu};

use crate::matrices::{Shape, multiply, random};
use crate::measure::{Direction, Mlp};

pub struct Vision {
    shape: Shape,
    x: Array2<f32>,
    up: Array2<f32>,
    bias: Vec<f32>,
    down: Array2<f32>,
    /// Before the bias is added, and z, the sum, which backward wants.
    h: Array2<f32>,
    z: Vec<f32>,
    y: Array2<f32>,
    output: Array2<f32>,
    grad_output: Array2<f32>,
    grad_y: Array2<f32>,
    grad_z: Array2<f32>,
    grad_bias: Vec<f32>,
    grad_x: Array2<f32>,
    grad_up: Array2<f32>,
    grad_down: Array2<f32>,
}

/// With it, [`Fused`] only adds.
const IDENTITY: LeakyRelu = LeakyRelu::new(1.0);

/// So many rows are summed before their sum is added: the reduction order of [`Fused::backward_bias`].
const ROWS_OF_SUM: usize = 256;

impl Vision {
    pub fn new(tokens: usize, hidden: usize) -> Result<Self, String> {
        let inner = 4 * hidden;
        let shape = Shape::new(tokens, hidden, (inner, inner), 6)?;
        let mut numbers = fastrand::Rng::with_seed(2021);
        let mut number = |rows, columns, bound| random(rows, columns, bound, &mut numbers);
        let mut vision = Self {
            shape,
            x: number(tokens, hidden, 2.0),
            up: number(hidden, inner, 2.0 / (hidden as f32).sqrt()),
            bias: number(1, inner, 0.5).into_raw_vec_and_offset().0,
            down: number(inner, hidden, 2.0 / (inner as f32).sqrt()),
            h: Array2::zeros((tokens, inner)),
            z: vec![0.0; tokens * inner],
            y: Array2::zeros((tokens, inner)),
            output: Array2::zeros((tokens, hidden)),
            grad_output: number(tokens, hidden, 1.0),
            grad_y: Array2::zeros((tokens, inner)),
            grad_z: Array2::zeros((tokens, inner)),
            grad_bias: vec![0.0; inner],
            grad_x: Array2::zeros((tokens, hidden)),
            grad_up: Array2::zeros((hidden, inner)),
            grad_down: Array2::zeros((inner, hidden)),
        };
        vision.before(Direction::Forward);
        vision.forward_separate();
        Ok(vision)
    }
}

impl Mlp for Vision {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn before(&mut self, direction: Direction) {
        match direction {
            Direction::Forward => multiply(self.x.view(), self.up.view(), self.h.view_mut()),
            Direction::Backward => multiply(self.grad_output.view(), self.down.t(), self.grad_y.view_mut()),
        }
    }

    fn forward_separate(&mut self) {
        Fused::new(IDENTITY)
            .bias(&self.bias, Channels::Last)
            .forward(slice(&self.h), &mut self.z);
        Gelu.forward(&self.z, slice_mut(&mut self.y));
    }

    fn forward_fused(&mut self) {
        Fused::new(Gelu)
            .bias(&self.bias, Channels::Last)
            .forward(slice(&self.h), slice_mut(&mut self.y));
    }

    fn backward_separate(&mut self) {
        Gelu.backward(&self.z, slice(&self.grad_y), slice_mut(&mut self.grad_z));
        self.grad_bias.fill(0.0);
        let inner = self.shape.inner;
        let mut sums = vec![0.0; inner];
        for rows in slice(&self.grad_z).chunks(ROWS_OF_SUM * inner) {
            sums.fill(0.0);
            rows.chunks_exact(inner).for_each(|row| add(&mut sums, row));
            add(&mut self.grad_bias, &sums);
        }
    }

    fn backward_fused(&mut self) {
        let (grad_y, grad_z) = (slice(&self.grad_y), slice_mut(&mut self.grad_z));
        Fused::new(Gelu).backward_bias(&self.z, grad_y, grad_z, Channels::Last, &mut self.grad_bias);
    }
    fn after(&mut self, direction: Direction) {
        match direction {
            Direction::Forward => multiply(self.y.view(), self.down.view(), self.output.view_mut()),
            Direction::Backward => {
                multiply(self.grad_z.view(), self.up.t(), self.grad_x.view_mut());
                multiply(self.x.t(), self.grad_z.view(), self.grad_up.view_mut());
                multiply(self.y.t(), self.grad_output.view(), self.grad_down.view_mut());
            }
        }
    }

    fn results(&mut self, direction: Direction) -> Vec<&mut [u8]> {
        match direction {
            Direction::Forward => vec![cast_slice_mut(slice_mut(&mut self.y))],
            Direction::Backward => vec![
                cast_slice_mut(slice_mut(&mut self.grad_z)),
                cast_slice_mut(&mut self.grad_bias),
            ],
        }
    }
}

fn add(sums: &mut [f32], summands: &[f32]) {
    sums.iter_mut().zip(summands).for_each(|(sum, summand)| *sum += summand);
}

fn slice(matrix: &Array2<f32>) -> &[f32] {
    matrix.as_slice().expect("in standard layout")
}

fn slice_mut(matrix: &mut Array2<f32>) -> &mut [f32] {
    matrix.as_slice_mut().expect("in standard layout")
}
