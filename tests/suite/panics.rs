//! What is refused: a panic before anything is written, that names the arguments and points at the caller.

use std::cell::{Cell, RefCell};
use std::mem::MaybeUninit;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

#[cfg(feature = "rayon")]
use rectify::parallel;
use rectify::{
    Activation, Channels, Crelu, Fused, HardSwish, Isa, Kernels, OneBitGradient, PRelu, ReGlu, Relu, Rows, RowsMut,
    ShapeError,
};

use crate::common::functions::FUNCTIONS;

thread_local! {
    static IS_EXPECTED: Cell<bool> = const { Cell::new(false) };
    static LAST_PANIC: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// The message of the panic in `call`, and the file that it points at.
fn panic_of(call: impl FnOnce()) -> (String, String) {
    // Of all threads: those that expect none have the one from before.
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_EXPECTED.get() {
                return hook(info);
            }
            let message = match info.payload().downcast_ref::<String>() {
                Some(message) => message.clone(),
                None => info.payload().downcast_ref::<&str>().unwrap().to_string(),
            };
            LAST_PANIC.set(Some((message, info.location().unwrap().file().to_owned())));
        }));
    });
    IS_EXPECTED.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    IS_EXPECTED.set(false);
    result.expect_err("no panic");
    LAST_PANIC.take().unwrap()
}

#[track_caller]
fn assert_panics(expected: &str, call: impl FnOnce()) {
    assert_eq!(panic_of(call), (expected.to_owned(), file!().to_owned()));
}

/// Outputs that no refused call may change.
struct Outputs {
    slice: [f32; 3],
    mask: [u8; 1],
}

impl Outputs {
    const UNTOUCHED: Self = Self {
        slice: [-7.0; 3],
        mask: [0xa5],
    };

    /// `call` with an output of three elements and a mask of one byte.
    #[track_caller]
    fn are_untouched(expected: &str, call: impl FnOnce(&mut [f32], &mut [u8])) {
        let Self { mut slice, mut mask } = Self::UNTOUCHED;
        assert_panics(expected, || call(&mut slice, &mut mask));
        assert_eq!(
            (slice, mask),
            (Self::UNTOUCHED.slice, Self::UNTOUCHED.mask),
            "{expected}"
        );
    }
}

const THREE: [f32; 3] = [1.0, -2.0, 3.0];
const TWO: [f32; 2] = [-1.0, 2.0];
const INPUT_AND_OUTPUT: &str = "slices of unequal length: `input` has 2 elements, `output` has 3";
const INPUT_AND_GRAD_INPUT: &str = "slices of unequal length: `input` has 2 elements, `grad_input` has 3";
const GRAD_OUTPUT_AND_GRAD_INPUT: &str = "slices of unequal length: `grad_output` has 2 elements, `grad_input` has 3";
const INPUT_AND_GRAD: &str = "slices of unequal length: `input` has 2 elements, `grad` has 3";

/// Each function of slices: the free ones named after ReLU, the methods of `Kernels`, the functions of `parallel`.
macro_rules! lengths {
    ([$($path:tt)*] $relu:ident, $relu_backward:ident, $relu_backward_inplace:ident $(, $activation:expr)?) => {
        Outputs::are_untouched(INPUT_AND_OUTPUT, |y, _| $($path)* $relu($($activation,)? &TWO, y));
        Outputs::are_untouched(INPUT_AND_GRAD_INPUT, |y, _| $($path)* $relu_backward($($activation,)? &TWO, &TWO, y));
        Outputs::are_untouched(GRAD_OUTPUT_AND_GRAD_INPUT, |y, _| $($path)* $relu_backward($($activation,)? &THREE, &TWO, y));
        Outputs::are_untouched(INPUT_AND_GRAD, |y, _| $($path)* $relu_backward_inplace($($activation,)? &TWO, y));
    };
}

