//! Functions on slices: lengths, alignments, patterns.

use std::sync::{Arc, OnceLock};

use libtest_mimic::Trial;

use crate::common::calls::{self, Method, Method::*};
use crate::common::format::{Format, power_of_2};
use crate::common::functions::{Case, FUNCTIONS, Function};
use crate::common::guarded::{Bytes, Guarded};
use crate::{Setting, is_full, variable};

/// Those that have tests of their own; the others are on them.
const METHODS: [(&str, Method); 4] = [
    ("forward_inplace", ForwardInplace),
    ("forward", Forward),
    ("backward", Backward),
    ("backward_inplace", BackwardInplace),
];

/// Inputs and the expected values, as bytes.
pub struct Data {
    case: Case,
    pub x: Arc<Bytes>,
    pub g: Arc<Bytes>,
    y: Arc<Bytes>,
    grad: Arc<Bytes>,
    /// What it takes to have them again.
    origin: String,
}

impl Data {
    pub fn new(format: Format, case: Case, x: &[u64], g: &[u64]) -> Self {
        let y = x.iter().map(|&x| case.forward(format, x));
        let grad = x.iter().zip(g).map(|(&x, &g)| case.backward(format, x, g));
        Self {
            case,
            x: format.to_bytes(x.iter().copied()).into(),
            g: format.to_bytes(g.iter().copied()).into(),
            y: format.to_bytes(y).into(),
            grad: format.to_bytes(grad).into(),
            origin: String::new(),
        }
    }

    /// Expected of the first elements.
    pub fn expected(&self, method: Method, bytes: usize) -> &[u8] {
        let expected = if method.is_forward() { &self.y } else { &self.grad };
        &expected[..bytes]
    }
}

/// The output of `method` for the first `len` elements, with the three slices misaligned by so many elements.
fn run(setting: Setting, data: &Data, method: Method, len: usize, misalignments: [usize; 3]) -> Vec<u8> {
    let bytes = len * setting.format.bytes();
    let [m, n, o] = misalignments.map(|elements| elements * setting.format.bytes());
    let (x, g) = (Guarded::new(&data.x[..bytes], m), Guarded::new(&data.g[..bytes], n));
    let mut output = match method {
        ForwardInplace => Guarded::new(x.bytes(), m),
        BackwardInplace => Guarded::new(g.bytes(), n),
        _ => Guarded::new(&vec![0x5a; bytes], o),
    };
    let inputs = [x.bytes(), g.bytes()];
    calls::map_any(
        setting.format,
        setting.way(),
        data.case.activation(),
        method,
        inputs,
        output.bytes_mut(),
    );

    for (name, slice) in [("x", &x), ("the gradient", &g), ("the output", &output)] {
        assert!(
            slice.is_intact_outside(),
            "{method:?} wrote beside {name}: {len} elements",
        );
    }
    assert!(x.bytes() == &data.x[..bytes], "{method:?} changed its input");
    assert!(g.bytes() == &data.g[..bytes], "{method:?} changed its gradient");
    output.bytes().to_vec()
}

fn check(setting: Setting, data: &Data, method: Method, len: usize, misalignments: [usize; 3]) {
    let results = run(setting, data, method, len, misalignments);
    let expected = data.expected(method, results.len());
    if results == expected {
        return;
    }
    let format = setting.format;
    let [results, expected, x, g] = [&results, expected, &data.x, &data.g].map(|bytes| format.bits(bytes));
    let i = (0..len).find(|&i| results[i] != expected[i]).unwrap();
    panic!(
        "{:?} {method:?} on {}: {:#x} instead of {:#x} for x = {:#x}, gradient {:#x}; element {i} of {len}, misaligned by \
         {misalignments:?} elements{}",
        data.case.activation(),
        setting.way,
        results[i],
        expected[i],
        x[i],
        g[i],
        data.origin,
    );
}

