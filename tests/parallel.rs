//! The functions on several threads give the bits of those on one.

#![cfg(feature = "rayon")]

use bytemuck::Pod;
use rectify::{Element, parallel};

/// Any bits; the tests of the grid say what has to come of them.
fn random<T: Pod>(len: usize, seed: u64) -> Vec<T> {
    let mut random = fastrand::Rng::with_seed(seed);
    let bytes = len * size_of::<T>();
    let words: Vec<u64> = (0..bytes.div_ceil(8)).map(|_| random.u64(..)).collect();
    bytemuck::cast_slice(&words)[..len].to_vec()
}

fn assert_same_bits<T: Pod>(a: &[T], b: &[T]) {
    assert!(bytemuck::cast_slice::<T, u8>(a) == bytemuck::cast_slice::<T, u8>(b));
}

fn check<T: Element + Pod>(len: usize, misalignment: usize) {
    let x = &random::<T>(len + misalignment, 1)[misalignment..];
    let g = &random::<T>(len + misalignment, 2)[misalignment..];
    let expect = |reference: &dyn Fn(&mut [T]), function: &dyn Fn(&mut [T]), before: &[T]| {
        let mut expected = before.to_vec();
        reference(&mut expected);
        let mut output = random::<T>(misalignment, 3);
        output.extend_from_slice(before);
        function(&mut output[misalignment..]);
        assert_same_bits(&output[misalignment..], &expected);
    };
    expect(&|y| rectify::relu_inplace(y), &|y| parallel::relu_inplace(y), x);
    expect(&|y| rectify::relu(x, y), &|y| parallel::relu(x, y), g);
    expect(
        &|y| rectify::relu_backward(x, g, y),
        &|y| parallel::relu_backward(x, g, y),
        x,
    );
    expect(
        &|y| rectify::relu_backward_inplace(x, y),
        &|y| parallel::relu_backward_inplace(x, y),
        g,
    );
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    // So that some of them stream.
    rectify::set_streaming_threshold(1 << 20);
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            for bytes in [0, 64, 256 << 10, 1 << 20, (3 << 20) + 24] {
                for misalignment in [0, 1, 5] {
                    check::<f32>(bytes / 4, misalignment);
                    check::<f64>(bytes / 8, misalignment);
                    #[cfg(feature = "half")]
                    check::<rectify::f16>(bytes / 2, misalignment);
                    #[cfg(feature = "half")]
                    check::<rectify::bf16>(bytes / 2, misalignment);
                }
            }
        });
    }
}

/// More than it takes for a thread that is none of the pool's to call on it.
#[test]
fn a_thread_outside_of_the_pool_gets_the_same_bits() {
    check::<f32>((13 << 20) / 4, 1);
}

#[test]
#[should_panic = "slices of unequal length: `input` has 2 elements, `output` has 3"]
fn unequal_lengths_panic() {
    parallel::relu(&[1.0_f32; 2], &mut [0.0; 3]);
}
