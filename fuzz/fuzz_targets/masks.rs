//! A bit instead of x, and the number of zeros, on every instruction set against the definition on bits.

#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use rectify_fuzz::common::calls;
use rectify_fuzz::common::guarded::{Bytes, Guarded, VECTOR_BYTES};
use rectify_fuzz::{Elements, Source, all_ways, any_case, any_len, any_misalignment, any_streaming};

fuzz_target!(|data: &[u8]| {
    let _ = run(Unstructured::new(data));
});

fn run(mut u: Unstructured) -> Result<()> {
    let (format, case) = any_case(&mut u, |function| function.live.is_some())?;
    let (f, is_live) = (case.activation().one_bit().unwrap(), case.function.live.unwrap());
    any_streaming(&mut u)?;
    let inplace: bool = u.arbitrary()?;
    let len = any_len(&mut u, format)?;
    let mut misalignment = || Ok(any_misalignment(&mut u, format)? * format.bytes());
    let (m, n) = (misalignment()?, misalignment()?);
    let mask_misalignment = u.int_in_range(0..=VECTOR_BYTES - 1)?;
    let unused: u8 = u.arbitrary()?;
    let mut elements = Elements::take_rest(u, format, case)?;
    let [x, g] = [(); 2].map(|()| elements.bits(len));

    let live: Vec<bool> = x.iter().map(|&x| is_live(format, case.parameters, x)).collect();
    let mask: Vec<u8> = live
        .chunks(8)
        .map(|bits| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit)))
        .collect();
    let y = format.to_bytes(x.iter().map(|&x| case.forward(format, x)));
    let grad = format.to_bytes(x.iter().zip(&g).map(|(&x, &g)| case.backward(format, x, g)));
    let live = live.into_iter().filter(|&live| live).count();
    let zeros = x.iter().filter(|&&x| format.value(x) == Some(0.0)).count();
    let [x, g] = [x, g].map(|bits| format.to_bytes(bits));

    // What the unused bits are does not matter.
    let mut given_mask = mask.clone();
    if let Some(last) = given_mask.last_mut().filter(|_| len % 8 != 0) {
        *last |= unused << (len % 8);
    }
    let (input, grad_output) = (Source::new(&x, m), Source::new(&g, m));
    let given_mask = Source::new(&given_mask, mask_misalignment);
    for way in all_ways() {
        let message = || {
            format!(
                "{f:?} of {len} {format:?}, inplace: {inplace}, on {way}, misaligned by {m}, {n}, {mask_misalignment} bytes"
            )
        };
        let mut output = Guarded::new(if inplace { &x } else { &g }, n);
        let mut output_mask = Guarded::new(&Bytes::filled(0x5a, mask.len()), mask_misalignment);
        let given = (!inplace).then(|| input.bytes());
        let counted = calls::forward_mask(format, way, f, given, output.bytes_mut(), output_mask.bytes_mut());
        assert!(*output.bytes() == *y, "values, {}", message());
        assert!(output_mask.bytes() == mask, "mask, {}", message());
        assert!(counted == live, "count, {}", message());
        assert!(
            output.is_intact_outside() && output_mask.is_intact_outside(),
            "wrote beside, {}",
            message()
        );

        let mut output = Guarded::new(if inplace { &g } else { &x }, n);
        let given = (!inplace).then(|| grad_output.bytes());
        calls::backward_mask(format, way, f, given_mask.bytes(), given, output.bytes_mut());
        assert!(*output.bytes() == *grad, "gradient, {}", message());
        assert!(output.is_intact_outside(), "wrote beside, {}", message());
        assert!(
            *input.bytes() == *x && *grad_output.bytes() == *g,
            "wrote to an input, {}",
            message()
        );

        let counted = calls::count_zeros(format, way, input.bytes());
        assert!(counted == zeros, "zeros, {}", message());
    }
    Ok(())
}
