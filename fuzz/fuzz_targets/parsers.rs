//! Names of instruction sets: those that `Display` writes are read, and no others. `RECTIFY_MAX_ISA` goes the same way, trimmed, but is
//! read once a process by a private function: tests/choice.rs starts processes for it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rectify::Isa;

fuzz_target!(|name: &str| {
    let known = Isa::ALL.iter().copied().find(|isa| isa.to_string() == name);
    assert_eq!(name.parse().ok(), known);
});
