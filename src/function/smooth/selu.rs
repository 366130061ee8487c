use super::Smooth;
use super::elu::{ExpLinear, Params};
use crate::simd::FloatLane;

/// SELU, the self-normalizing [`Elu`](super::Elu): f(x) = scale * x for x > 0, else scale * alpha * (e^x - 1).
///
/// scale is 1.0507009873554805 and alpha 1.6732632423543773, with which the mean 0 and the variance 1 of a layer's inputs stay.
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | > 0, +inf | scale * x | g * scale |
/// | +0.0, -0.0 | x | g * scale * alpha |
/// | < 0 | scale * alpha * (e^x - 1) | g * scale * alpha * e^x |
/// | -inf | -scale * alpha | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Selu};
///
/// let x = [-100.0_f32, -0.0, 2.0];
/// let mut y = [0.0; 3];
/// Selu.forward(&x, &mut y);
/// assert_eq!(y, [-1.7580993, -0.0, 2.101402]);
///
/// let mut grad = [1.0; 3];
/// Selu.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [6.6e-44, 1.7580993, 1.050701]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`. At x = 0 the gradient is that of x < 0, as in PyTorch.
/// - f(x) has the sign of x, down to the least subnormal number.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - `f32`: the value is within 1.5 ulp of the exact one (1.2502 at x = -1.7305052), the gradient for g = 1 within 1.5
///   (1.0802 at x = -5.855152). `f64`: within 2 and 1.5, the greatest found are 1.95 at x = -0.333919 and 1.19 at x = -47.4799. For any g within 4.
///   In `f32` f(3.2386221e38) is inf, where the exact value is nearer to the greatest number.
/// - `f16` and `bf16`: each value is the exact one rounded, and so is each gradient for g = 1, except 2 of `f16` that are
///   its other neighbour.
/// - Of all neighbours in `f32` one goes down, by an ulp, at x = -11.436929.
/// - The constants are those of PyTorch as real numbers; scale and scale * alpha are rounded to the compute format once. Both are
///   computed as by [`Elu`](super::Elu), in the same loops.
///
/// It is PyTorch's `selu`, and ONNX's operator `Selu` with its default parameters, which are rounded to `f32`. It is due to
/// Klambauer, Unterthiner, Mayr and Hochreiter (2017).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch in `f32`: f(x) is rounded otherwise, within 2 ulp.
/// - PyTorch in `f64`: f(x) is rounded otherwise, within 2.5 ulp.
/// - PyTorch in `f32` and `f64`: the gradient is rounded otherwise, within 2 ulp.
/// - PyTorch: where e^x is 0 or subnormal in `f32`, or g * scale * alpha overflows, the gradient is the product of these:
///   0 with the sign of g, infinite or NaN.
/// - PyTorch: the gradient at NaN is NaN in whole vectors, and g * scale in the tail.
/// - ONNX Runtime in `f32`: f(x) is scale * alpha * (e^x - 1), off by up to 2^-24 and rounded: 0 for small x.
/// - ONNX Runtime in `f16`: f(x) is off by up to 2^-24 and rounded.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime in `f16`: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Selu;

/// PyTorch's numbers, rounded once each, and so is their product.
const SCALE: f64 = 1.050_700_987_355_480_5;
const SCALE_TIMES_ALPHA: f64 = 1.758_099_340_847_376_9;

impl Smooth for Selu {
    const NAMES: &'static [(&'static str, Self)] = &[("selu", Self), ("SELU", Self), ("Selu", Self)];

    type Code = ExpLinear;

    #[inline(always)]
    fn params<L: FloatLane>(self) -> Params {
        Params::new::<L>(SCALE, SCALE_TIMES_ALPHA, SCALE_TIMES_ALPHA, [1.0, 0.0])
    }
}
