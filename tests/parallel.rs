//! The functions on several threads give the bits of those on one.

#![cfg(feature = "rayon")]

use bytemuck::{Pod, Zeroable};
use rectify::{
    Activation, Channels, ClippedRelu, Crelu, Element, Fused, HardSwish, Kernels, LeakyRelu, PRelu, ReGlu, Relu, Rows,
    RowsMut, parallel,
};

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
    expect(&|y| HardSwish.forward(x, y), &|y| parallel::forward(HardSwish, x, y), g);
    let leaky_relu = LeakyRelu::new(0.3);
    expect(
        &|y| leaky_relu.backward_inplace(x, y),
        &|y| parallel::backward_inplace(leaky_relu, x, y),
        g,
    );
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

fn check_masks<T: Element + Pod>(len: usize, misalignment: usize) {
    let x = &random::<T>(len + misalignment, 4)[misalignment..];
    let g = &random::<T>(len + misalignment, 5)[misalignment..];
    let (mut y, mut mask) = (x.to_vec(), vec![0; len.div_ceil(8)]);
    let live = Kernels::best().forward_mask_inplace(ClippedRelu::RELU6, &mut y, &mut mask);
    let mut grad = g.to_vec();
    ClippedRelu::RELU6.backward_inplace(x, &mut grad);

    let (mut output, mut output_mask) = (g.to_vec(), vec![0; mask.len()]);
    assert_eq!(
        parallel::forward_mask(ClippedRelu::RELU6, x, &mut output, &mut output_mask),
        live
    );
    assert_same_bits(&output, &y);
    assert_eq!(output_mask, mask);
    parallel::backward_mask(ClippedRelu::RELU6, &mask, g, &mut output);
    assert_same_bits(&output, &grad);

    let (mut output, mut output_mask) = (x.to_vec(), vec![0; mask.len()]);
    assert_eq!(
        parallel::forward_mask_inplace(ClippedRelu::RELU6, &mut output, &mut output_mask),
        live
    );
    assert_same_bits(&output, &y);
    assert_eq!(output_mask, mask);
    let mut output = g.to_vec();
    parallel::backward_mask_inplace(ClippedRelu::RELU6, &mask, &mut output);
    assert_same_bits(&output, &grad);
}

/// More parts than there are images, rows or, with the sums of columns, lines of them; and fewer.
fn check_rows<T: Element + Pod>(elements: usize)
where
    T::Sum: Pod,
{
    let x = &random::<T>(elements, 6)[..];
    let g = &random::<T>(elements, 7)[..];
    let first = |images: usize, count: usize| {
        let spatial = elements / images / count;
        (Channels::First { spatial }, count)
    };
    for (channels, count) in [
        (Channels::Last, 48),
        (Channels::Last, elements / 6),
        first(24, 1),
        first(2, 12),
        first(1, 24),
    ] {
        let numbers = random::<T>(count, 8);
        let run = |is_parallel: bool| {
            macro_rules! way {
                ($value:expr) => {
                    if is_parallel {
                        $value.parallel()
                    } else {
                        $value
                    }
                };
            }
            let mut outputs = [const { Vec::new() }; 5];
            outputs.fill(g.to_vec());
            let [y, grad, prelu, prelu_grad, compiled] = &mut outputs;
            let mut sums = [(); 2].map(|()| vec![T::Sum::zeroed(); count]);
            way!(Fused::new(Relu).bias(&numbers, channels).residual(g)).forward(x, y);
            way!(Fused::new(Relu)).backward_bias_inplace(x, grad, channels, &mut sums[0]);
            way!(PRelu::new(&numbers, channels)).forward(x, prelu);
            way!(PRelu::new(&numbers, channels)).backward(x, g, prelu_grad, &mut sums[1]);
            // With something between its rows.
            let (input, _) = Rows::new(x, elements / 64).split_at_column(elements / 64 - 5);
            let (output, _) = RowsMut::new(compiled, elements / 64).split_at_column(elements / 64 - 5);
            way!(Fused::new(HardSwish)).forward(input, output);
            (outputs, sums)
        };
        let ((outputs, sums), (expected_outputs, expected_sums)) = (run(true), run(false));
        for (output, expected) in outputs.iter().zip(&expected_outputs) {
            assert_same_bits(output, expected);
        }
        for (sums, expected) in sums.iter().zip(&expected_sums) {
            assert_same_bits(sums, expected);
        }
    }
    let gates = |is_parallel: bool| {
        let (reglu, crelu) = if is_parallel {
            (ReGlu::new().parallel(), Crelu::new().parallel())
        } else {
            (ReGlu::new(), Crelu::new())
        };
        let mut outputs = [const { Vec::new() }; 6];
        outputs.fill(x.to_vec());
        let [y, grad_a, grad_b, positive, negative, grad_input] = &mut outputs;
        reglu.forward_inplace(&mut *y, g);
        reglu.backward(x, g, x, grad_a, grad_b);
        crelu.forward(x, positive, negative);
        crelu.backward(x, g, x, grad_input);
        outputs
    };
    for (output, expected) in gates(true).iter().zip(&gates(false)) {
        assert_same_bits(output, expected);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    // So that some of them stream.
    rectify::set_streaming_threshold(1 << 20);
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            match threads {
                2 => check_rows::<f64>(24 * 48 * 240),
                #[cfg(feature = "half")]
                3 => check_rows::<rectify::bf16>(24 * 48 * 960),
                8 => check_rows::<f32>(24 * 48 * 480),
                _ => (),
            }
            for misalignment in [0, 5] {
                check_masks::<f32>(300_003, misalignment);
                check_masks::<f64>(100, misalignment);
                #[cfg(feature = "half")]
                check_masks::<rectify::f16>(600_000, misalignment);
            }
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
