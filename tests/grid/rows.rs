//! Functions on rows of matrices: sums before a function, sums of its gradient, and the functions that are defined on several tensors.

use libtest_mimic::Trial;
use rectify::Channels;

use crate::common::calls::{self, Before, ChannelNumbers};
use crate::common::format::Format;
use crate::common::functions::{Case, FUNCTIONS};
use crate::common::guarded::Bytes;
use crate::common::tensor::{Shape, Tensor};
use crate::{Setting, is_full};

/// Shapes with fewer and more columns than a vector of any width, with blocks, and with more of each than is summed at a time.
fn shapes() -> Vec<Shape> {
    let columns = [1, 2, 3, 5, 8, 16, 17, 31, 33, 64, 65, 100, 129, 200, 257];
    let mut shapes: Vec<Shape> = columns
        .iter()
        .enumerate()
        .map(|(i, &columns)| Shape {
            rows: [6, 4, 12, 2, 10][i % 5],
            columns,
            gap: [0, 3, 0, 1, 16][i % 5],
            misalignment: [0, 1, 5, 0][i % 4],
        })
        .collect();
    let more = [
        (0, 7, 0),
        (4, 0, 0),
        (2, 1100, 0),
        (2, 8300, 5),
        (522, 3, 0),
        (520, 16, 0),
        (2, 4224, 0),
        // Channels first whose images have more than a tile: of one element, of some, and of so many that they are just short.
        (2100, 1, 0),
        (1060, 2, 1),
        (702, 3, 0),
        (220, 15, 2),
        (150, 15, 0),
        (70, 31, 1),
        (68, 40, 0),
        // Strided rows of all sizes that are copied.
        (40, 1, 3),
        (50, 7, 1),
        (36, 8, 1),
        (44, 9, 5),
        (34, 16, 3),
    ];
    shapes.extend(more.map(|(rows, columns, gap)| Shape {
        rows,
        columns,
        gap,
        misalignment: 0,
    }));
    shapes
}

/// Some of them, for functions that are walked as ReLU is, or one of the others.
fn some_shapes() -> Vec<Shape> {
    shapes().into_iter().skip(1).step_by(4).collect()
}

/// Strided ones, with fewer columns than a vector and with more.
fn two_shapes() -> Vec<Shape> {
    shapes().into_iter().skip(9).step_by(24).collect()
}

/// Special values among others.
pub fn values(format: Format, len: usize, seed: u64) -> Vec<u64> {
    let specials = format.special_patterns();
    let mut random = fastrand::Rng::with_seed(seed);
    let numbers = format.scattered(len, seed);
    let few: Vec<_> = (0..len).map(|_| format.nearest(random.f64() * 8.0 - 4.0)).collect();
    (0..len)
        .map(|i| match random.u8(..) {
            0..16 => specials[random.usize(..specials.len())],
            16..64 => numbers[i],
            _ => few[i],
        })
        .collect()
}

/// The arithmetic of the definitions.
trait Arithmetic: Copy {
    /// The bits of a number that was computed: of a NaN the canonical quiet one.
    fn computed(self, number: f64) -> u64;
    fn is_zero(self, bits: u64) -> bool;
    fn passes(self, x: u64) -> bool;
    fn negated(self, x: u64) -> u64;
    fn number(self, bits: u64) -> f64;
    fn sum(self, a: f64, b: f64) -> f64;
    fn product(self, a: f64, b: f64) -> f64;
}

impl Arithmetic for Format {
    fn computed(self, number: f64) -> u64 {
        if number.is_nan() {
            self.quiet(self.infinity())
        } else {
            self.nearest(number)
        }
    }

    fn is_zero(self, bits: u64) -> bool {
        self.value(bits) == Some(0.0)
    }

    fn passes(self, x: u64) -> bool {
        self.value(x).is_none_or(|x| x > 0.0)
    }

    fn negated(self, x: u64) -> u64 {
        x ^ self.sign()
    }

    fn number(self, bits: u64) -> f64 {
        self.value(bits).unwrap_or(f64::NAN)
    }

    fn sum(self, a: f64, b: f64) -> f64 {
        self.in_compute_format(a + b)
    }

    fn product(self, a: f64, b: f64) -> f64 {
        self.in_compute_format(a * b)
    }
}

