//! Threads that come at once to what is decided at the first use, and that work on pieces of one buffer.

#[macro_use]
mod common;

use std::any::type_name;
use std::sync::Barrier;
use std::thread;

use bytemuck::Pod;
use common::all_kernels;
use rectify::{Activation, ClippedRelu, Element, HardSwish, Isa, LeakyRelu, OneBitGradient, Relu};

const THREADS: usize = 8;

fn random<T: Pod>(len: usize, seed: u64) -> Vec<T> {
    let mut random = fastrand::Rng::with_seed(seed);
    let words: Vec<u64> = (0..(len * size_of::<T>()).div_ceil(8))
        .map(|_| random.u64(..))
        .collect();
    bytemuck::cast_slice(&words)[..len].to_vec()
}

fn bytes<T: Pod>(numbers: &[T]) -> &[u8] {
    bytemuck::cast_slice(numbers)
}

/// What a thread may come with first.
fn first_calls(thread: usize, x: &[f32]) -> (Vec<f32>, usize) {
    let (mut y, mut mask) = (x.to_vec(), vec![0; x.len().div_ceil(8)]);
    match thread % 4 {
        0 => Relu.forward(x, &mut y),
        1 => HardSwish.forward_inplace(&mut y),
        2 => _ = ClippedRelu::RELU6.forward_mask(x, &mut y, &mut mask),
        _ => LeakyRelu::default().backward(x, x, &mut y),
    }
    (y, rectify::count_zeros(x))
}

/// Each binary of tests is a process of its own, and this one's other test names its instruction sets.
#[test]
fn a_first_use_from_many_threads_is_as_any_other() {
    let barrier = Barrier::new(THREADS);
    let x = random(1000, 1);
    let outcome = |thread| {
        let (y, zeros) = first_calls(thread, &x);
        (bytes(&y).to_vec(), zeros, Isa::best())
    };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let start = |thread| {
            let (barrier, outcome) = (&barrier, &outcome);
            scope.spawn(move || {
                barrier.wait();
                outcome(thread)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (thread, results) in outcomes.into_iter().enumerate() {
        assert!(results == outcome(thread), "thread {thread}");
    }
}

/// Threads write their pieces of one buffer over and over, from one input and another in turn, and find nothing else in them.
fn check_pieces<T: Pod + Sync, O: Pod + Send + Sync>(
    name: &str,
    inputs_an_output: usize,
    call: impl Fn(&[T], &mut [O]) + Sync,
) {
    // They end within vectors and within cache lines. Stores to the longest are aligned, or go past the caches.
    for piece in [5, 77, 601] {
        let inputs_of_piece = piece * inputs_an_output;
        let inputs = [2, 3].map(|seed| random::<T>(THREADS * inputs_of_piece, seed));
        let mut outputs = vec![O::zeroed(); THREADS * piece];
        let barrier = Barrier::new(THREADS);
        thread::scope(|scope| {
            for (i, output) in outputs.chunks_mut(piece).enumerate() {
                let (barrier, call) = (&barrier, &call);
                let inputs = inputs
                    .each_ref()
                    .map(|input| &input[i * inputs_of_piece..][..inputs_of_piece]);
                scope.spawn(move || {
                    let alone = inputs.map(|input| {
                        let mut output = vec![O::zeroed(); piece];
                        call(input, &mut output);
                        output
                    });
                    barrier.wait();
                    for (input, alone) in inputs.iter().zip(&alone).cycle().take(2400 / piece) {
                        call(input, output);
                        assert!(bytes(output) == bytes(alone), "{name}, piece {i} of {piece}");
                    }
                });
            }
        });
    }
}

fn pieces_are_as_alone<T: Element + Pod>() {
    for k in all_kernels() {
        let name = |call: &str| format!("{call} of {} on {}", type_name::<T>(), k.isa());
        check_pieces::<T, T>(&name("forward"), 1, |x, y| k.forward(Relu, x, y));
        check_pieces::<T, T>(&name("forward_inplace"), 1, |x, y| {
            y.copy_from_slice(x);
            k.forward_inplace(LeakyRelu::default(), y);
        });
        check_pieces::<T, T>(&name("backward"), 1, |x, y| k.backward(HardSwish, x, x, y));
        check_pieces::<T, T>(&name("backward_inplace"), 1, |x, y| {
            y.copy_from_slice(x);
            k.backward_inplace(Relu, x, y);
        });
        check_pieces::<T, u8>(&name("the mask"), 8, |x, mask| {
            _ = k.forward_mask(Relu, x, &mut x.to_vec(), mask)
        });
    }
}

#[test]
fn threads_may_share_a_buffer_by_pieces() {
    // So that some pieces go past the caches, and some don't.
    rectify::set_streaming_threshold(3000);
    each_format!(pieces_are_as_alone());
}
