//! Elements that are less aligned than they are wide, as `f64` is on 32-bit x86: no number of them leads to the start of a
//! vector.

use rectify::{Channels, Fused, Isa, Kernels, Relu};

/// Of a row that goes past the caches wherever it begins.
const LEN: usize = (16 << 10) / size_of::<f64>() + 56;

#[test]
#[cfg_attr(not(target_arch = "x86"), ignore = "every element is as aligned as it is wide")]
fn f64_at_any_multiple_of_its_alignment() {
    let _streaming = crate::stream_from(1);
    let x: Vec<f64> = (0..LEN as i32).map(|i| f64::from(i % 7 - 3)).collect();
    let relu = |x: f64| if x > 0.0 { x } else { 0.0 };
    let expected: Vec<f64> = x.iter().copied().map(relu).collect();
    let mut mask = [0; LEN / 8];
    for (byte, x) in mask.iter_mut().zip(x.chunks(8)) {
        for (i, &x) in x.iter().enumerate() {
            *byte |= u8::from(x > 0.0) << i;
        }
    }
    let sum = expected.iter().sum();
    let mut words = vec![0_u32; 2 * x.len() + 16];
    for kernels in Isa::available().map(|isa| Kernels::new(isa).unwrap()) {
        for start in 0..16 {
            let mut check = |function: &dyn Fn(&mut [f64])| {
                words.fill(0x55);
                let y = bytemuck::cast_slice_mut::<u32, f64>(&mut words[start..start + 2 * x.len()]);
                function(y);
                assert_eq!(y, expected, "{kernels:?}, {start} words in");
            };
            check(&|y| kernels.relu(&x, y));
            check(&|y| {
                let mut bits = mask;
                bits.fill(0);
                kernels.relu_mask(&x, y, &mut bits);
                assert_eq!(bits, mask);
            });
            check(&|y| kernels.relu_backward_mask(&mask, &x, y));
            check(&|y| {
                Fused::new(Relu)
                    .bias(&[0.0; 8], Channels::Last)
                    .on(kernels)
                    .forward(&x, y)
            });
            check(&|y| {
                let mut grad_bias = [0.0];
                let spatial = Channels::First { spatial: x.len() };
                let fused = Fused::new(Relu).on(kernels);
                fused.backward_bias(&x, &x, y, spatial, &mut grad_bias);
                assert_eq!(grad_bias, [sum]);
            });
        }
    }
}