/// The same with outputs that need not be initialised, of which there is no sight.
macro_rules! lengths_of_uninit {
    ([$($path:tt)*] $activation:expr) => {
        let mut y = [MaybeUninit::uninit(); 3];
        assert_panics(INPUT_AND_OUTPUT, || _ = $($path)* forward_uninit($activation, &TWO, &mut y));
        assert_panics(INPUT_AND_GRAD_INPUT, || _ = $($path)* backward_uninit($activation, &TWO, &TWO, &mut y));
        assert_panics(GRAD_OUTPUT_AND_GRAD_INPUT, || _ = $($path)* backward_uninit($activation, &THREE, &TWO, &mut y));
    };
}

#[test]
fn slices_of_unequal_length() {
    lengths!([rectify::] relu, relu_backward, relu_backward_inplace);
    for f in FUNCTIONS.iter().map(|function| function.default().activation()) {
        lengths!([Activation::] forward, backward, backward_inplace, f);
        lengths_of_uninit!([Activation::] f);
        #[cfg(feature = "rayon")]
        lengths!([parallel::] forward, backward, backward_inplace, f);
        #[cfg(feature = "rayon")]
        lengths_of_uninit!([parallel::] f);
    }
    // A type that is known.
    lengths!([Activation::] forward, backward, backward_inplace, HardSwish);
    lengths_of_uninit!([Activation::] HardSwish);
    for isa in Isa::available() {
        let kernels = Kernels::new(isa).unwrap();
        lengths!([kernels.] relu, relu_backward, relu_backward_inplace);
        for f in FUNCTIONS.iter().map(|function| function.default().activation()) {
            lengths!([kernels.] forward, backward, backward_inplace, f);
            lengths_of_uninit!([kernels.] f);
        }
    }
    #[cfg(feature = "rayon")]
    lengths!([parallel::] relu, relu_backward, relu_backward_inplace);
}

/// The methods that return an error instead: it has the message of the panic, and names the argument.
#[test]
fn errors_of_slices() {
    fn refuse<R>(expected: &str, call: impl FnOnce(&mut [f32], &mut [u8]) -> Result<R, ShapeError>) {
        let Outputs { mut slice, mut mask } = Outputs::UNTOUCHED;
        let error = call(&mut slice, &mut mask).err().expect(expected);
        assert_eq!(error.to_string(), expected);
        assert!(expected.contains(&format!("`{}` has", error.argument())), "{expected}");
        let untouched = Outputs::UNTOUCHED;
        assert_eq!((slice, mask), (untouched.slice, untouched.mask), "{expected}");
    }
    for f in FUNCTIONS.iter().map(|function| function.default().activation()) {
        refuse(INPUT_AND_OUTPUT, |y, _| f.try_forward(&TWO, y));
        refuse(INPUT_AND_GRAD_INPUT, |y, _| f.try_backward(&TWO, &TWO, y));
        refuse(GRAD_OUTPUT_AND_GRAD_INPUT, |y, _| f.try_backward(&THREE, &TWO, y));
        refuse(INPUT_AND_GRAD, |y, _| f.try_backward_inplace(&TWO, y));

        let (mut tried, mut expected) = (THREE, THREE);
        f.try_forward(&THREE, &mut tried).unwrap();
        f.forward(&THREE, &mut expected);
        assert_eq!(tried, expected);
        f.try_backward(&THREE, &THREE, &mut tried).unwrap();
        f.backward(&THREE, &THREE, &mut expected);
        assert_eq!(tried, expected);
        f.try_backward_inplace(&THREE, &mut tried).unwrap();
        f.backward_inplace(&THREE, &mut expected);
        assert_eq!(tried, expected);

        let Some(f) = f.one_bit() else { continue };
        let of = |name| format!("`mask` has 2 bytes, not 1: `{name}` has 3 elements");
        refuse(&of("output"), |y, _| f.try_forward_mask(&THREE, y, &mut [0; 2]));
        refuse(&of("x"), |x, _| f.try_forward_mask_inplace(x, &mut [0; 2]));
        refuse(&of("grad_input"), |y, _| f.try_backward_mask(&[0; 2], &THREE, y));
        refuse(&of("grad"), |y, _| f.try_backward_mask_inplace(&[0; 2], y));

        let (mut tried, mut expected) = (THREE, THREE);
        let (mut mask, mut expected_mask) = ([0], [0]);
        let live = f.try_forward_mask(&THREE, &mut tried, &mut mask).unwrap();
        assert_eq!(live, f.forward_mask(&THREE, &mut expected, &mut expected_mask));
        assert_eq!((tried, mask), (expected, expected_mask));
        f.try_backward_mask(&mask, &THREE, &mut tried).unwrap();
        f.backward_mask(&mask, &THREE, &mut expected);
        assert_eq!(tried, expected);
        f.try_backward_mask_inplace(&mask, &mut tried).unwrap();
        f.backward_mask_inplace(&mask, &mut expected);
        assert_eq!(tried, expected);
        let live = f.try_forward_mask_inplace(&mut tried, &mut mask).unwrap();
        assert_eq!(live, f.forward_mask_inplace(&mut expected, &mut expected_mask));
        assert_eq!((tried, mask), (expected, expected_mask));
    }
}

