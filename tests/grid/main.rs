//! The one grid: every instruction set, function and format, against the definition on bits. Equality of bits, no
//! tolerance.
//!
//! The names of the tests begin with the instruction set, or with `free` for the free functions. The tests of one that is not
//! available are reported as ignored; where `RECTIFY_REQUIRE_ISA` lists it (comma separated), they fail.

mod format;
mod guarded;
mod masks;
mod reference;
#[path = "../common/required.rs"]
mod required;
mod rows;
mod tensor;

use std::fmt;

use format::{Format, patterns, power_of_2, scattered, special_patterns};
use guarded::{Guarded, VECTOR_BYTES};
use libtest_mimic::{Arguments, Trial};
use proptest::prelude::*;
use rectify::{Activation, HardSwish, Isa, Kernels, Relu, SquaredRelu};
use reference::{Case, Clipped, Leaky, Sigmoid, Tanh, Thresholded};
use required::required;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Method {
    ForwardInplace,
    Forward,
    Backward,
    BackwardInplace,
}

use Method::*;

impl Method {
    const ALL: [(&str, Self); 4] = [
        ("forward_inplace", ForwardInplace),
        ("forward", Forward),
        ("backward", Backward),
        ("backward_inplace", BackwardInplace),
    ];
}

/// A way to the functions.
#[derive(Clone, Copy)]
enum Way {
    /// The free functions, on whatever was chosen.
    Free,
    Pinned(Isa),
}

impl Way {
    fn is_available(self) -> bool {
        match self {
            Self::Free => true,
            Self::Pinned(isa) => isa.is_available(),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("free"),
            Self::Pinned(isa) => isa.fmt(f),
        }
    }
}

/// A method of the function itself, or of `Kernels`.
macro_rules! call {
    ($way:expr, $activation:expr, $method:ident($($argument:expr),+)) => {
        match $way {
            Way::Free => $activation.$method($($argument),+),
            Way::Pinned(isa) => Kernels::new(isa).unwrap().$method($activation, $($argument),+),
        }
    };
}

use call;

/// Runs `method` on `x` and the gradient `g`, with the three slices misaligned by so many elements.
fn run<F: Format>(
    way: Way,
    case: impl Case,
    method: Method,
    x: &[F::Bits],
    g: &[F::Bits],
    misalignments: [usize; 3],
) -> Vec<F::Bits> {
    let stale: Vec<F::Bits> = x.iter().map(|_| F::bits(0x5a5a_5a5a_5a5a_5a5a)).collect();
    let mut x = Guarded::new(x, misalignments[0]);
    let mut g = Guarded::new(g, misalignments[1]);
    let mut output = Guarded::new(&stale, misalignments[2]);
    let (x_before, g_before) = (x.values().to_vec(), g.values().to_vec());

    let activation = case.activation();
    match method {
        ForwardInplace => call!(way, activation, forward_inplace(x.elements_mut::<F>())),
        Forward => call!(way, activation, forward(x.elements::<F>(), output.elements_mut())),
        Backward => call!(
            way,
            activation,
            backward(x.elements::<F>(), g.elements(), output.elements_mut())
        ),
        BackwardInplace => call!(way, activation, backward_inplace(x.elements::<F>(), g.elements_mut())),
    }

    for (name, slice) in [("x", &x), ("the gradient", &g), ("the output", &output)] {
        assert!(
            slice.is_intact_outside(),
            "{method:?} wrote beside {name}: {} elements",
            slice.values().len()
        );
    }
    assert!(
        method == ForwardInplace || x.values() == x_before,
        "{method:?} changed its input"
    );
    assert!(
        method == BackwardInplace || g.values() == g_before,
        "{method:?} changed its gradient"
    );
    match method {
        ForwardInplace => x.values().to_vec(),
        BackwardInplace => g.values().to_vec(),
        Forward | Backward => output.values().to_vec(),
    }
}

