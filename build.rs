//! Chooses which instruction sets are built in.

use std::env;

/// Those that can be left out: `scalar` is always there.
const OPTIONAL: [&str; 4] = ["portable", "neon", "avx2", "avx512"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RECTIFY_DISABLE");

    let disabled = env::var_os("RECTIFY_DISABLE").unwrap_or_default();
    let disabled = disabled.to_string_lossy();
    let disabled: Vec<&str> = disabled
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    for name in &disabled {
        if !OPTIONAL.contains(name) {
            println!(
                "cargo::error=RECTIFY_DISABLE: '{name}' is none of {}",
                OPTIONAL.join(", ")
            );
        }
    }

    let features = variable("CARGO_CFG_TARGET_FEATURE");
    let has = |name| features.split(',').any(|feature| feature == name);
    let arch = variable("CARGO_CFG_TARGET_ARCH");
    // Targets without SSE2 pass floats in integers, or compute in x87's registers.
    let sse2 = matches!(arch.as_str(), "x86" | "x86_64") && has("sse2");
    // On big-endian targets the lanes of a register are reversed where its bytes are taken for others.
    let neon = arch == "aarch64" && has("neon") && variable("CARGO_CFG_TARGET_ENDIAN") == "little";
    let simd128 = arch == "wasm32" && has("simd128");
    for (name, is_there) in [("sse2", sse2), ("simd128", simd128)] {
        println!("cargo::rustc-check-cfg=cfg(rectify_{name})");
        if is_there {
            println!("cargo::rustc-cfg=rectify_{name}");
        }
    }
    // Elsewhere `wide` is plain code: as fast as scalar code, and ten times as large.
    let portable = env::var_os("CARGO_FEATURE_PORTABLE").is_some() && (sse2 || neon || simd128);
    for name in OPTIONAL {
        println!("cargo::rustc-check-cfg=cfg(rectify_{name})");
        let on_this_target = match name {
            "neon" => neon,
            "avx2" | "avx512" => sse2,
            _ => portable,
        };
        if on_this_target && !disabled.contains(&name) {
            println!("cargo::rustc-cfg=rectify_{name}");
        }
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
