//! A dense network with an activation function between its layers, trained by gradient descent with momentum.

use std::time::{Duration, Instant};

use flate2::Crc;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rectify::{Activation, AnyActivation, Element};

const MOMENTUM: f32 = 0.9;

pub struct Network {
    layers: Vec<Dense>,
    activation: AnyActivation,
}

struct Dense {
    /// A row for each input, a column for each unit.
    weights: Array2<f32>,
    bias: Array1<f32>,
    weights_velocity: Array2<f32>,
    bias_velocity: Array1<f32>,
}

/// Of training.
#[derive(Clone, Copy, Default)]
pub struct Timing {
    pub total: Duration,
    pub activation: Duration,
}

/// The outputs of a hidden layer, a row for each digit and a column for each unit, and the slopes of the function there.
pub struct Hidden {
    pub outputs: Array2<f32>,
    pub slopes: Array2<f32>,
}

impl Hidden {
    pub fn share_of_zeros(&self) -> f32 {
        let zeros = self.outputs.iter().filter(|&&y| y == 0.0).count();
        zeros as f32 / self.outputs.len() as f32
    }

    /// The number of units that have stopped learning: their slope is next to 0 for every digit.
    pub fn dead_units(&self) -> usize {
        let units = self.slopes.columns().into_iter();
        units.filter(|unit| unit.iter().all(|slope| slope.abs() < 1e-3)).count()
    }
}

impl Network {
    /// Weights uniform within sqrt(6 / inputs): He et al. (2015), for layers with ReLU.
    pub fn new(activation: AnyActivation, widths: &[usize], random: &mut fastrand::Rng) -> Self {
        let layers = widths.windows(2).map(|widths| {
            let [inputs, units] = [widths[0], widths[1]];
            let bound = (6.0 / inputs as f32).sqrt();
            Dense {
                weights: Array2::from_shape_simple_fn((inputs, units), || bound * (2.0 * random.f32() - 1.0)),
                bias: Array1::zeros(units),
                weights_velocity: Array2::zeros((inputs, units)),
                bias_velocity: Array1::zeros(units),
            }
        });
        Self {
            layers: layers.collect(),
            activation,
        }
    }

    /// One step on a batch. Gives the sum of its losses.
    pub fn train(&mut self, pixels: ArrayView2<f32>, labels: &[usize], learning_rate: f32, timing: &mut Timing) -> f32 {
        let mut inputs = vec![pixels.to_owned()];
        let mut sums = Vec::new();
        for layer in &self.layers {
            let z = layer.forward(&inputs[sums.len()]);
            if inputs.len() < self.layers.len() {
                let mut y = z.clone();
                let start = Instant::now();
                self.activation.forward_inplace(elements(&mut y));
                timing.activation += start.elapsed();
                inputs.push(y);
            }
            sums.push(z);
        }

        let logits = sums.pop().expect("there is a last layer");
        let (loss, mut grad) = softmax_cross_entropy(logits, labels);
        for (i, layer) in self.layers.iter_mut().enumerate().rev() {
            let input = &inputs[i];
            let grad_input = grad.dot(&layer.weights.t());
            layer.step(&input.t().dot(&grad), &grad.sum_axis(Axis(0)), learning_rate);
            grad = grad_input;
            if i > 0 {
                let start = Instant::now();
                let z = sums[i - 1].as_slice().expect("in standard layout");
                self.activation.backward_inplace(z, elements(&mut grad));
                timing.activation += start.elapsed();
            }
        }
        loss
    }

    /// With the activations rounded to `T`.
    pub fn logits<T: Element + Into<f32>>(&self, pixels: &Array2<f32>, round: fn(f32) -> T) -> Array2<f32> {
        let hidden = self.hidden(pixels, round);
        let last = &self.layers[self.layers.len() - 1];
        last.forward(hidden.last().map_or(pixels, |layer| &layer.outputs))
    }

    /// What the activation function gives in each of the hidden layers.
    pub fn hidden<T: Element + Into<f32>>(&self, pixels: &Array2<f32>, round: fn(f32) -> T) -> Vec<Hidden> {
        let mut hidden: Vec<Hidden> = Vec::new();
        for layer in &self.layers[..self.layers.len() - 1] {
            let z = layer
                .forward(hidden.last().map_or(pixels, |layer| &layer.outputs))
                .mapv(round);
            let (mut y, mut slopes) = (z.clone(), Array2::from_elem(z.dim(), round(1.0)));
            self.activation.forward_inplace(elements(&mut y));
            let z = z.as_slice().expect("in standard layout");
            self.activation.backward_inplace(z, elements(&mut slopes));
            hidden.push(Hidden {
                outputs: y.mapv(T::into),
                slopes: slopes.mapv(T::into),
            });
        }
        hidden
    }

    /// Of the bits of every weight and bias.
    pub fn checksum(&self) -> u32 {
        let mut crc = Crc::new();
        for layer in &self.layers {
            for number in layer.weights.iter().chain(&layer.bias) {
                crc.update(&number.to_le_bytes());
            }
        }
        crc.sum()
    }
}

impl Dense {
    fn forward(&self, input: &Array2<f32>) -> Array2<f32> {
        input.dot(&self.weights) + &self.bias
    }

    fn step(&mut self, weights_grad: &Array2<f32>, bias_grad: &Array1<f32>, learning_rate: f32) {
        let step = |velocity: &mut f32, grad: &f32| *velocity = MOMENTUM * *velocity - learning_rate * grad;
        self.weights_velocity.zip_mut_with(weights_grad, step);
        self.bias_velocity.zip_mut_with(bias_grad, step);
        self.weights += &self.weights_velocity;
        self.bias += &self.bias_velocity;
    }
}

/// The sum of the losses, and the gradient of their mean at the logits.
fn softmax_cross_entropy(mut logits: Array2<f32>, labels: &[usize]) -> (f32, Array2<f32>) {
    let mut loss = 0.0;
    for (mut row, &label) in logits.rows_mut().into_iter().zip(labels) {
        let max = row.fold(f32::NEG_INFINITY, |max, &logit| max.max(logit));
        row.mapv_inplace(|logit| (logit - max).exp());
        row /= row.sum();
        loss -= row[label].ln();
        row[label] -= 1.0;
    }
    logits /= labels.len() as f32;
    (loss, logits)
}

fn elements<T>(array: &mut Array2<T>) -> &mut [T] {
    array.as_slice_mut().expect("in standard layout")
}
