//! The passes of the sweep: each by `rectify` and as a plain loop.

use std::hint::black_box;

use rectify::{Activation, Crelu, Fused, HardSwish, LeakyRelu, OneBitGradient, PRelu, ReGlu, Relu, Rows, RowsMut};

use crate::plain::{Number, Plain, SLOPE, walk};
use crate::shape::Shape;

/// What a pass reads and writes.
pub struct Tensors<'a, T: Number> {
    pub shape: Shape,
    pub inputs: [&'a [T]; 3],
    /// A number for each channel.
    pub params: &'a [T],
    pub outputs: [&'a mut [T]; 2],
    pub sums: &'a mut [T::Sum],
    pub mask: &'a mut [u8],
}

impl<'a, T: Number> Tensors<'a, T> {
    fn input(&self, index: usize) -> Rows<'a, T> {
        Rows::with_stride(self.inputs[index], self.shape.columns(), self.shape.stride())
    }

    /// Opaque, so that the calls stay apart.
    #[inline(always)]
    fn repeat(&mut self, calls: u32, call: impl Fn(&mut Self)) {
        (0..calls).for_each(|_| call(black_box(self)));
    }
}

/// Who computes a pass.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum By {
    Rectify,
    Plain,
}

/// A pass, with a function if it takes one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pass {
    pub name: &'static str,
    pub function: &'static str,
}

const FUNCTIONS: &[&str] = &["relu", "leaky_relu", "hard_swish"];

/// The passes, and their functions.
const PASSES: [(&str, &[&str]); 13] = [
    ("rows", FUNCTIONS),
    ("bias", FUNCTIONS),
    ("bias_residual", FUNCTIONS),
    ("scale_bias", FUNCTIONS),
    ("backward_bias", FUNCTIONS),
    ("prelu", &[""]),
    ("prelu_backward", &[""]),
    ("reglu", &[""]),
    ("reglu_backward", &[""]),
    ("crelu", &[""]),
    ("crelu_backward", &[""]),
    ("mask", &["relu", "leaky_relu"]),
    ("mask_backward", &["relu", "leaky_relu"]),
];

pub fn names() -> impl Iterator<Item = &'static str> {
    PASSES.iter().map(|&(name, _)| name)
}

impl Pass {
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |&(name, functions): &(&'static str, &'static [&'static str])| {
            functions.iter().map(move |&function| Self { name, function })
        };
        PASSES.iter().flat_map(of)
    }

    pub fn has_channels(self) -> bool {
        self.name.contains("bias") || self.name.starts_with("prelu")
    }

    pub fn has_sums(self) -> bool {
        ["backward_bias", "prelu_backward"].contains(&self.name)
    }

    /// Whether it is measured with that shape. Masks are those of slices.
    pub fn takes(self, shape: Shape) -> bool {
        !self.name.starts_with("mask") || shape.images == 1 && shape.gap == 0
    }

    /// Whether it is measured by default: strided, it is with one function.
    pub fn is_sample(self, shape: Shape) -> bool {
        shape.gap == 0 || self.function.is_empty() || self.function == FUNCTIONS[0]
    }

    /// Runs it so many times.
    pub fn run<T: Number>(self, tensors: &mut Tensors<'_, T>, by: By, calls: u32) {
        match self.function {
            "relu" => self.run_function(Relu, tensors, by, calls),
            "leaky_relu" => self.run_function(LeakyRelu::new(SLOPE.into()), tensors, by, calls),
            "hard_swish" => self.run_activation(HardSwish, tensors, by, calls),
            _ => self.run_tensors(tensors, by, calls),
        }
    }

    fn run_function<T: Number>(self, f: impl OneBitGradient + Plain, tensors: &mut Tensors<'_, T>, by: By, calls: u32) {
        match (self.name, by) {
            ("mask", By::Rectify) => tensors.repeat(calls, |t| {
                f.forward_mask(t.inputs[0], t.outputs[0], t.mask);
            }),
            ("mask", By::Plain) => tensors.repeat(calls, |t| plain_mask(f, t)),
            ("mask_backward", By::Rectify) => tensors.repeat(calls, |t| {
                f.backward_mask(t.mask, t.inputs[1], t.outputs[0]);
            }),
            ("mask_backward", By::Plain) => tensors.repeat(calls, |t| plain_mask_backward(f, t)),
            _ => self.run_activation(f, tensors, by, calls),
        }
    }

