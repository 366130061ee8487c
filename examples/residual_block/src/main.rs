//! The end of a ResNet block, y = relu(x + bias\[channel\] + skip), and its gradient: in separate passes over memory, and in
//! one.

mod block;
mod format;
mod measure;
mod options;

use std::process::ExitCode;

use block::{Block, Memory, Shape, Sums};
use command_line::print;
use format::Format;
use options::Options;
use rectify::{Channels, Isa};
use workload::machine;

fn main() -> ExitCode {
    command_line::run(env!("CARGO_PKG_NAME"), options::HELP, options::parse, |options| {
        (options.run)(options)
    })
}

fn run<T: Format>(options: &Options) -> Result<(), String> {
    let shape = Shape::new::<T>(options)?;
    let mut memory = Memory::<T>::new(shape)?;
    let bytes = shape.len * size_of::<T>();
    print(&format!(
        "CPU                {}\n\
         instruction set    {}\n\
         tensors            {} images, {} channels, {size} x {size}: {} MiB of {}\n",
        machine::cpu(),
        Isa::best(),
        shape.images,
        shape.channels,
        mib(bytes),
        T::NAME,
        size = options.size,
    ))?;
    let layouts = [
        ("NCHW", Channels::First { spatial: shape.spatial }),
        ("NHWC", Channels::Last),
    ];
    for (name, channels) in layouts {
        let mut block = memory.block(channels);
        measure::check(&mut block)?;
        print(&format!("\n{name:<26}         µs    GB/s\n"))?;
        measure::time(&mut block, print)?;
        print(&results(&block))?;
    }
    let block = memory.block(Channels::Last);
    print(&format!(
        "\nkept for backward  {} MiB of y, or {} MiB of its mask where nothing else needs y ({:.1} % of y is 0)\n\
         temporary memory   none, in separate passes or one\n",
        mib(bytes),
        mib(block.mask.len()),
        100.0 * rectify::count_zeros(block.y) as f64 / shape.len as f64,
    ))
}

/// What was checked.
fn results<T: Format>(block: &Block<T>) -> String {
    let agreement = match block.wrong_outputs(Sums::Separate) {
        0 => "separate and fused passes agree, bit for bit".into(),
        differing => format!(
            "bit for bit as defined; {:.1} % of y differ, since separate passes round the sum twice",
            100.0 * differing as f64 / block.y.len() as f64
        ),
    };
    let error = block.grad_bias_errors().into_iter().fold(0.0, f64::max);
    format!(
        "results            {agreement}\ngradient of bias   errors up to {error:.1e} of the sum of the magnitudes\n"
    )
}

fn mib(bytes: usize) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}