/// How channels lie in a matrix, and their number.
type Layout = (Channels, usize);

/// Those that a matrix of that shape may have.
fn layouts(shape: Shape) -> Vec<Layout> {
    let first = Channels::First { spatial: shape.columns };
    let mut layouts = vec![(Channels::Last, shape.columns), (first, shape.rows.max(1))];
    if shape.rows.is_multiple_of(2) {
        layouts.push((first, shape.rows.max(2) / 2));
    }
    // More images than are summed at a time.
    if shape.rows.is_multiple_of(2) && shape.rows > 2 * 256 {
        layouts.push((first, 2));
    }
    layouts
}

/// That of the element at `i`.
fn channel(shape: Shape, (channels, count): Layout, i: usize) -> usize {
    match channels {
        Channels::Last => i % shape.columns,
        Channels::First { .. } => i / shape.columns % count,
    }
}

/// The sums of each channel, in the order that the documentation states.
fn sums(format: Format, shape: Shape, (channels, count): Layout, values: &[f64]) -> Bytes {
    let total = |numbers: &mut dyn Iterator<Item = f64>| numbers.fold(0.0, |a, b| format.sum(a, b));
    let by_256 = |numbers: &[f64]| total(&mut numbers.chunks(256).map(|block| total(&mut block.iter().copied())));
    let totals: Vec<f64> = match channels {
        Channels::Last => (0..count)
            .map(|column| by_256(&strided(values, column, shape.columns)))
            .collect(),
        // Elements at the same place of a channel's images, and then the places.
        Channels::First { spatial } if spatial < lanes(format) => (0..count)
            .map(|channel| {
                let places = channel * spatial..(channel + 1) * spatial;
                let places = places.map(|place| by_256(&strided(values, place, count * spatial)));
                sum_by_lanes(format, 4, &places.collect::<Vec<_>>())
            })
            .collect(),
        Channels::First { .. } => (0..count)
            .map(|channel| {
                let images = (channel..shape.rows).step_by(count);
                total(&mut images.map(|row| {
                    let stretches = values[row * shape.columns..][..shape.columns].chunks(256 * lanes(format));
                    total(&mut stretches.map(|stretch| sum_by_lanes(format, lanes(format), stretch)))
                }))
            })
            .collect(),
    };
    let sums = format.sums();
    sums.to_bytes(totals.into_iter().map(|total| sums.computed(total)))
}

/// Those at `first` and every `stride` after it.
fn strided(values: &[f64], first: usize, stride: usize) -> Vec<f64> {
    values.iter().copied().skip(first).step_by(stride).collect()
}

fn lanes(format: Format) -> usize {
    if format == Format::F64 { 16 } else { 32 }
}

/// By `count` accumulators: the second half of them is added to the first half, until one is left.
fn sum_by_lanes(format: Format, count: usize, numbers: &[f64]) -> f64 {
    let mut lanes = vec![0.0; count];
    for (i, &number) in numbers.iter().enumerate() {
        lanes[i % count] = format.sum(lanes[i % count], number);
    }
    while lanes.len() > 1 {
        let upper = lanes.split_off(lanes.len() / 2);
        for (lane, upper) in lanes.iter_mut().zip(upper) {
            *lane = format.sum(*lane, upper);
        }
    }
    lanes[0]
}

const STALE: u8 = 0x5a;

/// Tensors of a format and shape.
#[derive(Clone, Copy)]
struct Tensors {
    format: Format,
    shape: Shape,
}

impl Tensors {
    fn with(self, bits: &[u64]) -> Tensor {
        let bytes = self.format.to_bytes(bits.iter().copied());
        Tensor::new(self.format.bytes(), &bytes, self.shape)
    }

    /// Aligned otherwise than the others, for a second output.
    fn misaligned(self) -> Self {
        let misalignment = self.shape.misalignment + 1;
        Self {
            shape: Shape {
                misalignment,
                ..self.shape
            },
            ..self
        }
    }

    fn values(self, seed: u64) -> Vec<u64> {
        values(self.format, self.shape.elements(), seed)
    }

    #[track_caller]
    fn assert(self, output: &Tensor, expected: &[u64], message: &dyn Fn() -> String) {
        let is_expected = output.values() == *self.format.to_bytes(expected.iter().copied());
        assert!(is_expected, "{} with {:?}", message(), self.shape);
    }

