use super::{Code, Tie};
use crate::function::order::without_sign;
use crate::simd::Float;

/// A function whose backward takes the output of forward instead of its input: `FromOutput(Sigmoid)`, `FromOutput(Tanh)`.
///
/// | f | gradient from y = f(x) |
/// | --- | --- |
/// | [`Sigmoid`](crate::Sigmoid) | g * ((1 - y) * y) |
/// | [`Tanh`](crate::Tanh) | g * ((1 - y) * (1 + y)) |
///
/// Forward is that of the function. The gradient is +0.0 where y is 0 or 1, of tanh where |y| is 1, even where g is infinite
/// or NaN. Where y is NaN, it is y.
///
/// So x needs no memory, and the gradient is cheaper by an exponential. It knows x only as well as y does: next to 1, y has
/// few bits left of the distance to it. In `f32` the gradient of sigmoid is off by 1 % at x = 10, and 0 from x = 17.33 on,
/// where that from x is 2.97e-8; in `bf16` it is 0 from x = 6.24 on. That of tanh is 0 from |x| = 9.02 on, in `bf16` from 3.47
/// on. In tails that are to learn, take the gradient from x.
///
/// ```
/// use rectify::{Activation, FromOutput, Sigmoid};
///
/// let mut y = [-1.0_f32, 0.0, 1.0];
/// let sigmoid = FromOutput(Sigmoid);
/// sigmoid.forward_inplace(&mut y);
///
/// let mut grad = [1.0; 3];
/// sigmoid.backward_inplace(&y, &mut grad);
/// assert_eq!(grad, [0.19661194, 0.25, 0.19661193]);
/// ```
///
/// # Notes
///
/// - Differences, products and sums are rounded in the compute format, in that order. So the gradient is within 2 ulp of
///   that of the y it is given. The CPU's rounding and flush-to-zero modes apply.
///
/// PyTorch's autograd of `sigmoid` and `tanh` computes from the output too. ONNX has no gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FromOutput<A>(pub A);

/// A function whose output tells its gradient.
pub trait OfOutput: Code {
    /// The slope where the value is y.
    fn slope<F: Float>(simd: F::Simd, y: F) -> F;
}

impl<A: OfOutput> Code for FromOutput<A> {
    type Params = A::Params;

    fn ties(params: Self::Params) -> &'static [Tie] {
        A::ties(params)
    }

    #[inline(always)]
    fn value<F: Float>(params: A::Params, simd: F::Simd, x: F) -> F {
        A::value(params, simd, x)
    }

    #[inline(always)]
    fn gradient<F: Float>(_: A::Params, simd: F::Simd, y: F, grad_output: F) -> F {
        let slope = A::slope(simd, y);
        grad_output.mul(slope).keep(without_sign(simd, slope).nonzero())
    }
}
