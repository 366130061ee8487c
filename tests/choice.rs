//! Which instruction set is chosen, and what the caller is told about it. The choice is made once a process, so each
//! case runs in a process of its own.

use std::process::{Command, Output};
use std::thread;

use rectify::{Isa, Kernels};

/// Runs in the child processes, and is an ordinary test otherwise: threads that race for the first use agree.
#[test]
fn first_use_from_many_threads() {
    let threads: Vec<_> = (0..16).map(|_| thread::spawn(Isa::best)).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), Isa::best());
    }
    assert_eq!(Kernels::best().isa(), Isa::best());
    assert_eq!(Kernels::default(), Kernels::best());
    println!("best={}", Isa::best());
}

fn with_cap(cap: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "first_use_from_many_threads", "--nocapture"])
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
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c");
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