    /// `gradients`, with others for those whose summands are so large that others don't show beside them in a sum; in one of the shapes
    /// anything will do.
    fn summable(self, gradients: Vec<u64>, summand: impl Fn(usize, u64) -> Option<u64>) -> Vec<u64> {
        let is_summable = |bits| self.format.value(bits).is_some_and(|number| number.abs() < 8.0);
        let keep_summable = |(i, g)| match summand(i, g) {
            Some(summand) if self.shape.columns != 33 && !is_summable(summand) => self.format.nearest(1.25),
            _ => g,
        };
        gradients.into_iter().enumerate().map(keep_summable).collect()
    }
}

/// The format of the numbers of channels, if there are some.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Numbers {
    None,
    Elements,
    Sums,
}

/// What comes before the function.
#[derive(Clone, Copy, Debug)]
struct Kind {
    scale: Numbers,
    bias: Numbers,
    has_residual: bool,
}

impl Kind {
    /// With a bias of the elements' format or none, with and without a residual.
    fn unscaled() -> Vec<Self> {
        let all = Self::all().into_iter();
        all.filter(|kind| kind.scale == Numbers::None && kind.bias != Numbers::Sums)
            .collect()
    }

    fn all() -> Vec<Self> {
        let numbers = [Numbers::None, Numbers::Elements, Numbers::Sums];
        let of_scale = |scale| {
            numbers.map(|bias| {
                [false, true].map(|has_residual| Self {
                    scale,
                    bias,
                    has_residual,
                })
            })
        };
        numbers.into_iter().flat_map(of_scale).flatten().collect()
    }

    fn has_channels(self) -> bool {
        [self.scale, self.bias] != [Numbers::None; 2]
    }
}

/// A number for each channel.
struct OfChannels {
    format: Format,
    bits: Vec<u64>,
    bytes: Bytes,
}

impl OfChannels {
    fn new(format: Format, numbers: Numbers, count: usize, seed: u64) -> Option<Self> {
        let format = match numbers {
            Numbers::None => return None,
            Numbers::Elements => format,
            Numbers::Sums => format.sums(),
        };
        let bits = values(format, count, seed);
        let bytes = format.to_bytes(bits.iter().copied());
        Some(Self { format, bits, bytes })
    }

    fn number(&self, channel: usize) -> f64 {
        self.format.number(self.bits[channel])
    }

    fn argument(&self, channels: Channels, numbers: Numbers) -> ChannelNumbers<'_> {
        ChannelNumbers {
            bytes: &self.bytes,
            channels,
            are_sums: numbers == Numbers::Sums,
        }
    }
}

/// Every shape with every layout of channels, in place or not.
fn forward(setting: Setting, case: Case, shapes: Vec<Shape>, kinds: Vec<Kind>) {
    let (format, way, f) = (setting.format, setting.way(), case.activation());
    for shape in shapes {
        let tensors = Tensors { format, shape };
        let [x, residual] = [1, 2].map(|seed| tensors.values(seed));
        let [input, residual_tensor] = [&x, &residual].map(|values| tensors.with(values));
        let layouts = layouts(shape);
        for kind in &kinds {
            for &layout in &layouts[..if kind.has_channels() { layouts.len() } else { 1 }] {
                let (channels, count) = layout;
                let scale = OfChannels::new(format, kind.scale, count, 15);
                let bias = OfChannels::new(format, kind.bias, count, 3);
                let expected: Vec<u64> = (0..x.len())
                    .map(|i| {
                        let mut z = format.number(x[i]);
                        let channel = channel(shape, layout, i);
                        if let Some(scale) = &scale {
                            z = format.product(z, scale.number(channel));
                        }
                        if let Some(bias) = &bias {
                            z = format.sum(z, bias.number(channel));
                        }
                        if kind.has_residual {
                            z = format.sum(z, format.number(residual[i]));
                        }
                        let is_computed = kind.has_channels() || kind.has_residual;
                        case.forward(format, if is_computed { format.computed(z) } else { x[i] })
                    })
                    .collect();
                let before = Before {
                    scale: scale.as_ref().map(|scale| scale.argument(channels, kind.scale)),
                    bias: bias.as_ref().map(|bias| bias.argument(channels, kind.bias)),
                    residual: kind.has_residual.then(|| residual_tensor.view()),
                };
                let message = || format!("{f:?} with {kind:?}, {channels:?}");

                let mut output = tensors.with(&residual);
                calls::fused_forward(format, way, f, before, Some(input.view()), output.view_mut());
                tensors.assert(&output, &expected, &|| format!("forward, {}", message()));
                let mut output = tensors.with(&x);
                calls::fused_forward(format, way, f, before, None, output.view_mut());
                tensors.assert(&output, &expected, &|| format!("forward_inplace, {}", message()));
            }
        }
        tensors.assert(&input, &x, &|| "the input".into());
        tensors.assert(&residual_tensor, &residual, &|| "the residual".into());
    }
}