#[cfg(feature = "alloc")]
#[test]
fn a_vector_does_not_grow() {
    let mut vector = vec![7.0_f32];
    let expected = "slices of unequal length: `input` has 2 elements, `grad_output` has 3";
    assert_panics(expected, || Relu.backward_append(&TWO, &THREE, &mut vector));
    assert_eq!(vector, [7.0]);
}

macro_rules! masks {
    ([$($path:tt)*] $forward:ident, $forward_inplace:ident, $backward:ident, $backward_inplace:ident $(, $activation:expr)?) => {
        let of = |name| format!("`mask` has 2 bytes, not 1: `{name}` has 3 elements");
        Outputs::are_untouched(&of("output"), |y, _| _ = $($path)* $forward($($activation,)? &THREE, y, &mut [0; 2]));
        Outputs::are_untouched(INPUT_AND_OUTPUT, |y, mask| _ = $($path)* $forward($($activation,)? &TWO, y, mask));
        Outputs::are_untouched(&of("x"), |x, _| _ = $($path)* $forward_inplace($($activation,)? x, &mut [0; 2]));
        Outputs::are_untouched(&of("grad_input"), |y, _| $($path)* $backward($($activation,)? &[0; 2], &THREE, y));
        Outputs::are_untouched(GRAD_OUTPUT_AND_GRAD_INPUT, |y, mask| $($path)* $backward($($activation,)? mask, &TWO, y));
        Outputs::are_untouched(&of("grad"), |y, _| $($path)* $backward_inplace($($activation,)? &[0; 2], y));
    };
}

#[test]
fn masks_of_another_length() {
    masks!([rectify::] relu_mask, relu_mask_inplace, relu_backward_mask, relu_backward_mask_inplace);
    masks!([OneBitGradient::] forward_mask, forward_mask_inplace, backward_mask, backward_mask_inplace, Relu);
    let kernels = Kernels::best();
    masks!([kernels.] relu_mask, relu_mask_inplace, relu_backward_mask, relu_backward_mask_inplace);
    #[cfg(feature = "rayon")]
    masks!([parallel::] relu_mask, relu_mask_inplace, relu_backward_mask, relu_backward_mask_inplace);
    for f in FUNCTIONS
        .iter()
        .filter_map(|function| function.default().activation().one_bit())
    {
        masks!([OneBitGradient::] forward_mask, forward_mask_inplace, backward_mask, backward_mask_inplace, f);
        masks!([kernels.] forward_mask, forward_mask_inplace, backward_mask, backward_mask_inplace, f);
        #[cfg(feature = "rayon")]
        masks!([parallel::] forward_mask, forward_mask_inplace, backward_mask, backward_mask_inplace, f);
    }
    // None at all, and as many as the elements.
    Outputs::are_untouched("`mask` has 0 bytes, not 1: `x` has 3 elements", |x, _| {
        _ = rectify::relu_mask_inplace(x, &mut [])
    });
    Outputs::are_untouched("`mask` has 3 bytes, not 1: `x` has 3 elements", |x, _| {
        _ = rectify::relu_mask_inplace(x, &mut [0; 3])
    });
}

