//! Infinite and greatest x, of which the tests of errors know nothing: where other libraries return NaN, since they multiply infinity by 0 or
//! raise x to a power that overflows.

use rectify::{AnyActivation, Gelu, GeluTanh};

use crate::common::all_kernels;
use crate::common::calls::of_one;
use crate::common::format::Format;

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
