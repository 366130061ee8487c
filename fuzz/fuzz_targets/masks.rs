//! A bit instead of x, and the number of zeros, on every instruction set against the definition on bits.

#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use rectify::{ClippedRelu, Hardtanh, LeakyRelu, OneBitGradient, Relu, ThresholdedRelu};
use rectify_fuzz::format::{Format, value};
use rectify_fuzz::guarded::Guarded;
use rectify_fuzz::reference::{Case, Clipped, Leaky, Tanh, Thresholded};
use rectify_fuzz::{Elements, Parameters, Source, Way, any_len, any_misalignment, any_streaming, call, with_format};

fuzz_target!(|data: &[u8]| {
    let _ = run(Unstructured::new(data));
});

fn run(mut u: Unstructured) -> Result<()> {
    let parameters = Parameters::any(&mut u)?;
    with_format!(u, F => {
        // Live is where the gradient of the last one passes.
        match u.int_in_range(0..=4)? {
            0 => check::<F>(u, parameters, Relu, Relu, Relu),
            1 => {
                let case @ Clipped { max } = parameters.clipped();
                check::<F>(u, parameters, ClippedRelu::new(max), case, case)
            }
            2 => {
                let case @ Tanh { min, max } = parameters.tanh();
                check::<F>(u, parameters, Hardtanh::new(min, max), case, case)
            }
            3 => {
                let case @ Thresholded { alpha } = parameters.thresholded();
                check::<F>(u, parameters, ThresholdedRelu::new(alpha), case, case)
            }
            _ => {
                let case @ Leaky { negative_slope } = parameters.leaky();
                check::<F>(u, parameters, LeakyRelu::new(negative_slope), case, Relu)
            }
        }
    })
}

fn check<F: Format>(
    mut u: Unstructured,
    parameters: Parameters,
    function: impl OneBitGradient,
    case: impl Case,
    select: impl Case,
) -> Result<()> {
    any_streaming(&mut u)?;
    let inplace: bool = u.arbitrary()?;
    let len = any_len::<F>(&mut u)?;
    let mut misalignment = || any_misalignment::<F>(&mut u);
    let (m, n) = (misalignment()?, misalignment()?);
    let mask_misalignment = any_misalignment::<u8>(&mut u)?;
    let unused: u8 = u.arbitrary()?;
    let mut elements = Elements::<F>::take_rest(u, parameters)?;
    let [x, g] = [(); 2].map(|()| elements.bits(len));

    let (reference, select) = (case.reference::<F>(), select.reference::<F>());
    let one = F::bits(1);
    let live: Vec<bool> = x.iter().map(|&x| (select.backward)(x, one) == one).collect();
    let mask: Vec<u8> = live
        .chunks(8)
        .map(|bits| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit)))
        .collect();
    let y: Vec<F::Bits> = x.iter().map(|&x| (reference.forward)(x)).collect();
    let grad: Vec<F::Bits> = x.iter().zip(&g).map(|(&x, &g)| (reference.backward)(x, g)).collect();
    let live = live.into_iter().filter(|&live| live).count();
    let zeros = x.iter().filter(|&&x| value::<F>(x) == Some(0.0)).count();

    // What the unused bits are does not matter.
    let mut given_mask = mask.clone();
    if let Some(last) = given_mask.last_mut().filter(|_| len % 8 != 0) {
        *last |= unused << (len % 8);
    }
    let (input, grad_output) = (Source::new(&x, m), Source::new(&g, m));
    let given_mask = Source::new(&given_mask, mask_misalignment);
    for way in Way::all() {
        let message = || {
            let format = std::any::type_name::<F>();
            format!(
                "{function:?} of {len} {format}, inplace: {inplace}, on {way:?}, misaligned by {m}, {n}, {mask_misalignment}"
            )
        };
        let mut output = Guarded::new(if inplace { &x } else { &g }, n);
        let mut output_mask = Guarded::new(&vec![0x5a_u8; mask.len()], mask_misalignment);
        let counted = if inplace {
            call!(
                way,
                function,
                forward_mask_inplace(output.elements_mut::<F>(), output_mask.elements_mut())
            )
        } else {
            call!(
                way,
                function,
                forward_mask(input.elements::<F>(), output.elements_mut(), output_mask.elements_mut())
            )
        };
        assert!(output.values() == y, "values, {}", message());
        assert!(output_mask.values() == mask, "mask, {}", message());
        assert!(counted == live, "count, {}", message());
        assert!(
            output.is_intact_outside() && output_mask.is_intact_outside(),
            "wrote beside, {}",
            message()
        );

        let mut output = Guarded::new(if inplace { &g } else { &x }, n);
        if inplace {
            call!(
                way,
                function,
                backward_mask_inplace(given_mask.values(), output.elements_mut::<F>())
            );
        } else {
            call!(
                way,
                function,
                backward_mask(given_mask.values(), grad_output.elements::<F>(), output.elements_mut())
            );
        }
        assert!(output.values() == grad, "gradient, {}", message());
        assert!(output.is_intact_outside(), "wrote beside, {}", message());
        assert!(
            input.values() == x && grad_output.values() == g,
            "wrote to an input, {}",
            message()
        );

        let counted = match way {
            Way::Pinned(kernels) => kernels.count_zeros(input.elements::<F>()),
            Way::Free | Way::Parallel => rectify::count_zeros(input.elements::<F>()),
        };
        assert!(counted == zeros, "zeros, {}", message());
    }
    Ok(())
}