fn check<F: Format>(
    way: Way,
    case: impl Case,
    method: Method,
    x: &[F::Bits],
    g: &[F::Bits],
    misalignments: [usize; 3],
) {
    let results = run::<F>(way, case, method, x, g, misalignments);
    let reference = case.reference::<F>();
    for (i, &result) in results.iter().enumerate() {
        let expected = match method {
            ForwardInplace | Forward => (reference.forward)(x[i]),
            Backward | BackwardInplace => (reference.backward)(x[i], g[i]),
        };
        assert!(
            result == expected,
            "{:?} {method:?} on {way}: {result:#x} instead of {expected:#x} for x = {:#x}, gradient {:#x}; \
             element {i} of {}, misaligned by {misalignments:?} elements",
            case.activation(),
            x[i],
            g[i],
            x.len(),
        );
    }
}

/// Every length up to four vectors and one, and some longer ones, at every misalignment within a vector of each slice; and
/// every length from the one on where stores are aligned, up to four vectors and one more.
fn every_length_and_misalignment<F: Format>(way: Way, case: impl Case, method: Method) {
    let lanes = VECTOR_BYTES / size_of::<F>();
    // Of one block of vectors, two, those with aligned stores, and those past `STREAMING_THRESHOLD`.
    let long = [7, 11, 13, 16, 17, 20, 34, 41].map(|vectors| vectors * lanes);
    let x = scattered::<F>(42 * lanes, 1);
    let g = scattered::<F>(42 * lanes, 2);
    let longer = long.into_iter().flat_map(|len| [len - 1, len, len + 3]);
    for len in (0..=4 * lanes + 1).chain(longer) {
        for m in 0..lanes {
            let mixed = [m, (5 * m + 3) % lanes, (7 * m + 1) % lanes];
            for misalignments in [[m, 0, 0], [0, m, 0], [0, 0, m], [m, m, m], mixed] {
                check::<F>(way, case, method, &x[..len], &g[..len], misalignments);
            }
        }
    }
    for len in lengths_with_aligned_stores::<F>() {
        let m = 5 * len % lanes;
        check::<F>(way, case, method, &x[..len], &g[..len], [m, 0, 7 * len % lanes]);
    }
}

/// From the first one on up to four vectors and one more.
fn lengths_with_aligned_stores<F: Format>() -> impl Iterator<Item = usize> {
    let first = ALIGNED_BYTES / size_of::<F>();
    (0..=4 * VECTOR_BYTES / size_of::<F>() + 1).map(move |more| first + more)
}

/// From how many bytes a slice on stores are aligned.
const ALIGNED_BYTES: usize = 512;

/// In bytes of a call, so that there are long slices on both sides of it.
const STREAMING_THRESHOLD: usize = 4096;

/// Slices full of each special value, of every length up to four vectors and one, and as many with aligned stores: in each
/// kind of piece that a rest is walked in.
fn every_length_of_special_values<F: Format>(way: Way, case: impl Case, method: Method) {
    let max = lengths_with_aligned_stores::<F>().last().unwrap_or(0);
    let g = scattered::<F>(max, 3);
    for special in special_patterns::<F>() {
        let x = vec![special; max];
        for len in (0..=4 * VECTOR_BYTES / size_of::<F>() + 1).chain(lengths_with_aligned_stores::<F>()) {
            check::<F>(way, case, method, &x[..len], &g[..len], [0; 3]);
        }
    }
}

/// Every pattern of the format as x, backward with three gradients each and those that make NaNs or are NaNs.
fn every_pattern<F: Format>(way: Way, case: impl Case, method: Method) {
    let x: Vec<_> = patterns::<F>().into_iter().step_by(pattern_stride::<F>()).collect();
    let shifts: &[usize] = match method {
        ForwardInplace | Forward => &[0],
        Backward | BackwardInplace => &[0, 1, x.len() / 3],
    };
    for &shift in shifts {
        let mut g = x.clone();
        g.rotate_left(shift);
        check::<F>(way, case, method, &x, &g, [0; 3]);
    }
    if matches!(method, Backward | BackwardInplace) {
        let infinity = ((1 << (F::WIDTH - F::MANTISSA_WIDTH - 1)) - 1) << F::MANTISSA_WIDTH;
        for g in [infinity, 0, infinity + 1] {
            check::<F>(way, case, method, &x, &vec![F::bits(g); x.len()], [0; 3]);
        }
    }
}

