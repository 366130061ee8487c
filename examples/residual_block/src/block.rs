//! The tensors, and what is done with them.

use rectify::{Channels, Fused, Relu, ThresholdedRelu};
use workload::machine;

use crate::format::Format;
use crate::options::Options;

#[derive(Clone, Copy)]
pub struct Shape {
    pub images: usize,
    pub channels: usize,
    /// Elements of a channel of an image.
    pub spatial: usize,
    /// Of a tensor, in elements.
    pub len: usize,
}

impl Shape {
    pub fn new<T>(options: &Options) -> Result<Self, String> {
        let &Options {
            batch, channels, size, ..
        } = options;
        let image = size.checked_pow(2).and_then(|spatial| spatial.checked_mul(channels));
        let shape = image.and_then(|image| {
            let images = batch.unwrap_or_else(|| (machine::past_caches() / size_of::<T>()).div_ceil(image));
            Some(Self {
                images,
                channels,
                spatial: size * size,
                len: image.checked_mul(images)?,
            })
        });
        shape.ok_or_else(|| "a tensor has more elements than there are addresses".into())
    }
}

const TENSORS: usize = 5;
const LINE_BYTES: usize = 64;

pub struct Memory<T: Format> {
    shape: Shape,
    /// In one piece: the system refuses what is too much before any of it is used.
    tensors: Vec<T>,
    mask: Vec<u8>,
    bias: Vec<T>,
    grad_bias: Vec<T::Sum>,
}

impl<T: Format> Memory<T> {
    /// With random numbers of random signs.
    pub fn new(shape: Shape) -> Result<Self, String> {
        let mut random = fastrand::Rng::with_seed(2015);
        let mut number = || T::rounded((8.0 * random.f32() - 4.0).into());
        let line = LINE_BYTES / size_of::<T>();
        let len = shape
            .len
            .saturating_add(line)
            .saturating_mul(TENSORS)
            .saturating_add(line);
        let mut memory = Self {
            shape,
            tensors: Vec::new(),
            mask: Vec::new(),
            bias: (0..shape.channels).map(|_| number()).collect(),
            grad_bias: vec![T::Sum::default(); shape.channels],
        };
        let reserved = memory.tensors.try_reserve_exact(len);
        reserved
            .and_then(|()| memory.mask.try_reserve_exact(shape.len.div_ceil(8)))
            .map_err(|error| format!("no room for {TENSORS} tensors of {} {}: {error}", shape.len, T::NAME))?;
        memory.tensors.extend((0..len).map(|_| number()));
        memory.mask.resize(shape.len.div_ceil(8), 0);
        Ok(memory)
    }

    /// Each tensor begins with a cache line.
    pub fn block(&mut self, channels: Channels) -> Block<'_, T> {
        let start = self.tensors.as_ptr().align_offset(LINE_BYTES);
        let len = self.shape.len;
        let mut tensors = self.tensors[start..]
            .chunks_exact_mut(len.next_multiple_of(LINE_BYTES / size_of::<T>()))
            .map(|tensor| &mut tensor[..len]);
        let mut next = || tensors.next().expect("room for all of them");
        Block {
            shape: self.shape,
            channels,
            bias: &self.bias,
            x: next(),
            skip: next(),
            y: next(),
            grad_y: next(),
            grad_z: next(),
            mask: &mut self.mask,
            live: 0,
            grad_bias: &mut self.grad_bias,
        }
    }
}

pub struct Block<'a, T: Format> {
    shape: Shape,
    channels: Channels,
    bias: &'a [T],
    x: &'a [T],
    skip: &'a [T],
    pub y: &'a mut [T],
    grad_y: &'a [T],
    /// At the input of ReLU, which is that at x and at skip.
    grad_z: &'a mut [T],
    pub mask: &'a mut [u8],
    /// How many bits of the mask are 1.
    live: usize,
    grad_bias: &'a mut [T::Sum],
}

/// Leaves finite numbers as they are: with it, [`Fused`] only adds. (Of the functions that do so it is the fastest one.)
const IDENTITY: ThresholdedRelu = ThresholdedRelu::new(f64::NEG_INFINITY);

/// Forward. What is in place finds x in y.
impl<T: Format> Block<'_, T> {
    pub fn prepare_forward(&mut self) {
        self.y.copy_from_slice(self.x);
        self.mask.fill(0);
    }

    pub fn add_bias(&mut self) {
        let adding = Fused::new(IDENTITY).bias(self.bias, self.channels);
        adding.forward(self.x, &mut *self.y);
    }

    pub fn add_bias_inplace(&mut self) {
        let adding = Fused::new(IDENTITY).bias(self.bias, self.channels);
        adding.forward_inplace(self.y);
    }

    pub fn add_skip_inplace(&mut self) {
        Fused::new(IDENTITY).residual(self.skip).forward_inplace(self.y);
    }

    pub fn relu_inplace(&mut self) {
        rectify::relu_inplace(self.y);
    }

    /// The mask of y is that of z, so this may come after ReLU too.
    pub fn relu_mask_inplace(&mut self) {
        self.live = rectify::relu_mask_inplace(self.y, self.mask);
    }

    pub fn fused(&mut self) {
        self.fused_relu().forward(self.x, &mut *self.y);
    }

    pub fn fused_inplace(&mut self) {
        self.fused_relu().forward_inplace(self.y);
    }
}