/// Every shape, with and without the gradient of every bias, in place or not.
fn backward(setting: Setting, case: Case, shapes: Vec<Shape>, scales: &[Numbers]) {
    let (format, way, f) = (setting.format, setting.way(), case.activation());
    for shape in shapes {
        let tensors = Tensors { format, shape };
        let x = tensors.values(4);
        let g = tensors.summable(tensors.values(5), |i, g| Some(case.backward(format, x[i], g)));
        let unscaled: Vec<u64> = x.iter().zip(&g).map(|(&x, &g)| case.backward(format, x, g)).collect();
        let numbers: Vec<f64> = unscaled.iter().map(|&grad| format.number(grad)).collect();
        let [input, grad_output] = [&x, &g].map(|values| tensors.with(values));
        let grads = (input.view(), Some(grad_output.view()));
        let inplace = (input.view(), None);

        for layout in layouts(shape) {
            let (channels, count) = layout;
            let expected_sums = sums(format, shape, layout, &numbers);
            let stale = Bytes::filled(STALE, count * format.sums().bytes());
            for &kind in scales {
                let scale = OfChannels::new(format, kind, count, 16);
                let scaled = |(i, &grad): (usize, &u64)| match &scale {
                    None => grad,
                    Some(scale) => {
                        let scale = scale.number(channel(shape, layout, i));
                        format.computed(format.product(format.number(grad), scale))
                    }
                };
                let expected: Vec<u64> = unscaled.iter().enumerate().map(scaled).collect();
                let scale = scale.as_ref().map(|scale| scale.argument(channels, kind));
                for (name, before, inputs) in [("backward", &x, grads), ("backward_inplace", &g, inplace)] {
                    let message = || format!("{name} of {f:?}, {channels:?}, scale: {kind:?}");
                    let mut output = tensors.with(before);
                    calls::fused_backward(format, way, f, scale, inputs, output.view_mut(), None);
                    tensors.assert(&output, &expected, &message);

                    let (mut output, mut sums) = (tensors.with(before), stale.clone());
                    let to = Some((&mut sums[..], channels));
                    calls::fused_backward(format, way, f, scale, inputs, output.view_mut(), to);
                    tensors.assert(&output, &expected, &|| format!("with sums, {}", message()));
                    assert!(sums == expected_sums, "the sums of {} with {shape:?}", message());
                }
            }
        }
        tensors.assert(&input, &x, &|| "the input".into());
        tensors.assert(&grad_output, &g, &|| "the gradient".into());
    }
}

