//! The functions on several threads give the bits of those on one.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use rectify::{Channels, Element, Fused, LeakyRelu, Relu, parallel};
#[cfg(feature = "smooth")]
use rectify::{FromOutput, Gelu, Sigmoid, SwiGlu};

use crate::common::calls::{self, Before, Method::*, Way};
use crate::common::format::Format;
use crate::common::functions::{Case, FUNCTIONS};
use crate::common::guarded::Bytes;
use crate::common::random;
use crate::common::tensor::{View, ViewMut};
use crate::stream_from;

/// Several threads, and what they have to agree with.
const WAYS: [Way; 2] = [Way::Parallel, Way::Free];

/// Any bits, some elements after the start of their memory.
fn misaligned(format: Format, len: usize, misalignment: usize, seed: u64) -> (Bytes, usize) {
    (random(format, len + misalignment, seed), misalignment * format.bytes())
}

/// Misaligned by elements, with one of so many parts of the functions.
fn check(format: Format, len: usize, misalignment: usize, (part, parts): (usize, usize)) {
    let [(x, start), (g, _)] = [1, 2].map(|seed| misaligned(format, len, misalignment, seed));
    let inputs = [&x[start..], &g[start..]];
    let assert_same = |name: &str, call: &dyn Fn(Way, &mut [u8])| {
        let [output, expected] = WAYS.map(|way| {
            let mut output = g.clone();
            call(way, &mut output[start..]);
            output
        });
        assert!(
            output == expected,
            "{name} of {len} {format:?}, misaligned by {misalignment}"
        );
    };
    let methods = [Forward, BackwardInplace, Backward, ForwardInplace];
    let functions = each_function().zip(methods.into_iter().cycle());
    for (case, method) in functions.skip(part).step_by(parts) {
        let f = case.activation();
        let name = format!("{method:?} of {f:?}");
        assert_same(&name, &|way, y| calls::map(format, way, f, method, inputs, y));
    }
    for method in methods {
        assert_same(&format!("ReLU's {method:?}"), &|way, y| {
            calls::relu(format, way, method, inputs, y);
        });
    }
}

fn each_function() -> impl Iterator<Item = Case> + Clone {
    FUNCTIONS
        .iter()
        .filter(|function| !function.is_walked_as_sigmoid())
        .map(|function| function.default())
}

fn check_masks(format: Format, len: usize, misalignment: usize) {
    let [(x, start), (g, _)] = [4, 5].map(|seed| misaligned(format, len, misalignment, seed));
    let (x, g) = (&x[start..], &g[start..]);
    // All are walked in the same ways.
    let f = each_function().find_map(|case| case.activation().one_bit()).unwrap();
    for inplace in [false, true] {
        let [(y, mask, live), expected] = WAYS.map(|way| {
            let (mut y, mut mask) = (Bytes::from(x), vec![0; len.div_ceil(8)]);
            let live = calls::forward_mask(format, way, f, (!inplace).then_some(x), &mut y, &mut mask);
            (y, mask, live)
        });
        assert!((&y, &mask, live) == (&expected.0, &expected.1, expected.2));
        let [grad, expected] = WAYS.map(|way| {
            let mut grad = Bytes::from(g);
            calls::backward_mask(format, way, f, &mask, (!inplace).then_some(g), &mut grad);
            grad
        });
        assert!(grad == expected);
    }
}

