//! Functions on rows of matrices: sums before a function, sums of its gradient, and the functions that are defined on several tensors.

use libtest_mimic::Trial;
use rectify::{Channels, Crelu, Fused, HardSwish, Kernels, PRelu, ReGlu, Relu, SquaredRelu};

use crate::format::{Format, nearest, quiet, scattered, special_patterns, value};
use crate::reference::{Case, Clipped, Leaky, Sigmoid, Tanh, Thresholded, in_compute_format};
use crate::tensor::{Shape, Tensor};
use crate::{Way, is_left_out, trial};

/// `$value`, which has a builder method for the way.
macro_rules! on {
    ($way:expr, $value:expr) => {
        match $way {
            Way::Free => $value,
            Way::Pinned(isa) => $value.on(Kernels::new(isa).unwrap()),
        }
    };
}

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
    ];
    shapes.extend(more.map(|(rows, columns, gap)| Shape {
        rows,
        columns,
        gap,
        misalignment: 0,
    }));
    shapes
}

/// Some of them, for functions that are walked as ReLU is.
fn some_shapes() -> Vec<Shape> {
    shapes().into_iter().skip(1).step_by(4).collect()
}

/// Special values among others.
fn values<F: Format>(len: usize, seed: u64) -> Vec<F::Bits> {
    let specials = special_patterns::<F>();
    let mut random = fastrand::Rng::with_seed(seed);
    let numbers = scattered::<F>(len, seed);
    let few: Vec<_> = (0..len).map(|_| nearest::<F>(random.f64() * 8.0 - 4.0)).collect();
    (0..len)
        .map(|i| match random.u8(..) {
            0..16 => specials[random.usize(..specials.len())],
            16..64 => numbers[i],
            _ => few[i],
        })
        .collect()
}

/// The quiet NaN without a sign and a payload.
fn one_nan<F: Format>() -> F::Bits {
    let infinity = ((1 << (F::WIDTH - F::MANTISSA_WIDTH - 1)) - 1) << F::MANTISSA_WIDTH;
    quiet::<F>(F::bits(infinity))
}

fn is_zero<F: Format>(bits: F::Bits) -> bool {
    value::<F>(bits) == Some(0.0)
}

fn passes<F: Format>(x: F::Bits) -> bool {
    value::<F>(x).is_none_or(|x| x > 0.0)
}

fn negated<F: Format>(x: F::Bits) -> F::Bits {
    F::bits(F::wide(x) ^ 1 << (F::WIDTH - 1))
}

fn number<F: Format>(bits: F::Bits) -> f64 {
    value::<F>(bits).unwrap_or(f64::NAN)
}

/// The bits of a number that was computed.
fn rounded<F: Format>(number: f64) -> F::Bits {
    if number.is_nan() {
        one_nan::<F>()
    } else {
        nearest::<F>(number)
    }
}

fn sum<F: Format>(a: f64, b: f64) -> f64 {
    in_compute_format::<F>(a + b)
}

fn product<F: Format>(a: f64, b: f64) -> f64 {
    in_compute_format::<F>(a * b)
}

/// How channels may lie in a matrix of that shape, with their number.
fn layouts(shape: Shape) -> Vec<(Channels, usize)> {
    let first = Channels::First { spatial: shape.columns };
    let mut layouts = vec![(Channels::Last, shape.columns), (first, shape.rows.max(1))];
    if shape.rows.is_multiple_of(2) {
        layouts.push((first, shape.rows.max(2) / 2));
    }
    layouts
}

/// That of the element at `i`.
fn channel(shape: Shape, (layout, channels): (Channels, usize), i: usize) -> usize {
    match layout {
        Channels::Last => i % shape.columns,
        Channels::First { .. } => i / shape.columns % channels,
    }
}

/// The sums of each channel, in the order that the documentation states.
fn sums<F: Format>(
    shape: Shape,
    (layout, channels): (Channels, usize),
    values: &[f64],
) -> Vec<<F::Sums as Format>::Bits> {
    let total = |numbers: &mut dyn Iterator<Item = f64>| numbers.fold(0.0, sum::<F>);
    let totals: Vec<f64> = match layout {
        Channels::Last => (0..channels)
            .map(|column| {
                let numbers: Vec<f64> = (0..shape.rows)
                    .map(|row| values[row * shape.columns + column])
                    .collect();
                total(&mut numbers.chunks(256).map(|block| total(&mut block.iter().copied())))
            })
            .collect(),
        Channels::First { .. } => (0..channels)
            .map(|channel| {
                let images = (channel..shape.rows).step_by(channels);
                total(&mut images.map(|row| {
                    let stretches = values[row * shape.columns..][..shape.columns].chunks(256 * lanes::<F>());
                    total(&mut stretches.map(sum_of_stretch::<F>))
                }))
            })
            .collect(),
    };
    totals.into_iter().map(rounded::<F::Sums>).collect()
}

