//! Threads that work on pieces of one buffer.

use std::sync::Barrier;
use std::thread;

use crate::common::calls::{self, Method::*, Way};
use crate::common::format::Format;
use crate::common::functions::FUNCTIONS;
use crate::common::guarded::Bytes;
use crate::common::{all_kernels, random};
use crate::stream_from;

const THREADS: usize = 8;

/// Threads write their pieces of one buffer over and over, from one input and another in turn, and find nothing else in them. The input
/// of a piece has `inputs_an_output` elements for each unit of output, which has `unit` bytes.
fn check_pieces(
    name: &str,
    format: Format,
    (inputs_an_output, unit): (usize, usize),
    call: impl Fn(&[u8], &mut [u8]) + Sync,
) {
    // They end within vectors and within cache lines. Stores to the longest are aligned, or go past the caches.
    for piece in [5, 77, 601] {
        let input_bytes = piece * inputs_an_output * format.bytes();
        let inputs = [2, 3].map(|seed| random(format, THREADS * piece * inputs_an_output, seed));
        let mut outputs = Bytes::filled(0, THREADS * piece * unit);
        let barrier = Barrier::new(THREADS);
        thread::scope(|scope| {
            for (i, output) in outputs.chunks_mut(piece * unit).enumerate() {
                let (barrier, call) = (&barrier, &call);
                let inputs = inputs.each_ref().map(|input| &input[i * input_bytes..][..input_bytes]);
                scope.spawn(move || {
                    let alone = inputs.map(|input| {
                        let mut output = Bytes::filled(0, piece * unit);
                        call(input, &mut output);
                        output
                    });
                    barrier.wait();
                    for (input, alone) in inputs.iter().zip(&alone).cycle().take(2400 / piece) {
                        call(input, output);
                        assert!(*output == **alone, "{name}, piece {i} of {piece}");
                    }
                });
            }
        });
    }
}

#[test]
fn threads_may_share_a_buffer_by_pieces() {
    // So that some pieces go past the caches, and some don't.
    let _streaming = stream_from(3000);
    for (kernels, &format) in all_kernels()
        .into_iter()
        .flat_map(|kernels| Format::ALL.iter().map(move |format| (kernels, format)))
    {
        let way = Way::Pinned(kernels);
        let methods = [Forward, ForwardInplace, Backward, BackwardInplace];
        let functions = FUNCTIONS.iter().filter(|function| !function.is_walked_as_sigmoid());
        for (function, method) in functions.zip(methods.into_iter().cycle()) {
            let f = function.default().activation();
            let name = format!("{method:?} of {f:?} of {format:?} on {way}");
            check_pieces(&name, format, (1, format.bytes()), |x, y| {
                if matches!(method, ForwardInplace | BackwardInplace) {
                    y.copy_from_slice(x);
                }
                calls::map_any(format, way, f, method, [x, x], y);
            });
        }
        let one_bit = FUNCTIONS
            .iter()
            .find_map(|function| function.default().activation().one_bit())
            .unwrap();
        let name = format!("the mask of {one_bit:?} of {format:?} on {way}");
        check_pieces(&name, format, (8, 1), |x, mask| {
            calls::forward_mask(format, way, one_bit, Some(x), &mut Bytes::from(x), mask);
        });
    }
}