impl<'a, T: Format> Block<'a, T> {
    fn fused_relu(&self) -> Fused<'a, Relu, T> {
        Fused::new(Relu).bias(self.bias, self.channels).residual(self.skip)
    }
}

/// Backward, from y.
impl<T: Format> Block<'_, T> {
    /// Leaves nothing of another way's result.
    pub fn prepare_backward(&mut self) {
        self.grad_z.copy_from_slice(self.x);
        self.grad_bias.fill(f32::NAN.into());
    }

    pub fn relu_backward(&mut self) {
        rectify::relu_backward(self.y, self.grad_y, self.grad_z);
    }

    pub fn relu_backward_mask(&mut self) {
        rectify::relu_backward_mask(self.mask, self.grad_y, self.grad_z);
    }

    /// In loops that the compiler vectorizes.
    pub fn sum_grad_bias(&mut self) {
        self.grad_bias.fill(T::Sum::default());
        match self.channels {
            Channels::Last => {
                for pixel in self.grad_z.chunks_exact(self.shape.channels) {
                    for (sum, grad) in self.grad_bias.iter_mut().zip(pixel) {
                        *sum += grad.widen();
                    }
                }
            }
            Channels::First { spatial } => {
                let planes = self.grad_z.chunks_exact(spatial);
                for (i, plane) in planes.enumerate() {
                    self.grad_bias[i % self.shape.channels] += sum(plane);
                }
            }
        }
    }

    pub fn fused_backward(&mut self) {
        Fused::new(Relu).backward_bias(&*self.y, self.grad_y, self.grad_z, self.channels, self.grad_bias);
    }
}

fn sum<T: Format>(numbers: &[T]) -> T::Sum {
    let mut lanes = [T::Sum::default(); 32];
    let (chunks, rest) = numbers.as_chunks::<32>();
    for chunk in chunks {
        for (lane, number) in lanes.iter_mut().zip(chunk) {
            *lane += number.widen();
        }
    }
    let mut sum = T::Sum::default();
    lanes.into_iter().for_each(|lane| sum += lane);
    rest.iter().for_each(|number| sum += number.widen());
    sum
}

/// How z is rounded, where it is computed in a wider format than it has.
#[derive(Clone, Copy)]
pub enum Sums {
    /// After each addition.
    Separate,
    /// Once.
    Fused,
}

/// What has to come out, by the definitions.
impl<T: Format> Block<'_, T> {
    /// How many elements of y have other bits.
    pub fn wrong_outputs(&self, sums: Sums) -> usize {
        let is_right = |i: usize| {
            let mut z = self.x[i].widen();
            z += self.bias[self.channel(i)].widen();
            if let Sums::Separate = sums {
                z = T::rounded(z).widen();
            }
            z += self.skip[i].widen();
            let z = T::rounded(z);
            has_bits_of(self.y[i], where_positive(z, z))
        };
        (0..self.shape.len).filter(|&i| !is_right(i)).count()
    }

    /// 1 where it doesn't have a bit for each element that is not 0. (What the bits are, backward shows.)
    pub fn wrong_mask(&self) -> usize {
        usize::from(self.live + rectify::count_zeros(self.y) != self.shape.len)
    }

    /// How many elements of the gradient at z have other bits.
    pub fn wrong_gradients(&self) -> usize {
        let elements = self.y.iter().zip(self.grad_y).zip(&*self.grad_z);
        let is_right = |((&y, &grad_y), &grad_z)| has_bits_of(grad_z, where_positive(y, grad_y));
        elements.filter(|&element| !is_right(element)).count()
    }

    /// How many of the bias are not near their sum in f64.
    pub fn wrong_grad_bias(&self) -> usize {
        let errors = self.grad_bias_errors();
        errors.into_iter().filter(|error| !(..1e-5).contains(error)).count()
    }

    /// As shares of the sum of the magnitudes.
    pub fn grad_bias_errors(&self) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); self.shape.channels];
        for (i, &grad) in self.grad_z.iter().enumerate() {
            let grad: f64 = grad.widen().into();
            let (sum, magnitudes) = &mut sums[self.channel(i)];
            *sum += grad;
            *magnitudes += grad.abs();
        }
        let errors = sums.into_iter().zip(&*self.grad_bias);
        let share = |((sum, magnitudes), &grad_bias): ((f64, f64), &T::Sum)| {
            let error = (grad_bias.into() - sum).abs();
            if error == 0.0 { 0.0 } else { error / magnitudes }
        };
        errors.map(share).collect()
    }

    /// That of element i.
    fn channel(&self, i: usize) -> usize {
        match self.channels {
            Channels::Last => i % self.shape.channels,
            Channels::First { spatial } => i / spatial % self.shape.channels,
        }
    }
}

fn where_positive<T: Format>(z: T, value: T) -> T {
    if z > T::zeroed() { value } else { T::zeroed() }
}

fn has_bits_of<T: Format>(a: T, b: T) -> bool {
    bytemuck::bytes_of(&a) == bytemuck::bytes_of(&b)
}
