//! The MLPs of two transformers, forward and backward: SwiGLU of a language model in `bf16`, and GELU with a bias of a vision
//! transformer in `f32`. The activation in separate passes over memory, and fused.

mod language;
mod matrices;
mod measure;
mod options;
mod vision;

use std::process::ExitCode;

use command_line::print;
use language::Language;
use measure::report;
use options::Options;
use rectify::Isa;
use vision::Vision;
use workload::machine;

fn main() -> ExitCode {
    command_line::run(env!("CARGO_PKG_NAME"), options::HELP, options::parse, run)
}

fn run(options: &Options) -> Result<(), String> {
    let &Options { tokens, hidden } = options;
    let mut language = Language::new(tokens, hidden)?;
    print(&format!(
        "CPU                {}\ninstruction set    {}\n",
        machine::cpu(),
        Isa::best()
    ))?;
    report(&mut language, "language model, SwiGLU in bf16")?;
    drop(language);
    report(
        &mut Vision::new(tokens, hidden)?,
        "vision transformer, bias and GELU in f32",
    )
}
