//! Infinite and greatest x, of which the tests of errors know nothing: where other libraries return NaN, since they multiply infinity by 0 or
//! raise x to a power that overflows.

use rectify::{AnyActivation, Celu, Elu, Gelu, GeluTanh};

use crate::common::all_kernels;
use crate::common::calls::of_one;
use crate::common::format::Format;
use crate::common::functions::FUNCTIONS;

#[test]
fn gelu_is_x_or_negative_zero_and_its_gradient_that_at_the_output_or_zero() {
    for function in [AnyActivation::from(Gelu), GeluTanh.into()] {
        for kernels in all_kernels() {
            for &format in Format::ALL {
                let (infinity, sign) = (format.infinity(), format.sign());
                for x in [infinity, infinity - 1, format.nearest(1e4)] {
                    let result = |x, g| of_one(format, kernels, function, x, g);
                    let case = format!("{function:?} in {} on {}, {x:x}", format.name(), kernels.isa());
                    assert_eq!(result(x, None), x, "{case}");
                    assert_eq!(result(x | sign, None), sign, "{case}, negative");
                    for g in [format.nearest(-0.3), 1, infinity, infinity | sign] {
                        assert_eq!(result(x, Some(g)), g, "{case}, gradient {g:x}");
                        assert_eq!(result(x | sign, Some(g)), 0, "{case}, negative, gradient {g:x}");
                    }
                    let nan = format.quiet(infinity);
                    assert_eq!(result(x | sign, Some(nan)), 0, "{case}, negative, gradient NaN");
                }
            }
        }
    }
}

/// Where the exact slope rounds to 0 the gradient is +0.0, whatever the gradient at the output. A NaN is kept with its bits.
#[test]
fn gradients_of_dead_units_are_zero() {
    let mut dead = Vec::new();
    for function in FUNCTIONS {
        let Some(real) = &function.real else { continue };
        let case = function.default();
        for &format in Format::ALL {
            let (infinity, sign) = (format.infinity(), format.sign());
            let nan = format.quiet(infinity);
            for (x, sign) in [infinity, infinity - 1, format.nearest(1e4)]
                .map(|x| [(x, 0), (x, sign)])
                .as_flattened()
            {
                let x = x | sign;
                // Of a finite number: at infinity, the terms of a slope would be infinite.
                let number = format.value(x.min(sign | (infinity - 1))).unwrap();
                let slope = (real.slope)(case.parameters, number.into()).high;
                if slope.abs() > format.sums().value(1).unwrap() / 2.0 {
                    continue;
                }
                dead.push((function.name, *sign == 0));
                for kernels in all_kernels() {
                    for g in [format.nearest(-0.3), 1, infinity, infinity | sign, nan] {
                        let gradient = of_one(format, kernels, case.activation(), x, Some(g));
                        let of = || {
                            format!(
                                "{} in {} on {}, {x:x}, {g:x}",
                                function.name,
                                format.name(),
                                kernels.isa()
                            )
                        };
                        assert_eq!(gradient, 0, "{}", of());
                    }
                }
            }
            for kernels in all_kernels() {
                let negative = infinity | sign | 3;
                for x in [nan, negative] {
                    let y = of_one(format, kernels, case.activation(), x, None);
                    assert!([x, format.quiet(x)].contains(&y), "{} of {x:x}: {y:x}", function.name);
                }
            }
        }
    }
    #[cfg(feature = "smooth")]
    for unit in [
        ("sigmoid", true),
        ("sigmoid", false),
        ("elu", false),
        ("gelu", false),
        ("log_sigmoid", true),
    ] {
        assert!(dead.contains(&unit), "{unit:?} is dead nowhere");
    }
    assert!(dead.contains(&("hard_swish", false)));
}

/// An alpha that is subnormal or rounds to 0: the value has the sign of x, and a slope that rounds to 0 gives +0.0.
#[test]
fn alphas_below_the_normal_numbers_keep_sign_and_order() {
    let x = [
        -0.0,
        -1e-45,
        -1e-40,
        -1e-38,
        -0.2,
        -0.5,
        -0.6,
        -1.0,
        -2.5,
        -100.0,
        -1e38,
        f64::NEG_INFINITY,
    ];
    for alpha in [1e-38, 1e-39, 1e-40, 1e-44, 1.4e-45, 1e-300, 1e-309, 5e-324] {
        for function in [AnyActivation::from(Elu::new(alpha)), Celu::new(alpha).into()] {
            for &format in Format::ALL {
                for kernels in all_kernels() {
                    let case = |x| format!("{function:?} in {} on {}, {x}", format.name(), kernels.isa());
                    let mut last = 0.0;
                    for x in x {
                        let y = of_one(format, kernels, function, format.nearest(x), None);
                        assert_eq!(y & format.sign(), format.sign(), "{}: {y:x}", case(x));
                        let y = format.value(y).unwrap();
                        // 2^-127 instead of a lesser alpha of CELU.
                        assert!(
                            y <= last && y >= -alpha.max(6e-39) * 1.02,
                            "{}: {y:e} after {last:e}",
                            case(x)
                        );
                        last = y;
                    }
                    let dead: &[f64] = match function {
                        AnyActivation::Elu(_) if alpha < 1e-46 && format != Format::F64 => &[0.0, -0.0, -1.0],
                        AnyActivation::Celu(_) => &[-1.0],
                        _ => &[],
                    };
                    for &x in dead.iter().chain(&[-1e4]) {
                        for g in [-1.0, f64::INFINITY] {
                            let gradient =
                                of_one(format, kernels, function, format.nearest(x), Some(format.nearest(g)));
                            assert_eq!(gradient, 0, "{}, gradient {g}", case(x));
                        }
                    }
                }
            }
        }
    }
}