fn lanes<F: Format>() -> usize {
    if F::WIDTH == 64 { 16 } else { 32 }
}

fn sum_of_stretch<F: Format>(numbers: &[f64]) -> f64 {
    let mut lanes = vec![0.0; lanes::<F>()];
    let count = lanes.len();
    for (i, &number) in numbers.iter().enumerate() {
        lanes[i % count] = sum::<F>(lanes[i % count], number);
    }
    while lanes.len() > 1 {
        let upper = lanes.split_off(lanes.len() / 2);
        for (lane, upper) in lanes.iter_mut().zip(upper) {
            *lane = sum::<F>(*lane, upper);
        }
    }
    lanes[0]
}

/// Every shape with every bias, with and without a residual, in place or not.
fn forward<F: Format>(way: Way, case: impl Case, shapes: Vec<Shape>) {
    let reference = case.reference::<F>();
    for shape in shapes {
        let x = values::<F>(shape.len(), 1);
        let residual = values::<F>(shape.len(), 2);
        let [input, residual_tensor] = [&x, &residual].map(|values| Tensor::new(values, shape));
        let biases = layouts(shape).into_iter().map(Some).chain([None]);
        for (bias_layout, has_residual) in biases.flat_map(|bias| [(bias, false), (bias, true)]) {
            let bias = values::<F>(bias_layout.map_or(0, |(_, channels)| channels), 3);
            let expected: Vec<F::Bits> = (0..x.len())
                .map(|i| {
                    let mut z = number::<F>(x[i]);
                    if let Some(layout) = bias_layout {
                        z = sum::<F>(z, number::<F>(bias[channel(shape, layout, i)]));
                    }
                    if has_residual {
                        z = sum::<F>(z, number::<F>(residual[i]));
                    }
                    let is_sum = bias_layout.is_some() || has_residual;
                    (reference.forward)(if is_sum { rounded::<F>(z) } else { x[i] })
                })
                .collect();
            let bias: &[F] = bytemuck::cast_slice(&bias);
            let mut fused = on!(way, Fused::new(case.activation()));
            if let Some((layout, _)) = bias_layout {
                fused = fused.bias(bias, layout);
            }
            if has_residual {
                fused = fused.residual(residual_tensor.rows());
            }
            let message = format!("{fused:?} with {shape:?}");

            let mut output = Tensor::new(&residual, shape);
            fused.forward(input.rows::<F>(), output.rows_mut());
            assert!(output.values() == expected, "forward, {message}");
            let mut output = Tensor::new(&x, shape);
            fused.forward_inplace(output.rows_mut::<F>());
            assert!(output.values() == expected, "forward_inplace, {message}");
        }
        assert!(input.values() == x && residual_tensor.values() == residual);
    }
}

/// Every shape, with and without the gradient of every bias, in place or not.
fn backward<F: Format>(way: Way, case: impl Case, shapes: Vec<Shape>) {
    let reference = case.reference::<F>();
    for shape in shapes {
        let x = values::<F>(shape.len(), 4);
        let g: Vec<_> = values::<F>(shape.len(), 5)
            .into_iter()
            .zip(&x)
            .map(|(g, &x)| {
                if is_summable::<F>((reference.backward)(x, g), shape) {
                    g
                } else {
                    nearest::<F>(1.25)
                }
            })
            .collect();
        let expected: Vec<F::Bits> = x.iter().zip(&g).map(|(&x, &g)| (reference.backward)(x, g)).collect();
        let [input, grad_output] = [&x, &g].map(|values| Tensor::new(values, shape));
        let fused = on!(way, Fused::new(case.activation()));
        let message = format!("{fused:?} with {shape:?}");

        let mut output = Tensor::new(&x, shape);
        fused.backward(input.rows::<F>(), grad_output.rows(), output.rows_mut());
        assert!(output.values() == expected, "backward, {message}");
        let mut output = Tensor::new(&g, shape);
        fused.backward_inplace(input.rows::<F>(), output.rows_mut());
        assert!(output.values() == expected, "backward_inplace, {message}");

        for (layout, channels) in layouts(shape) {
            let numbers: Vec<f64> = expected.iter().map(|&grad| number::<F>(grad)).collect();
            let expected_sums = sums::<F>(shape, (layout, channels), &numbers);
            let mut grad_bias = vec![F::Sums::bits(0x5a5a_5a5a_5a5a_5a5a); channels];

            let mut output = Tensor::new(&x, shape);
            let sums = bytemuck::cast_slice_mut(&mut grad_bias);
            fused.backward_bias(input.rows::<F>(), grad_output.rows(), output.rows_mut(), layout, sums);
            assert!(output.values() == expected, "backward_bias, {layout:?}, {message}");
            assert!(grad_bias == expected_sums, "grad_bias, {layout:?}, {message}");
            grad_bias.fill(F::Sums::bits(0x5a5a_5a5a_5a5a_5a5a));
            let mut output = Tensor::new(&g, shape);
            let sums = bytemuck::cast_slice_mut(&mut grad_bias);
            fused.backward_bias_inplace(input.rows::<F>(), output.rows_mut(), layout, sums);
            assert!(
                output.values() == expected,
                "backward_bias_inplace, {layout:?}, {message}"
            );
            assert!(grad_bias == expected_sums, "grad_bias in place, {layout:?}, {message}");
        }
    }
}

