//! Constants that the compiler sees make no other NaN: it may fold (-x) * c to x * -c, and x * 1 to x.

use std::hint::black_box;

use rectify::{Activation, HardSigmoid, LeakyRelu};

const NAN: u32 = 0x7fc0_0123;
const SIGNALLING: u32 = 0x7f80_0123;

fn gradient(activation: impl Activation, mut grad: [f32; 3]) -> [u32; 3] {
    activation.backward_inplace(&[-1.0, -2.0, -3.0], &mut grad);
    grad.map(f32::to_bits)
}

#[test]
fn nans_keep_their_sign_and_become_quiet() {
    const NEGATED: LeakyRelu = LeakyRelu::new(-1.0);
    const SAME: LeakyRelu = LeakyRelu::new(1.0);
    const QUARTER: LeakyRelu = LeakyRelu::new(0.25);

    assert_eq!(gradient(NEGATED, [f32::from_bits(NAN); 3]), [NAN; 3]);
    assert_eq!(gradient(SAME, [f32::from_bits(SIGNALLING); 3]), [NAN; 3]);

    let numbers = black_box([f32::from_bits(NAN); 3]);
    assert_eq!(gradient(QUARTER, numbers.map(|number| -number)), [NAN | 1 << 31; 3]);

    let line = HardSigmoid::new(1.0, 3.5);
    assert_eq!(gradient(line, [f32::from_bits(SIGNALLING); 3])[2], NAN);
}
