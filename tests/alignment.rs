//! Elements that are less aligned than they are wide, as `f64` is on 32-bit x86: no number of them leads to the start of a
//! vector.

use rectify::{Isa, Kernels};

#[test]
#[cfg_attr(not(target_arch = "x86"), ignore = "every element is as aligned as it is wide")]
fn f64_at_any_multiple_of_its_alignment() {
    rectify::set_streaming_threshold(1);
    let x: Vec<f64> = (0..200).map(|i| f64::from(i % 7 - 3)).collect();
    let expected: Vec<f64> = x.iter().map(|&x| if x > 0.0 { x } else { 0.0 }).collect();
    let mut words = vec![0_u32; 2 * x.len() + 16];
    for isa in Isa::available() {
        for start in 0..16 {
            let Ok(y) = bytemuck::try_cast_slice_mut::<u32, f64>(&mut words[start..start + 2 * x.len()]) else {
                panic!("{} words are no place for an f64", start);
            };
            Kernels::new(isa).unwrap().relu(&x, y);
            assert_eq!(y, expected, "{isa}, {start} words in");
        }
    }
}
