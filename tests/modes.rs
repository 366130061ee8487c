//! Rounding, flush-to-zero and trapping modes of the CPU: functions that choose among bits know nothing of them, and leave no
//! trace in its status flags; those that compute follow them alike on every instruction set
//! (but for f16 on NEON).

#![allow(unsafe_code)]
#![cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]

#[macro_use]
mod common;

use std::any::type_name;
use std::hint::black_box;

use bytemuck::{Pod, Zeroable};
use common::all_kernels;
use rectify::{
    Activation, Channels, ClippedRelu, Crelu, Element, Fused, HardSigmoid, HardSwish, Hardtanh, Kernels, LeakyRelu,
    OneBitGradient, PRelu, ReGlu, Relu, SquaredRelu, ThresholdedRelu,
};

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

    /// Those that only functions that choose take.
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

    /// Those that only functions that choose take.
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
/// what it does beside the kernel's work is of whole numbers.
fn in_mode<R>(mode: Mode, call: impl FnOnce() -> R) -> (R, Mode) {
    let _restore = Restore(cpu::get());
    // SAFETY: restored at the end; see above.
    unsafe { cpu::set(mode) };
    let result = call();
    (result, cpu::get())
}

trait Format: Element<Sum: Pod> + Pod {
    const MANTISSA_WIDTH: u32;

    /// About that.
    fn near(number: f64) -> Self;
}

macro_rules! impl_format {
    ($format:ty, mantissa: $mantissa_width:literal, $near:expr) => {
        impl Format for $format {
            const MANTISSA_WIDTH: u32 = $mantissa_width;

            fn near(number: f64) -> Self {
                ($near)(number)
            }
        }
    };
}

impl_format!(f32, mantissa: 23, |number| number as f32);
impl_format!(f64, mantissa: 52, |number| number);
#[cfg(feature = "half")]
impl_format!(rectify::f16, mantissa: 10, rectify::f16::from_f64);
#[cfg(feature = "half")]
impl_format!(rectify::bf16, mantissa: 7, rectify::bf16::from_f64);

fn from_bits<T: Format>(bits: u64) -> T {
    bytemuck::pod_read_unaligned(&bits.to_le_bytes()[..size_of::<T>()])
}

fn to_bits<T: Format>(number: T) -> u64 {
    let mut bits = [0; 8];
    bits[..size_of::<T>()].copy_from_slice(bytemuck::bytes_of(&number));
    u64::from_le_bytes(bits)
}

/// As bounds: 1, numbers that have to be rounded, subnormal ones, and one that is out of range of most formats.
const PARAMETERS: [f64; 8] = [1.0, 0.1, 0.7, 1.0 + 1.1 / 2048.0, 1e-40, 3e-7, 1e-310, 1e300];

/// Zeros, subnormals, infinities, quiet and signalling NaNs of both signs, and what is next to the parameters.
fn special<T: Format>() -> Vec<T> {
    let exponents = 1 << (8 * size_of::<T>() as u32 - 1 - T::MANTISSA_WIDTH);
    let bias = exponents / 2 - 1;
    let mantissas = [0, 1, 1 << (T::MANTISSA_WIDTH - 1), (1 << T::MANTISSA_WIDTH) - 1];
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
        .flat_map(|exponent| mantissas.map(|low| exponent << T::MANTISSA_WIDTH | low));
    let next_to = |parameter| [-1, 0, 1].map(|step| to_bits(T::near(parameter)).saturating_add_signed(step));
    let patterns = patterns.chain(PARAMETERS.into_iter().flat_map(next_to));
    let sign = 1 << (8 * size_of::<T>() - 1);
    patterns.flat_map(|bits| [bits, bits | sign]).map(from_bits).collect()
}

/// As x and as gradients: few enough for the code of short slices, and enough for aligned stores and a rest.
fn inputs<T: Format>() -> [(Vec<T>, Vec<T>); 2] {
    let special = special::<T>();
    let take = |len, skip| special.iter().copied().cycle().skip(skip).take(len).collect();
    [5, (1234 / size_of::<T>()) | 1].map(|len| (take(len, 41), take(len, 3)))
}

/// All that a function gives for x and gradients.
type Results<T> = dyn Fn(Kernels, &[T], &[T]) -> Vec<u8>;

type Case<T> = (String, Box<Results<T>>);

fn add<T: Pod>(results: &mut Vec<u8>, before: &[T], write: impl FnOnce(&mut [T])) {
    let mut output = before.to_vec();
    write(&mut output);
    results.extend_from_slice(bytemuck::cast_slice(&output));
}

fn results<T: Format>(k: Kernels, f: impl Activation, x: &[T], g: &[T]) -> Vec<u8> {
    let mut results = Vec::new();
    add(&mut results, g, |y| k.forward(f, x, y));
    add(&mut results, x, |y| k.forward_inplace(f, y));
    add(&mut results, x, |y| k.backward(f, x, g, y));
    add(&mut results, g, |y| k.backward_inplace(f, x, y));
    results
}

fn activation<T: Format>(f: impl Activation) -> Case<T> {
    (format!("{f:?}"), Box::new(move |k, x, g| results(k, f, x, g)))
}

