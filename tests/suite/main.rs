//! What needs no process of its own, in one binary: each more is compiled and linked apart, with the loops that it calls.

mod accuracy;
mod alignment;
#[path = "../common/mod.rs"]
mod common;
#[cfg(not(target_family = "wasm"))] // which has no threads
mod concurrency;
mod constants;
mod differences;
#[cfg(feature = "smooth")]
mod exact_f64;
mod exhaustive;
#[cfg(feature = "smooth")]
mod from_output;
#[cfg(feature = "smooth")]
mod fused;
mod gradient;
#[cfg(unix)]
mod guard_pages;
#[cfg(feature = "smooth")]
mod limits;
#[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
mod modes;
mod monotony;
mod names;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(feature = "strided")]
mod of_format;
mod onnx;
mod onnx_runtime;
#[cfg(panic = "unwind")]
mod panics;
#[cfg(all(feature = "rayon", not(target_family = "wasm")))]
mod parallel;
mod pytorch;
mod rows;
#[cfg(feature = "strided")]
mod strided;
mod uninit;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sets the threshold of the process, for a test that needs one as long as it holds the guard. The results of the others are the same with
/// any.
fn stream_from(bytes: usize) -> MutexGuard<'static, ()> {
    static THRESHOLD: Mutex<()> = Mutex::new(());
    let guard = THRESHOLD.lock().unwrap_or_else(PoisonError::into_inner);
    rectify::set_streaming_threshold(bytes);
    guard
}
