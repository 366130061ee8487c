use super::{Code, Smooth, Tie};
use crate::function::order::without_sign;
use crate::math::{
    Pieces, ScaledExp, center, exp_bound, exp_minus, gradient_of_scaled, is_f32, near_or_far, negated, number, scale,
    scaled_gradient, unscale,
};
use crate::simd::{Float, FloatLane, Lane};

/// Mish: f(x) = x * tanh(log(1 + e^x)).
///
/// | x | f(x) | gradient |
/// | --- | --- | --- |
/// | +inf | +inf | g |
/// | finite | x * (e^2x + 2 e^x) / (e^2x + 2 e^x + 2) | g * (f(x) / x + 4 x e^x (e^x + 1) / (e^2x + 2 e^x + 2)²) |
/// | -inf | -0.0 | +0.0, even where g is infinite or NaN |
/// | NaN | the same NaN | x, the same NaN |
///
/// ```
/// use rectify::{Activation, Mish};
///
/// let x = [f32::NEG_INFINITY, 0.0, 50.0];
/// let mut y = [1.0; 3];
/// Mish.forward(&x, &mut y);
/// assert_eq!(y, [0.0, 0.0, 50.0]);
///
/// let mut grad = [1.0; 3];
/// Mish.backward_inplace(&x, &mut grad);
/// assert_eq!(grad, [0.0, 0.6, 1.0]);
/// ```
///
/// # Notes
///
/// - `backward` accepts only the input of `forward`.
/// - For x < 0 f(x) falls down to the least subnormal number, and then to -0.0; f(-0.0) is -0.0. Nothing overflows.
/// - Where the gradient for g = 1 is rounded to 0 in the compute format, it is +0.0 for each g.
/// - `f32`: the value is within 2.5 ulp of the exact one (2.2592 at x = -3.2627919), the gradient for g = 1 within 2.5
///   (2.1563 at x = -10.702633). `f64`: within 2 and 5 ulp, the greatest found are 1.98 at x = 0.623308 and 4.97 at x = -0.2236.
///   Those of the gradient are ulp of |x| e^x where x < 0 and that is more: next to its root, x = -1.19243, it is within 2^-23.5.
///   For any g an ulp more.
/// - `f16` and `bf16`: each value is the exact one rounded, and so is each gradient for g = 1, except 3 of `f16` and 1 of `bf16`
///   that are its other neighbour.
/// - On both sides of its minimum f is not monotonic: of all neighbours in `f32` 1,545,450 go against its direction by an ulp and
///   56,546 by two, from x = -2.01 to 0.5.
/// - In `f32`, `f16` and `bf16` it is x times a polynomial on each of seven intervals up to |x| = 8.5, 9 in the gradient. Beyond, and in
///   `f64`, it takes e^-|x|, a power of two times a polynomial; in `f64` also a quotient. All but `f64` is defined by fused
///   multiply-adds, which are emulated where the CPU has none: `portable` and `scalar` are slow. In `f64` product and sum are
///   rounded each.
/// - The CPU's rounding and flush-to-zero modes apply.
///
/// It is PyTorch's `mish` and ONNX's operator `Mish`. It is due to Misra (2019).
///
/// # PyTorch and ONNX Runtime
///
/// What PyTorch 2.15.0 and ONNX Runtime 1.32.0 return instead, on x86-64 with AVX2:
///
/// - PyTorch: f(-inf) is NaN, and so is the gradient at infinities.
/// - ONNX Runtime: f(-inf) is NaN.
/// - PyTorch in `f32` and `f64`, ONNX Runtime in `f32`: f(x) is rounded otherwise, within 2.5 ulp.
/// - PyTorch in `f64`: f(x) is off by up to 160 ulp where e^x is subnormal or 0.
/// - PyTorch in `f32`: f(x) is rounded otherwise where e^x is subnormal: within 20 ulp.
/// - ONNX Runtime in `f32`: f(x) is off by up to 2300 ulp where e^x is subnormal.
/// - PyTorch in `f32` and `f64`: the gradient is rounded otherwise, within 12 ulp where its terms don't cancel.
/// - PyTorch in `f32`: the gradient is off by up to 2e8 ulp next to its root.
/// - PyTorch in `f64`: the gradient is off by up to 1e8 ulp next to its root.
/// - PyTorch in `f16`: the gradient is rounded to `f32` first: within 0.65 ulp.
/// - PyTorch in `f32`: the gradient is g * e^x where e^-x overflows, of the wrong sign: below -88.72.
/// - PyTorch in `f64`: the gradient is g * e^x where e^-x overflows, of the wrong sign: below -709.78.
/// - PyTorch in `bf16`: the gradient is g * e^x where e^-x overflows, of the wrong sign: below -88.5.
/// - PyTorch: for an infinite g that is infinite, of the wrong sign too.
/// - PyTorch in `f32`: for an infinite g the gradient has the wrong sign at some x next to its root.
/// - PyTorch: where e^x is rounded to 0, the gradient is 0 with the sign of g, or NaN.
/// - PyTorch in `f32`, `f64` and `f16`, ONNX Runtime in `f32`: a signalling NaN comes out quiet.
/// - PyTorch, ONNX Runtime: a NaN comes out with other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mish;