#[test]
fn shapes() {
    const SPATIAL_2: Channels = Channels::First { spatial: 2 };
    let (x, fused) = ([1.0_f32; 12], Fused::new(Relu));
    let check = |expected: &str, call: &dyn Fn(&mut [f32])| {
        let mut output = [-7.0; 12];
        assert_panics(expected, || call(&mut output));
        assert_eq!(output, [-7.0; 12], "{expected}");
    };
    let unequal = |name, other| format!("tensors of unequal size: `{name}` has 10 elements, `{other}` has 12");

    check(&unequal("input", "output"), &|y| fused.forward(&x[..10], y));
    check(&unequal("input", "grad_input"), &|y| fused.backward(&x[..10], &x, y));
    check(&unequal("grad_output", "grad_input"), &|y| {
        fused.backward(&x, &x[..10], y)
    });
    check(&unequal("input", "grad"), &|y| fused.backward_inplace(&x[..10], y));
    check(&unequal("input", "grad_input"), &|y| {
        fused.backward_bias(&x[..10], &x, y, SPATIAL_2, &mut [0.0; 2]);
    });
    check(&unequal("input", "grad"), &|y| {
        fused.backward_bias_inplace(&x[..10], y, SPATIAL_2, &mut [0.0; 2])
    });
    check(&unequal("residual", "output"), &|y| {
        fused.bias(&[0.0; 4], Channels::Last).residual(&x[..10]).forward(&x, y);
    });
    check(&unequal("residual", "x"), &|y| {
        fused.residual(&x[..10]).forward_inplace(y)
    });
    check(&unequal("input", "output"), &|y| {
        PRelu::new(&[0.5; 4], Channels::Last).forward(&x[..10], y)
    });
    check(&unequal("b", "output"), &|y| ReGlu::new().forward(&x, &x[..10], y));
    check(&unequal("b", "a"), &|y| ReGlu::new().forward_inplace(y, &x[..10]));
    check(&unequal("grad_output", "grad_a"), &|y| {
        ReGlu::new().backward(&x, &x, &x[..10], y, &mut [0.0; 12])
    });
    #[cfg(feature = "smooth")]
    {
        use rectify::Glu;

        check(&unequal("b", "output"), &|y| Glu::new().forward(&x, &x[..10], y));
        check(&unequal("b", "a"), &|y| Glu::new().forward_inplace(y, &x[..10]));
        check(&unequal("grad_output", "grad_a"), &|y| {
            Glu::new().backward(&x, &x, &x[..10], y, &mut [0.0; 12])
        });
    }
    check(&unequal("negative", "positive"), &|y| {
        Crelu::new().forward(&x, y, &mut [0.0; 10])
    });
    check(&unequal("grad_negative", "grad_input"), &|y| {
        Crelu::new().backward(&x, &x, &x[..10], y)
    });

    check(
        "`output` has 12 elements: no multiple of the 5 channels of `bias`",
        &|y| {
            fused.bias(&[0.0; 5], Channels::Last).forward(&x, y);
        },
    );
    let scaled = fused.scale(&[1.0; 4], Channels::Last);
    check("`bias` has 3 elements, `scale` has 4", &|y| {
        scaled.bias(&[0.0; 3], Channels::Last).forward(&x, y);
    });
    check("`bias` has another layout of channels than `scale`", &|y| {
        scaled.bias(&[0.0; 4], SPATIAL_2).forward_inplace(y);
    });
    check(
        "`grad_input` has 12 elements: no multiple of the 5 channels of `scale`",
        &|y| {
            fused.scale(&[1.0; 5], Channels::Last).backward(&x, &x, y);
        },
    );
    check("`bias` has 3 elements, `scale` has 4", &|y| {
        scaled.bias(&[0.0; 3], Channels::Last).backward(&x, &x, y);
    });
    check("`bias` has 3 elements, `scale` has 4", &|y| {
        let fused = scaled.bias(&[0.0; 3], Channels::Last);
        fused.backward_bias(&x, &x, y, Channels::Last, &mut [0.0; 4]);
    });
    check("`grad_bias` has another layout of channels than `bias`", &|y| {
        let fused = fused.bias(&[0.0; 4], Channels::Last);
        fused.backward_bias(&x, &x, y, SPATIAL_2, &mut [0.0; 4]);
    });
    check("`grad_bias` has 3 elements, `scale` has 4", &|y| {
        scaled.backward_bias_inplace(&x, y, Channels::Last, &mut [0.0; 3]);
    });
    check("`grad_bias` has another layout of channels than `scale`", &|y| {
        scaled.backward_bias(&x, &x, y, SPATIAL_2, &mut [0.0; 4]);
    });
    check(
        "`output` has 12 elements: no multiple of the 0 channels of `bias`",
        &|y| fused.bias::<f32>(&[], Channels::Last).forward(&x, y),
    );
    check(
        &format!(
            "`output` has 12 elements: no multiple of the 2 channels of `bias` times spatial {}",
            usize::MAX
        ),
        &|y| {
            fused
                .bias(&[0.0; 2], Channels::First { spatial: usize::MAX })
                .forward(&x, y);
        },
    );
    check(
        "`output` has rows of 5 columns with a stride of 7: rows of 2 columns are needed",
        &|y| {
            fused
                .bias(&[0.0; 2], Channels::Last)
                .forward(&x[..10], &mut RowsMut::with_stride(y, 5, 7));
        },
    );
    check(
        "`output` has 12 elements: no multiple of the 5 channels of `bias` times spatial 2",
        &|y| fused.bias(&[0.0; 5], SPATIAL_2).forward(&x, y),
    );
    check(
        "`output` has 12 elements: no multiple of the 0 channels of `bias` times spatial 2",
        &|y| fused.bias::<f32>(&[], SPATIAL_2).forward(&x, y),
    );
    check(
        "`grad` has 12 elements: no multiple of the 4 channels of `grad_bias` times spatial 2",
        &|y| {
            fused.backward_bias_inplace(&x, y, SPATIAL_2, &mut [0.0; 4]);
        },
    );
    check(
        "`grad` has 12 elements: no multiple of the 5 channels of `slopes`",
        &|y| {
            PRelu::new(&[0.0; 5], Channels::Last).backward_inplace(&x, y, &mut [0.0; 5]);
        },
    );
    check("`grad_slopes` has 3 elements, not 4", &|y| {
        PRelu::new(&[0.0; 4], Channels::Last).backward(&x, &x, y, &mut [0.0; 3]);
    });
    check(
        "`input` has rows of 6 columns with a stride of 8: rows of 4 columns are needed",
        &|y| {
            fused
                .bias(&[0.0; 4], Channels::Last)
                .forward(Rows::with_stride(&[1.0; 14], 6, 8), y);
        },
    );

    check("the stride 4 is less than the 5 columns", &|y| {
        fused.forward_inplace(&mut RowsMut::with_stride(y, 5, 4))
    });
    check("the stride 4 is less than the 5 columns", &|_| {
        _ = Rows::with_stride(&x, 5, 4)
    });
    check("5 columns don't divide 12 elements", &|y| {
        fused.forward_inplace(&mut RowsMut::new(y, 5))
    });
    check("0 columns don't divide 12 elements", &|y| {
        fused.forward_inplace(&mut RowsMut::new(y, 0))
    });
    check("5 columns don't divide 12 elements", &|_| _ = Rows::new(&x, 5));
    check("12 elements don't end with a row of 5, with a stride of 10", &|y| {
        fused.forward_inplace(&mut RowsMut::with_stride(y, 5, 10));
    });
    check("column 5 is beyond rows of 4 columns", &|_| {
        _ = Rows::new(&x, 4).split_at_column(5)
    });
    check("column 5 is beyond rows of 4 columns", &|y| {
        _ = RowsMut::new(y, 4).split_at_column(5)
    });
}