/// Whether others show beside it in a sum; in one of the shapes anything will do.
fn is_summable<F: Format>(bits: F::Bits, shape: Shape) -> bool {
    shape.columns == 33 || value::<F>(bits).is_some_and(|number| number.abs() < 8.0)
}

fn prelu<F: Format>(way: Way) {
    let value_of = |x: F::Bits, value: F::Bits, slope: F::Bits| {
        if passes::<F>(x) {
            value
        } else if is_zero::<F>(slope) {
            F::bits(0)
        } else {
            rounded::<F>(product::<F>(number::<F>(value), number::<F>(slope)))
        }
    };
    for shape in shapes() {
        let x = values::<F>(shape.len(), 6);
        // Where x passes, g is not summed, whatever it is.
        let g: Vec<_> = values::<F>(shape.len(), 7)
            .into_iter()
            .zip(&x)
            .map(|(g, &x)| {
                if passes::<F>(x) || is_summable::<F>(g, shape) {
                    g
                } else {
                    nearest::<F>(1.25)
                }
            })
            .collect();
        let [input, grad_output] = [&x, &g].map(|values| Tensor::new(values, shape));
        for (layout, channels) in layouts(shape) {
            let slopes = values::<F>(channels, 8);
            let slope = |i| slopes[channel(shape, (layout, channels), i)];
            let y: Vec<F::Bits> = (0..x.len()).map(|i| value_of(x[i], x[i], slope(i))).collect();
            let grad: Vec<F::Bits> = (0..x.len()).map(|i| value_of(x[i], g[i], slope(i))).collect();
            let summand = |i: usize| {
                if passes::<F>(x[i]) {
                    0.0
                } else {
                    product::<F>(number::<F>(x[i]), number::<F>(g[i]))
                }
            };
            let summands: Vec<f64> = (0..x.len()).map(summand).collect();
            let expected_sums = sums::<F>(shape, (layout, channels), &summands);
            let prelu = on!(way, PRelu::<F>::new(bytemuck::cast_slice(&slopes), layout));
            let message = format!("{layout:?} on {way} with {shape:?}");

            let mut output = Tensor::new(&g, shape);
            prelu.forward(input.rows::<F>(), output.rows_mut());
            assert!(output.values() == y, "forward, {message}");
            let mut output = Tensor::new(&x, shape);
            prelu.forward_inplace(output.rows_mut::<F>());
            assert!(output.values() == y, "forward_inplace, {message}");

            let mut sums = vec![F::Sums::bits(0x5a5a_5a5a_5a5a_5a5a); channels];
            let mut output = Tensor::new(&x, shape);
            let grad_slopes = bytemuck::cast_slice_mut(&mut sums);
            prelu.backward(input.rows::<F>(), grad_output.rows(), output.rows_mut(), grad_slopes);
            assert!(output.values() == grad, "backward, {message}");
            assert!(sums == expected_sums, "grad_slopes, {message}");
            let mut output = Tensor::new(&g, shape);
            let grad_slopes = bytemuck::cast_slice_mut(&mut sums);
            prelu.backward_inplace(input.rows::<F>(), output.rows_mut(), grad_slopes);
            assert!(
                output.values() == grad && sums == expected_sums,
                "backward_inplace, {message}"
            );
        }
    }
}

