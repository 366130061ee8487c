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
/// - The difference is not computed where it would cancel: below |x| = 1.25 f(x) is x³ times a polynomial, and next to 0 about
///   x³ / 3. Above, it is |x| - 1 + 2 t / (1 + t) for t = e^-2|x|.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, in `f32` up to |x| = 2^-75, it is +0.0 for each g.
/// - `f32`: the value is within 2.5 ulp of the exact one (2.1729 at x = 1.2252151), the gradient for g = 1
///   within 3 (2.9151 at x = 1.2331944). `f64`: within 2.5 and 4 ulp, the greatest found are 2.27 at x = -1.25
///   and 3.76 at x = 1.24284. For any g an ulp or two more.
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
        let far = magnitude.sub(number(simd, 1.0)).add(one_minus_tanh(simd, magnitude));
        let near = near_zero(simd, magnitude);
        far.replace(is_near(simd, magnitude), near).xor(x.xor(magnitude))
    }

    #[inline(always)]
    fn gradient<F: Float>((): (), simd: F::Simd, x: F, grad_output: F) -> F {
        let magnitude = without_sign(simd, x);
        let far = number::<F>(simd, 1.0).sub(one_minus_tanh(simd, magnitude));
        let near = magnitude.sub(near_zero(simd, magnitude));
        let tanh = far.replace(is_near(simd, magnitude), near);
        // +0.0 where the slope is rounded to 0: up to 2^-75, or 2^-537.5. No 0 * inf.
        let end = constant::<F>(simd, 0x1a00_0000, 0x1e56_a09e_667f_3bcc);
        grad_output.mul(tanh).mul(tanh).keep(magnitude.gt(end))
    }
}

/// 2 t / (1 + t), where t = e^-2|x|.
#[inline(always)]
fn one_minus_tanh<F: Float>(simd: F::Simd, magnitude: F) -> F {
    let t = exp_minus(simd, magnitude.add(magnitude)).value().mul(unscale(simd));
    t.add(t).div(t.add(number(simd, 1.0)))
}

/// Where the differences beside `near_zero` would cancel.
#[inline(always)]
fn is_near<F: Float>(simd: F::Simd, magnitude: F) -> F::Mask {
    number::<F>(simd, 1.25).gt(magnitude)
}

/// `x - tanh(x)` for x from 0 to 1.25: a polynomial of x², times x³ without its rounding errors.
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
            c(0xbfc1_1111_1111_0fc7),
            c(0x3fab_a1ba_1ba0_4968),
            c(0xbf96_64f4_87db_a1bd),
            c(0x3f82_26e3_4ca9_c106),
            c(0xbf6d_6d3b_c2d1_7660),
            c(0x3f57_da26_d8b3_686f),
            c(0xbf43_5501_0b1c_4d35),
            c(0x3f2f_51a9_d2ab_df1f),
            c(0xbf19_4b86_2f52_4b9f),
            c(0x3f04_3454_e4d9_27f1),
            c(0xbeef_44c4_e601_12b5),
            c(0x3ed6_8bd6_2121_b117),
            c(0xbebc_9bb5_8035_4c20),
            c(0x3e9d_b1de_ce8f_174b),
            c(0xbe76_fe8f_e2d9_0a57),
            c(0x3e47_2482_2c7e_d98f),
            c(0xbe06_67d5_ddfb_876a));
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
