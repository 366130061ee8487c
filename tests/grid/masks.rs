//! A bit instead of x: the results are those from x itself, and the bits those of the definition.

use libtest_mimic::Trial;
use rectify::{ClippedRelu, Hardtanh, Kernels, LeakyRelu, OneBitGradient, Relu, ThresholdedRelu};

use crate::format::{Format, patterns, scattered, special_patterns, value};
use crate::guarded::{Guarded, VECTOR_BYTES};
use crate::reference::{Case, Clipped, Leaky, Tanh, Thresholded};
use crate::{Way, call, is_left_out, lengths_with_aligned_stores, trial};

/// A function whose gradient needs one bit.
trait OneBit: Case {
    /// Its gradient is g where x is live, else +0.0.
    type Select: Case;

    fn one_bit(self) -> impl OneBitGradient;

    fn select(self) -> Self::Select;
}

macro_rules! one_bit {
    ($case:ident: $one_bit:expr, live where the gradient of $select:ident passes: $as_select:expr) => {
        impl OneBit for $case {
            type Select = $select;

            fn one_bit(self) -> impl OneBitGradient {
                let one_bit: fn(Self) -> _ = $one_bit;
                one_bit(self)
            }

            fn select(self) -> $select {
                let select: fn(Self) -> _ = $as_select;
                select(self)
            }
        }
    };
}

one_bit!(Relu: |relu| relu, live where the gradient of Relu passes: |relu| relu);
one_bit!(Leaky: |leaky| LeakyRelu::new(leaky.negative_slope), live where the gradient of Relu passes: |_| Relu);
one_bit!(Clipped: |clipped| ClippedRelu::new(clipped.max), live where the gradient of Clipped passes: |clipped| clipped);
one_bit!(Tanh: |tanh| Hardtanh::new(tanh.min, tanh.max), live where the gradient of Tanh passes: |tanh| tanh);
one_bit!(
    Thresholded: |thresholded| ThresholdedRelu::new(thresholded.alpha),
    live where the gradient of Thresholded passes: |thresholded| thresholded
);

const STALE: u8 = 0x5a;

fn check<F: Format>(way: Way, case: impl OneBit, x: &[F::Bits], g: &[F::Bits], [m, n, o]: [usize; 3]) {
    let one_bit = case.one_bit();
    let reference = case.reference::<F>();
    let select = case.select().reference::<F>();
    let one = F::bits(1);
    let live: Vec<bool> = x.iter().map(|&x| (select.backward)(x, one) == one).collect();
    let mut bits = vec![0; x.len().div_ceil(8)];
    for (i, _) in live.iter().enumerate().filter(|(_, live)| **live) {
        bits[i / 8] |= 1 << (i % 8);
    }
    let live = live.into_iter().filter(|&live| live).count();
    let y: Vec<F::Bits> = x.iter().map(|&x| (reference.forward)(x)).collect();
    let grad: Vec<F::Bits> = x.iter().zip(g).map(|(&x, &g)| (reference.backward)(x, g)).collect();
    let stale = vec![F::bits(0x5a5a_5a5a_5a5a_5a5a); x.len()];
    let message = format!(
        "{one_bit:?} on {way}: {} elements, misaligned by {m}, {n} and {o}",
        x.len()
    );

    let new_mask = || Guarded::new(&vec![STALE; bits.len()], o);
    let (input, mut output, mut mask) = (Guarded::new(x, m), Guarded::new(&stale, n), new_mask());
    let counted = call!(
        way,
        one_bit,
        forward_mask(input.elements::<F>(), output.elements_mut(), mask.elements_mut())
    );
    assert!(
        output.values() == y && mask.values() == bits && counted == live,
        "forward_mask, {message}"
    );
    assert!(
        input.values() == x && [&input, &output].iter().all(|slice| slice.is_intact_outside()),
        "{message}"
    );
    assert!(mask.is_intact_outside(), "{message}");

    let (mut x, mut mask) = (Guarded::new(x, m), new_mask());
    let counted = call!(
        way,
        one_bit,
        forward_mask_inplace(x.elements_mut::<F>(), mask.elements_mut())
    );
    assert!(
        x.values() == y && mask.values() == bits && counted == live,
        "forward_mask_inplace, {message}"
    );
    assert!(x.is_intact_outside() && mask.is_intact_outside(), "{message}");

    // What the unused bits are does not matter.
    let used = x.values().len() % 8;
    if used != 0 {
        *bits.last_mut().unwrap() |= 0xff << used;
    }
    let (mask, grad_output, mut output) = (Guarded::new(&bits, o), Guarded::new(g, m), Guarded::new(&stale, n));
    call!(
        way,
        one_bit,
        backward_mask(mask.elements(), grad_output.elements::<F>(), output.elements_mut())
    );
    assert!(
        output.values() == grad && output.is_intact_outside(),
        "backward_mask, {message}"
    );
    assert!(mask.values() == bits && grad_output.values() == g, "{message}");

    let mut g = grad_output;
    call!(
        way,
        one_bit,
        backward_mask_inplace(mask.elements(), g.elements_mut::<F>())
    );
    assert!(
        g.values() == grad && g.is_intact_outside(),
        "backward_mask_inplace, {message}"
    );
}

