//! The name under which programs look for the shared library.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        let major = std::env::var("CARGO_PKG_VERSION_MAJOR").unwrap_or_default();
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,librectify.so.{major}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
