//! `rectify` and Rust's libraries as `libraries/call.h` says.

mod candle;
mod from_output;
mod ndarray;
mod plain_loop;
mod rectify;
mod rten;
mod tract;

use std::ffi::{CStr, c_char};
use std::hint::black_box;
use std::slice::{from_raw_parts, from_raw_parts_mut};
use std::time::Instant;

use candle_core::WithDType;
use half::{bf16, f16};

/// As in `libraries/call.h`.
#[repr(C)]
pub struct Call {
    function: *const c_char,
    format: *const c_char,
    x: *const u8,
    grad: *const u8,
    target: *mut u8,
    len: usize,
    calls: usize,
}

/// The slices of a function's forward and backward, in place where there is no output.
enum Slices<'a, T> {
    Forward(&'a [T], &'a mut [T]),
    ForwardInplace(&'a mut [T]),
    Backward(&'a [T], &'a [T], &'a mut [T]),
    BackwardInplace(&'a [T], &'a mut [T]),
}

trait Number: ::rectify::Element + WithDType {}

impl<T: ::rectify::Element + WithDType> Number for T {}

impl Call {
    /// # Safety
    ///
    /// The pointers are those of `len` numbers of `T`, and nothing else uses the target meanwhile.
    unsafe fn slices<T>(&self) -> Slices<'_, T> {
        let target = self.target.cast_const();
        // SAFETY: the caller's promise. A slice that is the target is not made twice.
        unsafe {
            let slice = |data: *const u8| from_raw_parts(data.cast::<T>(), self.len);
            let output = from_raw_parts_mut(self.target.cast::<T>(), self.len);
            match self.grad.is_null() {
                true if self.x == target => Slices::ForwardInplace(output),
                true => Slices::Forward(slice(self.x), output),
                false if self.grad == target => Slices::BackwardInplace(slice(self.x), output),
                false => Slices::Backward(slice(self.x), slice(self.grad), output),
            }
        }
    }
}

/// Nanoseconds that `calls` calls of `run` take on the target.
fn time<T>(calls: usize, target: &mut [T], mut run: impl FnMut(&mut [T])) -> Option<f64> {
    let start = Instant::now();
    (0..calls).for_each(|_| run(black_box(target)));
    Some(start.elapsed().as_nanos() as f64)
}

/// Each module's `time`, of the formats that it has: the nanoseconds that so many calls of a function take, if it has that.
macro_rules! libraries {
    ($($library:ident: $($format:ident)+;)+) => {
        $(
            /// # Safety
            ///
            /// The strings end with 0; the pointers are those of `len` numbers of the format, and nothing else uses the
            /// target meanwhile.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $library(call: &Call) -> f64 {
                // SAFETY: the caller's promise.
                let [function, format] = [call.function, call.format].map(|name| unsafe { CStr::from_ptr(name) });
                let function = function.to_str().expect("a name");
                let ns = match format.to_str().expect("a name") {
                    // SAFETY: the caller's promise.
                    $(stringify!($format) => $library::time(function, unsafe { call.slices::<$format>() }, call.calls),)+
                    _ => None,
                };
                ns.unwrap_or(-1.0)
            }
        )+
    };
}

libraries! {
    rectify: f32 f64 f16 bf16;
    from_output: f32 f64 f16 bf16;
    plain_loop: f32 f64 f16 bf16;
    ndarray: f32 f64 f16 bf16;
    candle: f32 f64 f16 bf16;
    rten: f32;
    tract: f32 f16;
}
