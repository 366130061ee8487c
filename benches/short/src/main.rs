//! Calls on short and middle slices, on the instruction set that is chosen: nanoseconds beside the limit, which is a loop
//! behind a function pointer with the same loads and stores of 32 bytes.

use std::process::ExitCode;
use std::time::Instant;

use command_line::lexopt::prelude::*;
use command_line::{Command, lexopt, one_of, print};
use rectify::Kernels;
use workload::{Activation, Format, Function, Memory, Numbers, calls_per_round, lower_quartiles, machine};

const HELP: &str = "\
Measures calls on slices of up to 16 KB, aligned to 64 bytes, on the instruction set that is chosen: of ReLU, if not told otherwise.

Usage: cargo run --release -p short -- [OPTIONS]

  --function NAME  instead of ReLU the activation of that name, one of
                   {activations};
                   given several times, each of them
  --format NAME    only those of f32, f64, f16 or bf16
  --help           print this

ns: of a method of Kernels; a quarter of the rounds were faster. free: what a free function takes more. limit: what a loop
behind a function pointer takes, with the same loads and stores of 32 bytes. plain: what ReLU takes as a loop that is
compiled into the caller, where the compiler vectorizes it. share: limit / ns. !: below 1 KB more than 1 ns over the limit,
from 1 KB on a share below 85 %.
";

/// In bytes. From 32 bytes on, multiples of the limit's vectors.
const SIZES: [usize; 16] = [
    16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048, 4096, 6144, 8192, 16384,
];

/// A call that is measured.
#[derive(Clone, Copy)]
enum Way {
    Kernels,
    Free,
    Limit,
    Plain,
}

const WAYS: [Way; 4] = [Way::Kernels, Way::Free, Way::Limit, Way::Plain];

fn main() -> ExitCode {
    let help = HELP.replace("{activations}", &Activation::names());
    command_line::run(env!("CARGO_PKG_NAME"), &help, parse, measure_all)
}

struct Options {
    activations: Vec<Activation>,
    format: Option<&'static str>,
}

const FORMATS: [&str; 4] = [f32::NAME, f64::NAME, rectify::f16::NAME, rectify::bf16::NAME];

fn parse(parser: &mut lexopt::Parser) -> Result<Command<Options>, lexopt::Error> {
    let mut activations = Vec::new();
    let mut format = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("function") => {
                let named = Activation::all().map(|activation| (activation.name(), activation));
                activations.push(parser.value()?.parse_with(one_of("--function", named))?);
            }
            Long("format") => {
                let named = FORMATS.map(|name| (name, name));
                format = Some(parser.value()?.parse_with(one_of("--format", named))?);
            }
            Short('h') | Long("help") => return Ok(Command::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    if activations.is_empty() {
        activations.push(Activation::RELU);
    }
    Ok(Command::Run(Options { activations, format }))
}

fn measure_all(options: &Options) -> Result<(), String> {
    let kernels = Kernels::best();
    let mut memory = Memory::new(SIZES[SIZES.len() - 1]).map_err(|error| error.to_string())?;
    print(&format!("{}, {}\n", machine::cpu(), kernels.isa()))?;
    macro_rules! measure {
        ($($T:ty),+) => {
            $(
                if options.format.is_none_or(|name| name == <$T>::NAME) {
                    for function in Function::all(options.activations.iter().copied()) {
                        measure::<$T>(&mut memory, kernels, function)?;
                    }
                }
            )+
        };
    }
    measure!(f32, f64, rectify::f16, rectify::bf16);
    Ok(())
}

/// Prints the table of a function and format.
fn measure<T: Format>(memory: &mut Memory, kernels: Kernels, function: Function) -> Result<(), String> {
    let mut numbers = memory.numbers::<T>(function);
    print(&format!(
        "\n{} {}\n{:>9} {:>7} {:>8} {:>6} {:>8} {:>8} {:>8}\n",
        function.name(),
        T::NAME,
        "elements",
        "bytes",
        "ns",
        "free",
        "limit",
        "plain",
        "share"
    ))?;
    for bytes in SIZES {
        let mut numbers = numbers.first(bytes / size_of::<T>());
        numbers.prepare(function.method);
        numbers.run(kernels, function, 1);
        if !numbers.is_right(function) {
            return Err(format!(
                "{} gave a wrong result, {bytes} bytes of {}",
                function.name(),
                T::NAME
            ));
        }
        let [ns, free, limit, plain] = times(&mut numbers, kernels, function)[..] else {
            unreachable!("one of each way");
        };
        let is_over = if bytes < 1024 {
            ns > limit + 1.0
        } else {
            limit / ns < 0.85
        };
        print(&format!(
            "{:>9} {bytes:>7} {ns:>8.1} {:>+6.1} {limit:>8.1} {plain:>8.1} {:>6.0} %{}\n",
            bytes / size_of::<T>(),
            free - ns,
            100.0 * limit / ns,
            if is_over { " !" } else { "" },
        ))?;
    }
    Ok(())
}

/// Nanoseconds of a call of each way.
fn times<T: Format>(numbers: &mut Numbers<T>, kernels: Kernels, function: Function) -> Vec<f64> {
    const ROUNDS: usize = 40;
    let mut ns_per_call = |calls: u32, way| {
        let start = Instant::now();
        let Function { method, .. } = function;
        match way {
            Way::Kernels => numbers.run(kernels, function, calls.into()),
            Way::Free => numbers.run_free(function, calls.into()),
            Way::Limit => numbers.run_narrow_limit(method, calls.into()),
            Way::Plain => numbers.run_plain_relu(method, calls.into()),
        }
        start.elapsed().as_nanos() as f64 / f64::from(calls)
    };
    let calls = calls_per_round(20_000.0, |calls| ns_per_call(calls, Way::Kernels));
    lower_quartiles(WAYS.len(), ROUNDS, |way| ns_per_call(calls, WAYS[way]))
}