/// More parts than there are images, rows or, with the sums of columns, lines of them; and fewer.
fn check_rows(format: Format, elements: usize) {
    let [x, g] = [6, 7].map(|seed| random(format, elements, seed));
    let [x_row, g_row] = [&x, &g].map(|bytes| View::row(format, bytes));
    // With something between its rows.
    let (columns, stride) = (elements / 64 - 5, elements / 64);
    let strided_bytes = (elements - 5) * format.bytes();
    let first = |images: usize, count: usize| {
        let spatial = elements / images / count;
        (Channels::First { spatial }, count)
    };
    let layouts = [
        (Channels::Last, 48),
        (Channels::Last, elements / 6),
        first(24, 1),
        first(2, 12),
        first(1, 24),
        // A part has some channels of each image, many of which would fit into a tile.
        first(elements / (4 * 24), 24),
        first(elements / 24, 24),
        first(elements / (40 * 24), 24),
    ];
    let most = layouts.len().max(each_function().count());
    for ((channels, count), case) in layouts.into_iter().cycle().zip(each_function().cycle()).take(most) {
        let f = case.activation();
        let numbers = random(format, count, 8);
        let numbers = (&numbers[..], channels);
        let [outputs, expected] = WAYS.map(|way| {
            let [mut y, mut grad, mut prelu, mut prelu_grad, mut strided] = [(); 5].map(|()| g.clone());
            let [mut sums, mut slopes] = [(); 2].map(|()| Bytes::filled(0, count * format.sums().bytes()));
            let row = |bytes| ViewMut::row(format, bytes);
            let added = Before {
                scale: Some(numbers.into()),
                ..Before::added(Some(numbers), Some(g_row))
            };
            calls::fused_forward(format, way, f, added, Some(x_row), row(&mut y));
            calls::fused_backward(
                format,
                way,
                f,
                Some(numbers.into()),
                (x_row, None),
                row(&mut grad),
                Some((&mut sums, channels)),
            );
            calls::prelu(format, way, numbers, Some(x_row), row(&mut prelu));
            let inputs = (x_row, Some(g_row));
            calls::prelu_backward(format, way, numbers, inputs, row(&mut prelu_grad), &mut slopes);
            let bytes = &x[..strided_bytes];
            let input = Some(View { bytes, columns, stride });
            let bytes = &mut strided[..strided_bytes];
            calls::fused_forward(
                format,
                way,
                f,
                Before::default(),
                input,
                ViewMut { bytes, columns, stride },
            );
            [y, grad, prelu, prelu_grad, strided, sums, slopes]
        });
        let differs = (0..outputs.len()).find(|&i| outputs[i] != expected[i]);
        assert!(
            differs.is_none(),
            "output {differs:?} of {f:?}, {channels:?}, {elements} {format:?}"
        );
    }
    let [outputs, expected] = WAYS.map(|way| {
        let mut outputs = [(); 6].map(|()| x.clone());
        let [y, grad_a, grad_b, positive, negative, grad_input] =
            outputs.each_mut().map(|bytes| ViewMut::row(format, bytes));
        calls::reglu(format, way, (None, g_row), y);
        calls::reglu_backward(format, way, [x_row, g_row, x_row], [grad_a, grad_b]);
        calls::crelu(format, way, x_row, [positive, negative]);
        calls::crelu_backward(format, way, [x_row, g_row, x_row], grad_input);
        outputs
    });
    assert!(outputs == expected, "{elements} {format:?}");
    #[cfg(feature = "smooth")]
    {
        let [outputs, expected] = WAYS.map(|way| {
            let mut outputs = [(); 3].map(|()| x.clone());
            let [y, grad_a, grad_b] = outputs.each_mut().map(|bytes| ViewMut::row(format, bytes));
            let f = rectify::Sigmoid.into();
            calls::gated(format, way, f, (None, g_row), y);
            calls::gated_backward(format, way, f, [x_row, g_row, x_row], [grad_a, grad_b]);
            outputs
        });
        assert!(outputs == expected, "gated, {elements} {format:?}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    // So that some of them stream.
    let _streaming = stream_from(1 << 20);
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            match threads {
                2 => check_rows(Format::F64, 24 * 48 * 240),
                #[cfg(feature = "half")]
                3 => check_rows(Format::Bf16, 24 * 48 * 960),
                8 => check_rows(Format::F32, 24 * 48 * 480),
                _ => (),
            }
            for misalignment in [0, 5] {
                check_masks(Format::F32, 300_003, misalignment);
                check_masks(Format::F64, 100, misalignment);
                #[cfg(feature = "half")]
                check_masks(Format::F16, 600_000, misalignment);
            }
            for bytes in [0, 64, 256 << 10, 1 << 20, (3 << 20) + 24] {
                for (part, misalignment) in [0, 1, 5].into_iter().enumerate() {
                    for &format in Format::ALL {
                        check(format, bytes / format.bytes(), misalignment, (part, 3));
                    }
                }
            }
        });
    }
}