    fn run_activation<A: Activation + Plain, T: Number>(self, f: A, tensors: &mut Tensors<'_, T>, by: By, calls: u32) {
        let zero = T::Sum::default();
        let none = T::default();
        match (self.name, by) {
            ("rows", By::Rectify) => tensors.repeat(calls, |t| {
                Fused::new(f).forward(t.input(0), &mut output(t.shape, t.outputs[0]));
            }),
            ("rows", By::Plain) => tensors.repeat(calls, |t| {
                walk::<T, false, false>(t, |[x, ..], _| ([T::narrow(A::value(x.wide())), none], zero));
            }),
            ("bias", By::Rectify) => tensors.repeat(calls, |t| {
                let fused = Fused::new(f).bias(t.params, t.shape.layout());
                fused.forward(t.input(0), &mut output(t.shape, t.outputs[0]));
            }),
            ("bias", By::Plain) => tensors.repeat(calls, |t| {
                walk::<T, false, false>(t, |[x, ..], bias| {
                    ([T::narrow(A::value(x.wide() + bias.wide())), none], zero)
                });
            }),
            ("bias_residual", By::Rectify) => tensors.repeat(calls, |t| {
                let fused = Fused::new(f).bias(t.params, t.shape.layout()).residual(t.input(1));
                fused.forward(t.input(0), &mut output(t.shape, t.outputs[0]));
            }),
            ("bias_residual", By::Plain) => tensors.repeat(calls, |t| {
                walk::<T, false, false>(t, |[x, skip, _], bias| {
                    ([T::narrow(A::value(x.wide() + bias.wide() + skip.wide())), none], zero)
                });
            }),
            ("scale_bias", By::Rectify) => tensors.repeat(calls, |t| {
                let layout = t.shape.layout();
                let fused = Fused::new(f).scale(t.params, layout).bias(t.params, layout);
                fused.forward(t.input(0), &mut output(t.shape, t.outputs[0]));
            }),
            ("scale_bias", By::Plain) => tensors.repeat(calls, |t| {
                walk::<T, false, false>(t, |[x, ..], number| {
                    let z = x.wide() * number.wide() + number.wide();
                    ([T::narrow(A::value(z)), none], zero)
                });
            }),
            (_, By::Rectify) => tensors.repeat(calls, |t| {
                let (x, grad) = (t.input(0), t.input(1));
                let grad_input = &mut output(t.shape, t.outputs[0]);
                Fused::new(f).backward_bias(x, grad, grad_input, t.shape.layout(), t.sums);
            }),
            (_, By::Plain) => tensors.repeat(calls, |t| {
                walk::<T, true, false>(t, |[x, grad, _], _| {
                    let grad = A::gradient(x, grad);
                    ([grad, none], grad.wide())
                });
            }),
        }
    }

