//! The table of all functions, one file each: what the tests and the fuzz targets know of a function.
//!
//! A reference is written apart from the crate: from the function's page, by its definition on numbers, for special values on bits.

use rectify::{AnyActivation, Isa, Kernels};

use super::calls;
use super::format::Format;
use super::wide::Wide;

mod clipped_relu;
mod hard_sigmoid;
mod hard_swish;
mod hardshrink;
mod hardtanh;
mod leaky_relu;
mod relu;
#[cfg(feature = "smooth")]
mod smooth;
mod squared_relu;
mod thresholded_relu;

/// Those of `new`, in its order; the rest is not looked at.
pub type Parameters = [f64; 2];

#[derive(Clone, Copy)]
pub struct Function {
    /// In the names of tests: [`AnyActivation::name`] in snake case.
    pub name: &'static str,
    pub new: fn(Parameters) -> AnyActivation,
    /// In PyTorch and ONNX, with their default parameters.
    pub names: &'static [(&'static str, Parameters)],
    /// ONNX's operator with the same parameters; `GeluTanh` is its `Gelu` by tanh.
    pub onnx: Option<&'static str>,
    /// The default, which is PyTorch's, and edge cases.
    pub parameters: &'static [Parameters],
    /// For tests that take one case of each function.
    pub typical: Parameters,
    /// Some that `new` takes, made of any two numbers.
    pub valid: fn(Parameters) -> Parameters,
    /// What `new` refuses, with the message of its panic.
    pub refused: &'static [(Parameters, &'static str)],
    /// Where it goes from one formula to another.
    pub kinks: fn(Parameters) -> Vec<f64>,
    /// Of one that does arithmetic, rather than select bits.
    pub real: Option<Real>,
    /// The value for the bits x. Without one it is that of the crate's scalar code.
    pub forward: Option<Value>,
    /// The gradient at the input for the bits x and g, likewise.
    pub backward: Option<Gradient>,
    /// Whether x is live, where the gradient needs no more of it than that.
    pub live: Option<fn(Format, Parameters, u64) -> bool>,
    /// Whether `backward` may be given forward's output for its input.
    pub takes_output: fn(Parameters) -> bool,
}

type Value = fn(Format, Parameters, u64) -> u64;

type Gradient = fn(Format, Parameters, u64, u64) -> u64;

/// What a function is of real numbers, for parameters as they are given, and how far from it the results may be.
#[derive(Clone, Copy)]
pub struct Real {
    pub value: fn(Parameters, Wide) -> Wide,
    /// The gradient for a gradient of 1 at the output.
    pub slope: fn(Parameters, Wide) -> Wide,
    /// Where the value or the slope is 0, beside the kinks.
    pub roots: &'static [f64],
    /// The size of the terms that cancel in the slope at x, next to a root: errors are counted in ulp of that where the slope is less.
    pub cancelling: fn(Parameters, f64) -> f64,
    /// The greatest errors with the default parameters, in ulp of the exact result: of the value and of the gradient for g = 1, in `f32`
    /// and in `f64`.
    pub by_default: [[f64; 2]; 2],
    /// With the default parameters, too.
    pub monotony: Monotony,
    /// With any parameters.
    pub bounds: Bounds,
}

/// The greatest errors, in ulp of the exact result, of `f32` and `f64`.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub value: f64,
    pub slope: f64,
    /// Of the gradient for any gradient at the output.
    pub gradient: f64,
    /// Of the value in `f16` and `bf16` with the default parameters: half if it is the exact one, rounded.
    pub value_of_16_bits: f64,
}

/// How often the value goes against the direction of the function from a number to the next.
#[derive(Clone, Copy)]
pub struct Monotony {
    /// Of a function that falls first. The others rise.
    pub minimum: Option<f64>,
    /// How many of all neighbours in `f32` do so by one ulp, by two, and so on.
    pub steps: &'static [u64],
    /// Where these are.
    pub range: [f64; 2],
}

impl Monotony {
    const RISES: Self = Self {
        minimum: None,
        steps: &[],
        range: [0.0; 2],
    };
}

/// In the order of [`AnyActivation::NAMES`].
pub static FUNCTIONS: &[Function] = &{
    let mut functions = [relu::FUNCTION; RECTIFIERS.len() + SMOOTH.len()];
    let (rectifiers, smooth) = functions.split_at_mut(RECTIFIERS.len());
    rectifiers.copy_from_slice(RECTIFIERS);
    smooth.copy_from_slice(SMOOTH);
    functions
};

