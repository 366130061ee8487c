//! The four functions: one benchmark for each function, format, way (an instruction set's kernel, its limit with ordinary or
//! streaming stores, or the naive loop) and size in bytes of a slice. `throughput --criterion` makes tables and plots of it.

mod workload;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rectify::{Isa, Kernels};
use workload::{Format, Function, Memory};

/// From less than a vector to beyond the last-level cache of most CPUs.
const SIZES: [usize; 7] = [32, 256, 4 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20];

fn benchmarks(criterion: &mut Criterion) {
    let mut memory = Memory::new(SIZES[SIZES.len() - 1]).expect("enough memory");
    of_format::<f32>(criterion, &mut memory);
    of_format::<f64>(criterion, &mut memory);
    #[cfg(feature = "half")]
    of_format::<rectify::f16>(criterion, &mut memory);
    #[cfg(feature = "half")]
    of_format::<rectify::bf16>(criterion, &mut memory);
}

fn of_format<T: Format>(criterion: &mut Criterion, memory: &mut Memory) {
    let mut numbers = memory.numbers::<T>();
    for function in Function::ALL {
        let mut group = criterion.benchmark_group(format!("{}/{}", function.name(), T::NAME));
        for bytes in SIZES {
            let mut numbers = numbers.first(bytes / size_of::<T>());
            group.throughput(Throughput::Bytes((function.traffic() * bytes) as u64));
            let id = |way: &str| format!("{way}/{bytes:08}");

            for isa in Isa::available() {
                let kernels = Kernels::new(isa).unwrap();
                numbers.prepare(function);
                for (limit, stores) in function.limits(kernels, numbers.size()).zip(["", "-streaming"]) {
                    numbers.run_limit(limit, function);
                    group.bench_function(id(&format!("{isa}-limit{stores}")), |bencher| {
                        bencher.iter(|| black_box(&mut numbers).run_limit(limit, function));
                    });
                }
                numbers.run(kernels, function);
                assert!(numbers.is_right(function), "{function:?} on {isa}");
                group.bench_function(id(&isa.to_string()), |bencher| {
                    bencher.iter(|| black_box(&mut numbers).run(kernels, function));
                });
            }
            numbers.prepare(function);
            numbers.run_naive(function);
            assert!(numbers.is_right(function), "naive {function:?}");
            group.bench_function(id("naive"), |bencher| {
                bencher.iter(|| black_box(&mut numbers).run_naive(function));
            });
        }
    }
}

criterion_group! {
    name = relu;
    // There are several hundred of them.
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500));
    targets = benchmarks
}
criterion_main!(relu);
