//! Outputs that need not be initialised, and vectors that grow.

use std::mem::MaybeUninit;

use rectify::{Activation, Isa, Kernels};

use crate::common::functions::FUNCTIONS;

fn inputs(len: usize) -> (Vec<f32>, Vec<f32>) {
    let mut random = fastrand::Rng::with_seed(len as u64);
    let mut numbers = || (0..len).map(|_| random.f32() * 8.0 - 4.0).collect();
    (numbers(), numbers())
}

fn check(activation: impl Activation) {
    // Miri takes minutes for the last one.
    for len in [0, 1, 7, 33, 500, if cfg!(miri) { 520 } else { 5000 }] {
        let (x, g) = inputs(len);
        let (mut y, mut grad) = (vec![0.0; len], vec![0.0; len]);
        activation.forward(&x, &mut y);
        activation.backward(&x, &g, &mut grad);

        let memory = &mut vec![MaybeUninit::uninit(); len];
        assert_eq!(activation.forward_uninit(&x, memory), y);
        assert_eq!(activation.backward_uninit(&x, &g, memory), grad);
        for isa in Isa::available() {
            let kernels = Kernels::new(isa).unwrap();
            assert_eq!(kernels.forward_uninit(activation, &x, memory), y);
            assert_eq!(kernels.backward_uninit(activation, &x, &g, memory), grad);
        }
        #[cfg(feature = "rayon")]
        {
            assert_eq!(rectify::parallel::forward_uninit(activation, &x, memory), y);
            assert_eq!(rectify::parallel::backward_uninit(activation, &x, &g, memory), grad);
        }
        #[cfg(feature = "alloc")]
        {
            let mut vector = vec![7.0];
            activation.forward_append(&x, &mut vector);
            activation.backward_append(&x, &g, &mut vector);
            assert_eq!(vector, [&[7.0], &y[..], &grad[..]].concat());
        }
    }
}

#[test]
fn the_same_as_to_initialised_memory() {
    for function in FUNCTIONS {
        check(function.default().activation());
    }
}
