//! The time of a cell.

use std::time::Instant;

use workload::calls_per_round;

use crate::pass::{By, Pass, Tensors};
use crate::plain::Number;
use crate::shape::{MAX_BYTES, Shape, shapes};

/// A pass with a shape and format.
pub struct Cell {
    pub pass: Pass,
    pub format: &'static str,
    pub shape: Shape,
    pub ns: f64,
    pub plain_ns: f64,
}

impl Cell {
    /// Time relative to the plain loop.
    pub fn ratio(&self) -> f64 {
        self.ns / self.plain_ns
    }

    pub fn ns_per_element(&self) -> f64 {
        self.ns / self.shape.elements() as f64
    }

    /// Whether it has so many elements that the cost of a call is a minor part.
    pub fn is_large(&self) -> bool {
        self.shape.elements() >= LARGE
    }

    pub fn is_slower(&self) -> bool {
        self.ratio() > SLOWER
    }
}

/// In elements.
pub const LARGE: usize = 1024;

/// From this ratio on a cell is slower than its plain loop.
pub const SLOWER: f64 = 1.1;

/// Measures some passes with all shapes. Returns an error if a result differs from that of the plain loop.
pub fn measure<T: Number>(passes: &[Pass], is_full: bool) -> Result<Vec<Cell>, String> {
    let mut memory = Memory::<T>::new();
    let mut cells = Vec::new();
    for &pass in passes {
        for shape in shapes(pass.has_channels(), size_of::<T>(), is_full) {
            if pass.takes(shape) && (is_full || pass.is_sample(shape)) {
                cells.push(measure_cell(pass, &mut memory, shape)?);
            }
        }
    }
    Ok(cells)
}

fn measure_cell<T: Number>(pass: Pass, memory: &mut Memory<T>, shape: Shape) -> Result<Cell, String> {
    if !memory.is_right(pass, shape) {
        return Err(format!(
            "{} {} {} gave a wrong result",
            pass.name,
            pass.function,
            T::NAME
        ));
    }
    let mut tensors = memory.tensors(shape, 0);
    let mut ns_per_call = |calls: u32, by| {
        let start = Instant::now();
        pass.run(&mut tensors, by, calls);
        start.elapsed().as_nanos() as f64 / f64::from(calls)
    };
    let mut least = [f64::INFINITY; 2];
    // What is slower by the first rounds is measured again, for longer: the machine may have been busy.
    for (rounds, ns) in [(4, 6e3), (8, 1e4), (12, 2e4)] {
        let by = [By::Rectify, By::Plain];
        let calls = by.map(|by| calls_per_round(ns, |calls| ns_per_call(calls, by)));
        for _ in 0..rounds {
            for i in 0..2 {
                least[i] = least[i].min(ns_per_call(calls[i], by[i]));
            }
        }
        if least[0] <= SLOWER * least[1] {
            break;
        }
    }
    let [ns, plain_ns] = least;
    Ok(Cell {
        pass,
        format: T::NAME,
        shape,
        ns,
        plain_ns,
    })
}

/// Memory for the tensors of any shape: inputs, and the outputs of both ways.
struct Memory<T: Number> {
    inputs: [Vec<T>; 3],
    outputs: [[Vec<T>; 2]; 2],
    sums: [Vec<T::Sum>; 2],
    mask: Vec<u8>,
}

impl<T: Number> Memory<T> {
    fn new() -> Self {
        // Rows of one element have a gap of three.
        let len = 4 * MAX_BYTES / size_of::<T>();
        // Multiples of 1/4 up to 4, so that sums are exact. The period is a prime, so that no channel has one sign.
        let input = |seed: usize| {
            let numbers = (0..len).map(|i| T::rounded((((i + seed) * 7919 % 1009) as f64 / 32.0 - 16.0).round() / 4.0));
            numbers.collect()
        };
        Self {
            inputs: [1, 100, 200].map(input),
            outputs: [(); 2].map(|()| [(); 2].map(|()| vec![T::default(); len])),
            sums: [(); 2].map(|()| vec![T::Sum::default(); len]),
            mask: vec![0; len / 8],
        }
    }

    fn tensors(&mut self, shape: Shape, index: usize) -> Tensors<'_, T> {
        let len = (shape.rows() - 1) * shape.stride() + shape.columns();
        let [output, second] = &mut self.outputs[index];
        Tensors {
            shape,
            inputs: self.inputs.each_ref().map(|input| &input[..len]),
            params: &self.inputs[2][..shape.channels],
            outputs: [&mut output[..len], &mut second[..len]],
            sums: &mut self.sums[index][..shape.channels],
            mask: &mut self.mask[..len.div_ceil(8)],
        }
    }

    /// Whether both ways have the same results, up to the rounding of arithmetic functions and sums.
    fn is_right(&mut self, pass: Pass, shape: Shape) -> bool {
        for (index, by) in [By::Rectify, By::Plain].into_iter().enumerate() {
            let mut tensors = self.tensors(shape, index);
            for output in &mut tensors.outputs {
                output.fill(T::rounded(99.0));
            }
            pass.run(&mut tensors, by, 1);
        }
        // Sums of rounded summands come in different orders.
        let is_close = |a: f64, b: f64, terms: usize| {
            let epsilon = T::EPSILON.into().max(f32::EPSILON.into());
            (a - b).abs() <= 4.0 * epsilon * (terms as f64).powf(1.5) * (1.0 + a.abs().min(4.0))
        };
        let len = shape.rows() * shape.stride() - shape.gap;
        let [outputs, expected] = &self.outputs;
        let are_right = outputs.iter().zip(expected).all(|(output, expected)| {
            let mut pairs = output[..len].iter().zip(expected);
            pairs.all(|(&a, &b)| is_close(a.into(), b.into(), 1))
        });
        let [sums, expected] = &self.sums;
        let mut pairs = sums[..shape.channels].iter().zip(expected);
        let terms = shape.elements() / shape.channels;
        are_right && (!pass.has_sums() || pairs.all(|(&a, &b)| is_close(a.into(), b.into(), terms)))
    }
}