const RECTIFIERS: &[Function] = &[
    clipped_relu::FUNCTION,
    hard_sigmoid::FUNCTION,
    hard_swish::FUNCTION,
    hardshrink::FUNCTION,
    hardtanh::FUNCTION,
    leaky_relu::FUNCTION,
    relu::FUNCTION,
    squared_relu::FUNCTION,
    thresholded_relu::FUNCTION,
];

#[cfg(feature = "smooth")]
const SMOOTH: &[Function] = smooth::FUNCTIONS;
#[cfg(not(feature = "smooth"))]
const SMOOTH: &[Function] = &[];

/// A function with its parameters.
#[derive(Clone, Copy)]
pub struct Case {
    pub function: &'static Function,
    pub parameters: Parameters,
}

impl Function {
    /// Whether it does arithmetic, rather than select bits.
    pub fn is_arithmetic(&self) -> bool {
        self.real.is_some()
    }

    pub fn is_smooth(&self) -> bool {
        SMOOTH.iter().any(|smooth| smooth.name == self.name)
    }

    /// Whether it differs from sigmoid in arithmetic alone. That takes long, so that tests of how memory is walked have few cases of it.
    pub fn is_walked_as_sigmoid(&self) -> bool {
        self.is_smooth() && self.name != "sigmoid"
    }

    pub fn named(name: &str) -> &'static Self {
        let function = FUNCTIONS.iter().find(|function| function.name == name);
        function.unwrap_or_else(|| panic!("no function is named '{name}'"))
    }

    pub fn with(&'static self, parameters: Parameters) -> Case {
        Case {
            function: self,
            parameters,
        }
    }

    /// With its default parameters.
    pub fn default(&'static self) -> Case {
        self.with(self.parameters[0])
    }

    /// With each of its parameters.
    pub fn cases(&'static self) -> impl ExactSizeIterator<Item = Case> {
        self.parameters.iter().map(|&parameters| self.with(parameters))
    }
}

impl Case {
    pub fn activation(self) -> AnyActivation {
        (self.function.new)(self.parameters)
    }

    pub fn forward(self, format: Format, x: u64) -> u64 {
        match self.function.forward {
            Some(forward) => forward(format, self.parameters, x),
            None => scalar(format, self.activation(), x, None),
        }
    }

    pub fn backward(self, format: Format, x: u64, g: u64) -> u64 {
        match self.function.backward {
            Some(backward) => backward(format, self.parameters, x, g),
            None => scalar(format, self.activation(), x, Some(g)),
        }
    }

    pub fn kinks(self) -> Vec<f64> {
        (self.function.kinks)(self.parameters)
    }
}

/// Of a slope whose terms don't cancel.
const NOTHING: fn(Parameters, f64) -> f64 = |_, _| 0.0;

const NO_PARAMETERS: Parameters = [0.0; 2];

const fn one(parameter: f64) -> Parameters {
    [parameter, 0.0]
}

/// A little more than half-way between 1 and the next number of a format with so many bits: rounded to an f32 first, it would be
/// just half-way, and go to 1.
const fn tie(bits: u32) -> f64 {
    1.0 + 1.0 / (1_u64 << bits) as f64 + 1.0 / (1_u64 << 40) as f64
}

fn finite(number: f64) -> f64 {
    number.clamp(f64::MIN, f64::MAX)
}

/// `bits` where it passes, else +0.0.
fn select(passes: bool, bits: u64) -> u64 {
    if passes { bits } else { 0 }
}

/// Whether x is not a number up to `bound`: a NaN isn't.
fn is_above(format: Format, x: u64, bound: f64) -> bool {
    format.value(x).is_none_or(|x| x > bound)
}

impl Format {
    /// The bits of a bound. One that is or becomes a zero has no sign.
    fn bound(self, number: f64) -> u64 {
        let bits = self.nearest(number);
        select(self.value(bits) != Some(0.0), bits)
    }

    /// A bound as it is rounded to the format.
    fn rounded(self, number: f64) -> f64 {
        self.value(self.nearest(number)).unwrap()
    }
}

/// A result of one element by the crate's scalar code, with which the tests compare the other instruction sets where a function is smooth.
/// The scalar results are held to real numbers by the bounds of their errors. Where x is NaN, the result is x.
fn scalar(format: Format, function: AnyActivation, x: u64, g: Option<u64>) -> u64 {
    if format.value(x).is_none() {
        return x;
    }
    calls::of_one(format, Kernels::new(Isa::Scalar).unwrap(), function, x, g)
}
