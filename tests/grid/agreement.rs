//! A concrete type and [`AnyActivation`] give the same bits, by every method. The other tests call by `AnyActivation` alone.

use libtest_mimic::Trial;
use rectify::{Activation, AnyActivation, Channels, OneBitGradient};

use crate::Setting;
use crate::common::calls::{self, Before, ChannelNumbers, Method};
use crate::common::functions::FUNCTIONS;
use crate::common::guarded::Bytes;
use crate::common::tensor::{Shape, Tensor};

/// One of `stride` lengths from 0 to 9 vectors.
fn slices(setting: Setting, f: impl Activation, any: AnyActivation, stride: usize) {
    let (format, way) = (setting.format, setting.way());
    let len = 9 * setting.lanes();
    let [x, g, before] = [21, 22, 23].map(|seed| format.to_bytes(numbers(setting, len, seed)));
    for len in (0..=len).step_by(stride) {
        let bytes = len * format.bytes();
        for &method in Method::ALL {
            let [mut output, mut expected] = [(); 2].map(|()| Bytes::from(&before[..bytes]));
            let inputs = [&x[..bytes], &g[..bytes]];
            calls::map(format, way, f, method, inputs, &mut output);
            calls::map(format, way, any, method, inputs, &mut expected);
            assert!(output == expected, "{f:?}, {method:?} of {len} elements");
        }
    }
}

fn masks(setting: Setting, f: impl OneBitGradient, any: AnyActivation) {
    let (format, way) = (setting.format, setting.way());
    let any = any.one_bit().unwrap();
    let len = 9 * setting.lanes();
    let [x, g] = [24, 25].map(|seed| format.to_bytes(numbers(setting, len, seed)));
    for len in [0, 1, 7, 64, len - 1, len] {
        let bytes = len * format.bytes();
        let (x, g) = (&x[..bytes], &g[..bytes]);
        for inplace in [false, true] {
            let [mut y, mut expected] = [(); 2].map(|()| Bytes::from(x));
            let [mut mask, mut expected_mask] = [vec![0; len.div_ceil(8)], vec![0; len.div_ceil(8)]];
            let input = (!inplace).then_some(g);
            let live = calls::forward_mask(format, way, f, input, &mut y, &mut mask);
            let expected_live = calls::forward_mask(format, way, any, input, &mut expected, &mut expected_mask);
            assert!(
                y == expected && mask == expected_mask && live == expected_live,
                "{f:?}, forward_mask of {len} elements"
            );
            let [mut grad, mut expected] = [(); 2].map(|()| Bytes::from(x));
            calls::backward_mask(format, way, f, &mask, input, &mut grad);
            calls::backward_mask(format, way, any, &mask, input, &mut expected);
            assert!(grad == expected, "{f:?}, backward_mask of {len} elements");
        }
    }
}

/// A few shapes, with and without what [`rectify::Fused`] adds.
fn fused(setting: Setting, f: impl Activation, any: AnyActivation) {
    let (format, way) = (setting.format, setting.way());
    for (rows, columns, gap) in [(6, 5, 0), (2, 129, 3)] {
        let shape = Shape {
            rows,
            columns,
            gap,
            misalignment: 0,
        };
        let [x, g, numbers] = [26, 27, 28].map(|seed| format.to_bytes(numbers(setting, shape.elements(), seed)));
        let new = |values: &[u8]| Tensor::new(format.bytes(), values, shape);
        let (input, other) = (new(&x), new(&g));
        for (channels, count) in [(Channels::Last, columns), (Channels::First { spatial: columns }, rows)] {
            let numbers = ChannelNumbers {
                bytes: &numbers[..count * format.bytes()],
                channels,
                are_sums: false,
            };
            for inplace in [false, true] {
                let [bias, residual] = [
                    Before {
                        bias: Some(numbers),
                        ..Before::default()
                    },
                    Before {
                        residual: Some(other.view()),
                        ..Before::default()
                    },
                ];
                let both = Before {
                    bias: bias.bias,
                    ..residual
                };
                let scaled = Before {
                    scale: Some(numbers),
                    ..both
                };
                for before in [Before::default(), bias, residual, both, scaled] {
                    let [mut y, mut expected] = [new(&x), new(&x)];
                    let input = (!inplace).then(|| input.view());
                    calls::fused_forward(format, way, f, before, input, y.view_mut());
                    calls::fused_forward(format, way, any, before, input, expected.view_mut());
                    assert!(y.values() == expected.values(), "{f:?}, forward of {shape:?}");
                }
                for has_sums in [false, true] {
                    let [mut grad, mut expected] = [new(&g), new(&g)];
                    let [mut sums, mut expected_sums] =
                        [(); 2].map(|()| Bytes::filled(0, count * format.sums().bytes()));
                    let inputs = (input.view(), (!inplace).then(|| other.view()));
                    let to = |sums| has_sums.then_some((sums, channels));
                    let scale = inplace.then_some(numbers);
                    calls::fused_backward(format, way, f, scale, inputs, grad.view_mut(), to(&mut sums[..]));
                    calls::fused_backward(
                        format,
                        way,
                        any,
                        scale,
                        inputs,
                        expected.view_mut(),
                        to(&mut expected_sums[..]),
                    );
                    assert!(
                        grad.values() == expected.values() && sums == expected_sums,
                        "{f:?}, backward of {shape:?}"
                    );
                }
            }
        }
    }
}

/// Special values, any bits and numbers around 0.
fn numbers(setting: Setting, len: usize, seed: u64) -> Vec<u64> {
    crate::rows::values(setting.format, len, seed)
}

/// Each type, and whether it has masks.
macro_rules! each_type {
    ($any:expr, $f:ident => $all:expr, masks: $masks:expr, with: $($with:ident),+; without: $($without:ident),+; smooth: $($smooth:ident),+) => {
        match $any {
            $(AnyActivation::$with($f) => {
                $all;
                $masks;
            })+
            $(AnyActivation::$without($f) => $all,)+
            $(
                #[cfg(feature = "smooth")]
                AnyActivation::$smooth($f) => $all,
            )+
            _ => panic!("{} is not in this list", $any.name()),
        }
    };
}

fn check(setting: Setting) {
    for function in FUNCTIONS {
        let any = function.with(function.typical).activation();
        let stride = if function.is_walked_as_sigmoid() { 11 } else { 1 };
        each_type!(
            any,
            f => {
                assert_eq!(AnyActivation::from(f), any);
                slices(setting, f, any, stride);
                fused(setting, f, any);
            },
            masks: masks(setting, f, any),
            with: ClippedRelu, Hardshrink, Hardtanh, LeakyRelu, Relu, ThresholdedRelu;
            without: HardSigmoid, HardSwish, SquaredRelu;
            smooth: Gelu, GeluTanh, Celu, Elu, LogSigmoid, Mish, Selu, Sigmoid, Silu, Softplus, Softshrink, Softsign, Swish, Tanh, Tanhshrink
        );
    }
}

pub fn trials(setting: Setting) -> [Trial; 1] {
    [setting.trial("any_activation", check)]
}
