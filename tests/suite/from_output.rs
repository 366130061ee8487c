//! Gradients from the output, against their definitions, on every instruction set.

use rectify::{Activation, FromOutput, Isa, Kernels, Sigmoid, Tanh};

use crate::common::calls::{self, Method, Way};
use crate::common::format::Format;
use crate::common::guarded::Bytes;

type Slope = fn(Format, f64) -> f64;

fn of_sigmoid(format: Format, y: f64) -> f64 {
    format.in_compute_format(format.in_compute_format(1.0 - y) * y)
}

fn of_tanh(format: Format, y: f64) -> f64 {
    let [difference, sum] = [1.0 - y, 1.0 + y].map(|number| format.in_compute_format(number));
    format.in_compute_format(difference * sum)
}

/// Bits of the gradient; `None` where it is a NaN that the CPU decides on.
fn gradient(format: Format, slope: Slope, y: u64, g: u64) -> Option<u64> {
    let Some(number) = format.value(y) else {
        return Some(y);
    };
    let slope = slope(format, number);
    if slope == 0.0 {
        return Some(0);
    }
    let product = format.in_compute_format(format.value(g)? * slope);
    (!product.is_nan()).then(|| format.nearest(product))
}

fn check(format: Format, f: impl Activation, slope: Slope) {
    let special = format.special_patterns();
    let mut random = fastrand::Rng::with_seed(7);
    let mut y: Vec<u64> = (0..3000).map(|_| format.nearest(2.0 * random.f64() - 1.0)).collect();
    y.extend(&special);
    y.extend(format.scattered(500, 8));
    let mut g = format.scattered(y.len(), 9);
    for (i, g) in g.iter_mut().enumerate().filter(|(i, _)| i % 5 == 0) {
        *g = special[i % special.len()];
    }
    let [y_bytes, g_bytes] = [&y, &g].map(|bits| format.to_bytes(bits.iter().copied()));
    for isa in Isa::available() {
        let way = Way::Pinned(Kernels::new(isa).unwrap());
        let mut output = Bytes::filled(0, y_bytes.len());
        calls::map(format, way, f, Method::Backward, [&y_bytes, &g_bytes], &mut output);
        for (i, result) in format.bits(&output).into_iter().enumerate() {
            let is_expected = match gradient(format, slope, y[i], g[i]) {
                Some(bits) => result == bits,
                None => format.value(result).is_none(),
            };
            assert!(
                is_expected,
                "{f:?} on {isa} in {format:?}: {:x} and {:x} give {result:x}",
                y[i], g[i]
            );
        }
    }
}

#[test]
fn gradients_are_those_of_the_output() {
    for &format in Format::ALL {
        check(format, FromOutput(Sigmoid), of_sigmoid);
        check(format, FromOutput(Tanh), of_tanh);
    }
}

#[test]
fn forward_is_that_of_the_function() {
    let x = [-3.5_f32, -0.0, 0.25, 100.0, f32::NAN];
    let (mut y, mut expected) = (x, x);
    FromOutput(Tanh).forward_inplace(&mut y);
    Tanh.forward_inplace(&mut expected);
    assert_eq!(y.map(f32::to_bits), expected.map(f32::to_bits));
}