/// 1, but that slow emulators may leave patterns out: `GRID_STRIDE=31` takes one of 31 of the formats of 16 bits.
fn pattern_stride<F: Format>() -> usize {
    let stride = std::env::var("GRID_STRIDE").map_or(1, |stride| stride.parse().expect("GRID_STRIDE is a number"));
    if F::WIDTH == 16 { stride } else { 1 }
}

/// Any parameters, bits, lengths and misalignments.
fn arbitrary<F: Format>(way: Way, cases: &[impl Case], method: Method) {
    let elements = prop::collection::vec((any::<u64>(), any::<u64>()), 0..300);
    let lanes = VECTOR_BYTES / size_of::<F>();
    let misalignments = [0..lanes, 0..lanes, 0..lanes];
    // Emulators have no source tree to keep failures in.
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(case in 0..cases.len(), elements in elements, misalignments in misalignments)| {
        let x: Vec<_> = elements.iter().map(|&(x, _)| F::bits(x)).collect();
        let g: Vec<_> = elements.iter().map(|&(_, g)| F::bits(g)).collect();
        check::<F>(way, cases[case], method, &x, &g, misalignments);
    });
}

/// Every length up to four vectors and one, and as many with aligned stores, at a misalignment each.
fn every_length<F: Format>(way: Way, case: impl Case, method: Method) {
    let lanes = VECTOR_BYTES / size_of::<F>();
    let max = lengths_with_aligned_stores::<F>().last().unwrap_or(0);
    let special_values = special_patterns::<F>();
    let x: Vec<_> = special_values.iter().copied().cycle().step_by(7).take(max).collect();
    let g = scattered::<F>(max, 4);
    for len in (0..=4 * lanes + 1).chain(lengths_with_aligned_stores::<F>()) {
        let misalignments = [len % lanes, 3 * len % lanes, 5 * len % lanes];
        check::<F>(way, case, method, &x[..len], &g[..len], misalignments);
    }
}

/// In place and out of place give the same; backward may be given forward's output for its input.
fn agreement<F: Format>(way: Way) {
    let x = patterns::<F>();
    let mut g = x.clone();
    g.reverse();
    let run = |method, x: &[F::Bits]| run::<F>(way, Relu, method, x, &g, [0; 3]);

    let y = run(Forward, &x);
    assert!(run(ForwardInplace, &x) == y);
    assert!(run(ForwardInplace, &y) == y, "relu is idempotent");

    let grad_input = run(Backward, &x);
    assert!(run(Backward, &y) == grad_input);
    assert!(run(BackwardInplace, &x) == grad_input);
    assert!(run(BackwardInplace, &y) == grad_input);
}

/// The free functions and the methods of `Kernels` that are named after ReLU are its methods.
fn relu_by_name<F: Format>(way: Way) {
    let x: Vec<F> = bytemuck::cast_slice(&patterns::<F>()).to_vec();
    let mut g = x.clone();
    g.reverse();
    macro_rules! both {
        ($function:ident, $method:ident, $output:expr, $($input:expr),*) => {
            let (mut output, mut expected) = ($output.clone(), $output.clone());
            match way {
                Way::Free => rectify::$function($($input,)* &mut output),
                Way::Pinned(isa) => Kernels::new(isa).unwrap().$function($($input,)* &mut output),
            }
            call!(way, Relu, $method($($input,)* &mut expected));
            assert!(bytemuck::cast_slice::<F, u8>(&output) == bytemuck::cast_slice::<F, u8>(&expected));
        };
    }
    both!(relu_inplace, forward_inplace, x,);
    both!(relu, forward, g, &x);
    both!(relu_backward, backward, x, &x, &g);
    both!(relu_backward_inplace, backward_inplace, g, &x);
}

