//! Rust's libraries, each at its fastest entry point, in turns with `rectify`. Prints comma-separated values: the library,
//! function, format, elements, bytes a slice, and the nanoseconds of a call of the library and of `rectify`.

mod library;

use std::hint::black_box;
use std::time::{Duration, Instant};

use half::{bf16, f16};
use library::{Number, Peer};
use peers::FUNCTIONS;

const ROUNDS: usize = 7;

fn main() {
    println!("library,function,format,elements,bytes,ns,rectify_ns");
    of_format::<f32>("f32");
    of_format::<f64>("f64");
    of_format::<f16>("f16");
    of_format::<bf16>("bf16");
}

fn of_format<T: Number>(format: &str) {
    let bytes = [1 << 10, 16 << 10, 256 << 10, 1 << 20, 16 << 20, 256 << 20];
    let sizes = [1, 2, 4, 8, 16, 32, 64]
        .into_iter()
        .chain(bytes.map(|bytes| bytes / size_of::<T>()));
    let mut random = fastrand::Rng::with_seed(1969);
    let mut numbers = |len: usize| -> Vec<T> {
        let block: Vec<T> = (0..len.min(1 << 17)).map(|_| T::number(random.f32() - 0.5)).collect();
        block.iter().copied().cycle().take(len).collect()
    };
    for len in sizes {
        let (x, grad) = (numbers(len), numbers(len));
        for name in FUNCTIONS {
            let before = if name == "relu_inplace" { &x } else { &grad };
            for peer in library::peers(name, &x, &grad) {
                let library = peer.name;
                let (ns, rectify_ns) = measure(before, peer, library::rectify(name, &x, &grad));
                let bytes = len * size_of::<T>();
                println!("{library},{name},{format},{len},{bytes},{ns:.2},{rectify_ns:.2}");
            }
        }
    }
}

/// Checks the peer's result, then gives the median times of its call and of `rectify`'s, on a target that holds `before`.
fn measure<T: Number>(before: &[T], mut peer: Peer<T>, mut rectify: Peer<T>) -> (f64, f64) {
    let mut expected = before.to_vec();
    (rectify.run)(&mut expected);
    // The same memory for both: the pages of one slice may suit the caches better than those of another.
    let mut target = before.to_vec();
    (peer.run)(&mut target);
    let result = peer.result.map_or_else(|| target.clone(), |result| result());
    // -0.0 and +0.0 are equal here: some give the one, some the other.
    assert!(result == expected, "{}: a wrong result", peer.name);

    let mut calls = 1;
    while time(calls, &mut peer.run, &mut target) < Duration::from_micros(200) {
        calls *= 2;
    }
    let mut times = [[0.0; ROUNDS]; 2];
    for round in 0..ROUNDS {
        let per_call = |time: Duration| time.as_nanos() as f64 / f64::from(calls);
        times[0][round] = per_call(time(calls, &mut peer.run, &mut target));
        times[1][round] = per_call(time(calls, &mut rectify.run, &mut target));
    }
    let [ns, rectify_ns] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    (ns, rectify_ns)
}

fn time<T>(calls: u32, run: &mut dyn FnMut(&mut [T]), target: &mut [T]) -> Duration {
    let start = Instant::now();
    (0..calls).for_each(|_| run(black_box(target)));
    start.elapsed()
}