fn prelu(setting: Setting) {
    let (format, way) = (setting.format, setting.way());
    let value_of = |x: u64, value: u64, slope: u64| {
        if format.passes(x) {
            value
        } else if format.is_zero(slope) {
            0
        } else {
            format.computed(format.product(format.number(value), format.number(slope)))
        }
    };
    for shape in shapes() {
        let tensors = Tensors { format, shape };
        let x = tensors.values(6);
        // Where x passes, g is not summed, whatever it is.
        let g = tensors.summable(tensors.values(7), |i, g| (!format.passes(x[i])).then_some(g));
        let [input, grad_output] = [&x, &g].map(|values| tensors.with(values));
        for layout in layouts(shape) {
            let (channels, count) = layout;
            let slopes = values(format, count, 8);
            let slope = |i| slopes[channel(shape, layout, i)];
            let y: Vec<u64> = (0..x.len()).map(|i| value_of(x[i], x[i], slope(i))).collect();
            let grad: Vec<u64> = (0..x.len()).map(|i| value_of(x[i], g[i], slope(i))).collect();
            let summand = |i: usize| {
                if format.passes(x[i]) {
                    0.0
                } else {
                    format.product(format.number(x[i]), format.number(g[i]))
                }
            };
            let summands: Vec<f64> = (0..x.len()).map(summand).collect();
            let expected_sums = sums(format, shape, layout, &summands);
            let slopes = format.to_bytes(slopes.iter().copied());
            let slopes = (&slopes[..], channels);

            for (name, before, input) in [("forward", &g, Some(input.view())), ("forward_inplace", &x, None)] {
                let mut output = tensors.with(before);
                calls::prelu(format, way, slopes, input, output.view_mut());
                tensors.assert(&output, &y, &|| format!("{name}, {channels:?}"));
            }
            for (name, before, grad_output) in [
                ("backward", &x, Some(grad_output.view())),
                ("backward_inplace", &g, None),
            ] {
                let mut output = tensors.with(before);
                let mut sums = Bytes::filled(STALE, count * format.sums().bytes());
                let inputs = (input.view(), grad_output);
                calls::prelu_backward(format, way, slopes, inputs, output.view_mut(), &mut sums);
                tensors.assert(&output, &grad, &|| format!("{name}, {channels:?}"));
                assert!(
                    sums == expected_sums,
                    "the slopes of {name}, {channels:?} with {shape:?}"
                );
            }
        }
        tensors.assert(&input, &x, &|| "the input".into());
        tensors.assert(&grad_output, &g, &|| "the gradient".into());
    }
}

fn reglu(setting: Setting) {
    let (format, way) = (setting.format, setting.way());
    let gate = |a: u64, value: u64, b: u64| {
        if format.passes(a) {
            format.computed(format.product(format.number(value), format.number(b)))
        } else {
            0
        }
    };
    let map3 = |a: &[u64], b: &[u64], c: &[u64]| -> Vec<u64> {
        a.iter().zip(b).zip(c).map(|((&a, &b), &c)| gate(a, b, c)).collect()
    };
    for shape in shapes() {
        let tensors = Tensors { format, shape };
        let [a, b, g] = [9, 10, 11].map(|seed| tensors.values(seed));
        let [a_tensor, b_tensor, g_tensor] = [&a, &b, &g].map(|values| tensors.with(values));
        let (a_view, b_view) = (a_tensor.view(), b_tensor.view());
        let expected = map3(&a, &a, &b);

        for (name, before, a_view) in [("forward", &g, Some(a_view)), ("forward_inplace", &a, None)] {
            let mut output = tensors.with(before);
            calls::reglu(format, way, (a_view, b_view), output.view_mut());
            tensors.assert(&output, &expected, &|| name.into());
        }

        let (mut grad_a, mut grad_b) = (tensors.with(&g), tensors.misaligned().with(&g));
        let outputs = [grad_a.view_mut(), grad_b.view_mut()];
        calls::reglu_backward(format, way, [a_view, b_view, g_tensor.view()], outputs);
        tensors.assert(&grad_a, &map3(&a, &g, &b), &|| "grad_a".into());
        tensors.assert(&grad_b, &map3(&a, &g, &a), &|| "grad_b".into());
    }
}