/// Each method of tensors that returns an error: with a shape that is refused, and with one that isn't.
#[test]
fn errors_of_tensors() {
    type Call<'a> = &'a dyn Fn(&[f32], &mut [f32]) -> Result<(), ShapeError>;
    let (x, fused) = ([1.0_f32, -2.0, 3.0, -4.0], Fused::new(Relu));
    let check = |expected: &str, argument: &str, tried: Call, call: &dyn Fn(&mut [f32])| {
        let mut output = [-7.0; 4];
        let error = tried(&x[..3], &mut output).expect_err(expected);
        assert_eq!((error.to_string().as_str(), error.argument()), (expected, argument));
        assert_eq!(output, [-7.0; 4], "{expected}");
        let mut expected = output;
        tried(&x, &mut output).unwrap();
        call(&mut expected);
        assert_eq!(output, expected);
    };
    let unequal = |name, other| format!("tensors of unequal size: `{name}` has 3 elements, `{other}` has 4");
    let (last, slopes) = (Channels::Last, [0.5; 2]);

    check(
        &unequal("input", "output"),
        "input",
        &|x, y| fused.try_forward(x, y),
        &|y| fused.forward(&x, y),
    );
    check(
        &unequal("residual", "x"),
        "residual",
        &|x, y| fused.residual(x).try_forward_inplace(y),
        &|y| fused.residual(&x).forward_inplace(y),
    );
    check(
        &unequal("grad_output", "grad_input"),
        "grad_output",
        &|g, y| fused.try_backward(&x, g, y),
        &|y| fused.backward(&x, &x, y),
    );
    check(
        &unequal("input", "grad"),
        "input",
        &|x, y| fused.try_backward_inplace(x, y),
        &|y| fused.backward_inplace(&x, y),
    );
    check(
        "`grad_bias` has 3 elements, `bias` has 4",
        "grad_bias",
        &|sums, y| {
            let fused = fused.bias(&x, last);
            fused.try_backward_bias(&x, &x, y, last, &mut sums.to_vec())
        },
        &|y| fused.backward_bias(&x, &x, y, last, &mut [0.0; 4]),
    );
    check(
        "`grad` has 4 elements: no multiple of the 3 channels of `grad_bias`",
        "grad",
        &|sums, y| fused.try_backward_bias_inplace(&x, y, last, &mut sums.to_vec()),
        &|y| fused.backward_bias_inplace(&x, y, last, &mut [0.0; 4]),
    );
    let prelu = PRelu::new(&slopes, last);
    check(
        &unequal("input", "output"),
        "input",
        &|x, y| prelu.try_forward(x, y),
        &|y| prelu.forward(&x, y),
    );
    check(
        "`x` has 4 elements: no multiple of the 3 channels of `slopes` times spatial 1",
        "x",
        &|slopes, y| PRelu::new(slopes, Channels::First { spatial: 1 }).try_forward_inplace(y),
        &|y| PRelu::new(&x, Channels::First { spatial: 1 }).forward_inplace(y),
    );
    check(
        &unequal("grad_output", "grad_input"),
        "grad_output",
        &|g, y| prelu.try_backward(&x, g, y, &mut [0.0; 2]),
        &|y| prelu.backward(&x, &x, y, &mut [0.0; 2]),
    );
    check(
        "`grad_slopes` has 3 elements, not 4",
        "grad_slopes",
        &|sums, y| PRelu::new(&x, last).try_backward_inplace(&x, y, &mut sums.to_vec()),
        &|y| PRelu::new(&x, last).backward_inplace(&x, y, &mut [0.0; 4]),
    );
    macro_rules! gate {
        ($gate:expr) => {
            let gate = $gate;
            check(
                &unequal("b", "output"),
                "b",
                &|b, y| gate.try_forward(&x, b, y),
                &|y| gate.forward(&x, &x, y),
            );
            check(
                &unequal("b", "a"),
                "b",
                &|b, y| gate.try_forward_inplace(y, b),
                &|y| gate.forward_inplace(y, &x),
            );
            check(
                &unequal("grad_output", "grad_a"),
                "grad_output",
                &|g, y| gate.try_backward(&x, &x, g, y, &mut [0.0; 4]),
                &|y| gate.backward(&x, &x, &x, y, &mut [0.0; 4]),
            );
        };
    }
    gate!(ReGlu::new());
    #[cfg(feature = "smooth")]
    {
        gate!(rectify::Glu::new());
    }
    check(
        &unequal("input", "positive"),
        "input",
        &|x, y| Crelu::new().try_forward(x, y, &mut [0.0; 4]),
        &|y| Crelu::new().forward(&x, y, &mut [0.0; 4]),
    );
    check(
        &unequal("grad_negative", "grad_input"),
        "grad_negative",
        &|g, y| Crelu::new().try_backward(&x, &x, g, y),
        &|y| Crelu::new().backward(&x, &x, &x, y),
    );
    check(
        "3 columns don't divide 4 elements",
        "elements",
        &|columns, y| RowsMut::try_new(y, columns.len()).map(drop),
        &|_| (),
    );
    check(
        "the stride 3 is less than the 4 columns",
        "stride",
        &|stride, _| Rows::try_with_stride(&x, 4, stride.len()).map(drop),
        &|_| (),
    );
}

