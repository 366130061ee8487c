//! Slices of unequal length: a panic before anything is written, that names the arguments and their lengths and points
//! at the caller.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, Location};

use rectify::{Isa, Kernels};

thread_local! {
    static LAST_PANIC: RefCell<Option<(String, String, u32)>> = const { RefCell::new(None) };
}

/// The message and the place of the panic in `call`.
fn panic_of(call: impl FnOnce()) -> (String, String, u32) {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|info| {
        let message = info.payload().downcast_ref().cloned().unwrap_or_default();
        let location = info.location().unwrap();
        LAST_PANIC.set(Some((message, location.file().to_owned(), location.line())));
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    panic::set_hook(hook);
    result.expect_err("no panic");
    LAST_PANIC.take().unwrap()
}

/// `call` stands on the line of the caller.
#[track_caller]
fn assert_panics(call: impl FnOnce(), names: [(&str, usize); 2]) {
    let [(name, len), (other, other_len)] = names;
    let (message, file, line) = panic_of(call);
    assert_eq!(
        message,
        format!("slices of unequal length: `{name}` has {len} elements, `{other}` has {other_len}")
    );
    assert_eq!((&*file, line), (file!(), Location::caller().line()));
}

#[rustfmt::skip] // Each call on the line of its assertion.
#[test]
fn unequal_lengths_panic_at_the_caller_and_write_nothing() {
    let (three, two) = ([1.0_f32, -2.0, 3.0], [-1.0_f32, 2.0]);
    let mut out = [-7.0_f32; 3];

    assert_panics(|| rectify::relu(&two, &mut out), [("input", 2), ("output", 3)]);
    assert_panics(|| rectify::relu_backward(&three, &two, &mut out), [("grad_output", 2), ("grad_input", 3)]);
    assert_panics(|| rectify::relu_backward(&two, &two, &mut out), [("input", 2), ("grad_input", 3)]);
    assert_panics(|| rectify::relu_backward_inplace(&two, &mut out), [("input", 2), ("grad", 3)]);
    for isa in Isa::available() {
        let kernels = Kernels::new(isa).unwrap();
        assert_panics(|| kernels.relu(&two, &mut out), [("input", 2), ("output", 3)]);
        assert_panics(|| kernels.relu_backward(&three, &two, &mut out), [("grad_output", 2), ("grad_input", 3)]);
        assert_panics(|| kernels.relu_backward(&two, &two, &mut out), [("input", 2), ("grad_input", 3)]);
        assert_panics(|| kernels.relu_backward_inplace(&two, &mut out), [("input", 2), ("grad", 3)]);
    }

    assert_eq!(out, [-7.0; 3]);
}

#[test]
fn empty_slices_are_fine() {
    rectify::relu_inplace::<f32>(&mut []);
    rectify::relu::<f64>(&[], &mut []);
    rectify::relu_backward::<f32>(&[], &[], &mut []);
    rectify::relu_backward_inplace::<f64>(&[], &mut []);
}
