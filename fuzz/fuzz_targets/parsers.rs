//! Names of instruction sets: those that `Display` writes are read, and no others. Names of functions: those of the table, and no others.
//! `RECTIFY_MAX_ISA` goes the first way, trimmed, but is read once a process by a private function: tests/choice.rs starts processes
//! for it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rectify::{AnyActivation, Isa};
use rectify_fuzz::common::functions::FUNCTIONS;

fuzz_target!(|name: &str| {
    let known = Isa::ALL.iter().copied().find(|isa| isa.to_string() == name);
    assert_eq!(name.parse().ok(), known);

    let mut names = FUNCTIONS.iter().flat_map(|function| {
        function
            .names
            .iter()
            .map(move |&(name, parameters)| (name, function.with(parameters)))
    });
    let known = names
        .find(|(known, _)| *known == name)
        .map(|(_, case)| case.activation());
    assert_eq!(name.parse::<AnyActivation>().ok(), known);
});