fn with_masks<T: Format>(f: impl OneBitGradient) -> Case<T> {
    let with_masks = move |k: Kernels, x: &[T], g: &[T]| {
        let mut results = results(k, f, x, g);
        let mut mask = vec![0; x.len().div_ceil(8)];
        add(&mut results, g, |y| _ = k.forward_mask(f, x, y, &mut mask));
        add(&mut results, x, |y| k.backward_mask(f, &mask, g, y));
        add(&mut results, x, |y| _ = k.forward_mask_inplace(f, y, &mut mask));
        add(&mut results, g, |y| k.backward_mask_inplace(f, &mask, y));
        results.extend(mask);
        results
    };
    (format!("{f:?}"), Box::new(with_masks))
}

fn crelu<T: Format>(k: Kernels, x: &[T], g: &[T]) -> Vec<u8> {
    let mut results = Vec::new();
    add(&mut results, g, |a| {
        add(&mut Vec::new(), g, |b| Crelu::new().on(k).forward(x, &mut *a, b))
    });
    add(&mut results, g, |b| {
        add(&mut Vec::new(), g, |a| Crelu::new().on(k).forward(x, a, &mut *b))
    });
    add(&mut results, x, |y| Crelu::new().on(k).backward(x, g, x, y));
    add(&mut results, &[k.count_zeros(x)], |_| ());
    results
}

/// The functions that choose among bits.
fn choosing<T: Format>() -> Vec<Case<T>> {
    let mut cases: Vec<Case<T>> = vec![with_masks(Relu), ("Crelu and count_zeros".into(), Box::new(crelu))];
    for parameter in PARAMETERS {
        cases.extend([
            with_masks(ClippedRelu::new(parameter)),
            with_masks(Hardtanh::new(-parameter, parameter)),
            with_masks(ThresholdedRelu::new(-parameter)),
        ]);
    }
    cases
}

/// Both layouts of channels: one number an element, and one for all.
fn with_channels<T: Format>(k: Kernels, x: &[T], g: &[T]) -> Vec<u8> {
    let mut results = Vec::new();
    for (layout, numbers) in [(Channels::Last, g), (Channels::First { spatial: x.len() }, &g[..1])] {
        let sums = vec![T::Sum::zeroed(); numbers.len()];
        let fused = Fused::new(Relu).on(k);
        let prelu = PRelu::new(numbers, layout).on(k);
        add(&mut results, g, |y| {
            fused.bias(numbers, layout).residual(g).forward(x, y)
        });
        add(&mut results, g, |y| prelu.forward(x, y));
        add(&mut results, &sums, |sums| {
            fused.backward_bias(x, g, &mut x.to_vec(), layout, sums)
        });
        add(&mut results, &sums, |sums| prelu.backward(x, g, &mut x.to_vec(), sums));
        add(&mut results, x, |y| prelu.backward(x, g, y, &mut sums.clone()));
    }
    add(&mut results, g, |y| ReGlu::new().on(k).forward(x, g, y));
    add(&mut results, g, |a| {
        ReGlu::new().on(k).backward(x, g, x, a, &mut g.to_vec())
    });
    results
}

fn computing<T: Format>() -> Vec<Case<T>> {
    let mut cases: Vec<Case<T>> = vec![
        activation(SquaredRelu),
        activation(HardSwish),
        activation(HardSigmoid::default()),
        activation(HardSigmoid::new(0.2, 0.5)),
        ("with channels".into(), Box::new(with_channels)),
    ];
    cases.extend([0.01, -0.3, 1e-40, 1e300].map(|slope| activation(LeakyRelu::new(slope))));
    cases
}

fn choosing_is_alike<T: Format>() {
    for (name, results) in choosing::<T>() {
        for (k, (x, g)) in all_kernels()
            .into_iter()
            .flat_map(|k| inputs::<T>().map(|inputs| (k, inputs)))
        {
            let expected = results(k, &x, &g);
            for &(mode_name, mode) in cpu::ARITHMETIC.iter().chain(cpu::OTHERS) {
                let (results, mode_after) = in_mode(mode, || results(k, &x, &g));
                let case = format!("{name} of {} {} on {}, {mode_name}", x.len(), type_name::<T>(), k.isa());
                assert!(results == expected, "{case}: other bits");
                assert_eq!(mode_after, mode, "{case}: flags");
            }
        }
    }
}

#[test]
fn functions_that_choose_know_no_modes_and_leave_no_flags() {
    each_format!(choosing_is_alike());
}

fn computing_is_alike<T: Format>() {
    for (name, results) in computing::<T>() {
        for ((x, g), &(mode_name, mode)) in inputs::<T>()
            .into_iter()
            .flat_map(|i| cpu::ARITHMETIC.iter().map(move |m| (i.clone(), m)))
        {
            // NEON rounds to f16 in the mode, scalar code to nearest.
            let is_f16 = type_name::<T>().ends_with("f16") && !type_name::<T>().ends_with("bf16");
            if is_f16 && cfg!(target_arch = "aarch64") && mode != cpu::DEFAULT && mode_name != "flush to zero" {
                continue;
            }
            let in_mode = |isa| in_mode(mode, || results(isa, &x, &g)).0;
            let kernels = all_kernels();
            let expected = in_mode(kernels[0]);
            for k in &kernels[1..] {
                let case = format!("{name} of {} {} on {}, {mode_name}", x.len(), type_name::<T>(), k.isa());
                assert!(
                    in_mode(*k) == expected,
                    "{case}: other bits than on {}",
                    kernels[0].isa()
                );
            }
        }
    }
}

#[test]
fn functions_that_compute_follow_modes_alike_on_every_instruction_set() {
    each_format!(computing_is_alike());
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