fn trials_of_way(way: Way) -> Vec<Trial> {
    let mut trials = trials_of_format::<f32>(way, "f32");
    trials.extend(trials_of_format::<f64>(way, "f64"));
    #[cfg(feature = "half")]
    trials.extend(trials_of_format::<rectify::f16>(way, "f16"));
    #[cfg(feature = "half")]
    trials.extend(trials_of_format::<rectify::bf16>(way, "bf16"));
    trials
}

/// The tests of one format: of ReLU all of them, since the others are walked in the same way.
fn trials_of_format<F: Format>(way: Way, format: &str) -> Vec<Trial> {
    let mut trials = vec![
        trial(way, &format!("relu::agreement::{format}"), agreement::<F>),
        trial(way, &format!("relu::by_name::{format}"), relu_by_name::<F>),
    ];
    for (method_name, method) in Method::ALL {
        let name = |check: &str| format!("relu::{method_name}::{check}::{format}");
        trials.extend([
            trial(way, &name("every_length_and_misalignment"), move |way| {
                every_length_and_misalignment::<F>(way, Relu, method)
            }),
            trial(way, &name("every_length_of_special_values"), move |way| {
                every_length_of_special_values::<F>(way, Relu, method)
            }),
        ]);
    }
    trials.extend(trials_of_cases::<F, _, _>(way, format, [Relu]));
    let slopes = [0.01, -0.0, 1.0, -0.3, 1e-40, 1e-60, 1e300, -1e300];
    trials.extend(trials_of_cases::<F, _, _>(
        way,
        format,
        slopes.map(|negative_slope| Leaky { negative_slope }),
    ));
    trials.extend(trials_of_cases::<F, _, _>(way, format, [SquaredRelu]));
    let lines = [(1.0 / 6.0, 0.5), (0.2, 0.5), (3.0, -1.5), (1e30, 1e30)].map(|(alpha, beta)| Sigmoid { alpha, beta });
    trials.extend(trials_of_cases::<F, _, _>(way, format, lines));
    trials.extend(trials_of_cases::<F, _, _>(way, format, [HardSwish]));
    trials.extend(trials_of_cases::<F, _, _>(
        way,
        format,
        [6.0, 0.1, 0.0, 1e300, f64::INFINITY, tie(11), tie(8)].map(|max| Clipped { max }),
    ));
    let bounds = [
        (-1.0, 1.0),
        (0.3, 2.5),
        (-7.0, -0.3),
        (-0.0, 1.0),
        (-1.0, -0.0),
        (0.0, 0.0),
        (-1e300, f64::INFINITY),
    ];
    trials.extend(trials_of_cases::<F, _, _>(
        way,
        format,
        bounds.map(|(min, max)| Tanh { min, max }),
    ));
    let alphas = [1.0, 0.1, -0.0, -0.3, -1e-60, f64::INFINITY, f64::NEG_INFINITY];
    trials.extend(trials_of_cases::<F, _, _>(
        way,
        format,
        alphas.map(|alpha| Thresholded { alpha }),
    ));
    trials.extend(masks::trials::<F>(way, format));
    trials.extend(rows::trials::<F>(way, format));
    trials
}

/// A little more than half-way between 1 and the next number of a format with so many bits: rounded to an f32 first, it would be
/// just half-way, and go to 1.
fn tie(bits: i32) -> f64 {
    1.0 + power_of_2(-bits) + power_of_2(-40)
}

