//! Every function and method on every instruction set, against the definition on bits.

#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use rectify_fuzz::common::calls::{self, Method, Method::*, Way};
use rectify_fuzz::common::guarded::Guarded;
use rectify_fuzz::{Elements, Source, all_ways, any_case, any_len, any_misalignment, any_streaming};

fuzz_target!(|data: &[u8]| {
    let _ = run(Unstructured::new(data));
});

fn run(mut u: Unstructured) -> Result<()> {
    let (format, case) = any_case(&mut u, |_| true)?;
    let f = case.activation();
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
    let len = any_len(&mut u, format)?;
    let mut misalignment = || Ok(any_misalignment(&mut u, format)? * format.bytes());
    let misalignments = [misalignment()?, misalignment()?, misalignment()?];
    let mut elements = Elements::take_rest(u, format, case)?;
    let [x_bits, g_bits] = [(); 2].map(|()| elements.bits(len));
    let [x_bytes, g_bytes] = [&x_bits, &g_bits].map(|bits| format.to_bytes(bits.iter().copied()));
    let (x, g) = (
        Source::new(&x_bytes, misalignments[0]),
        Source::new(&g_bytes, misalignments[1]),
    );

    let expected: Vec<u64> = if method.is_forward() {
        x_bits.iter().map(|&x| case.forward(format, x)).collect()
    } else {
        let gradient = |(&x, &g)| case.backward(format, x, g);
        x_bits.iter().zip(&g_bits).map(gradient).collect()
    };
    for way in all_ways() {
        let before = if method == ForwardInplace { &x_bytes } else { &g_bytes };
        let mut output = Guarded::new(before, misalignments[2]);
        let method_of_way = appending(method, way);
        calls::map_any(
            format,
            way,
            f,
            method_of_way,
            [x.bytes(), g.bytes()],
            output.bytes_mut(),
        );
        for (i, (result, &expected)) in format.bits(output.bytes()).into_iter().zip(&expected).enumerate() {
            assert!(
                result == expected,
                "{f:?} {method_of_way:?} of {format:?} on {way}: {result:#x} instead of {expected:#x} for x = {:#x}, gradient \
                 {:#x}; element {i} of {len}, misaligned by {misalignments:?} bytes",
                x_bits[i],
                g_bits[i],
            );
        }
        assert!(output.is_intact_outside(), "{way} wrote beside the output");
        assert!(
            *x.bytes() == *x_bytes && *g.bytes() == *g_bytes,
            "{way} wrote to an input"
        );
    }
    Ok(())
}

/// The methods that append to a vector are on the free ones.
fn appending(method: Method, way: Way) -> Method {
    match (method, way) {
        (ForwardUninit, Way::Free) => ForwardAppend,
        (BackwardUninit, Way::Free) => BackwardAppend,
        _ => method,
    }
}
