//! The one grid: every instruction set, function and format, against the definition on bits. Equality of bits, no
//! tolerance.
//!
//! The names of the tests begin with the instruction set, or with `free` for the free functions. The tests of one that is not
//! available are reported as ignored; where `RECTIFY_REQUIRE_ISA` lists it (comma separated), they fail.

mod agreement;
#[path = "../common/mod.rs"]
mod common;
mod masks;
mod rows;
mod self_tests;
mod slices;

use std::fmt;

use common::calls;
use common::format::Format;
use common::guarded::VECTOR_BYTES;
use common::required;
use libtest_mimic::{Arguments, Trial};
use rectify::{Isa, Kernels};

/// What a test is about, beside its function.
#[derive(Clone, Copy)]
struct Setting {
    way: Way,
    format: Format,
}

/// A way to the functions, which may not be available.
#[derive(Clone, Copy)]
enum Way {
    /// The free functions, on whatever was chosen.
    Free,
    Pinned(Isa),
}

impl Way {
    /// Panics where it is not available.
    fn to_calls(self) -> calls::Way {
        match self {
            Self::Free => calls::Way::Free,
            Self::Pinned(isa) => calls::Way::Pinned(Kernels::new(isa).unwrap()),
        }
    }

    fn is_available(self) -> bool {
        match self {
            Self::Free => true,
            Self::Pinned(isa) => isa.is_available(),
        }
    }

    fn trial(self, name: &str, run: impl FnOnce() -> Result<(), libtest_mimic::Failed> + Send + 'static) -> Trial {
        let is_required = matches!(self, Self::Pinned(isa) if required().contains(&isa));
        Trial::test(format!("{self}::{name}"), run).with_ignored_flag(!self.is_available() && !is_required)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("free"),
            Self::Pinned(isa) => isa.fmt(f),
        }
    }
}

impl Setting {
    /// Panics where the way is not available.
    fn way(self) -> calls::Way {
        self.way.to_calls()
    }

    /// In a vector of any instruction set.
    fn lanes(self) -> usize {
        VECTOR_BYTES / self.format.bytes()
    }

    /// Every length up to four vectors and one.
    fn short_lengths(self) -> impl Iterator<Item = usize> {
        0..=4 * self.lanes() + 1
    }

    /// Every length from the one on where stores are aligned, up to four vectors and one more.
    fn lengths_with_aligned_stores(self) -> impl Iterator<Item = usize> {
        let first = ALIGNED_BYTES / self.format.bytes();
        self.short_lengths().map(move |more| first + more)
    }

    /// Whether it rounds f16 where `GRID_F16=no_rounding`: Bochs 2.7 rounds ties of VCVTPS2PH away from zero.
    fn is_left_out(self, rounds: bool) -> bool {
        rounds && self.format.name() == "f16" && std::env::var("GRID_F16").is_ok_and(|value| value == "no_rounding")
    }

    /// The test with that name between the way and the format.
    fn trial(self, name: &str, check: impl Fn(Self) + Send + 'static) -> Trial {
        let Self { way, format } = self;
        way.trial(&format!("{name}::{}", format.name()), move || {
            check(self);
            Ok(())
        })
    }
}

/// From how many bytes a slice on stores are aligned.
const ALIGNED_BYTES: usize = 512;

/// In bytes of a call, so that there are long slices on both sides of it.
const STREAMING_THRESHOLD: usize = 4096;

/// With all patterns and shapes: in release, or as `GRID_FULL` is 1 or 0. Without optimisation they take minutes.
fn is_full() -> bool {
    variable("GRID_FULL").map_or(!cfg!(debug_assertions), |full: u8| full != 0)
}

/// A variable that is a number.
fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}: '{value}' is no number")),
    )
}

fn trials_of_way(way: Way, patterns: &slices::AllPatterns) -> Vec<Trial> {
    let mut trials = Vec::new();
    if let Way::Pinned(isa) = way {
        trials.push(way.trial("is_available", move || {
            assert_eq!(Kernels::new(isa)?.isa(), isa);
            Ok(())
        }));
    }
    for &format in Format::ALL {
        let setting = Setting { way, format };
        trials.extend(slices::trials(setting, patterns));
        trials.extend(masks::trials(setting));
        trials.extend(rows::trials(setting));
        trials.extend(agreement::trials(setting));
    }
    trials
}

fn main() {
    rectify::set_streaming_threshold(STREAMING_THRESHOLD);
    let arguments = Arguments::from_args();
    let patterns = slices::AllPatterns::new();
    let mut trials = self_tests::trials();
    trials.extend(trials_of_way(Way::Free, &patterns));
    for &isa in Isa::ALL {
        let trials_of_isa = trials_of_way(Way::Pinned(isa), &patterns);
        if !arguments.list && isa == Isa::ALL[0] {
            // For ci/demand.
            println!("\nthe grid has {} tests for each instruction set", trials_of_isa.len());
        }
        trials.extend(trials_of_isa);
    }
    drop(patterns);
    libtest_mimic::run(&arguments, trials).exit();
}