impl Smooth for Mish {
    const NAMES: &'static [(&'static str, Self)] = &[("mish", Self), ("Mish", Self)];

    type Code = Self;

    #[inline(always)]
    fn params<L: FloatLane>(self) {}
}

impl Code for Mish {
    const KEEPS_NAN: bool = true;

    type Params = ();

    fn ties((): ()) -> &'static [Tie] {
        &[
            // 0.00061035156, 0.45214844, 1.5712891, -0.00047278404, -0.00061035156
            [0x1100, 0x0e00],
            [0x373c, 0x3555],
            [0x3e49, 0x3ded],
            [0x8fbf, 0x8ca5],
            [0x9100, 0x8dff],
        ]
    }

    #[inline(always)]
    fn value<F: Float>((): (), simd: F::Simd, x: F) -> F {
        let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
        if is_f32::<F>() {
            let magnitude = without_sign(simd, x);
            let near = x.mul(VALUE.at_either_side(simd, x, magnitude));
            return near_or_far(simd, x, VALUE.is_beyond(simd, magnitude), near, || {
                // x, or x t (1 - t / 2).
                let (bounded, exp) = bounded_with_exp(simd, x);
                let minus_half = exp.value().mul(number::<F>(simd, -0.5).mul(unscale(simd)));
                let change = exp.growth.mul_add(minus_half, minus_half).add(exp.growth);
                let product = bounded.mul(exp.power);
                let of_negative = change.mul_add(product, product).mul(unscale(simd));
                x.replace(is_negative, of_negative)
            });
        }
        // Beside c, as `logistic_product`: t = p (1 + g).
        let (bounded, exp) = bounded_with_exp(simd, x);
        let [one, two] = [1.0, 2.0].map(|n| number::<F>(simd, n));
        let product = bounded.mul(one.replace(is_negative, exp.power));
        let whole = x.replace(is_negative, product);
        let p = exp.power.mul(unscale(simd));
        let t = exp.growth.mul_add(p, p);
        let double = t.add(t);
        let c = center(simd, p, exp.growth.keep(is_negative));
        let (part, rest) = (c.mul(p), one.sub(c));
        let [r, low] = exp.parts;
        let terms = one.sub(part).mul_add(t, negated(simd, part.add(part)));
        let half = rest
            .add(r)
            .add(exp.growth.add(one).mul(number(simd, 0.5)).mul_add(terms, low));
        let of_negative = half.add(half);
        let of_positive = rest.mul_add(double, rest).sub(c.mul(double).mul(t));
        let constant = one.replace(is_negative, two);
        let denominator = t.add(constant).mul_add(double.replace(is_negative, t), constant);
        let quotient = of_positive.replace(is_negative, of_negative).div(denominator);
        let value = quotient.mul_add(product, whole.mul(c));
        value.mul(one.replace(is_negative, unscale(simd)))
    }

    #[inline(always)]
    fn gradient<F: Float>((): (), simd: F::Simd, x: F, grad_output: F) -> F {
        let is_negative = F::splat(simd, F::Lane::ZERO).gt(x);
        let [half, one, two, four] = [0.5, 1.0, 2.0, 4.0].map(|n| number::<F>(simd, n));
        if is_f32::<F>() {
            let magnitude = without_sign(simd, x);
            let near = SLOPE.at_either_side(simd, x, magnitude).mul(grad_output);
            return near_or_far(simd, x, SLOPE.is_beyond(simd, magnitude), near, || {
                // 1 + t² (4 x - 2), or t (1 + x - t (1/2 + x)).
                let (x, exp) = bounded_with_exp(simd, x);
                let scaled = exp.value();
                let t = scaled.mul(unscale(simd));
                let of_positive = t.mul(x.mul_add(four, negated(simd, two))).mul_add(t, one);
                let of_negative = t.mul_add(negated(simd, x.add(half)), x.add(one));
                let factor = of_positive.replace(is_negative, of_negative);
                let numerator = factor.mul(scale::<F>(simd).replace(is_negative, scaled));
                gradient_of_scaled(simd, numerator, grad_output)
            });
        }
        let (x, exp) = bounded_with_exp(simd, x);
        let t = exp.value().mul(unscale(simd));
        let constant = one.replace(is_negative, two);
        let double = t.add(t);
        // (1 + 2 t) d + 4 x t² (1 + t), or t times (2 + t) d + 4 x (1 + t), is 4 (1 + x) t² (1 + t) + (1 + 4 t + 2 t²), or t times
        // 4 (1 + x) (1 + t) + t (2 + 4 t + t²), with fewer roundings; d = u + 1 or u + 2.
        let square = t.mul(t);
        let u = square.add(square.discard(is_negative)).add(double);
        let rest = u.add(double).add(constant).mul(one.replace(is_negative, t));
        let first = x.add(one).mul(four).mul(square.replace(is_negative, one));
        let terms = t.add(one).mul_add(first, rest);
        let denominator = u.mul_add(u, u.add(u).mul(constant)).add(constant.mul(constant));
        let power = terms.mul(scale::<F>(simd).replace(is_negative, exp.power));
        let numerator = exp.growth.keep(is_negative).mul_add(power, power);
        scaled_gradient(simd, numerator, denominator, grad_output)
    }
}

