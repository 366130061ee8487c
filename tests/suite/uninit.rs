//! Outputs that need not be initialised, and vectors that grow.

use std::mem::MaybeUninit;

use rectify::{Activation, Channels, Fused, HardSwish, Isa, Kernels, Relu, Rows};

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

/// Fused passes, of shapes that are walked in each way: at once, joined, packed, through a block.
#[test]
fn fused_to_memory_that_is_not_initialised() {
    fn check(activation: impl Activation) {
        for (rows, columns, padding) in [(1, 0, 0), (1, 7, 0), (3, 40, 5), (30, 3, 1), (40, 9, 0), (5, 520, 3)] {
            let (x, residual) = inputs(rows * (columns + padding));
            let [x, residual] = [&x, &residual].map(|x| Rows::with_stride(x, columns, columns + padding));
            let mut bias = vec![0.5; columns.max(rows)];
            for channels in [Channels::Last, Channels::First { spatial: columns }] {
                bias.truncate(if channels == Channels::Last { columns } else { rows });
                let fused = Fused::new(activation).bias(&bias, channels);
                for fused in [Fused::new(activation), fused, fused.residual(residual)] {
                    let mut y = vec![0.0; rows * columns];
                    fused.forward(x, &mut y);
                    let memory = &mut vec![MaybeUninit::uninit(); rows * columns];
                    assert_eq!(fused.forward_uninit(x, memory), y);
                    for isa in Isa::available() {
                        let memory = &mut vec![MaybeUninit::uninit(); rows * columns];
                        let fused = fused.on(Kernels::new(isa).unwrap());
                        assert_eq!(fused.forward_uninit(x, memory), y, "{isa}, {rows} rows of {columns}");
                    }
                }
                bias.resize(columns.max(rows), 0.5);
            }
        }
    }
    check(Relu);
    check(HardSwish);
    let memory = &mut [MaybeUninit::uninit(); 3];
    let error = Fused::new(Relu).try_forward_uninit(&[1.0_f32; 2], memory).unwrap_err();
    assert_eq!(error.argument(), "input");
}