fn reglu<F: Format>(way: Way) {
    let gate = |a: F::Bits, value: F::Bits, b: F::Bits| {
        if passes::<F>(a) {
            rounded::<F>(product::<F>(number::<F>(value), number::<F>(b)))
        } else {
            F::bits(0)
        }
    };
    let map3 = |a: &[F::Bits], b: &[F::Bits], c: &[F::Bits]| -> Vec<F::Bits> {
        a.iter().zip(b).zip(c).map(|((&a, &b), &c)| gate(a, b, c)).collect()
    };
    for shape in shapes() {
        let [a, b, g] = [9, 10, 11].map(|seed| values::<F>(shape.len(), seed));
        let [a_tensor, b_tensor, g_tensor] = [&a, &b, &g].map(|values| Tensor::new(values, shape));
        let (a_rows, b_rows) = (a_tensor.rows::<F>(), b_tensor.rows());
        let expected = map3(&a, &a, &b);
        let reglu = on!(way, ReGlu::new());

        let mut output = Tensor::new(&g, shape);
        reglu.forward(a_rows, b_rows, output.rows_mut());
        assert!(output.values() == expected, "forward on {way} with {shape:?}");
        let mut output = Tensor::new(&a, shape);
        reglu.forward_inplace(output.rows_mut(), b_rows);
        assert!(output.values() == expected, "forward_inplace on {way} with {shape:?}");

        let (mut grad_a, mut grad_b) = (Tensor::new(&g, shape), Tensor::new(&g, shape));
        reglu.backward(a_rows, b_rows, g_tensor.rows(), grad_a.rows_mut(), grad_b.rows_mut());
        assert!(grad_a.values() == map3(&a, &g, &b), "grad_a on {way} with {shape:?}");
        assert!(grad_b.values() == map3(&a, &g, &a), "grad_b on {way} with {shape:?}");
    }
}

fn crelu<F: Format>(way: Way) {
    let relu = |x: F::Bits| if passes::<F>(x) { x } else { F::bits(0) };
    for shape in shapes() {
        let [x, g, h] = [12, 13, 14].map(|seed| values::<F>(shape.len(), seed));
        let [input, grad_positive, grad_negative] = [&x, &g, &h].map(|values| Tensor::new(values, shape));
        let crelu = on!(way, Crelu::new());

        let (mut positive, mut negative) = (Tensor::new(&g, shape), Tensor::new(&g, shape));
        crelu.forward(input.rows::<F>(), positive.rows_mut(), negative.rows_mut());
        let expected: Vec<_> = x.iter().map(|&x| relu(x)).collect();
        assert!(positive.values() == expected, "positive on {way} with {shape:?}");
        let expected: Vec<_> = x.iter().map(|&x| relu(negated::<F>(x))).collect();
        assert!(negative.values() == expected, "negative on {way} with {shape:?}");

        let mut output = Tensor::new(&x, shape);
        crelu.backward(
            input.rows::<F>(),
            grad_positive.rows(),
            grad_negative.rows(),
            output.rows_mut(),
        );
        let gradient = |i: usize| match value::<F>(x[i]) {
            None => x[i],
            Some(number) if number > 0.0 => g[i],
            Some(number) if number < 0.0 => negated::<F>(h[i]),
            _ => F::bits(0),
        };
        let expected: Vec<_> = (0..x.len()).map(gradient).collect();
        assert!(output.values() == expected, "backward on {way} with {shape:?}");
    }
}

pub fn trials<F: Format>(way: Way, format: &str) -> Vec<Trial> {
    let mut trials = vec![trial(way, &format!("crelu::{format}"), crelu::<F>)];
    if is_left_out(format, true) {
        return trials;
    }
    trials.push(trial(way, &format!("prelu::{format}"), prelu::<F>));
    trials.push(trial(way, &format!("reglu::{format}"), reglu::<F>));
    trials.extend(trials_of_case::<F>(way, format, Relu, shapes));
    trials.extend(trials_of_case::<F>(
        way,
        format,
        Leaky { negative_slope: -0.3 },
        some_shapes,
    ));
    trials.extend(trials_of_case::<F>(way, format, Clipped { max: 6.0 }, some_shapes));
    trials.extend(trials_of_case::<F>(
        way,
        format,
        Tanh { min: -1.5, max: 0.75 },
        some_shapes,
    ));
    trials.extend(trials_of_case::<F>(
        way,
        format,
        Thresholded { alpha: -0.5 },
        some_shapes,
    ));
    trials.extend(trials_of_case::<F>(way, format, SquaredRelu, some_shapes));
    trials.extend(trials_of_case::<F>(
        way,
        format,
        Sigmoid { alpha: 0.2, beta: 0.5 },
        some_shapes,
    ));
    trials.extend(trials_of_case::<F>(way, format, HardSwish, some_shapes));
    trials
}

fn trials_of_case<F: Format>(way: Way, format: &str, case: impl Case, shapes: fn() -> Vec<Shape>) -> [Trial; 2] {
    let name = |check: &str| format!("{}::fused::{check}::{format}", name_of(case));
    [
        trial(way, &name("forward"), move |way| forward::<F>(way, case, shapes())),
        trial(way, &name("backward"), move |way| backward::<F>(way, case, shapes())),
    ]
}

fn name_of<C: Case>(_: C) -> &'static str {
    C::NAME
}
