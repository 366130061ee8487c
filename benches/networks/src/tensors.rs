//! The memory of a layer.

use std::io;

use shapes::plain::Number;
use shapes::shape::Shape;
use workload::{Format, LINE_BYTES, Memory, PERIOD, any_magnitude, sign};

/// In inference the input, and a residual or what the gate multiplies; the output. In training too: the gradient at the output; what
/// forward leaves for backward, and two gradients.
pub const SLICES: usize = 7;

/// What each slice repeats, from a place of its own on.
pub struct Numbers(Vec<f32>);

impl Numbers {
    pub fn new() -> Self {
        let mut random = fastrand::Rng::with_seed(1969);
        let number = |random: &mut fastrand::Rng| (sign(random) * any_magnitude(random)) as f32;
        Self((0..PERIOD).map(|_| number(&mut random)).collect())
    }

    /// For the peers, which fill their tensors with the same: as they are in memory.
    pub fn write(&self, path: &std::path::Path) -> io::Result<()> {
        std::fs::write(path, bytemuck::cast_slice(&self.0))
    }

    fn fill<T: Format>(&self, slice: &mut [T], start: usize) {
        let numbers = self.0.iter().cycle().skip(start);
        slice
            .iter_mut()
            .zip(numbers)
            .for_each(|(element, &number)| *element = T::rounded(number.into()));
    }
}

/// Where x, the second input, the gradient and the bias start in [`Numbers`].
pub const STARTS: [usize; 4] = [0, 1000, 5000, 9000];

/// A layer's tensors, or a part of its images or channels.
pub struct Tensors<'a, T> {
    pub shape: Shape,
    /// x, the second one, and the gradient at the output.
    pub inputs: [&'a [T]; 3],
    pub bias: &'a [T],
    /// The output, a buffer, and the gradients.
    pub outputs: [&'a mut [T]; 4],
    pub sums: &'a mut [f32],
}

impl<'a, T: Number<Sum = f32>> Tensors<'a, T> {
    pub fn new(memory: &'a mut Memory<SLICES>, params: &'a mut Params<T>, numbers: &Numbers, shape: Shape) -> Self {
        // As long as whole lines, for the limit.
        let len = shape.elements().next_multiple_of(LINE_BYTES / size_of::<T>());
        let mut slices = memory.slices::<T>().map(|slice| &mut slice[..len]);
        for (slice, start) in slices.iter_mut().zip(STARTS).take(3) {
            numbers.fill(slice, start);
        }
        params.bias.resize(shape.channels, T::default());
        params.sums.resize(shape.channels, 0.0);
        numbers.fill(&mut params.bias, STARTS[3]);
        let [x, second, grad, outputs @ ..] = slices;
        Self {
            shape,
            inputs: [x, second, grad],
            bias: &params.bias,
            outputs,
            sums: &mut params.sums,
        }
    }

    /// Without what fills the last line.
    pub fn exact(&mut self) -> Tensors<'_, T> {
        let len = self.shape.elements();
        Tensors {
            shape: self.shape,
            inputs: self.inputs.map(|input| &input[..len]),
            bias: self.bias,
            outputs: self.outputs.each_mut().map(|output| &mut output[..len]),
            sums: self.sums,
        }
    }

    /// Whether [`halves`](Self::halves) have channels of their own.
    pub fn splits_channels(&self) -> bool {
        self.shape.is_first && self.shape.images == 1
    }

    /// In two: the images, or of one image the channels. `sums` are those of the second part, where both have all channels.
    pub fn halves<'b>(&'b mut self, sums: &'b mut [f32]) -> [Tensors<'b, T>; 2] {
        let Shape { images, channels, .. } = self.shape;
        let per_image = self.shape.elements() / images;
        let by_channels = self.splits_channels();
        let (at, [a, b]) = if by_channels {
            let parts = [channels / 2, channels - channels / 2];
            (
                parts[0] * self.shape.spatial,
                parts.map(|channels| Shape { channels, ..self.shape }),
            )
        } else {
            let parts = [images / 2, images - images / 2];
            (parts[0] * per_image, parts.map(|images| Shape { images, ..self.shape }))
        };
        let inputs = self.inputs.map(|input| input.split_at(at));
        let [(o0, p0), (o1, p1), (o2, p2), (o3, p3)] = self.outputs.each_mut().map(|output| output.split_at_mut(at));
        let (bias, sums) = if by_channels {
            (self.bias.split_at(a.channels), self.sums.split_at_mut(a.channels))
        } else {
            ((self.bias, self.bias), (&mut *self.sums, sums))
        };
        let tensors = |shape, inputs, bias, outputs, sums| Tensors {
            shape,
            inputs,
            bias,
            outputs,
            sums,
        };
        [
            tensors(a, inputs.map(|(first, _)| first), bias.0, [o0, o1, o2, o3], sums.0),
            tensors(b, inputs.map(|(_, second)| second), bias.1, [p0, p1, p2, p3], sums.1),
        ]
    }
}

/// A number for each channel.
#[derive(Default)]
pub struct Params<T> {
    bias: Vec<T>,
    sums: Vec<f32>,
}
