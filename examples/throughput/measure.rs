//! The measuring.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use rectify::{Isa, Kernels};

use crate::figures::{FORMATS, Measurement, median};
use crate::workload::{Format, Function, Memory, Numbers};

/// Each function, instruction set and size up to slices of `max_bytes`, in every format or the one.
pub fn all(max_bytes: usize, format: Option<&'static str>) -> Result<Vec<Measurement>, String> {
    let mut run = Run {
        memory: Memory::new(max_bytes).map_err(|error| error.to_string())?,
        max_bytes,
        format,
        progress: ProgressBar::new(0),
        measurements: Vec::new(),
    };
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}, {eta} left");
    run.progress.set_style(style.map_err(|error| error.to_string())?);
    let formats = if format.is_some() { 1 } else { FORMATS.len() };
    let cells = formats * Function::ALL.len() * Isa::available().count() * sizes::<f32>(max_bytes).len();
    run.progress.set_length(cells as u64);

    run.measure::<f32>()?;
    run.measure::<f64>()?;
    #[cfg(feature = "half")]
    run.measure::<rectify::f16>()?;
    #[cfg(feature = "half")]
    run.measure::<rectify::bf16>()?;
    run.progress.finish_and_clear();
    Ok(run.measurements)
}

/// The sizes to measure, in elements.
fn sizes<T>(max_bytes: usize) -> Vec<usize> {
    let powers = (10..).step_by(2).map(|exponent| 1 << exponent);
    let bytes = powers.take_while(|bytes| 4 * bytes <= max_bytes).chain([max_bytes]);
    [16, 64]
        .into_iter()
        .chain(bytes.map(|bytes| bytes / size_of::<T>()))
        .collect()
}

struct Run {
    memory: Memory,
    max_bytes: usize,
    format: Option<&'static str>,
    progress: ProgressBar,
    measurements: Vec<Measurement>,
}

impl Run {
    fn measure<T: Format>(&mut self) -> Result<(), String> {
        if self.format.is_some_and(|format| format != T::NAME) {
            return Ok(());
        }
        let mut numbers = self.memory.numbers::<T>();
        for function in Function::ALL {
            for isa in Isa::available() {
                self.progress
                    .set_message(format!("{} {} {isa}", function.name(), T::NAME));
                let kernels = Kernels::new(isa).map_err(|error| error.to_string())?;
                for elements in sizes::<T>(self.max_bytes) {
                    let mut numbers = numbers.first(elements);
                    let (ns, limit_ns) = median_ns(&mut numbers, kernels, function);
                    if !numbers.is_right(function) {
                        return Err(format!(
                            "{} gave a wrong result on {isa}, {elements} {}",
                            function.name(),
                            T::NAME
                        ));
                    }
                    self.measurements.push(Measurement {
                        function,
                        format: T::NAME,
                        isa,
                        elements,
                        bytes: elements * size_of::<T>(),
                        ns,
                        limit_ns,
                    });
                    self.progress.inc(1);
                }
            }
        }
        Ok(())
    }
}

/// Of a call of the function and of its limit. They take turns, so that what else the machine does hits both.
fn median_ns<T: Format>(numbers: &mut Numbers<T>, kernels: Kernels, function: Function) -> (f64, f64) {
    let limits: Vec<_> = function.limits(kernels, numbers.size()).collect();
    numbers.prepare(function);
    // The first calls also warm the caches up.
    let calls = calls_per_round(|| numbers.run_limit(limits[0], function));
    let rounds = if calls > 1 { 9 } else { 5 };
    let mut times = Vec::new();
    let mut limit_times = vec![Vec::new(); limits.len()];
    for _ in 0..rounds {
        for (times, &limit) in limit_times.iter_mut().zip(&limits) {
            times.push(ns_per_call(calls, || numbers.run_limit(limit, function)));
        }
        times.push(ns_per_call(calls, || numbers.run(kernels, function)));
    }
    let median = |times| median(times).expect("at least one round");
    let limit_ns = limit_times.into_iter().map(median).fold(f64::INFINITY, f64::min);
    (median(times), limit_ns)
}

/// As many as it takes for the clock to be of no weight.
fn calls_per_round(mut call: impl FnMut()) -> u32 {
    let mut calls = 1;
    loop {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        if start.elapsed() > Duration::from_micros(100) {
            return calls;
        }
        calls *= 2;
    }
}

fn ns_per_call(calls: u32, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..calls).for_each(|_| call());
    start.elapsed().as_nanos() as f64 / f64::from(calls)
}
