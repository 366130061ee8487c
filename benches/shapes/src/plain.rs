//! The loops that one would write without this crate. The compiler may vectorize them.

use std::ops::{Add, AddAssign, Mul};

use rectify::{Element, HardSwish, LeakyRelu, Relu};
use workload::Format;

use crate::pass::Tensors;

/// A format in which numbers are computed.
pub trait Wide: Element + Add<Output = Self> + AddAssign + Mul<Output = Self> + From<f32> + Into<f64> {}

impl Wide for f32 {}
impl Wide for f64 {}

/// A format of elements.
pub trait Number: Format + Element<Sum: Wide> {
    fn wide(self) -> Self::Sum;
    fn narrow(number: Self::Sum) -> Self;
}

macro_rules! number {
    ($($format:ty: $wide:expr, $narrow:expr;)+) => {
        $(impl Number for $format {
            #[inline(always)]
            fn wide(self) -> Self::Sum {
                $wide(self)
            }

            #[inline(always)]
            fn narrow(number: Self::Sum) -> Self {
                $narrow(number)
            }
        })+
    };
}

number! {
    f32: |number| number, |number| number;
    f64: |number| number, |number| number;
    rectify::f16: Self::to_f32, Self::from_f32;
    rectify::bf16: Self::to_f32, Self::from_f32;
}

/// The definition of a function.
pub trait Plain {
    fn value<W: Wide>(z: W) -> W;
    fn gradient<T: Number>(x: T, grad_output: T) -> T;
}

impl Plain for Relu {
    #[inline(always)]
    fn value<W: Wide>(z: W) -> W {
        if z > W::default() { z } else { W::default() }
    }

    #[inline(always)]
    fn gradient<T: Number>(x: T, grad_output: T) -> T {
        if x > T::default() { grad_output } else { T::default() }
    }
}

pub const SLOPE: f32 = 0.25;

impl Plain for LeakyRelu {
    #[inline(always)]
    fn value<W: Wide>(z: W) -> W {
        if z > W::default() { z } else { z * SLOPE.into() }
    }

    #[inline(always)]
    fn gradient<T: Number>(x: T, grad_output: T) -> T {
        if x > T::default() {
            grad_output
        } else {
            T::narrow(grad_output.wide() * SLOPE.into())
        }
    }
}

impl Plain for HardSwish {
    #[inline(always)]
    fn value<W: Wide>(z: W) -> W {
        let share = z * (1.0 / 6.0).into() + 0.5.into();
        let share = if share > W::default() { share } else { W::default() };
        z * if share < 1.0.into() { share } else { 1.0.into() }
    }

    #[inline(always)]
    fn gradient<T: Number>(x: T, grad_output: T) -> T {
        let (x, grad_output) = (x.wide(), grad_output.wide());
        let slope = x * (1.0 / 3.0).into() + 0.5.into();
        let slope = if x < 3.0.into() { slope } else { 1.0.into() };
        let slope = if x > (-3.0).into() { slope } else { T::Sum::default() };
        T::narrow(grad_output * slope)
    }
}

/// `outputs = op(inputs, param)`, and with `SUMS` the sum of what `op` returns last, for each channel. With `TWO` there is
/// a second output.
#[inline(always)]
pub fn walk<T: Number, const SUMS: bool, const TWO: bool>(
    tensors: &mut Tensors<'_, T>,
    op: impl Fn([T; 3], T) -> ([T; 2], T::Sum),
) {
    let Tensors {
        shape,
        inputs,
        params,
        outputs: [output, second],
        sums,
        ..
    } = tensors;
    let (columns, stride) = (shape.columns(), shape.stride());
    if SUMS {
        sums.fill(T::Sum::default());
    }
    if shape.is_first {
        for image in 0..shape.images {
            for channel in 0..shape.channels {
                let row = (image * shape.channels + channel) * stride;
                let [a, b, c] = inputs.map(|input| &input[row..][..columns]);
                let output = &mut output[row..][..columns];
                let second = if TWO { &mut second[row..][..columns] } else { &mut [] };
                let param = params[channel];
                let mut sum = T::Sum::default();
                for i in 0..columns {
                    let (results, summand) = op([a[i], b[i], c[i]], param);
                    output[i] = results[0];
                    if TWO {
                        second[i] = results[1];
                    }
                    sum += summand;
                }
                if SUMS {
                    sums[channel] += sum;
                }
            }
        }
    } else {
        let params = &params[..columns];
        let sums = if SUMS { &mut sums[..columns] } else { &mut [] };
        for row in 0..shape.images {
            let row = row * stride;
            let [a, b, c] = inputs.map(|input| &input[row..][..columns]);
            let output = &mut output[row..][..columns];
            let second = if TWO { &mut second[row..][..columns] } else { &mut [] };
            for i in 0..columns {
                let (results, summand) = op([a[i], b[i], c[i]], params[i]);
                output[i] = results[0];
                if TWO {
                    second[i] = results[1];
                }
                if SUMS {
                    sums[i] += summand;
                }
            }
        }
    }
}
