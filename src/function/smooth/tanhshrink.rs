use super::{Code, Smooth};
use crate::function::order::without_sign;
use crate::math::{UPPER_26_BITS, by_bits, constant, exp_minus, is_f32, negated, number, polynomial, unscale};
use crate::simd::{Float, FloatLane};

/// Tanhshrink: f(x) = x - tanh(x).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | +inf | g |
/// | finite | x - tanh(x) | g * tanh(x)² |
/// | -inf | -inf | g |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Tanhshrink};
///
/// let x = [-10.0_f32, 0.0, 0.001];
/// let mut y = [0.0; 3];
/// Tanhshrink.forward(&x, &mut y);
/// assert_eq!(y, [-9.0, 0.0, 3.3333328e-10]);
///
/// let mut grad = [1.0; 3];
/// Tanhshrink.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [1.0, 0.0, 9.999994e-7]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - f is odd, also in bits: f(-0.0) is -0.0.
/// - The difference is not computed where it would cancel: below |x| = 1.25, in `f64` below 0.875, f(x) is x³ times a polynomial, and next to 0 about
///   x³ / 3. Above, it is |x| - 1 + 2 t / (1 + t) for t = e^-2|x|.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, in `f32` up to |x| = 2^-75, it is +0.0 for each g.
/// - `f32`: the value is within 2.5 ulp of the exact one (2.1729 at x = 1.2252151), the gradient for g = 1
///   within 3 (2.9151 at x = 1.2331944). `f64`: within 2 and 3 ulp, the greatest found are 1.50 at x = 0.884914
///   and 2.50 at x = 0.874566. For any g an ulp or two more.
/// - `f16` and `bf16`: each value is the exact one rounded, and so is each gradient for g = 1, except 2 of `f16` and 12 of
///   `bf16` that are its other neighbour.
/// - f is monotonic: no two neighbours in `f32` go down. In `f64` some do, by an ulp.
/// - e^-2|x| is a power of two times a polynomial. In `f32`, `f16` and `bf16` it is defined by fused multiply-adds, which are
///   emulated where the CPU has none: `portable` and `scalar` are slow. In `f64` product and sum are rounded each.
/// - The CPU's rounding and flush-to-zero modes apply.
///
/// It is PyTorch's `tanhshrink`. ONNX has no such operator.
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 returns instead, on x86-64 with AVX2:
///
/// - PyTorch in `f32`, `f16` and `bf16`: f(x) is x - y of the rounded y = tanh(x), which cancels next to 0.
/// - PyTorch in `f64`: f(x) is x - y of the rounded y = tanh(x), which cancels next to 0: it is off by up to 2^-54.
/// - PyTorch: the gradient is g - g * (1 - y²) of the rounded y = tanh(x), which cancels next to 0. It is NaN for an infinite
///   g, and +0.0 for -0.0.
/// - PyTorch in `f64`: for other g it is off by ulp in proportion to 1 / x², 230,000 of them at 0.001.
/// - PyTorch in `f32`, `f64` and `f16`: a signalling NaN comes out quiet.
/// - PyTorch: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tanhshrink;

impl Smooth for Tanhshrink {
    const NAMES: &'static [(&'static str, Self)] = &[("tanhshrink", Self), ("Tanhshrink", Self)];

    type Code = Self;

    #[inline(always)]
    fn params<L: FloatLane>(self) {}
}

impl Code for Tanhshrink {
    type Params = ();

    #[inline(always)]
    fn value<F: Float>((): (), simd: F::Simd, x: F) -> F {
        let magnitude = without_sign(simd, x);
        let far = minus_tanh_beside(simd, magnitude.sub(number(simd, 1.0)), magnitude);
        let near = near_zero(simd, magnitude);
        far.replace(is_near(simd, magnitude), near).xor(x.xor(magnitude))
    }

    #[inline(always)]
    fn gradient<F: Float>((): (), simd: F::Simd, x: F, grad_output: F) -> F {
        let magnitude = without_sign(simd, x);
        let far = negated(simd, minus_tanh_beside(simd, number(simd, -1.0), magnitude));
        let near = magnitude.sub(near_zero(simd, magnitude));
        let tanh = far.replace(is_near(simd, magnitude), near);
        // +0.0 where the slope is rounded to 0: up to 2^-75, or 2^-537.5. No 0 * inf.
        let end = constant::<F>(simd, 0x1a00_0000, 0x1e56_a09e_667f_3bcc);
        grad_output.mul(tanh).mul(tanh).keep(magnitude.gt(end))
    }
}