/// The panic points at the function's row in the table, which calls `new`.
#[test]
fn parameters() {
    for function in FUNCTIONS {
        for &(parameters, expected) in function.refused {
            let (message, file) = panic_of(|| _ = function.with(parameters).activation());
            assert_eq!(message, expected);
            assert!(file.ends_with(&format!("{}.rs", function.name)), "{file}: {expected}");
        }
    }
}

/// As an error it has the message of the panic.
#[test]
fn parameters_as_errors() {
    macro_rules! check {
        ($($name:ident: $good:tt, $bad:tt;)+) => {
            $(
                assert_eq!(rectify::$name::try_new $good, Ok(rectify::$name::new $good));
                let error = rectify::$name::try_new $bad.unwrap_err();
                assert_eq!(error.to_string(), panic_of(|| _ = rectify::$name::new $bad).0);
            )+
        };
    }
    check! {
        LeakyRelu: (0.1), (f64::NAN);
        ClippedRelu: (6.0), (-1.0);
        Hardtanh: (-1.0, 1.0), (1.0, -1.0);
        HardSigmoid: (0.2, 0.5), (0.0, 0.5);
        HardSigmoid: (0.2, 0.5), (0.2, f64::INFINITY);
        ThresholdedRelu: (1.0), (f64::NAN);
        Hardshrink: (0.5), (-0.5);
    }
    #[cfg(feature = "smooth")]
    check! {
        Swish: (1.5), (0.0);
        Elu: (1.5), (f64::INFINITY);
        Celu: (1.5), (-1.0);
        Softplus: (1.5), (f64::NAN);
        Softshrink: (0.5), (f64::INFINITY);
    }
}