/// Every length up to four vectors and one, as many with aligned stores, and around words of bits; and every pattern.
fn every_length_and_pattern<F: Format>(way: Way, case: impl OneBit) {
    let lanes = VECTOR_BYTES / size_of::<F>();
    let around_words = [64, 128, 192, 640, 1280].into_iter().flat_map(|len| len - 2..=len + 2);
    let lengths: Vec<usize> = (0..=4 * lanes + 1)
        .chain(lengths_with_aligned_stores::<F>())
        .chain(around_words)
        .collect();
    let max = lengths.iter().copied().max().unwrap_or(0);
    let specials = special_patterns::<F>();
    let x: Vec<_> = specials.iter().copied().cycle().step_by(7).take(max).collect();
    let g = scattered::<F>(max, 5);
    for len in lengths {
        let misalignments = [len % lanes, 3 * len % lanes, 5 * len % VECTOR_BYTES];
        check::<F>(way, case, &x[..len], &g[..len], misalignments);
        check::<F>(way, case, &x[..len], &g[..len], [0, 0, 0]);
    }
    let x = patterns::<F>();
    let mut g = x.clone();
    g.rotate_left(x.len() / 3);
    check::<F>(way, case, &x, &g, [0, 1, 0]);
}

fn counts_zeros<F: Format>(way: Way) {
    let patterns = patterns::<F>();
    for len in (0..300).chain([patterns.len()]) {
        let x = Guarded::new(&patterns[..len], len % 7);
        let zeros = x.values().iter().filter(|&&x| value::<F>(x) == Some(0.0)).count();
        let counted = match way {
            Way::Free => rectify::count_zeros(x.elements::<F>()),
            Way::Pinned(isa) => Kernels::new(isa).unwrap().count_zeros(x.elements::<F>()),
        };
        assert_eq!(counted, zeros, "{len} elements");
    }
}

/// The free functions and the methods of `Kernels` that are named after ReLU are its methods.
fn relu_by_name<F: Format>(way: Way) {
    let x: Vec<F> = bytemuck::cast_slice(&patterns::<F>()).to_vec();
    let bits = |x: &[F]| bytemuck::cast_slice::<F, u8>(x).to_vec();
    macro_rules! relu {
        ($function:ident($($argument:expr),+)) => {
            match way {
                Way::Free => rectify::$function($($argument),+),
                Way::Pinned(isa) => Kernels::new(isa).unwrap().$function($($argument),+),
            }
        };
    }
    let (mut y, mut mask) = (x.clone(), vec![0; x.len().div_ceil(8)]);
    let live = Relu.forward_mask_inplace(&mut y, &mut mask);
    let mut grad = x.clone();
    Relu.backward_mask_inplace(&mask, &mut grad);

    let (mut output, mut output_mask) = (x.clone(), vec![0; mask.len()]);
    assert_eq!(relu!(relu_mask_inplace(&mut output, &mut output_mask)), live);
    assert!(bits(&output) == bits(&y) && output_mask == mask);
    let (mut output, mut output_mask) = (x.clone(), vec![0; mask.len()]);
    assert_eq!(relu!(relu_mask(&x, &mut output, &mut output_mask)), live);
    assert!(bits(&output) == bits(&y) && output_mask == mask);
    let mut output = y.clone();
    relu!(relu_backward_mask(&mask, &x, &mut output));
    assert!(bits(&output) == bits(&grad));
    let mut output = x.clone();
    relu!(relu_backward_mask_inplace(&mask, &mut output));
    assert!(bits(&output) == bits(&grad));
}

pub fn trials<F: Format>(way: Way, format: &str) -> Vec<Trial> {
    let mut trials = vec![
        trial(way, &format!("count_zeros::{format}"), counts_zeros::<F>),
        trial(way, &format!("relu::mask::by_name::{format}"), relu_by_name::<F>),
    ];
    trials.extend(trials_of_case::<F, _>(way, format, Relu));
    trials.extend(trials_of_case::<F, _>(way, format, Leaky { negative_slope: -0.3 }));
    trials.extend(trials_of_case::<F, _>(way, format, Clipped { max: 6.0 }));
    trials.extend(trials_of_case::<F, _>(way, format, Tanh { min: -1.5, max: 0.75 }));
    trials.extend(trials_of_case::<F, _>(way, format, Thresholded { alpha: -0.5 }));
    trials
}

fn trials_of_case<F: Format, C: OneBit>(way: Way, format: &str, case: C) -> Option<Trial> {
    let name = format!("{}::mask::{format}", C::NAME);
    (!is_left_out(format, C::ROUNDS)).then(|| trial(way, &name, move |way| every_length_and_pattern::<F>(way, case)))
}