/// Whether it rounds f16 where `GRID_F16=no_rounding`: Bochs 2.7 rounds ties of VCVTPS2PH away from zero.
fn is_left_out(format: &str, rounds: bool) -> bool {
    rounds && format == "f16" && std::env::var("GRID_F16").is_ok_and(|value| value == "no_rounding")
}

/// Those of a function, each with all its parameters.
fn trials_of_cases<F: Format, C: Case, const N: usize>(way: Way, format: &str, cases: [C; N]) -> Vec<Trial> {
    let mut trials = Vec::new();
    if is_left_out(format, C::ROUNDS) {
        return trials;
    }
    for (method_name, method) in Method::ALL {
        let name = |check: &str| format!("{}::{method_name}::{check}::{format}", C::NAME);
        trials.extend([
            trial(way, &name("every_length"), move |way| {
                cases.iter().for_each(|&case| every_length::<F>(way, case, method))
            }),
            trial(way, &name("every_pattern"), move |way| {
                cases.iter().for_each(|&case| every_pattern::<F>(way, case, method))
            }),
            trial(way, &name("arbitrary"), move |way| arbitrary::<F>(way, &cases, method)),
        ]);
    }
    trials
}

fn trial(way: Way, name: &str, check: impl Fn(Way) + Send + 'static) -> Trial {
    let run = move || {
        check(way);
        Ok(())
    };
    let is_required = matches!(way, Way::Pinned(isa) if required().contains(&isa));
    Trial::test(format!("{way}::{name}"), run).with_ignored_flag(!way.is_available() && !is_required)
}

/// To the nearest number, of two the even one: numbers of the format, what is half-way to the next one, and beside that.
fn bounds_are_rounded<F: Format>() {
    let mut random = fastrand::Rng::with_seed(7);
    for pattern in patterns::<F>() {
        let Some(number) = format::value::<F>(pattern).filter(|number| *number > 0.0 && *number < f64::MAX) else {
            continue;
        };
        let next = format::value::<F>(F::bits(F::wide(pattern) + 1)).filter(|next| next.is_finite());
        let halfway = number + (next.unwrap_or(number) - number) / 2.0;
        for max in [
            number,
            halfway.next_down(),
            halfway,
            halfway.next_up(),
            number * random.f64(),
            number * 1e-9,
        ] {
            let mut x = [format::nearest::<F>(f64::INFINITY)];
            rectify::ClippedRelu::new(max).forward_inplace(bytemuck::cast_slice_mut::<_, F>(&mut x));
            assert!(x[0] == format::nearest::<F>(max), "{max:e}: {:#x}", x[0]);
        }
    }
}

/// A test of what the other tests rely on.
fn self_test(name: &str, test: fn()) -> Trial {
    let run = move || {
        test();
        Ok(())
    };
    Trial::test(format!("grid::{name}"), run)
}

fn main() {
    rectify::set_streaming_threshold(STREAMING_THRESHOLD);
    let required = required();
    let mut trials = vec![
        self_test(
            "patterns_hold_the_special_values",
            format::patterns_hold_the_special_values,
        ),
        self_test("values_and_nearest_numbers", format::values_and_nearest_numbers),
        self_test("bounds_are_rounded", || {
            bounds_are_rounded::<f32>();
            bounds_are_rounded::<f64>();
            #[cfg(feature = "half")]
            bounds_are_rounded::<rectify::f16>();
            #[cfg(feature = "half")]
            bounds_are_rounded::<rectify::bf16>();
        }),
        self_test(
            "a_write_beside_the_values_is_seen",
            guarded::a_write_beside_the_values_is_seen,
        ),
    ];
    trials.extend(trials_of_way(Way::Free));
    for &isa in Isa::ALL {
        let is_available = Trial::test(format!("{isa}::is_available"), move || {
            assert_eq!(Kernels::new(isa)?.isa(), isa);
            Ok(())
        });
        trials.push(is_available.with_ignored_flag(!isa.is_available() && !required.contains(&isa)));
        trials.extend(trials_of_way(Way::Pinned(isa)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