#[test]
fn empty_slices_are_fine() {
    rectify::relu_inplace::<f32>(&mut []);
    rectify::relu::<f64>(&[], &mut []);
    rectify::relu_backward::<f32>(&[], &[], &mut []);
    rectify::relu_backward_inplace::<f64>(&[], &mut []);
}

#[cfg(feature = "strided")]
#[test]
fn tensors_of_any_layout() {
    use rectify::{Strided, StridedMut};

    const OUTSIDE: &str = "`elements` has 3 elements, and the layout leads to index 4";
    const REPEATED: &str = "the strides may lead to one element more than once";
    let mut x = THREE;
    assert_panics(OUTSIDE, || _ = Strided::new(&THREE, 0, &[3], &[2]));
    assert_panics(OUTSIDE, || _ = StridedMut::new(&mut x, 0, &[3], &[2]));
    assert_panics(REPEATED, || _ = StridedMut::new(&mut x, 0, &[3], &[0]));

    let unequal = |name: &str| format!("tensors of unequal shape: on axis 0 `{name}` has 2 indices, `input` has 3");
    let (three, two) = (Strided::new(&THREE, 0, &[3], &[1]), Strided::new(&TWO, 0, &[2], &[1]));
    let to_three = &mut StridedMut::new(&mut x, 0, &[3], &[1]);
    let mut y = [0.0_f32; 2];
    let to_two = &mut StridedMut::new(&mut y, 0, &[2], &[1]);
    assert_panics(&unequal("output"), || Relu.forward_strided(three, to_two));
    assert_panics(&unequal("grad_output"), || Relu.backward_strided(three, two, to_three));
    assert_panics(&unequal("grad_input"), || Relu.backward_strided(three, three, to_two));
    assert_panics(&unequal("grad"), || Relu.backward_strided_inplace(three, to_two));
    #[cfg(feature = "alloc")]
    {
        let mut appended = vec![7.0];
        assert_panics(&unequal("grad_output"), || {
            Relu.backward_strided_append(three, two, &mut appended)
        });
        assert_eq!(appended, [7.0]);
    }
    assert_eq!((x, y), (THREE, [0.0; 2]));
}
