//! The functions: one benchmark for each function, format, way (an instruction set's kernel, and for ReLU its limit with ordinary or
//! streaming stores and the naive loop) and size in bytes of a slice. `throughput --criterion` makes tables and plots of it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use rectify::{Isa, Kernels};
use workload::{Activation, Format, Function, Memory, Numbers};

/// From less than a vector to beyond the last-level cache of most CPUs.
const SIZES: &[usize] = &[32, 256, 4 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20];

/// Of the functions that ReLU's are there to compare with.
const FAMILY_SIZES: &[usize] = &[4 << 10, 256 << 10, 64 << 20];

fn benchmarks(criterion: &mut Criterion) {
    let mut memory = Memory::new(SIZES[SIZES.len() - 1]).expect("enough memory");
    of_format::<f32>(criterion, &mut memory);
    of_format::<f64>(criterion, &mut memory);
    of_format::<rectify::f16>(criterion, &mut memory);
    of_format::<rectify::bf16>(criterion, &mut memory);
}

fn of_format<T: Format>(criterion: &mut Criterion, memory: &mut Memory) {
    for function in Function::all(Activation::all()) {
        let is_relu = function.activation == Activation::RELU;
        let mut numbers = memory.numbers::<T>(function);
        let mut group = criterion.benchmark_group(format!("{}/{}", function.name(), T::NAME));
        for &bytes in if is_relu { SIZES } else { FAMILY_SIZES } {
            let mut numbers = numbers.first(bytes / size_of::<T>());
            group.throughput(Throughput::Bytes((function.method.traffic() * bytes) as u64));
            let is_large = bytes == FAMILY_SIZES[2] && !is_relu;
            // Arithmetic on single elements takes much longer than memory.
            let is_left_out = |isa: &Isa| is_large && matches!(isa, Isa::Scalar | Isa::Portable);
            for isa in Isa::available().filter(|isa| !is_left_out(isa)) {
                let kernels = Kernels::new(isa).unwrap();
                if is_relu {
                    of_limits(&mut group, &mut numbers, kernels, function);
                }
                numbers.prepare(function.method);
                numbers.run(kernels, function, 1);
                assert!(numbers.is_right(function), "{} on {isa}", function.name());
                group.bench_function(id(isa, bytes), |bencher| {
                    bencher.iter_custom(|calls| {
                        let start = Instant::now();
                        numbers.run(kernels, function, calls);
                        start.elapsed()
                    });
                });
            }
            if is_relu {
                of_naive_loop(&mut group, &mut numbers, function);
            }
        }
    }
}

fn id(way: impl std::fmt::Display, bytes: usize) -> String {
    format!("{way}/{bytes:08}")
}

fn of_limits<T: Format>(
    group: &mut BenchmarkGroup<WallTime>,
    numbers: &mut Numbers<T>,
    kernels: Kernels,
    function: Function,
) {
    let Function { method, .. } = function;
    let bytes = numbers.size();
    numbers.prepare(method);
    for (limit, stores) in method.limits(kernels, bytes).zip(["", "-streaming"]) {
        numbers.run_limit(limit, method);
        group.bench_function(id(format!("{}-limit{stores}", kernels.isa()), bytes), |bencher| {
            bencher.iter(|| black_box(&mut *numbers).run_limit(limit, method));
        });
    }
}

fn of_naive_loop<T: Format>(group: &mut BenchmarkGroup<WallTime>, numbers: &mut Numbers<T>, relu: Function) {
    numbers.prepare(relu.method);
    numbers.run_plain_relu(relu.method, 1);
    assert!(numbers.is_right(relu), "naive {}", relu.name());
    group.bench_function(id("naive", numbers.size()), |bencher| {
        bencher.iter(|| black_box(&mut *numbers).run_plain_relu(relu.method, 1));
    });
}

criterion_group! {
    name = family;
    // There are many.
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500));
    targets = benchmarks
}
criterion_main!(family);