/// Every length up to four vectors and one, and some longer ones, at every misalignment within a vector of each slice; and
/// every length from the one on where stores are aligned, up to four vectors and one more.
fn every_length_and_misalignment(setting: Setting, case: Case, method: Method) {
    let (format, lanes) = (setting.format, setting.lanes());
    // Of one block of vectors, two, those with aligned stores, and those past `STREAMING_THRESHOLD`.
    let long = [7, 11, 13, 16, 17, 20, 34, 41].map(|vectors| vectors * lanes);
    let [x, g] = [1, 2].map(|seed| format.scattered(42 * lanes, seed));
    let data = Data::new(format, case, &x, &g);
    let longer = long.into_iter().flat_map(|len| [len - 1, len, len + 3]);
    for len in setting.short_lengths().chain(longer) {
        for m in 0..lanes {
            let mixed = [m, (5 * m + 3) % lanes, (7 * m + 1) % lanes];
            for misalignments in [[m, 0, 0], [0, m, 0], [0, 0, m], [m, m, m], mixed] {
                check(setting, &data, method, len, misalignments);
            }
        }
    }
    for len in setting.lengths_with_aligned_stores() {
        check(setting, &data, method, len, [5 * len % lanes, 0, 7 * len % lanes]);
    }
}

/// Slices full of each special value, of every length up to four vectors and one, and as many with aligned stores: in each
/// kind of tail chunk.
fn every_length_of_special_values(setting: Setting, case: Case, method: Method) {
    let format = setting.format;
    let max = setting.lengths_with_aligned_stores().last().unwrap_or(0);
    let g = format.scattered(max, 3);
    for special in format.special_patterns() {
        let data = Data::new(format, case, &vec![special; max], &g);
        for len in setting.short_lengths().chain(setting.lengths_with_aligned_stores()) {
            check(setting, &data, method, len, [0; 3]);
        }
    }
}

/// Every length up to four vectors and one, as many with aligned stores, and two past `STREAMING_THRESHOLD`, at a misalignment
/// each.
fn every_length(setting: Setting, case: Case, method: Method) {
    let (format, lanes) = (setting.format, setting.lanes());
    let long = [34 * lanes + 3, 41 * lanes - 1];
    let max = 41 * lanes;
    let special_values = format.special_patterns();
    let x: Vec<_> = special_values.iter().copied().cycle().step_by(7).take(max).collect();
    let data = Data::new(format, case, &x, &format.scattered(max, 4));
    let lengths = setting.short_lengths().chain(setting.lengths_with_aligned_stores());
    // Odd, so that it has every length beyond whole vectors.
    let stride = if case.function.is_walked_as_sigmoid() && !is_full() {
        3
    } else {
        1
    };
    for len in lengths.step_by(stride).chain(long) {
        let misalignments = [len % lanes, 3 * len % lanes, 5 * len % lanes];
        check(setting, &data, method, len, misalignments);
    }
}

/// Every pattern of the format as x, forward and, with three gradients each and those that make NaNs or are NaNs, backward: for each of
/// the function's parameters. The same for all instruction sets, so that the references have it once.
pub struct Patterns {
    format: Format,
    function: &'static Function,
    forward: OnceLock<Vec<Data>>,
    backward: OnceLock<Vec<Data>>,
}

impl Patterns {
    fn data(&self, method: Method) -> &[Data] {
        if method.is_forward() {
            self.forward.get_or_init(|| self.forward())
        } else {
            self.backward.get_or_init(|| self.backward())
        }
    }

    fn x(&self) -> Vec<u64> {
        self.format
            .patterns()
            .into_iter()
            .step_by(pattern_stride(self.format, self.function))
            .collect()
    }

    fn forward(&self) -> Vec<Data> {
        let x = self.x();
        let x_bytes: Arc<Bytes> = self.format.to_bytes(x.iter().copied()).into();
        let data = |case: Case| {
            let y = x.iter().map(|&x| case.forward(self.format, x));
            Data {
                case,
                x: x_bytes.clone(),
                g: x_bytes.clone(),
                y: self.format.to_bytes(y).into(),
                grad: Arc::new(Bytes::filled(0, 0)),
                origin: String::new(),
            }
        };
        self.function.cases().map(data).collect()
    }

