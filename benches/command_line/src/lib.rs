//! What the programs' command lines have in common: how they refuse arguments, report failures, and print.
//!
//! An error is one line, `name: message`, with what the user gave in '...'. The status is 2 for wrong arguments, 1 for other
//! failures.

#![allow(missing_docs, reason = "not published")]

mod output;
mod print;

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

pub use lexopt;
use lexopt::Error;
pub use output::Output;
pub use print::print;

pub enum Command<Options> {
    Help,
    Run(Options),
}

/// Parses the arguments of the program, then prints the help or runs it.
pub fn run<Options>(
    name: &str,
    help: &str,
    parse: impl FnOnce(&mut lexopt::Parser) -> Result<Command<Options>, Error>,
    run: impl FnOnce(&Options) -> Result<(), String>,
) -> ExitCode {
    let (result, status) = match parse(&mut lexopt::Parser::from_env()) {
        Ok(Command::Help) => (print(help), 1),
        Ok(Command::Run(options)) => (run(&options), 1),
        Err(error) => (Err(format!("{} (see --help)", describe(&error))), 2),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::from(status)
        }
    }
}

/// What `option`'s value names. For `parse_with`: [`run`] adds the value to the error.
pub fn one_of<T>(
    option: &'static str,
    named: impl IntoIterator<Item = (&'static str, T)>,
) -> impl FnOnce(&str) -> Result<T, String> {
    move |value| {
        let mut names = Vec::new();
        for (name, named) in named {
            if name == value {
                return Ok(named);
            }
            names.push(name);
        }
        Err(format!("{option} takes one of {}", names.join(", ")))
    }
}

/// A size. For `parse_with`, as [`one_of`].
pub fn number(option: &'static str) -> impl FnOnce(&str) -> Result<usize, String> {
    move |value| match value.parse() {
        Ok(number @ 1..=0x10_0000) => Ok(number),
        _ => Err(format!("{option} takes a number from 1 to 2^20")),
    }
}

pub fn cannot_write(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("can't write {}: {error}", quoted(path))
}

pub fn cannot_read(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("can't read {}: {error}", quoted(path))
}

/// On one line.
pub fn quoted(given: impl AsRef<OsStr>) -> String {
    format!("'{}'", given.as_ref().to_string_lossy().replace(char::is_control, " "))
}

/// As `lexopt` does, but with the quotes of the scripts.
fn describe(error: &Error) -> String {
    match error {
        Error::MissingValue { option } => format!("{} takes a value", option.as_deref().unwrap_or("an option")),
        Error::UnexpectedOption(option) => format!("unexpected option {}", quoted(option)),
        Error::UnexpectedArgument(argument) => format!("unexpected argument {}", quoted(argument)),
        Error::UnexpectedValue { option, value } => format!("{option} takes no value, not {}", quoted(value)),
        Error::ParsingFailed { value, error } => format!("{error}, not {}", quoted(value)),
        Error::NonUnicodeValue(value) => format!("{} is not UTF-8", quoted(value)),
        Error::Custom(error) => error.to_string(),
    }
}