/// x, but not beyond where e^-|x| is 0, and e^-|x|.
#[inline(always)]
fn bounded_with_exp<F: Float>(simd: F::Simd, x: F) -> (F, ScaledExp<F>) {
    let magnitude = without_sign(simd, x);
    let bound = exp_bound(simd);
    let bounded = magnitude.lesser(bound);
    (bounded.xor(x.xor(magnitude)), exp_minus(simd, bounded))
}

/// f(x) / x
#[rustfmt::skip]
static VALUE: Pieces<11> = Pieces {
    index: [0.65625, -0.03515625],
    end: 8.499998,
    nodes: [0x0000_0000, 0x400d_2319, 0x4095_6356, 0x40f6_ae85, 0x0000_0000, 0xc0f7_2db5, 0xc095_b9ac, 0xc00c_fdb7],
    coefficients: [
        [0x3f19_999a, 0x3f7b_00bc, 0x3f7f_f4aa, 0x3f7f_fff9, 0x3f19_999a, 0x39e7_a77d, 0x3c17_7c4e, 0x3dd5_d1cd],
        [0x3ea3_d70b, 0x3d0e_a07a, 0x39b3_ab6e, 0x3558_04a8, 0x3ea3_d70b, 0x39e7_9a61, 0x3c16_c75f, 0x3dc9_8510],
        [0xbc83_15db, 0xbced_c261, 0xb9b1_236c, 0xb503_1665, 0xbc83_15db, 0x3967_802a, 0x3b95_5d91, 0x3d31_4933],
        [0xbd3b_df78, 0x3c69_1b23, 0x3967_3d94, 0x3533_abcb, 0xbd3b_df78, 0x389a_3291, 0x3ac3_62c5, 0x3c2d_98b5],
        [0xb9ba_3421, 0xbb7f_b859, 0xb8df_6e44, 0xb5ab_5ea8, 0xb9ba_3421, 0x3799_ec90, 0x39bb_d7c2, 0x3a5b_6d99],
        [0x3c00_2bb7, 0x38b5_4364, 0x3828_e80e, 0xb548_0289, 0x3c00_2bb7, 0x3675_618d, 0x388a_41c9, 0xb9fc_5843],
        [0x3a4d_ef77, 0x39dd_2bf5, 0xb75a_f142, 0x351e_c338, 0x3a4d_ef77, 0x3522_7e69, 0x3719_42ab, 0xb984_4d5c],
        [0xbaa6_cc27, 0xb94a_4067, 0x3657_0c05, 0x358a_484b, 0xbaa6_cc27, 0x33b7_81c0, 0x353e_8c24, 0xb885_baec],
        [0xb935_49f4, 0x38a1_dc81, 0x331e_8803, 0x34e5_59bf, 0xb935_49f4, 0x322c_d8d8, 0xb3b5_9a9b, 0xb6b5_8ce5],
        [0x3932_e76a, 0x3836_5635, 0x351d_e508, 0x3381_bfda, 0x3932_e76a, 0x309e_2fb5, 0x32f6_f6c7, 0x3537_0b6f],
        [0xb722_6b16, 0xb508_84ec, 0x3402_af6f, 0xafbd_5408, 0xb722_6b16, 0x2eeb_8d39, 0xb30c_c830, 0x3649_6c9e],
    ],
};

