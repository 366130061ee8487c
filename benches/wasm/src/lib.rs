//! ReLU by `rectify`, and as loops that one would write without it, for `measure.js`.

use std::hint::black_box;
use std::sync::Mutex;

/// x and what is written to. There is one thread.
static SLICES: Mutex<[Vec<f32>; 2]> = Mutex::new([Vec::new(), Vec::new()]);

/// The instruction set: 0 is scalar, 1 portable.
#[unsafe(no_mangle)]
pub extern "C" fn isa() -> u32 {
    u32::from(rectify::Isa::best() == rectify::Isa::Portable)
}

/// Makes both slices, filled with 0. Returns the address of x, or of what is written to.
#[unsafe(no_mangle)]
pub extern "C" fn slice(index: usize, len: usize) -> *mut f32 {
    let slices = &mut *SLICES.lock().expect("one thread");
    slices.iter_mut().for_each(|slice| slice.resize(len, 0.0));
    slices[index].as_mut_ptr()
}

/// So many calls on the first `len` elements, by the ways that `measure.js` names.
#[unsafe(no_mangle)]
pub extern "C" fn run(way: usize, len: usize, calls: u32) {
    let [x, y] = &mut *SLICES.lock().expect("one thread");
    let (x, y) = (&x[..len], &mut y[..len]);
    match way {
        0 => repeat(calls, y, rectify::relu_inplace),
        1 => repeat(calls, y, |y| y.iter_mut().for_each(|y| *y = y.max(0.0))),
        2 => repeat(calls, y, |y| {
            y.iter_mut().for_each(|y| *y = if *y > 0.0 { *y } else { 0.0 })
        }),
        3 => repeat(calls, y, |y| rectify::relu(x, y)),
        4 => repeat(calls, y, |y| y.iter_mut().zip(x).for_each(|(y, x)| *y = x.max(0.0))),
        _ => repeat(calls, y, |y| {
            y.iter_mut()
                .zip(x)
                .for_each(|(y, &x)| *y = if x > 0.0 { x } else { 0.0 });
        }),
    }
}

/// Opaque, so that the calls stay apart. A loop in a function of its own, since these are large.
#[inline(never)]
fn repeat(calls: u32, y: &mut [f32], call: impl Fn(&mut [f32])) {
    (0..calls).for_each(|_| call(black_box(y)));
}
