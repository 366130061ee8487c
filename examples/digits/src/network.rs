//! A dense network with ReLU between its layers, trained by gradient descent with momentum.

use std::time::{Duration, Instant};

use flate2::Crc;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rectify::Element;

const MOMENTUM: f32 = 0.9;

pub struct Network {
    layers: Vec<Dense>,
}

struct Dense {
    /// A row for each input, a column for each unit.
    weights: Array2<f32>,
    bias: Array1<f32>,
    weights_velocity: Array2<f32>,
    bias_velocity: Array1<f32>,
}

/// Of training.
#[derive(Default)]
pub struct Timing {
    pub total: Duration,
    pub rectifier: Duration,
}

impl Network {
    /// Weights uniform within sqrt(6 / inputs): He et al. (2015), for layers with ReLU.
    pub fn new(widths: &[usize], random: &mut fastrand::Rng) -> Self {
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
        }
    }

    /// One step on a batch. Gives the sum of its losses.
    pub fn train(&mut self, pixels: ArrayView2<f32>, labels: &[usize], learning_rate: f32, timing: &mut Timing) -> f32 {
        let mut activations = vec![pixels.to_owned()];
        for (i, layer) in self.layers.iter().enumerate() {
            let mut x = layer.forward(&activations[i]);
            if i + 1 < self.layers.len() {
                let start = Instant::now();
                rectify::relu_inplace(elements(&mut x));
                timing.rectifier += start.elapsed();
            }
            activations.push(x);
        }

        let logits = activations.pop().expect("there is a last layer");
        let (loss, mut grad) = softmax_cross_entropy(logits, labels);
        for (i, layer) in self.layers.iter_mut().enumerate().rev() {
            let input = &activations[i];
            let grad_input = grad.dot(&layer.weights.t());
            layer.step(&input.t().dot(&grad), &grad.sum_axis(Axis(0)), learning_rate);
            grad = grad_input;
            if i > 0 {
                let start = Instant::now();
                // `input` is what ReLU gave: its gradient is the same from there.
                let input = input.as_slice().expect("in standard layout");
                rectify::relu_backward_inplace(input, elements(&mut grad));
                timing.rectifier += start.elapsed();
            }
        }
        loss
    }

    /// With the activations rounded to `T`.
    pub fn logits<T: Element + Into<f32>>(&self, pixels: &Array2<f32>, round: fn(f32) -> T) -> Array2<f32> {
        let hidden = self.hidden(pixels, round);
        let last = &self.layers[self.layers.len() - 1];
        last.forward(hidden.last().unwrap_or(pixels))
    }

    /// What ReLU gives in each of the hidden layers.
    pub fn hidden<T: Element + Into<f32>>(&self, pixels: &Array2<f32>, round: fn(f32) -> T) -> Vec<Array2<f32>> {
        let mut hidden: Vec<Array2<f32>> = Vec::new();
        for layer in &self.layers[..self.layers.len() - 1] {
            let mut x = layer.forward(hidden.last().unwrap_or(pixels)).mapv(round);
            rectify::relu_inplace(elements(&mut x));
            hidden.push(x.mapv(T::into));
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
