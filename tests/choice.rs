//! Which instruction set is chosen, and what the caller is told about it. The choice is made once a process, so each
//! case runs in a process of its own.

#[path = "common/mod.rs"]
mod common;

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

/// No machine that this runs on has a smaller last-level cache than 256 KiB.
#[test]
fn the_streaming_threshold_is_a_cache_size_until_it_is_set() {
    let threshold = rectify::streaming_threshold();
    assert!((1 << 18..=1 << 26).contains(&threshold), "{threshold}");
    rectify::set_streaming_threshold(0);
    assert_eq!(rectify::streaming_threshold(), 1);
    rectify::set_streaming_threshold(12345);
    assert_eq!(rectify::streaming_threshold(), 12345);
}