    fn backward(&self) -> Vec<Data> {
        let (format, x) = (self.format, self.x());
        let rotated = [0, 1, x.len() / 3].map(|shift| {
            let mut g = x.clone();
            g.rotate_left(shift);
            g
        });
        let same = [format.infinity(), 0, format.infinity() + 1].map(|g| vec![g; x.len()]);
        let gradients: Vec<(Arc<Bytes>, Vec<u64>)> = rotated
            .into_iter()
            .chain(same)
            .map(|g| (format.to_bytes(g.iter().copied()).into(), g))
            .collect();
        let x_bytes: Arc<Bytes> = format.to_bytes(x.iter().copied()).into();
        let (x, x_bytes, gradients) = (&x, &x_bytes, &gradients);
        let data = |case: Case| {
            gradients.iter().map(move |(g_bytes, g)| {
                let grad = x.iter().zip(g).map(|(&x, &g)| case.backward(format, x, g));
                Data {
                    case,
                    x: x_bytes.clone(),
                    g: g_bytes.clone(),
                    y: Arc::new(Bytes::filled(0, 0)),
                    grad: format.to_bytes(grad).into(),
                    origin: String::new(),
                }
            })
        };
        self.function.cases().flat_map(data).collect()
    }
}

/// Those of all formats and functions.
pub struct AllPatterns(Vec<Arc<Patterns>>);

impl AllPatterns {
    pub fn new() -> Self {
        let of_format = |&format| {
            FUNCTIONS.iter().map(move |function| {
                Arc::new(Patterns {
                    format,
                    function,
                    forward: OnceLock::new(),
                    backward: OnceLock::new(),
                })
            })
        };
        Self(Format::ALL.iter().flat_map(of_format).collect())
    }

    fn of(&self, format: Format, function: &Function) -> Arc<Patterns> {
        let is_it = |patterns: &&Arc<Patterns>| patterns.format == format && patterns.function.name == function.name;
        self.0.iter().find(is_it).unwrap().clone()
    }
}

fn every_pattern(setting: Setting, patterns: &Patterns, method: Method) {
    for data in patterns.data(method) {
        let len = data.x.len() / setting.format.bytes();
        check(setting, data, method, len, [0; 3]);
    }
}

/// One of so many patterns is taken: by default all when the grid is full. Odd, so that all low bits are met.
fn pattern_stride(format: Format, function: &Function) -> usize {
    if format.width() == 16
        && let Some(stride) = variable("GRID_STRIDE")
    {
        return stride;
    }
    match format.width() {
        _ if is_full() => 1,
        // Some 1,500.
        _ if function.is_smooth() => (format.patterns().len() / 1500) | 1,
        16 => 7,
        _ => 1,
    }
}

/// Any parameters, bits, lengths and misalignments: `GRID_CASES` times, others each time, or those from `GRID_SEED`, which a failure
/// states.
fn arbitrary(setting: Setting, function: &'static Function, method: Method) {
    let seed = variable("GRID_SEED").unwrap_or_else(|| fastrand::u64(..));
    let mut random = fastrand::Rng::with_seed(seed);
    let (format, lanes) = (setting.format, setting.lanes());
    let cases = match () {
        () if is_full() => 256,
        () if function.is_smooth() => 16,
        () => 64,
    };
    for _ in 0..variable("GRID_CASES").unwrap_or(cases) {
        let parameters = if random.bool() {
            *random.choice(function.parameters).unwrap()
        } else {
            (function.valid)([any_parameter(&mut random), any_parameter(&mut random)])
        };
        let len = random.usize(0..300);
        let [x, g] = [(); 2].map(|()| (0..len).map(|_| format.truncate(random.u64(..))).collect::<Vec<_>>());
        let misalignments = [(); 3].map(|()| random.usize(0..lanes));
        let mut data = Data::new(format, function.with(parameters), &x, &g);
        data.origin = format!(", GRID_SEED={seed}");
        check(setting, &data, method, len, misalignments);
    }
}

