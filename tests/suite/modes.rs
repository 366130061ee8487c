//! Rounding, flush-to-zero and trapping modes of the CPU: select functions know nothing of them, and leave no trace in its status flags;
//! arithmetic functions follow them alike on every instruction set (except f16 on NEON). The modes are those of the test's thread.

#![allow(unsafe_code)]

use std::hint::black_box;

use rectify::{AnyActivation, AnyOneBit, Channels, Kernels};

use crate::common::all_kernels;
use crate::common::calls::{self, Before, Method::*, Way};
use crate::common::format::Format;
use crate::common::functions::{Case, FUNCTIONS, Function};
use crate::common::guarded::Bytes;
use crate::common::tensor::{View, ViewMut};
use crate::stream_from;

use cpu::Mode;

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod cpu {
    use std::arch::asm;

    /// MXCSR, with the flags in the lowest bits.
    pub type Mode = u32;

    const MASKED: Mode = 0x1f80;
    pub const DEFAULT: Mode = MASKED;
    pub const FLAGS: Mode = 0x3f;

    const TO_ZERO: Mode = 1 << 15;
    const DENORMALS_ARE_ZERO: Mode = 1 << 6;

    pub const ARITHMETIC: &[(&str, Mode)] = &[
        ("to nearest", DEFAULT),
        ("down", DEFAULT | 1 << 13),
        ("up", DEFAULT | 2 << 13),
        ("towards zero", DEFAULT | 3 << 13),
        ("flush to zero", DEFAULT | TO_ZERO),
        ("denormals are zero", DEFAULT | DENORMALS_ARE_ZERO),
        ("both", DEFAULT | TO_ZERO | DENORMALS_ARE_ZERO),
        ("both, up", DEFAULT | TO_ZERO | DENORMALS_ARE_ZERO | 2 << 13),
    ];

    /// Those that only select functions take.
    pub const OTHERS: &[(&str, Mode)] = &[("every exception traps", 0)];

    pub fn get() -> Mode {
        let mut mxcsr = 0;
        // SAFETY: it is stored there.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr, options(nostack)) };
        mxcsr
    }

    /// # Safety
    ///
    /// What runs until it is the default one again does without Rust's promise that it is: [`in_mode`](super::in_mode).
    pub unsafe fn set(mxcsr: Mode) {
        // SAFETY: the caller's promise.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod cpu {
    use std::arch::asm;

    /// FPCR, and FPSR's flags in the lowest bits, where FPCR has none that are used.
    pub type Mode = u64;

    pub const DEFAULT: Mode = 0;
    pub const FLAGS: Mode = 0x9f;

    const TO_ZERO: Mode = 1 << 24;

    pub const ARITHMETIC: &[(&str, Mode)] = &[
        ("to nearest", DEFAULT),
        ("up", 1 << 22),
        ("down", 2 << 22),
        ("towards zero", 3 << 22),
        ("flush to zero", TO_ZERO),
        ("flush to zero, up", TO_ZERO | 1 << 22),
    ];

    /// Those that only select functions take.
    pub const OTHERS: &[(&str, Mode)] = &[
        ("default NaN", 1 << 25),
        ("alternative f16", 1 << 26),
        ("f16 flushed to zero", 1 << 19),
    ];

    pub fn get() -> Mode {
        let (fpcr, fpsr): (u64, u64);
        // SAFETY: they are read only.
        unsafe { asm!("mrs {}, fpcr", "mrs {}, fpsr", out(reg) fpcr, out(reg) fpsr, options(nostack)) };
        fpcr | fpsr & FLAGS
    }

    /// # Safety
    ///
    /// What runs until it is the default one again does without Rust's promise that it is: [`in_mode`](super::in_mode).
    pub unsafe fn set(mode: Mode) {
        // SAFETY: the caller's promise.
        unsafe { asm!("msr fpcr, {}", "msr fpsr, {}", in(reg) mode & !FLAGS, in(reg) mode & FLAGS, options(nostack)) };
    }
}

/// Restores it.
struct Restore(Mode);

impl Drop for Restore {
    fn drop(&mut self) {
        // SAFETY: the mode from before.
        unsafe { cpu::set(self.0) };
    }
}

/// What `call` gives in a mode, and the mode after it. The language has code run in the default mode only; this is about what comes of a
/// caller who doesn't, such as an engine in C++ that flushes to zero. `call` is in functions that the compiler can't see into, and
/// what it does beside the kernel's work is integer arithmetic.
fn in_mode<R>(mode: Mode, call: impl FnOnce() -> R) -> (R, Mode) {
    let _restore = Restore(cpu::get());
    // SAFETY: restored at the end; see above.
    unsafe { cpu::set(mode) };
    let result = call();
    (result, cpu::get())
}

/// As bounds: 1, numbers that have to be rounded, subnormal ones, and one that is out of range of most formats.
const PARAMETERS: [f64; 8] = [1.0, 0.1, 0.7, 1.0 + 1.1 / 2048.0, 1e-40, 3e-7, 1e-310, 1e300];

/// Zeros, subnormals, infinities, quiet and signalling NaNs of both signs, and what is next to the parameters.
fn special(format: Format) -> Vec<u64> {
    let mantissa_width = format.mantissa_width();
    let exponents = format.sign() >> mantissa_width;
    let bias = exponents / 2 - 1;
    let mantissas = [0, 1, 1 << (mantissa_width - 1), (1 << mantissa_width) - 1];
    let exponents = [
        0,
        1,
        2,
        bias / 2,
        bias - 1,
        bias,
        bias + 1,
        bias + 2,
        exponents - 2,
        exponents - 1,
    ];
    let patterns = exponents
        .into_iter()
        .flat_map(|exponent| mantissas.map(|low| exponent << mantissa_width | low));
    let next_to = |parameter| [-1, 0, 1].map(|step| format.nearest(parameter).saturating_add_signed(step));
    let patterns = patterns.chain(PARAMETERS.into_iter().flat_map(next_to));
    patterns.flat_map(|bits| [bits, bits | format.sign()]).collect()
}

/// X and gradients.
type Inputs = [Bytes; 2];

/// Few enough for the code of short slices, and enough for aligned stores and a tail.
fn inputs(format: Format) -> [Inputs; 2] {
    let special = special(format);
    [5, (1234 / format.bytes()) | 1]
        .map(|len| [41, 3].map(|skip| format.to_bytes(special.iter().copied().cycle().skip(skip).take(len))))
}

/// What is called, with nothing left to do but the calls: to make a value takes comparisons, which leave flags.
#[derive(Clone, Copy, Debug)]
enum Calls {
    Function(AnyActivation, Option<AnyOneBit>),
    /// In both layouts of channels.
    Fused(AnyActivation),
    PRelu,
    ReGlu,
    Crelu,
    CountZeros,
}

impl Calls {
    /// Of functions with their own parameters and those above.
    fn of_functions(are_arithmetic: bool) -> Vec<Self> {
        let functions = FUNCTIONS
            .iter()
            .filter(|function| function.is_arithmetic() == are_arithmetic);
        let cases = functions.flat_map(|function| {
            let others = PARAMETERS.map(|parameter| function.with((function.valid)([-parameter, parameter])));
            let of_smooth = [function.default(), function.with(function.typical)];
            if function.is_smooth() {
                of_smooth.to_vec()
            } else {
                function.cases().chain(others).collect()
            }
        });
        let calls = |case: Case| {
            let f = case.activation();
            Self::Function(f, f.one_bit())
        };
        cases.map(calls).collect()
    }

    /// Those that select bits.
    fn selecting() -> Vec<Self> {
        let mut calls = Self::of_functions(false);
        calls.extend([Self::Crelu, Self::CountZeros]);
        calls
    }

    /// Those that do arithmetic.
    fn computing() -> Vec<Self> {
        let mut calls = Self::of_functions(true);
        calls.extend(
            FUNCTIONS
                .iter()
                .map(|function| Self::Fused(function.default().activation())),
        );
        calls.extend([Self::PRelu, Self::ReGlu]);
        calls
    }

    fn are_smooth(self) -> bool {
        let name_of = |function: &'static Function| function.default().activation().name();
        match self {
            Self::Function(f, _) | Self::Fused(f) => FUNCTIONS
                .iter()
                .any(|function| function.is_smooth() && name_of(function) == f.name()),
            _ => false,
        }
    }

    /// All that is written.
    fn results(self, format: Format, way: Way, [x, g]: &Inputs) -> Vec<u8> {
        let mut results = Vec::new();
        let mut add = |before: &[u8], write: &dyn Fn(&mut [u8])| {
            let mut output = Bytes::from(before);
            write(&mut output);
            results.extend_from_slice(&output);
        };
        let [x_view, g_view] = [x, g].map(|bytes| View::row(format, bytes));
        // One number an element, and one for all.
        let spatial = x.len() / format.bytes();
        let one = Bytes::from(&g[..format.bytes()]);
        let numbers = [(&**g, Channels::Last, spatial), (&*one, Channels::First { spatial }, 1)]
            .map(|(numbers, channels, count)| ((numbers, channels), Bytes::filled(0, count * format.sums().bytes())));
        match self {
            Self::Function(f, one_bit) => {
                for (method, before) in [(Forward, g), (ForwardInplace, x), (Backward, x), (BackwardInplace, g)] {
                    add(before, &|y| calls::map(format, way, f, method, [x, g], y));
                }
                let Some(f) = one_bit else { return results };
                let mut mask = vec![0; (x.len() / format.bytes()).div_ceil(8)];
                calls::forward_mask(format, way, f, Some(x), &mut Bytes::from(&**g), &mut mask);
                let given_mask = &mask;
                add(g, &|y| {
                    _ = calls::forward_mask(format, way, f, Some(x), y, &mut given_mask.clone())
                });
                add(x, &|y| {
                    _ = calls::forward_mask(format, way, f, None, y, &mut given_mask.clone())
                });
                add(given_mask, &|mask| {
                    _ = calls::forward_mask(format, way, f, None, &mut Bytes::from(&**x), mask);
                });
                add(x, &|y| calls::backward_mask(format, way, f, given_mask, Some(g), y));
                add(g, &|y| calls::backward_mask(format, way, f, given_mask, None, y));
                results.extend(mask);
            }
            Self::Fused(f) => {
                for ((numbers, channels), sums) in &numbers {
                    let channels = *channels;
                    add(g, &|y| {
                        let added = Before::added(Some((*numbers, channels)), Some(g_view));
                        calls::fused_forward(format, way, f, added, Some(x_view), ViewMut::row(format, y));
                    });
                    add(g, &|y| {
                        let scaled = Before {
                            scale: Some((*numbers, channels).into()),
                            ..Before::default()
                        };
                        calls::fused_forward(format, way, f, scaled, Some(x_view), ViewMut::row(format, y));
                    });
                    add(sums, &|sums| {
                        let (inputs, mut output) = ((x_view, Some(g_view)), Bytes::from(&**x));
                        let output = ViewMut::row(format, &mut output);
                        calls::fused_backward(format, way, f, None, inputs, output, Some((sums, channels)));
                    });
                }
            }
            Self::PRelu => {
                for (slopes, sums) in &numbers {
                    add(g, &|y| {
                        calls::prelu(format, way, *slopes, Some(x_view), ViewMut::row(format, y))
                    });
                    let backward = |output: &mut [u8], sums: &mut [u8]| {
                        let (inputs, output) = ((x_view, Some(g_view)), ViewMut::row(format, output));
                        calls::prelu_backward(format, way, *slopes, inputs, output, sums);
                    };
                    add(sums, &|sums| backward(&mut Bytes::from(&**x), sums));
                    add(x, &|y| backward(y, &mut sums.clone()));
                }
            }
            Self::ReGlu => {
                add(g, &|y| {
                    calls::reglu(format, way, (Some(x_view), g_view), ViewMut::row(format, y))
                });
                let backward = |a: &mut [u8], b: &mut [u8]| {
                    let outputs = [ViewMut::row(format, a), ViewMut::row(format, b)];
                    calls::reglu_backward(format, way, [x_view, g_view, x_view], outputs);
                };
                add(g, &|a| backward(a, &mut Bytes::from(&**g)));
                add(g, &|b| backward(&mut Bytes::from(&**g), b));
            }
            Self::Crelu => {
                let forward = |a: &mut [u8], b: &mut [u8]| {
                    calls::crelu(format, way, x_view, [ViewMut::row(format, a), ViewMut::row(format, b)]);
                };
                add(g, &|a| forward(a, &mut Bytes::from(&**g)));
                add(g, &|b| forward(&mut Bytes::from(&**g), b));
                add(x, &|y| {
                    calls::crelu_backward(format, way, [x_view, g_view, x_view], ViewMut::row(format, y))
                });
            }
            Self::CountZeros => results.extend(calls::count_zeros(format, way, x).to_ne_bytes()),
        }
        results
    }
}

fn each_input() -> impl Iterator<Item = (Format, Inputs)> {
    let of_format = |&format| inputs(format).map(|inputs| (format, inputs));
    Format::ALL.iter().flat_map(of_format)
}

/// With results past the caches, and with none.
fn with_each_threshold(test: fn()) {
    for threshold in [1, usize::MAX] {
        let _streaming = stream_from(threshold);
        test();
    }
}

#[test]
fn select_functions_know_no_modes_and_leave_no_flags() {
    with_each_threshold(selecting_knows_no_modes);
}

fn selecting_knows_no_modes() {
    for (calls, (format, inputs)) in Calls::selecting()
        .into_iter()
        .flat_map(|calls| each_input().map(move |input| (calls, input)))
    {
        for kernels in all_kernels() {
            let way = Way::Pinned(kernels);
            let expected = calls.results(format, way, &inputs);
            for &(mode_name, mode) in cpu::ARITHMETIC.iter().chain(cpu::OTHERS) {
                let (results, mode_after) = in_mode(mode, || calls.results(format, way, &inputs));
                let case = || {
                    format!(
                        "{calls:?} of {} bytes {format:?} on {way}, {mode_name}",
                        inputs[0].len()
                    )
                };
                assert!(results == expected, "{}: other bits", case());
                assert_eq!(mode_after, mode, "{}: flags", case());
            }
        }
    }
}

#[test]
fn arithmetic_functions_follow_modes_alike_on_every_instruction_set() {
    with_each_threshold(computing_follows_modes_alike);
}

fn computing_follows_modes_alike() {
    for (calls, (format, inputs)) in Calls::computing()
        .into_iter()
        .flat_map(|calls| each_input().map(move |input| (calls, input)))
    {
        for &(mode_name, mode) in cpu::ARITHMETIC {
            // NEON rounds to f16 in the mode, scalar code to nearest.
            let is_f16_on_neon = format.name() == "f16" && cfg!(target_arch = "aarch64");
            // The compiler turns signs around, as if every mode rounded to nearest.
            let rounds_otherwise = ["up", "down", "towards zero"]
                .iter()
                .any(|end| mode_name.ends_with(end));
            if calls.are_smooth() && rounds_otherwise {
                continue;
            }
            if is_f16_on_neon && mode != cpu::DEFAULT && mode_name != "flush to zero" {
                continue;
            }
            let in_mode = |kernels: Kernels| in_mode(mode, || calls.results(format, Way::Pinned(kernels), &inputs)).0;
            let kernels = all_kernels();
            let expected = in_mode(kernels[0]);
            for k in &kernels[1..] {
                let results = in_mode(*k);
                let Some(i) = (0..results.len()).find(|&i| results[i] != expected[i]) else {
                    continue;
                };
                let (len, [isa, other_isa]) = (inputs[0].len(), [k, &kernels[0]].map(|kernels| kernels.isa()));
                let (output, element) = (i / len, i % len / format.bytes());
                let [x, g] = inputs.each_ref().map(|bytes| format.get(bytes, element));
                panic!(
                    "{calls:?} of {len} bytes {format:?} on {isa}, {mode_name}: other bits than on {other_isa}, first in \
                     output {output}, element {element}: x = {x:#x}, g = {g:#x}"
                );
            }
        }
    }
}

#[test]
fn modes_are_in_force_and_flags_are_seen() {
    // The outer `black_box` keeps the operation where it is.
    let third = || black_box(black_box(1.0_f32) / black_box(3.0));
    let half = || black_box(black_box(f32::MIN_POSITIVE) * black_box(0.5));
    let mode = |name| cpu::ARITHMETIC.iter().find(|(other, _)| *other == name).unwrap().1;
    assert!(in_mode(mode("up"), third).0 > in_mode(mode("down"), third).0);
    assert_eq!(in_mode(mode("flush to zero"), half).0, 0.0);
    let before = cpu::get();
    let (_, after) = in_mode(cpu::DEFAULT, third);
    assert_ne!(after & cpu::FLAGS, 0);
    assert_eq!(after & !cpu::FLAGS, cpu::DEFAULT);
    assert_eq!(cpu::get(), before);
}
