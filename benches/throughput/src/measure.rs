//! What is measured: each function, instruction set and size.

use rectify::{Isa, Kernels};
use workload::{Format, Function, Memory, Numbers, machine};

use crate::figures::{FORMATS, Measurement, Reference, Times, of_relu};
use crate::options::Options;
use crate::progress::Progress;
use crate::turns::take_turns;

/// In every format or the one.
pub fn all(options: &Options) -> Result<Vec<Measurement>, String> {
    let functions = options.functions();
    let sizes = sizes::<f32>(options);
    let largest = sizes
        .iter()
        .max()
        .ok_or("a quarter of the smallest cache is more than --max-bytes")?;
    let largest_bytes = largest * size_of::<f32>() * options.reference.inputs();
    let formats = options.format.map_or(FORMATS.len(), |_| 1);
    let mut run = Run {
        memory: Memory::new(largest_bytes).map_err(|error| error.to_string())?,
        progress: Progress::new(formats * functions.len() * Isa::available().count() * sizes.len()),
        functions,
        options,
        measurements: Vec::new(),
    };
    run.measure::<f32>()?;
    run.measure::<f64>()?;
    run.measure::<rectify::f16>()?;
    run.measure::<rectify::bf16>()?;
    Ok(run.measurements)
}

/// Of a slice, in elements.
fn sizes<T>(options: &Options) -> Vec<usize> {
    let elements = |bytes| bytes / size_of::<T>();
    let max_bytes = options.max_bytes.unwrap_or_else(machine::past_caches);
    let classes = match options.reference {
        Reference::Limit => {
            let powers = (10..).step_by(2).map(|exponent| 1 << exponent);
            let bytes = powers.take_while(|bytes| 4 * bytes <= max_bytes);
            return [16, 64]
                .into_iter()
                .chain(bytes.chain([max_bytes]).map(elements))
                .collect();
        }
        Reference::Relu => machine::size_classes(),
        Reference::NormalResults => machine::quarters_of_caches(),
    };
    classes
        .into_iter()
        .filter(|&bytes| bytes <= max_bytes)
        .map(elements)
        .collect()
}

struct Run<'a> {
    memory: Memory,
    progress: Progress,
    functions: Vec<Function>,
    options: &'a Options,
    measurements: Vec<Measurement>,
}

impl Run<'_> {
    fn measure<T: Format>(&mut self) -> Result<(), String> {
        if self.options.format.is_some_and(|format| format != T::NAME) {
            return Ok(());
        }
        let sizes = sizes::<T>(self.options);
        for &function in &self.functions {
            let mut inputs = Inputs::<T>::new(&mut self.memory, function, self.options.reference);
            for isa in Isa::available() {
                let kernels = Kernels::new(isa).map_err(|error| error.to_string())?;
                for &elements in &sizes {
                    let what = format!("{} of {elements} {} on {isa}", function.name(), T::NAME);
                    self.progress.next(&what);
                    let times = inputs.times(kernels, function, elements);
                    self.measurements.push(Measurement {
                        function,
                        format: T::NAME,
                        isa,
                        elements,
                        bytes: elements * size_of::<T>(),
                        times: times.ok_or_else(|| format!("{what} gave a wrong result"))?,
                    });
                }
            }
        }
        Ok(())
    }
}

/// What a function is called with, for each reference.
enum Inputs<'a, T> {
    Limit(Numbers<'a, T>),
    Relu(Numbers<'a, T>),
    /// Those with subnormal results, and those without.
    Normal([Numbers<'a, T>; 2]),
}

impl<'a, T: Format> Inputs<'a, T> {
    fn new(memory: &'a mut Memory, function: Function, reference: Reference) -> Self {
        match reference {
            Reference::Limit => Self::Limit(memory.numbers(function)),
            Reference::Relu => Self::Relu(memory.numbers(function)),
            Reference::NormalResults => Self::Normal(memory.subnormal_and_normal(function)),
        }
    }

    /// Of the first elements; none where a result is wrong.
    fn times(&mut self, kernels: Kernels, function: Function, elements: usize) -> Option<Times> {
        let checked = |numbers: &mut Numbers<T>| {
            numbers.prepare(function.method);
            numbers.run(kernels, function, 1);
            numbers.is_right(function)
        };
        match self {
            Self::Limit(numbers) => {
                let mut numbers = numbers.first(elements);
                let limits: Vec<_> = function.method.limits(kernels, numbers.size()).collect();
                checked(&mut numbers).then(|| {
                    take_turns(Reference::Limit, 1 + limits.len(), |way, calls| match way {
                        0 => numbers.run(kernels, function, calls.into()),
                        _ => (0..calls).for_each(|_| numbers.run_limit(limits[way - 1], function.method)),
                    })
                })
            }
            Self::Relu(numbers) => {
                let mut numbers = numbers.first(elements);
                let ways = [function, of_relu(function)];
                checked(&mut numbers).then(|| {
                    take_turns(Reference::Relu, ways.len(), |way, calls| {
                        numbers.run(kernels, ways[way], calls.into())
                    })
                })
            }
            Self::Normal(ways) => {
                let mut ways = ways.each_mut().map(|numbers| numbers.first(elements));
                let are_subnormal = ways.iter_mut().map(|numbers| {
                    numbers.run_subnormal(kernels, function, 1);
                    numbers.are_subnormal()
                });
                are_subnormal.eq([true, false]).then(|| {
                    take_turns(Reference::NormalResults, ways.len(), |way, calls| {
                        ways[way].run_subnormal(kernels, function, calls.into())
                    })
                })
            }
        }
    }
}