    fn run_tensors<T: Number>(self, tensors: &mut Tensors<'_, T>, by: By, calls: u32) {
        let zero = T::Sum::default();
        let none = T::default();
        let product = |a: T, b: T| T::narrow(a.wide() * b.wide());
        match (self.name, by) {
            ("prelu", By::Rectify) => tensors.repeat(calls, |t| {
                let prelu = PRelu::new(t.params, t.shape.layout());
                prelu.forward(t.input(0), &mut output(t.shape, t.outputs[0]));
            }),
            ("prelu", By::Plain) => tensors.repeat(calls, |t| {
                walk::<T, false, false>(t, |[x, ..], slope| {
                    ([if x > none { x } else { product(x, slope) }, none], zero)
                });
            }),
            ("prelu_backward", By::Rectify) => tensors.repeat(calls, |t| {
                let (x, grad) = (t.input(0), t.input(1));
                let grad_input = &mut output(t.shape, t.outputs[0]);
                PRelu::new(t.params, t.shape.layout()).backward(x, grad, grad_input, t.sums);
            }),
            ("prelu_backward", By::Plain) => tensors.repeat(calls, |t| {
                walk::<T, true, false>(t, |[x, grad, _], slope| {
                    if x > none {
                        ([grad, none], zero)
                    } else {
                        ([product(grad, slope), none], x.wide() * grad.wide())
                    }
                });
            }),
            ("reglu", By::Rectify) => tensors.repeat(calls, |t| {
                ReGlu::new().forward(t.input(0), t.input(1), &mut output(t.shape, t.outputs[0]));
            }),
            ("reglu", By::Plain) => tensors.repeat(calls, |t| {
                walk::<T, false, false>(t, |[a, b, _], _| {
                    ([if a > none { product(a, b) } else { none }, none], zero)
                });
            }),
            ("reglu_backward", By::Rectify) => tensors.repeat(calls, |t| {
                let [a, b, grad] = [t.input(0), t.input(2), t.input(1)];
                let [grad_a, grad_b] = &mut t.outputs;
                let (grad_a, grad_b) = (&mut output(t.shape, grad_a), &mut output(t.shape, grad_b));
                ReGlu::new().backward(a, b, grad, grad_a, grad_b);
            }),
            ("reglu_backward", By::Plain) => tensors.repeat(calls, |t| {
                walk::<T, false, true>(t, |[a, grad, b], _| {
                    let results = [product(grad, b), product(grad, a)];
                    (if a > none { results } else { [none; 2] }, zero)
                });
            }),
            ("crelu", By::Rectify) => tensors.repeat(calls, |t| {
                let input = t.input(0);
                let [positive, negative] = &mut t.outputs;
                let (positive, negative) = (&mut output(t.shape, positive), &mut output(t.shape, negative));
                Crelu::new().forward(input, positive, negative);
            }),
            ("crelu", By::Plain) => tensors.repeat(calls, |t| {
                walk::<T, false, true>(t, |[x, ..], _| {
                    let negative = negated(x);
                    let relu = |x| if x > none { x } else { none };
                    ([relu(x), relu(negative)], zero)
                });
            }),
            (_, By::Rectify) => tensors.repeat(calls, |t| {
                let inputs = [0, 1, 2].map(|index| t.input(index));
                Crelu::new().backward(inputs[0], inputs[1], inputs[2], &mut output(t.shape, t.outputs[0]));
            }),
            (_, By::Plain) => tensors.repeat(calls, |t| {
                walk::<T, false, false>(t, |[x, grad_positive, grad_negative], _| {
                    let negative = if x < none { negated(grad_negative) } else { none };
                    ([if x > none { grad_positive } else { negative }, none], zero)
                });
            }),
        }
    }
}

#[inline(always)]
fn negated<T: Number>(x: T) -> T {
    T::narrow(x.wide() * (-1.0).into())
}

fn output<T>(shape: Shape, elements: &mut [T]) -> RowsMut<'_, T> {
    RowsMut::with_stride(elements, shape.columns(), shape.stride())
}

#[inline(always)]
fn plain_mask<A: Plain, T: Number>(_: A, tensors: &mut Tensors<'_, T>) {
    let x = tensors.inputs[0].chunks(8);
    let outputs = tensors.outputs[0].chunks_mut(8).zip(&mut *tensors.mask);
    for (x, (output, mask)) in x.zip(outputs) {
        *mask = 0;
        for (i, (&x, output)) in x.iter().zip(output).enumerate() {
            *output = T::narrow(A::value(x.wide()));
            *mask |= u8::from(x > T::default()) << i;
        }
    }
}

#[inline(always)]
fn plain_mask_backward<A: Plain, T: Number>(_: A, tensors: &mut Tensors<'_, T>) {
    let grad_output = tensors.inputs[1].chunks(8);
    let outputs = tensors.outputs[0].chunks_mut(8).zip(&*tensors.mask);
    // A positive and a negative x.
    let [live, dead] = [1.0, -1.0].map(|x| T::rounded(x));
    for (grad_output, (output, &mask)) in grad_output.zip(outputs) {
        for (i, (&grad_output, output)) in grad_output.iter().zip(output).enumerate() {
            *output = A::gradient(if mask >> i & 1 == 1 { live } else { dead }, grad_output);
        }
    }
}
