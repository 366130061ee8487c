//! Which instruction set is chosen, and what the caller is told about it. The choice is made once a process, so each
//! case runs in a process of its own.

#[path = "common/mod.rs"]
mod common;

/// What is decided of CPUID, with answers of other machines.
#[cfg(target_arch = "x86_64")]
#[allow(dead_code, unsafe_code)]
#[path = "../src/simd/cpuid.rs"]
mod cpuid;
#[cfg(target_arch = "x86_64")]
#[path = "../src/call/decided.rs"]
mod decided;
#[cfg(target_arch = "x86_64")]
mod simd {
    pub(crate) use crate::cpuid::last_level_cache;
}
#[cfg(target_arch = "x86_64")]
#[allow(dead_code)]
#[path = "../src/call/streaming.rs"]
mod streaming;

use std::process::{Command, Output};
use std::sync::Barrier;
use std::thread;

use common::functions::{Case, FUNCTIONS};
use rectify::{Activation, Isa, Kernels, OneBitGradient};

/// Runs in the child processes, and is an ordinary test otherwise: threads that race for the first use agree.
#[test]
fn first_use_from_many_threads() {
    let threads: Vec<_> = (0..16).map(|_| thread::spawn(Isa::best)).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), Isa::best());
    }
    assert_eq!(Kernels::best().isa(), Isa::best());
    assert_eq!(Kernels::default(), Kernels::best());
    // Equal means also that short slices take the same loops.
    assert_eq!(Kernels::best(), Kernels::new(Isa::best()).unwrap());
    println!("best={}", Isa::best());
}

