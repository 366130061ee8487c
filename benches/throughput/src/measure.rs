//! The measuring.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use rectify::{Isa, Kernels};
use workload::{Format, Function, Limit, Memory, Numbers, calls_per_round, machine};

use crate::figures::{FORMATS, Measurement, Reference, median, of_relu};
use crate::options::Options;

/// Each function, instruction set and size, in every format or the one.
pub fn all(options: &Options) -> Result<Vec<Measurement>, String> {
    let max_bytes = options.max_bytes.unwrap_or_else(machine::past_caches);
    let mut run = Run {
        memory: Memory::new(max_bytes).map_err(|error| error.to_string())?,
        max_bytes,
        options,
        progress: ProgressBar::new(0),
        measurements: Vec::new(),
    };
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}, {eta} left");
    run.progress.set_style(style.map_err(|error| error.to_string())?);
    let formats = options.format.map_or(FORMATS.len(), |_| 1);
    let functions = Function::all(options.activations()).count();
    let cells = formats * functions * Isa::available().count() * run.sizes::<f32>().len();
    run.progress.set_length(cells as u64);

    run.measure::<f32>()?;
    run.measure::<f64>()?;
    run.measure::<rectify::f16>()?;
    run.measure::<rectify::bf16>()?;
    run.progress.finish_and_clear();
    if run.measurements.is_empty() {
        return Err("a quarter of the smallest cache is more than --max-bytes".into());
    }
    Ok(run.measurements)
}

struct Run<'a> {
    memory: Memory,
    max_bytes: usize,
    options: &'a Options,
    progress: ProgressBar,
    measurements: Vec<Measurement>,
}

impl Run<'_> {
    /// The sizes to measure, in elements.
    fn sizes<T>(&self) -> Vec<usize> {
        let elements = |bytes| bytes / size_of::<T>();
        match self.options.reference {
            Reference::Limit => {
                let powers = (10..).step_by(2).map(|exponent| 1 << exponent);
                let bytes = powers.take_while(|bytes| 4 * bytes <= self.max_bytes);
                let long = bytes.chain([self.max_bytes]).map(elements);
                [16, 64].into_iter().chain(long).collect()
            }
            Reference::Relu => {
                let classes = machine::size_classes().into_iter();
                classes.filter(|&bytes| bytes <= self.max_bytes).map(elements).collect()
            }
        }
    }

    fn measure<T: Format>(&mut self) -> Result<(), String> {
        if self.options.format.is_some_and(|format| format != T::NAME) {
            return Ok(());
        }
        let sizes = self.sizes::<T>();
        for function in Function::all(self.options.activations()) {
            let name = function.name();
            let mut numbers = self.memory.numbers::<T>(function);
            for isa in Isa::available() {
                self.progress.set_message(format!("{name} {} {isa}", T::NAME));
                let kernels = Kernels::new(isa).map_err(|error| error.to_string())?;
                for &elements in &sizes {
                    let mut numbers = numbers.first(elements);
                    numbers.prepare(function.method);
                    numbers.run(kernels, function, 1);
                    if !numbers.is_right(function) {
                        let format = T::NAME;
                        return Err(format!("{name} gave a wrong result on {isa}, {elements} {format}"));
                    }
                    let (ns, reference_ns) = median_ns(&mut numbers, kernels, function, self.options.reference);
                    self.measurements.push(Measurement {
                        function,
                        format: T::NAME,
                        isa,
                        elements,
                        bytes: elements * size_of::<T>(),
                        ns,
                        reference_ns,
                    });
                    self.progress.inc(1);
                }
            }
        }
        Ok(())
    }
}

/// What takes its turn.
#[derive(Clone, Copy)]
enum Turn {
    Function(Function),
    Limit(Limit),
}

/// Of a call of the function and of its reference. They take turns, so that what else the machine does hits both.
fn median_ns<T: Format>(
    numbers: &mut Numbers<T>,
    kernels: Kernels,
    function: Function,
    reference: Reference,
) -> (f64, f64) {
    let references = match reference {
        Reference::Relu => vec![Turn::Function(of_relu(function))],
        Reference::Limit => {
            let limits = function.method.limits(kernels, numbers.size());
            limits.map(Turn::Limit).collect()
        }
    };
    let mut ns_per_call = |calls: u32, turn| {
        let start = Instant::now();
        match turn {
            Turn::Function(function) => numbers.run(kernels, function, calls.into()),
            Turn::Limit(limit) => (0..calls).for_each(|_| numbers.run_limit(limit, function.method)),
        }
        start.elapsed().as_nanos() as f64 / f64::from(calls)
    };
    // The first calls also warm the caches up.
    let calls = calls_per_round(100_000.0, |calls| ns_per_call(calls, references[0]));
    let mut times = Vec::new();
    let mut reference_times = vec![Vec::new(); references.len()];
    let start = Instant::now();
    while times.len() < 5 || times.len() < 25 && start.elapsed() < Duration::from_millis(50) {
        for (times, &turn) in reference_times.iter_mut().zip(&references) {
            times.push(ns_per_call(calls, turn));
        }
        times.push(ns_per_call(calls, Turn::Function(function)));
    }
    let median = |times| median(times).expect("at least one round");
    let reference_ns = reference_times.into_iter().map(median).fold(f64::INFINITY, f64::min);
    (median(times), reference_ns)
}
