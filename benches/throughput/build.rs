//! Records how the program is built, for its report.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=BUILD_RUSTC={}", rustc_version());
    println!("cargo::rustc-env=BUILD_TARGET={}", variable("TARGET"));
    println!(
        "cargo::rustc-env=BUILD_PROFILE={}, opt-level {}",
        variable("PROFILE"),
        variable("OPT_LEVEL")
    );
    println!(
        "cargo::rustc-env=BUILD_FEATURES={}",
        variable("CARGO_CFG_TARGET_FEATURE")
    );
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn rustc_version() -> String {
    let output = Command::new(variable("RUSTC")).arg("--version").output();
    output.map_or_else(
        |_| "unknown rustc".into(),
        |output| String::from_utf8_lossy(&output.stdout).trim().into(),
    )
}
