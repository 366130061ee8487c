//! Every function and method on every instruction set, against the definition on bits.

#![no_main]

use std::mem::MaybeUninit;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use rectify::{Activation, HardSwish, Relu, SquaredRelu};
use rectify_fuzz::format::Format;
use rectify_fuzz::guarded::Guarded;
use rectify_fuzz::reference::Case;
use rectify_fuzz::{Elements, Parameters, Source, Way, any_len, any_misalignment, any_streaming, call, with_format};

fuzz_target!(|data: &[u8]| {
    let _ = run(Unstructured::new(data));
});

fn run(mut u: Unstructured) -> Result<()> {
    let parameters = Parameters::any(&mut u)?;
    with_format!(u, F => match u.int_in_range(0..=7)? {
        0 => check::<F>(u, Relu, parameters),
        1 => check::<F>(u, parameters.clipped(), parameters),
        2 => check::<F>(u, parameters.tanh(), parameters),
        3 => check::<F>(u, parameters.thresholded(), parameters),
        4 => check::<F>(u, parameters.leaky(), parameters),
        5 => check::<F>(u, SquaredRelu, parameters),
        6 => check::<F>(u, parameters.sigmoid(), parameters),
        _ => check::<F>(u, HardSwish, parameters),
    })
}

#[derive(Clone, Copy, Debug)]
enum Method {
    Forward,
    ForwardInplace,
    ForwardUninit,
    Backward,
    BackwardInplace,
    BackwardUninit,
}

use Method::*;

fn check<F: Format>(mut u: Unstructured, case: impl Case, parameters: Parameters) -> Result<()> {
    let methods = [
        Forward,
        ForwardInplace,
        ForwardUninit,
        Backward,
        BackwardInplace,
        BackwardUninit,
    ];
    let method = *u.choose(&methods)?;
    any_streaming(&mut u)?;
    let len = any_len::<F>(&mut u)?;
    let mut misalignment = || any_misalignment::<F>(&mut u);
    let misalignments = [misalignment()?, misalignment()?, misalignment()?];
    let mut elements = Elements::<F>::take_rest(u, parameters)?;
    let [x_bits, g_bits] = [(); 2].map(|()| elements.bits(len));
    let (x, g) = (
        Source::new(&x_bits, misalignments[0]),
        Source::new(&g_bits, misalignments[1]),
    );

    let reference = case.reference::<F>();
    let expected: Vec<F::Bits> = match method {
        Forward | ForwardInplace | ForwardUninit => x_bits.iter().map(|&x| (reference.forward)(x)).collect(),
        Backward | BackwardInplace | BackwardUninit => x_bits
            .iter()
            .zip(&g_bits)
            .map(|(&x, &g)| (reference.backward)(x, g))
            .collect(),
    };
    for way in Way::all() {
        let before = if let ForwardInplace = method { &x_bits } else { &g_bits };
        let mut output = Guarded::new(before, misalignments[2]);
        call(
            way,
            case.activation(),
            method,
            x.elements(),
            g.elements(),
            output.elements_mut::<F>(),
        );
        for (i, (result, expected)) in output.values().iter().zip(&expected).enumerate() {
            assert!(
                result == expected,
                "{:?} {method:?} of {} on {way:?}: {result:#x} instead of {expected:#x} for x = {:#x}, gradient {:#x}; element \
                 {i} of {len}, misaligned by {misalignments:?}",
                case.activation(),
                std::any::type_name::<F>(),
                x_bits[i],
                g_bits[i],
            );
        }
        assert!(output.is_intact_outside(), "{way:?} wrote beside the output");
        assert!(
            x.values() == x_bits && g.values() == g_bits,
            "{way:?} wrote to an input"
        );
    }
    Ok(())
}

fn call<F: Format>(way: Way, activation: impl Activation, method: Method, x: &[F], g: &[F], output: &mut [F]) {
    match (method, way) {
        (Forward, _) => call!(way, activation, forward(x, output)),
        (ForwardInplace, _) => call!(way, activation, forward_inplace(output)),
        // It is on `forward_uninit`.
        (ForwardUninit, Way::Free) => append(output, |vector| activation.forward_append(x, vector)),
        (ForwardUninit, _) => {
            call!(way, activation, forward_uninit(x, uninit(output)));
        }
        (Backward, _) => call!(way, activation, backward(x, g, output)),
        (BackwardInplace, _) => call!(way, activation, backward_inplace(x, output)),
        (BackwardUninit, Way::Free) => append(output, |vector| activation.backward_append(x, g, vector)),
        (BackwardUninit, _) => {
            call!(way, activation, backward_uninit(x, g, uninit(output)));
        }
    }
}

/// To the output, what was appended.
fn append<F: Format>(output: &mut [F], append: impl FnOnce(&mut Vec<F>)) {
    let mut vector = vec![F::zeroed(); 3];
    append(&mut vector);
    assert!(
        bytemuck::cast_slice::<F, u8>(&vector[..3])
            .iter()
            .all(|&byte| byte == 0)
    );
    output.copy_from_slice(&vector[3..]);
}

fn uninit<F>(output: &mut [F]) -> &mut [MaybeUninit<F>] {
    // SAFETY: the layout is the same, and only elements are written to it.
    unsafe { &mut *(std::ptr::from_mut(output) as *mut [MaybeUninit<F>]) }
}