/// `less + 1 - tanh(|x|)`, where that is `less + 2 t / (1 + t)` for t = e^-2|x|. The sum of `less` and a power of two is exact.
#[inline(always)]
fn minus_tanh_beside<F: Float>(simd: F::Simd, less: F, magnitude: F) -> F {
    let exp = exp_minus(simd, magnitude.add(magnitude));
    let one: F = number(simd, 1.0);
    if is_f32::<F>() {
        let t = exp.value().mul(unscale(simd));
        return less.add(t.add(t).div(t.add(one)));
    }
    // t / (1 + t) is t - t² / (1 + t), and t = p (1 + g): what is not p is small, and so are its roundings.
    let p = exp.power.mul(unscale(simd));
    let product = exp.growth.mul(p);
    let t = product.add(p);
    let rest = product.sub(t.mul(t).div(t.add(one)));
    less.add(p.add(p)).add(rest.add(rest))
}

/// Where the differences beside `near_zero` would cancel: up to 1.25, in `f64` to 0.875.
#[inline(always)]
fn is_near<F: Float>(simd: F::Simd, magnitude: F) -> F::Mask {
    number::<F>(simd, if is_f32::<F>() { 1.25 } else { 0.875 }).gt(magnitude)
}

/// `x - tanh(x)` for x from 0 to the end of [`is_near`]: a polynomial of x², times x³ without its rounding errors.
#[inline(always)]
fn near_zero<F: Float>(simd: F::Simd, x: F) -> F {
    let square = x.mul(x);
    if is_f32::<F>() {
        let c = |bits: u32| by_bits::<F>(simd, bits.into());
        let rest = polynomial!(square;
            c(0xbe08_8888),
            c(0x3d5d_09f4),
            c(0xbcb2_ddaf),
            c(0x3c0e_e0c6),
            c(0xbb56_c4dc),
            c(0x3a87_8bef),
            c(0xb96d_4acc),
            c(0x37ca_c7e7));
        let quotient = rest.mul_add(square, c(0x3eaa_aaab));
        let cube = x.mul(square);
        let square_low = x.mul_add(x, negated(simd, square));
        let cube_low = x.mul_add(square_low, x.mul_add(square, negated(simd, cube)));
        cube.mul_add(quotient, cube_low.mul(quotient))
    } else {
        let c = |bits: u64| by_bits::<F>(simd, bits);
        let rest = polynomial!(square;
            c(0xbfc1_1111_1111_107f),
            c(0x3fab_a1ba_1ba1_25a9),
            c(0xbf96_64f4_8808_cf4a),
            c(0x3f82_26e3_5125_52c1),
            c(0xbf6d_6d3c_3e93_b1d5),
            c(0x3f57_da2a_5895_467c),
            c(0xbf43_5506_f9e6_b8ce),
            c(0x3f2f_50a6_7bec_9e95),
            c(0xbf19_4081_2c31_209c),
            c(0x3f03_f880_ae35_73e2),
            c(0xbeed_a8b8_4709_7157),
            c(0x3ed2_daea_a174_d31e),
            c(0xbeb1_6b79_c448_86f8),
            c(0x3e80_ba2a_7497_2745));
        let (third, rest) = (c(0x3fd5_5555_5555_5555), rest.mul(square));
        let quotient = third.add(rest);
        // Products of upper halves are exact.
        let upper = |x: F| x.bitand(c(UPPER_26_BITS));
        let x_high = upper(x);
        let x_low = x.sub(x_high);
        let square_high = upper(square);
        let square_low = x_high.mul(x_high).sub(square_high).add(x.add(x_high).mul(x_low));
        let cube = x_high.mul(square_high);
        let cube_high = upper(cube);
        let cube_low = cube.sub(cube_high).add(x.mul(square_low).add(x_low.mul(square_high)));
        let quotient_high = upper(quotient);
        let quotient_low = third.sub(quotient_high).add(rest);
        let low = cube_high.mul(quotient_low).add(cube_low.mul(quotient));
        cube_high.mul(quotient_high).add(low)
    }
}