/// The same as separate passes.
#[cfg(feature = "smooth")]
fn gated(setting: Setting, case: Case, shapes: Vec<Shape>) {
    let (format, way, f) = (setting.format, setting.way(), case.activation());
    let product = |a: u64, b: u64| format.computed(format.product(format.number(a), format.number(b)));
    for shape in shapes {
        let tensors = Tensors { format, shape };
        let [a, b, g] = [9, 10, 11].map(|seed| tensors.values(seed));
        let [a_tensor, b_tensor, g_tensor] = [&a, &b, &g].map(|values| tensors.with(values));
        let (a_view, b_view) = (a_tensor.view(), b_tensor.view());
        let value: Vec<u64> = a.iter().map(|&a| case.forward(format, a)).collect();
        let products = |a: &[u64], b: &[u64]| -> Vec<u64> { a.iter().zip(b).map(|(&a, &b)| product(a, b)).collect() };

        for (name, before, a_view) in [("forward", &g, Some(a_view)), ("forward_inplace", &a, None)] {
            let mut output = tensors.with(before);
            calls::gated(format, way, f, (a_view, b_view), output.view_mut());
            tensors.assert(&output, &products(&value, &b), &|| format!("{name}, gated by {f:?}"));
        }

        let (mut grad_a, mut grad_b) = (tensors.with(&g), tensors.misaligned().with(&g));
        let outputs = [grad_a.view_mut(), grad_b.view_mut()];
        calls::gated_backward(format, way, f, [a_view, b_view, g_tensor.view()], outputs);
        let at_value = products(&g, &b);
        let expected: Vec<_> = a
            .iter()
            .zip(&at_value)
            .map(|(&a, &g)| case.backward(format, a, g))
            .collect();
        tensors.assert(&grad_a, &expected, &|| format!("grad_a, gated by {f:?}"));
        tensors.assert(&grad_b, &products(&g, &value), &|| format!("grad_b, gated by {f:?}"));
    }
}

fn crelu(setting: Setting) {
    let (format, way) = (setting.format, setting.way());
    let relu = |x: u64| if format.passes(x) { x } else { 0 };
    for shape in shapes() {
        let tensors = Tensors { format, shape };
        let [x, g, h] = [12, 13, 14].map(|seed| tensors.values(seed));
        let [input, grad_positive, grad_negative] = [&x, &g, &h].map(|values| tensors.with(values));

        let (mut positive, mut negative) = (tensors.with(&g), tensors.misaligned().with(&g));
        let outputs = [positive.view_mut(), negative.view_mut()];
        calls::crelu(format, way, input.view(), outputs);
        let expected: Vec<_> = x.iter().map(|&x| relu(x)).collect();
        tensors.assert(&positive, &expected, &|| "positive".into());
        let expected: Vec<_> = x.iter().map(|&x| relu(format.negated(x))).collect();
        tensors.assert(&negative, &expected, &|| "negative".into());

        let mut output = tensors.with(&x);
        let inputs = [input.view(), grad_positive.view(), grad_negative.view()];
        calls::crelu_backward(format, way, inputs, output.view_mut());
        let gradient = |i: usize| match format.value(x[i]) {
            None => x[i],
            Some(number) if number > 0.0 => g[i],
            Some(number) if number < 0.0 => format.negated(h[i]),
            _ => 0,
        };
        let expected: Vec<_> = (0..x.len()).map(gradient).collect();
        tensors.assert(&output, &expected, &|| "backward".into());
    }
}

pub fn trials(setting: Setting) -> Vec<Trial> {
    let mut trials = vec![setting.trial("crelu", crelu)];
    if setting.is_left_out(true) {
        return trials;
    }
    trials.push(setting.trial("prelu", prelu));
    trials.push(setting.trial("reglu", reglu));
    for function in FUNCTIONS {
        let case = function.with(function.typical);
        let (many, few): (fn() -> _, fn() -> _) = if is_full() {
            (shapes, some_shapes)
        } else {
            (some_shapes, two_shapes)
        };
        let shapes = match function.name {
            "relu" => shapes,
            _ if function.is_walked_as_sigmoid() => few,
            _ => many,
        };
        let name = |check: &str| format!("{}::fused::{check}", function.name);
        trials.extend([
            setting.trial(&name("forward"), move |setting| {
                forward(setting, case, shapes(), Kind::unscaled());
            }),
            setting.trial(&name("backward"), move |setting| {
                backward(setting, case, shapes(), &[Numbers::None]);
            }),
        ]);
        // What scales knows no function.
        if ["relu", "hard_swish", "sigmoid"].contains(&function.name) {
            trials.extend([
                setting.trial(&name("scaled_forward"), move |setting| {
                    forward(setting, case, many(), Kind::all())
                }),
                setting.trial(&name("scaled_backward"), move |setting| {
                    backward(setting, case, many(), &[Numbers::Elements, Numbers::Sums]);
                }),
            ]);
        }
        #[cfg(feature = "smooth")]
        trials.push(setting.trial(&format!("{}::gated", function.name), move |setting| {
            gated(setting, case, if function.is_smooth() { shapes() } else { few() });
        }));
    }
    trials
}
