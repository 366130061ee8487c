//! What the measuring of Rust's libraries and of Python's share: the names of functions and formats, and the functions of
//! `rectify` for C.

use std::slice::{from_raw_parts, from_raw_parts_mut};
use std::time::Instant;

use rectify::{Element, bf16, f16};

pub const FUNCTIONS: [&str; 4] = ["relu_inplace", "relu", "relu_backward", "relu_backward_inplace"];
pub const FORMATS: [&str; 4] = ["f32", "f64", "f16", "bf16"];

/// The free functions of `rectify`, by their place in [`FUNCTIONS`]. The target of one in place is what it changes.
pub fn run_rectify<T: Element>(function: usize, x: &[T], grad: &[T], target: &mut [T]) {
    match function {
        0 => rectify::relu_inplace(target),
        1 => rectify::relu(x, target),
        2 => rectify::relu_backward(x, grad, target),
        _ => rectify::relu_backward_inplace(x, target),
    }
}

/// Nanoseconds that `calls` calls take, for a program that has the slices.
///
/// # Safety
///
/// The pointers are those of `len` numbers of the format, and nothing else uses the target meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn time_rectify(
    function: usize,
    format: usize,
    x: *const u8,
    grad: *const u8,
    target: *mut u8,
    len: usize,
    calls: usize,
) -> f64 {
    /// # Safety
    ///
    /// As above.
    unsafe fn time<T: Element>(
        function: usize,
        [x, grad]: [*const u8; 2],
        target: *mut u8,
        len: usize,
        calls: usize,
    ) -> f64 {
        // SAFETY: the caller's promise.
        let (x, grad, target) = unsafe {
            (
                from_raw_parts(x.cast::<T>(), len),
                from_raw_parts(grad.cast::<T>(), len),
                from_raw_parts_mut(target.cast::<T>(), len),
            )
        };
        let start = Instant::now();
        for _ in 0..calls {
            run_rectify(function, x, grad, std::hint::black_box(&mut *target));
        }
        start.elapsed().as_nanos() as f64
    }
    // SAFETY: the caller's promise.
    unsafe {
        match FORMATS[format] {
            "f32" => time::<f32>(function, [x, grad], target, len, calls),
            "f64" => time::<f64>(function, [x, grad], target, len, calls),
            "f16" => time::<f16>(function, [x, grad], target, len, calls),
            _ => time::<bf16>(function, [x, grad], target, len, calls),
        }
    }
}