/// Any one but NaN; or a short one and a little, for a tie between numbers of a narrower format and what is next to it; or one next to the
/// least normal number of `f32` or `f64`, whose products are subnormal.
fn any_parameter(random: &mut fastrand::Rng) -> f64 {
    let number = match random.u8(0..8) {
        0..4 => f64::from_bits(random.u64(..)),
        4..6 => f64::from(random.i16(..)) / 256.0 + f64::from(random.i16(..)) * power_of_2(-50),
        of => {
            let number = f64::from(random.i32(..)) * (1.0 + random.f64()) * power_of_2(random.i32(-50..30));
            number * power_of_2([-126, -1022][of as usize - 6])
        }
    };
    if number.is_nan() { 0.0 } else { number }
}

/// In place and out of place give the same; backward may be given forward's output for its input.
fn agreement(setting: Setting, case: Case) {
    let format = setting.format;
    let patterns = format.patterns();
    let g: Vec<u64> = patterns.iter().rev().copied().collect();
    let run = |method, x: &[u64]| {
        let data = Data::new(format, case, x, &g);
        format.bits(&run(setting, &data, method, x.len(), [0; 3]))
    };

    let y = run(Forward, &patterns);
    assert!(run(ForwardInplace, &patterns) == y);
    assert!(run(ForwardInplace, &y) == y, "relu is idempotent");

    let grad_input = run(Backward, &patterns);
    assert!(run(Backward, &y) == grad_input);
    assert!(run(BackwardInplace, &patterns) == grad_input);
    assert!(run(BackwardInplace, &y) == grad_input);
}

/// The free functions and the methods of `Kernels` that are named after ReLU are its methods.
fn relu_by_name(setting: Setting, case: Case) {
    let (format, way) = (setting.format, setting.way());
    let patterns = format.patterns();
    let x = format.to_bytes(patterns.iter().copied());
    let g = format.to_bytes(patterns.iter().rev().copied());
    for (name, method) in METHODS {
        let before = if method == ForwardInplace { &x } else { &g };
        let [mut output, mut expected] = [before.clone(), before.clone()];
        calls::relu(format, way, method, [&x, &g], &mut output);
        calls::map(format, way, case.activation(), method, [&x, &g], &mut expected);
        assert!(output == expected, "{name}");
    }
}

/// Of ReLU all of them, since the others are walked in the same way.
pub fn trials(setting: Setting, patterns: &AllPatterns) -> Vec<Trial> {
    let relu = Function::named("relu").default();
    let mut trials = vec![
        setting.trial("relu::agreement", move |setting| agreement(setting, relu)),
        setting.trial("relu::by_name", move |setting| relu_by_name(setting, relu)),
    ];
    for (method_name, method) in METHODS {
        let name = |check: &str| format!("relu::{method_name}::{check}");
        trials.extend([
            setting.trial(&name("every_length_and_misalignment"), move |setting| {
                every_length_and_misalignment(setting, relu, method);
            }),
            setting.trial(&name("every_length_of_special_values"), move |setting| {
                every_length_of_special_values(setting, relu, method);
            }),
        ]);
    }
    for function in FUNCTIONS {
        if setting.is_left_out(function.is_arithmetic()) {
            continue;
        }
        for (method_name, method) in METHODS {
            let name = |check: &str| format!("{}::{method_name}::{check}", function.name);
            let patterns = patterns.of(setting.format, function);
            trials.extend([
                setting.trial(&name("every_length"), move |setting| {
                    function.cases().for_each(|case| every_length(setting, case, method));
                }),
                setting.trial(&name("every_pattern"), move |setting| {
                    every_pattern(setting, &patterns, method);
                }),
                setting.trial(&name("arbitrary"), move |setting| arbitrary(setting, function, method)),
            ]);
        }
    }
    trials
}