/// f'(x)
#[rustfmt::skip]
static SLOPE: Pieces<11> = Pieces {
    index: [0.671875, -0.037109375],
    end: 8.999998,
    nodes: [0x0000_0000, 0x400a_1610, 0x4092_8bc2, 0x4101_0fe1, 0x0000_0000, 0xc101_260a, 0xc092_8e0c, 0xc009_acaf],
    coefficients: [
        [0x3f19_999a, 0x3f87_b03a, 0x3f80_3681, 0x3f80_0019, 0x3f19_999a, 0xbb10_a781, 0xbd14_a257, 0xbde5_23c3],
        [0x3f23_d70b, 0xbd71_2967, 0xbb3b_c1f1, 0xb6ba_a658, 0x3f23_d70b, 0xbaf8_4cfc, 0xbcd2_97fb, 0x3c4e_23d6],
        [0xbd44_9c0a, 0x3b6a_7553, 0x3b1c_9e2a, 0x36ac_fc73, 0xbd44_9c0a, 0xba4f_38cf, 0xbbf4_4234, 0x3d85_f9ea],
        [0xbe3b_de18, 0x3cd6_3887, 0xbaa5_d124, 0xb655_6f0a, 0xbe3b_de18, 0xb95d_59c1, 0xba25_1294, 0x3d17_7ac4],
        [0xbaf4_6f3d, 0xbca3_bb6b, 0x39f2_bbf3, 0x35c6_523b, 0xbaf4_6f3d, 0xb826_123a, 0x39aa_5052, 0x3c1c_d7bb],
        [0x3d3f_fd51, 0x3bcd_0b6d, 0xb8f3_0900, 0xb509_82be, 0x3d3f_fd51, 0xb6b0_7c07, 0x392d_524f, 0x3938_ffa6],
        [0x3bc4_4461, 0x397c_86b3, 0x3743_8354, 0x341c_826b, 0x3bc4_4461, 0xb4e8_7641, 0x383c_edea, 0xba78_8905],
        [0xbc23_30b7, 0xba8d_fa04, 0x3689_0a8e, 0xb36b_0991, 0xbc23_30b7, 0x3224_e108, 0x370a_230b, 0xb9e2_0fe0],
        [0xbb28_0fe8, 0x3a44_4cdd, 0x3506_ac1c, 0x31a7_696d, 0xbb28_0fe8, 0x3255_4b86, 0x350a_670a, 0xb8b5_4280],
        [0x3ac3_27b8, 0x3814_eede, 0x3627_d8ab, 0xb06f_36b3, 0x3ac3_27b8, 0xb074_b31e, 0x3537_536b, 0xb850_119f],
        [0x3a19_95dd, 0xb8c0_9fee, 0x3253_3779, 0x303e_78f3, 0x3a19_95dd, 0x3097_9f2c, 0xb454_cd35, 0x3816_a16c],
    ],
};