/// More than it takes for a thread that is none of the pool's to call on it.
#[test]
fn a_thread_outside_of_the_pool_gets_the_same_bits() {
    check(Format::F32, (13 << 20) / 4, 1, (0, 3));
}

/// Whether a call on this thread, which is none of the pool's, waits for the pool: all threads of that are held meanwhile.
fn waits_for_the_pool(patience: Duration, call: impl FnOnce() + Send) -> bool {
    let threads = rayon::current_num_threads();
    let [held, released] = [(); 2].map(|()| Arc::new(Barrier::new(threads + 1)));
    rayon::spawn_broadcast({
        let (held, released) = (held.clone(), released.clone());
        move |_| {
            held.wait();
            released.wait();
        }
    });
    held.wait();
    thread::scope(|scope| {
        let call = scope.spawn(call);
        let start = Instant::now();
        while !call.is_finished() && start.elapsed() < patience {
            thread::sleep(Duration::from_millis(1));
        }
        let waits = !call.is_finished();
        released.wait();
        waits
    })
}

/// A call of `slices` slices wakes the pool if they have `enough` bytes.
fn check_waking<T: Element>(slices: usize, enough: usize, call: impl Fn(&[T], &mut [T]) + Sync) {
    let len = enough.div_ceil(slices * size_of::<T>());
    for (len, waits) in [(len - 1, false), (len, true)] {
        let (x, mut y) = (vec![T::default(); len], vec![T::default(); len]);
        let patience = Duration::from_millis(if waits { 300 } else { 60_000 });
        let name = std::any::type_name_of_val(&call);
        assert_eq!(
            waits_for_the_pool(patience, || call(&x, &mut y)),
            waits,
            "{len} elements in {name}"
        );
    }
}

#[test]
fn a_thread_outside_of_the_pool_wakes_it_for_enough_work() {
    if rayon::current_num_threads() < 2 {
        return;
    }
    check_waking::<f32>(2, 24 << 20, parallel::relu);
    check_waking::<f32>(3, 24 << 20, |x, y| parallel::backward(LeakyRelu::default(), x, x, y));
    check_waking::<f32>(2, 24 << 20, |x, y| {
        parallel::relu_mask(x, y, &mut vec![0; x.len().div_ceil(8)]);
    });
    check_waking::<f32>(2, 24 << 20, |x, y| {
        Fused::new(Relu).bias(&[x[0]], Channels::Last).parallel().forward(x, y);
    });
    #[cfg(feature = "smooth")]
    {
        check_waking::<f32>(2, 12 << 20, |x, y| parallel::forward(Sigmoid, x, y));
        check_waking::<f32>(3, 12 << 20, |x, y| parallel::backward(FromOutput(Sigmoid), x, x, y));
        check_waking::<f32>(2, 12 << 20, |x, y| {
            Fused::new(Gelu).bias(&[x[0]], Channels::Last).parallel().forward(x, y);
        });
        check_waking::<f32>(3, 12 << 20, |x, y| SwiGlu::new().parallel().forward(x, x, y));
        check_waking::<f64>(2, 6 << 20, |x, y| parallel::forward(Sigmoid, x, y));
    }
    #[cfg(all(feature = "half", feature = "smooth"))]
    check_waking::<rectify::bf16>(2, 6 << 20, |x, y| parallel::forward(Sigmoid, x, y));
}
