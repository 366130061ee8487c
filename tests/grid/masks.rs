//! A bit instead of x: the results are those from x itself, and the bits those of the definition.

use libtest_mimic::Trial;

use crate::Setting;
use crate::common::calls::{self, Method::*};
use crate::common::functions::{Case, FUNCTIONS, Function};
use crate::common::guarded::{Guarded, VECTOR_BYTES};
use crate::slices::Data;

/// What is walked at a time, at most.
const BLOCK_BYTES: usize = 8192;

const STALE: u8 = 0x5a;

/// A bit for each element, the first one in the lowest.
fn mask_of(live: &[bool]) -> Vec<u8> {
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
    live.chunks(8).map(byte).collect()
}

/// Of the first elements, `live` of which are live, with misalignments of the elements and of the mask in bytes.
fn check(setting: Setting, case: Case, data: &Data, live: &[bool], [m, n, o]: [usize; 3]) {
    let (format, way) = (setting.format, setting.way());
    let one_bit = case.activation().one_bit().unwrap();
    let bytes = live.len() * format.bytes();
    let (x, g) = (&data.x[..bytes], &data.g[..bytes]);
    let (y, grad) = (data.expected(Forward, bytes), data.expected(Backward, bytes));
    let mut bits = mask_of(live);
    let count = live.iter().filter(|&&live| live).count();
    let stale = vec![STALE; bytes];
    let message = || {
        let (way, len) = (setting.way, live.len());
        format!("{one_bit:?} on {way}: {len} elements, misaligned by {m}, {n} and {o} bytes")
    };

    let new_mask = || Guarded::new(&vec![STALE; bits.len()], o);
    let (input, mut output, mut mask) = (Guarded::new(x, m), Guarded::new(&stale, n), new_mask());
    let inputs = Some(input.bytes());
    let counted = calls::forward_mask(format, way, one_bit, inputs, output.bytes_mut(), mask.bytes_mut());
    assert!(
        output.bytes() == y && mask.bytes() == bits && counted == count,
        "forward_mask, {}",
        message()
    );
    assert!(
        input.bytes() == x && [&input, &output, &mask].iter().all(|slice| slice.is_intact_outside()),
        "{}",
        message()
    );

    let (mut output, mut mask) = (input, new_mask());
    let counted = calls::forward_mask(format, way, one_bit, None, output.bytes_mut(), mask.bytes_mut());
    assert!(
        output.bytes() == y && mask.bytes() == bits && counted == count,
        "forward_mask_inplace, {}",
        message()
    );
    assert!(output.is_intact_outside() && mask.is_intact_outside(), "{}", message());

    // What the unused bits are does not matter.
    let used = live.len() % 8;
    if used != 0 {
        *bits.last_mut().unwrap() |= 0xff << used;
    }
    let (mask, grad_output, mut output) = (Guarded::new(&bits, o), Guarded::new(g, m), Guarded::new(&stale, n));
    let grads = Some(grad_output.bytes());
    calls::backward_mask(format, way, one_bit, mask.bytes(), grads, output.bytes_mut());
    assert!(
        output.bytes() == grad && output.is_intact_outside(),
        "backward_mask, {}",
        message()
    );
    assert!(mask.bytes() == bits && grad_output.bytes() == g, "{}", message());

    let mut output = grad_output;
    calls::backward_mask(format, way, one_bit, mask.bytes(), None, output.bytes_mut());
    assert!(
        output.bytes() == grad && output.is_intact_outside(),
        "backward_mask_inplace, {}",
        message()
    );
}

/// Every length up to four vectors and one, as many with aligned stores, around words of bits, and of several blocks; and every
/// pattern.
fn every_length_and_pattern(setting: Setting, case: Case) {
    let (format, lanes) = (setting.format, setting.lanes());
    let is_live = case.function.live.unwrap();
    let live_of = |x: &[u64]| -> Vec<bool> { x.iter().map(|&x| is_live(format, case.parameters, x)).collect() };

    let around_words = [64, 128, 192, 640, 1280].into_iter().flat_map(|len| len - 2..=len + 2);
    let blocks = [1, 2].map(|blocks| blocks * BLOCK_BYTES / format.bytes());
    let several_blocks = blocks.into_iter().flat_map(|len| [len, len + 1, len + 77]);
    let lengths: Vec<usize> = setting
        .short_lengths()
        .chain(setting.lengths_with_aligned_stores())
        .chain(around_words)
        .chain(several_blocks)
        .collect();
    let max = lengths.iter().copied().max().unwrap_or(0);
    let specials = format.special_patterns();
    let x: Vec<_> = specials.iter().copied().cycle().step_by(7).take(max).collect();
    let data = Data::new(format, case, &x, &format.scattered(max, 5));
    let live = live_of(&x);
    for len in lengths {
        let [m, n] = [len, 3 * len].map(|elements| elements % lanes * format.bytes());
        check(setting, case, &data, &live[..len], [m, n, 5 * len % VECTOR_BYTES]);
        check(setting, case, &data, &live[..len], [0; 3]);
    }

    let x = format.patterns();
    let mut g = x.clone();
    g.rotate_left(x.len() / 3);
    let data = Data::new(format, case, &x, &g);
    check(setting, case, &data, &live_of(&x), [0, format.bytes(), 0]);
}

fn counts_zeros(setting: Setting) {
    let format = setting.format;
    let patterns = format.patterns();
    let bytes = format.to_bytes(patterns.iter().copied());
    for len in (0..300).chain([patterns.len()]) {
        let x = Guarded::new(&bytes[..len * format.bytes()], len % 7 * format.bytes());
        let zeros = patterns[..len]
            .iter()
            .filter(|&&x| format.value(x) == Some(0.0))
            .count();
        let counted = calls::count_zeros(format, setting.way(), x.bytes());
        assert_eq!(counted, zeros, "{len} elements");
    }
}

/// The free functions and the methods of `Kernels` that are named after ReLU are its methods.
fn relu_by_name(setting: Setting, case: Case) {
    let (format, way) = (setting.format, setting.way());
    let relu = case.activation().one_bit().unwrap();
    let x = format.to_bytes(format.patterns());
    let zeros = vec![0; x.len() / format.bytes() / 8];
    for input in [Some(&x[..]), None] {
        let ([mut y, mut expected], [mut mask, mut expected_mask]) =
            ([x.clone(), x.clone()], [zeros.clone(), zeros.clone()]);
        let live = calls::relu_mask(format, way, input, &mut y, &mut mask);
        assert_eq!(
            live,
            calls::forward_mask(format, way, relu, input, &mut expected, &mut expected_mask)
        );
        assert!(y == expected && mask == expected_mask);

        let [mut grad, mut expected] = [x.clone(), x.clone()];
        calls::relu_backward_mask(format, way, &mask, input, &mut grad);
        calls::backward_mask(format, way, relu, &mask, input, &mut expected);
        assert!(grad == expected);
    }
}

pub fn trials(setting: Setting) -> Vec<Trial> {
    let relu = Function::named("relu").default();
    let mut trials = vec![
        setting.trial("count_zeros", counts_zeros),
        setting.trial("relu::mask::by_name", move |setting| relu_by_name(setting, relu)),
    ];
    let with_masks = FUNCTIONS.iter().filter(|function| function.live.is_some());
    for function in with_masks.filter(|function| !setting.is_left_out(function.is_arithmetic())) {
        let case = function.with(function.typical);
        let name = format!("{}::mask", function.name);
        trials.push(setting.trial(&name, move |setting| every_length_and_pattern(setting, case)));
    }
    trials
}
