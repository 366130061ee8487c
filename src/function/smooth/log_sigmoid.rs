use super::softplus::{Params, SoftplusCode};
use super::{Smooth, Tie};
use crate::simd::FloatLane;

/// Log-sigmoid: f(x) = log(1 / (1 + e^-x)), which is -softplus(-x).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | -0.0 | +0.0, even where g is infinite or NaN |
/// | finite | min(0, x) - log(1 + e^-\|x\|) | g / (1 + e^x) |
/// | -inf | -inf | g |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, LogSigmoid};
///
/// let x = [-100.0_f32, 0.0, 100.0];
/// let mut y = [0.0; 3];
/// LogSigmoid.forward(&x, &mut y);
/// assert_eq!(y, [-100.0, -0.6931472, -3.783506e-44]);
///
/// let mut grad = [1.0; 3];
/// LogSigmoid.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [1.0, 0.5, 3.783506e-44]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - f(x) is never above 0, and for x > 0 rises to the least subnormal number: in `f32` it is -0.0 from x = 104 on.
/// - It has the loops of [`Softplus`](crate::Softplus): the bits are those of -softplus(-x), and so are the notes there on errors, 16-bit formats
///   and modes.
/// - f is not monotonic: of all neighbours in `f32` 2,289,658 go down by an ulp, from
///   x = -0.44 to 0.67.
///
/// It is PyTorch's `logsigmoid`. ONNX has no such operator.
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 returns instead, on x86-64 with AVX2:
///
/// - PyTorch in `f16`: f(x) is rounded to `f32` first: within 0.51 ulp.
/// - PyTorch: f(x) is +0.0, not -0.0, where e^-x is rounded to 0.
/// - PyTorch in `f32` and `f64`: f(x) is rounded otherwise, within 1.5 ulp.
/// - PyTorch in `f32` and `f64`: the gradient is rounded otherwise, within 2.5 ulp.
/// - PyTorch: the gradient is g * z / (1 + z) or g * (1 - z / (1 + z)) for z = e^-|x|, which is rounded to the format. Where
///   z is 0, that is 0 with the sign of g, or NaN.
/// - PyTorch in `f32`, `f64` and `f16`: a signalling NaN comes out quiet.
/// - PyTorch: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LogSigmoid;

impl Smooth for LogSigmoid {
    const NAMES: &'static [(&'static str, Self)] = &[("logsigmoid", Self), ("LogSigmoid", Self)];

    type Code = SoftplusCode;

    #[inline]
    fn params<L: FloatLane>(self) -> Params {
        Params::new(1.0, L::SIGN_BIT, TIES)
    }
}

/// Those of softplus with other signs.
const TIES: &[Tie] = &[[0x0430, 0xb98b], [0x0431, 0xb98b]];