/// Runs in a child process too: threads that race for the first use get what they get later.
#[test]
fn first_calls_from_many_threads() {
    const THREADS: usize = 8;
    let x: Vec<f32> = (0..1000_u32)
        .map(|i| f32::from_bits(i.wrapping_mul(0x9e37_79b1)))
        .collect();
    let barrier = Barrier::new(THREADS);
    let outcome = |thread: usize| {
        let case = FUNCTIONS[thread % FUNCTIONS.len()].default();
        (first_call(thread, case, &x), rectify::count_zeros(&x), Isa::best())
    };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let start = |thread| {
            let (barrier, outcome) = (&barrier, &outcome);
            scope.spawn(move || {
                barrier.wait();
                outcome(thread)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (thread, results) in outcomes.into_iter().enumerate() {
        assert!(results == outcome(thread), "thread {thread}");
    }
}

/// What a thread may come with first.
fn first_call(thread: usize, case: Case, x: &[f32]) -> Vec<u32> {
    let (f, mut y) = (case.activation(), x.to_vec());
    match (thread % 4, f.one_bit()) {
        (0, _) => f.forward(x, &mut y),
        (1, _) => f.forward_inplace(&mut y),
        (2, Some(f)) => _ = f.forward_mask(x, &mut y, &mut vec![0; x.len().div_ceil(8)]),
        _ => f.backward(x, x, &mut y),
    }
    y.into_iter().map(f32::to_bits).collect()
}

#[test]
fn the_first_use_is_as_any_other() {
    let output = child("first_calls_from_many_threads").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "{output:?}"
    );
}

/// A process that runs the test of that name.
fn child(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    command
}

fn with_cap(cap: &str) -> Output {
    child("first_use_from_many_threads")
        .env("RECTIFY_MAX_ISA", cap)
        .output()
        .unwrap()
}

fn chosen(output: &Output) -> Isa {
    let stdout = str::from_utf8(&output.stdout).unwrap();
    let (_, after) = stdout.split_once("best=").unwrap();
    after.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
#[cfg_attr(not(feature = "std"), ignore = "without std there is no environment")]
fn rectify_max_isa_caps_the_choice() {
    for cap in Isa::ALL.iter().copied() {
        let output = with_cap(&format!(" {cap} "));
        let expected = Isa::available().rfind(|&isa| isa <= cap).unwrap();
        assert_eq!(chosen(&output), expected, "RECTIFY_MAX_ISA={cap}");
        assert!(output.status.success());
        assert!(output.stderr.is_empty());
    }
}

#[test]
#[cfg_attr(not(feature = "std"), ignore = "without std there is no environment")]
fn an_unknown_rectify_max_isa_is_reported_once_and_ignored() {
    for cap in ["AVX2", "sse9", "avx512,avx2"] {
        let output = with_cap(cap);
        assert_eq!(chosen(&output), Isa::available().next_back().unwrap());
        assert_eq!(
            str::from_utf8(&output.stderr).unwrap(),
            format!(
                "rectify: RECTIFY_MAX_ISA={cap} is ignored: unknown instruction set; \
                 known: scalar, portable, neon, avx2, avx512\n"
            )
        );
    }
}

#[test]
#[cfg_attr(not(feature = "std"), ignore = "without std there is no environment")]
fn an_empty_rectify_max_isa_is_none() {
    let output = with_cap("");
    assert_eq!(chosen(&output), Isa::available().next_back().unwrap());
    assert!(output.stderr.is_empty());
}

#[test]
fn available_is_in_order_and_starts_with_scalar() {
    let available: Vec<_> = Isa::available().collect();
    assert_eq!(available[0], Isa::Scalar);
    assert!(available.is_sorted());
    for isa in Isa::ALL.iter().copied() {
        assert_eq!(available.contains(&isa), isa.is_available());
    }
}

/// The standard library's own detection is the other source.
#[cfg(target_arch = "x86_64")]
#[test]
fn detection_agrees_with_std() {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c");
    let avx512 = avx2
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl");
    for (isa, name, on_this_cpu) in [(Isa::Avx2, "avx2", avx2), (Isa::Avx512, "avx512", avx512)] {
        let left_out = option_env!("RECTIFY_DISABLE").is_some_and(|names| names.split(',').any(|left| left == name));
        assert_eq!(isa.is_available(), on_this_cpu && !left_out, "{isa}");
    }
}

#[test]
fn names_round_trip() {
    for isa in Isa::ALL.iter().copied() {
        assert_eq!(isa.to_string().parse(), Ok(isa));
    }
    assert_eq!(format!("{:>8}|{:<8}", Isa::Avx2, Isa::Avx512), "    avx2|avx512  ");
    for unknown in ["", "Avx2", "avx2 ", "avx1024"] {
        assert_eq!(
            unknown.parse::<Isa>().unwrap_err().to_string(),
            "unknown instruction set; known: scalar, portable, neon, avx2, avx512"
        );
    }
}

#[test]
fn an_absent_isa_is_refused_by_name() {
    let names: Vec<_> = Isa::available().map(|isa| isa.to_string()).collect();
    for isa in Isa::ALL.iter().copied() {
        match Kernels::new(isa) {
            Ok(kernels) => {
                assert!(isa.is_available());
                assert_eq!(kernels.isa(), isa);
            }
            Err(error) => {
                assert!(!isa.is_available());
                assert_eq!(error.isa(), isa);
                assert_eq!(
                    error.to_string(),
                    format!(
                        "the instruction set {isa} is not available here; available: {}",
                        names.join(", ")
                    )
                );
            }
        }
    }
}

#[test]
fn the_streaming_threshold_is_a_cache_size_until_it_is_set() {
    let threshold = rectify::streaming_threshold();
    assert!((4 << 20..=64 << 20).contains(&threshold), "{threshold}");
    rectify::set_streaming_threshold(0);
    assert_eq!(rectify::streaming_threshold(), 1);
    rectify::set_streaming_threshold(12345);
    assert_eq!(rectify::streaming_threshold(), 12345);
}

/// Registers EAX, EBX and ECX as CPUs of these kinds answer, and as hypervisors cut that short.
#[cfg(target_arch = "x86_64")]
#[test]
fn the_streaming_threshold_of_other_machines() {
    use std::arch::x86_64::CpuidResult;

    type Cache = [u32; 3];
    const INTEL: u32 = 4;
    const AMD: u32 = 0x8000_001d;
    const L1: Cache = [0x0400_0121, 0x02c0_003f, 0x3f];
    // 16 ways of 2,048 lines.
    const L2_2M: Cache = [0x0400_0143, 0x03c0_003f, 0x7ff];
    // 20 ways of 212,992 lines.
    const L3_260M: Cache = [0x0400_4163, 0x04c0_003f, 0x3_3fff];
    // 16 ways of 32,768 lines.
    const L3_32M: Cache = [0x0000_0163, 0x03c0_003f, 0x7fff];
    // 12 ways of 4,096 lines.
    const L3_3M: Cache = [0x0400_0163, 0x02c0_003f, 0xfff];
    const L4_128M: Cache = [0x0400_0183, 0x03c0_003f, 0x1_ffff];
    const DEFAULT: usize = 32 << 20;

    let cases: &[(&str, u32, &[Cache], usize)] = &[
        ("Xeon", INTEL, &[L1, L2_2M, L3_260M], 64 << 20),
        ("its L3 hidden", INTEL, &[L1, L2_2M], DEFAULT),
        ("all of it hidden", INTEL, &[], DEFAULT),
        ("L3 first", INTEL, &[L3_32M, L1, L2_2M], 32 << 20),
        ("laptop", INTEL, &[L1, L3_3M], 4 << 20),
        ("with an L4", INTEL, &[L1, L3_3M, L4_128M], 64 << 20),
        ("Zen", AMD, &[L1, L2_2M, L3_32M], 32 << 20),
        ("Zen, its L3 hidden", AMD, &[L1, L2_2M], DEFAULT),
        ("without either leaf", 0, &[], DEFAULT),
    ];
    for &(name, its_leaf, caches, expected) in cases {
        let cpuid = |leaf, subleaf| {
            let [eax, ebx, ecx] = match leaf {
                // The greatest leaves.
                0 => [if its_leaf == INTEL { 0x1f } else { 1 }, 0, 0],
                0x8000_0000 => [if its_leaf == AMD { 0x8000_0021 } else { 0x8000_0008 }, 0, 0],
                _ => {
                    assert!(leaf == its_leaf, "{name}: leaf {leaf:#x} is not there");
                    caches.get(subleaf as usize).copied().unwrap_or_default()
                }
            };
            CpuidResult { eax, ebx, ecx, edx: 0 }
        };
        let threshold = streaming::for_cache(cpuid::last_level_cache_of(cpuid));
        assert_eq!(threshold, expected, "{name}");
    }
}
