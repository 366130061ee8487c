//! The loops that one would write without this crate: one for a layer and direction, compiled for the instruction set that `rectify`
//! chooses, and vectorized as the compiler sees fit. And the limit, loops of the same traffic.

use rectify::Kernels;
use shapes::pass;
use shapes::plain::{Number, walk};
use workload::Limit;

use crate::layers::{Epilogue, Layer};
use crate::measure::Pass;
use crate::tensors::Tensors;

/// From so many elements on a layer is split for two threads.
const LEAST_SPLIT: usize = 1 << 15;

/// What a loop computes.
#[derive(Clone, Copy)]
pub enum Step {
    /// y = f(x * scale + bias + second); without a bias there is no scale
    Forward { scale: bool, bias: bool, second: bool },
    /// gradient = f'(x) grad, from y where there was a second input; and of a bias the sums.
    Backward { second: bool, sums: bool },
    /// y = f(x) second
    Gate,
    /// The gradients at x and at the second input.
    GateBackward,
    /// sums of the gradient
    Sums,
    /// y = buffer * second
    Product,
    /// The first gradient = grad * second, the second one = grad * buffer.
    ProductBackward,
}

/// The whole of it.
pub fn run<T: Number<Sum = f32>>(
    layer: Layer,
    pass: Pass,
    tensors: &mut Tensors<'_, T>,
    kernels: Kernels,
    threads: usize,
) {
    let (gate, second) = (layer.epilogue == Epilogue::Gate, layer.epilogue.has_residual());
    let [scale, bias] = scale_and_bias(layer, pass);
    let steps = match (pass, gate) {
        (_, false) => [
            Step::Forward { scale, bias, second },
            Step::Backward {
                second,
                sums: layer.epilogue == Epilogue::Bias,
            },
        ],
        (_, true) => [Step::Gate, Step::GateBackward],
    };
    for &step in &steps[..if pass == Pass::Inference { 1 } else { 2 }] {
        run_step(layer.function, step, tensors, kernels, threads);
    }
}

pub fn scale_and_bias(layer: Layer, pass: Pass) -> [bool; 2] {
    [layer.epilogue.has_scale(), layer.epilogue.has_bias()].map(|has| has && pass == Pass::Inference)
}

pub fn run_step<T: Number<Sum = f32>>(
    function: &str,
    step: Step,
    tensors: &mut Tensors<'_, T>,
    kernels: Kernels,
    threads: usize,
) {
    if threads == 1 || tensors.shape.elements() < LEAST_SPLIT {
        return run_part(function, step, tensors, kernels);
    }
    let mut sums = vec![0.0; tensors.shape.channels];
    let [mut first, mut second] = tensors.halves(&mut sums);
    rayon::join(
        || run_part(function, step, &mut first, kernels),
        || run_part(function, step, &mut second, kernels),
    );
    if !tensors.splits_channels() {
        tensors
            .sums
            .iter_mut()
            .zip(&sums)
            .for_each(|(sum, other)| *sum += other);
    }
}

fn run_part<T: Number<Sum = f32>>(function: &str, step: Step, tensors: &mut Tensors<'_, T>, kernels: Kernels) {
    match function {
        "relu" => run_function::<Relu, T>(step, tensors, kernels),
        "relu6" => run_function::<Relu6, T>(step, tensors, kernels),
        "hardswish" => run_function::<HardSwish, T>(step, tensors, kernels),
        "hardsigmoid" => run_function::<HardSigmoid, T>(step, tensors, kernels),
        "sigmoid" => run_function::<Sigmoid, T>(step, tensors, kernels),
        "tanh" => run_function::<Tanh, T>(step, tensors, kernels),
        "gelu" => run_function::<Gelu, T>(step, tensors, kernels),
        "silu" => run_function::<Silu, T>(step, tensors, kernels),
        IDENTITY => run_function::<Identity, T>(step, tensors, kernels),
        _ => unreachable!("no such function in the files"),
    }
}

fn run_function<F: Function, T: Number<Sum = f32>>(step: Step, tensors: &mut Tensors<'_, T>, kernels: Kernels) {
    let none = T::default();
    let [x, second, grad] = tensors.inputs;
    let [y, buffer, first_gradient, second_gradient] = &mut tensors.outputs;
    macro_rules! of {
        ($inputs:expr, $outputs:expr) => {
            pass::Tensors {
                shape: tensors.shape,
                inputs: $inputs,
                params: tensors.bias,
                outputs: $outputs,
                sums: tensors.sums,
                mask: &mut [],
            }
        };
    }
    let loops = Limit::of(kernels);
    match step {
        Step::Forward {
            scale,
            bias,
            second: false,
        } => {
            let t = &mut of!([x; 3], [y, &mut []]);
            if scale {
                loops.run(|| {
                    walk::<T, false, false>(t, |[x, ..], b| {
                        ([T::narrow(F::value(x.wide() * b.wide() + b.wide())), none], 0.0)
                    })
                });
            } else if bias {
                loops.run(|| {
                    walk::<T, false, false>(t, |[x, ..], b| ([T::narrow(F::value(x.wide() + b.wide())), none], 0.0))
                });
            } else {
                loops.run(|| walk::<T, false, false>(t, |[x, ..], _| ([T::narrow(F::value(x.wide())), none], 0.0)));
            }
        }
        Step::Forward {
            scale,
            bias,
            second: true,
        } if F::TAKES_SECOND => {
            let t = &mut of!([x, second, x], [y, &mut []]);
            if scale {
                loops.run(|| {
                    walk::<T, false, false>(t, |[x, s, _], b| {
                        (
                            [T::narrow(F::value(x.wide() * b.wide() + b.wide() + s.wide())), none],
                            0.0,
                        )
                    })
                });
            } else if bias {
                loops.run(|| {
                    walk::<T, false, false>(t, |[x, s, _], b| {
                        ([T::narrow(F::value(x.wide() + b.wide() + s.wide())), none], 0.0)
                    })
                });
            } else {
                loops.run(|| {
                    walk::<T, false, false>(t, |[x, s, _], _| {
                        ([T::narrow(F::value(x.wide() + s.wide())), none], 0.0)
                    })
                });
            }
        }
        Step::Backward { second, sums } => {
            let t = &mut of!([if second { &**y } else { x }, grad, x], [first_gradient, &mut []]);
            if sums {
                loops.run(|| {
                    walk::<T, true, false>(t, |[x, g, _], _| {
                        let gradient = T::narrow(F::gradient(x.wide(), g.wide()));
                        ([gradient, none], gradient.wide())
                    })
                });
            } else {
                loops.run(|| {
                    walk::<T, false, false>(t, |[x, g, _], _| {
                        ([T::narrow(F::gradient(x.wide(), g.wide())), none], 0.0)
                    })
                });
            }
        }
        Step::Gate if F::IS_GATE => {
            let t = &mut of!([x, second, x], [y, &mut []]);
            loops.run(|| {
                walk::<T, false, false>(t, |[a, b, _], _| {
                    ([T::narrow(F::value(a.wide()) * b.wide()), none], 0.0)
                })
            });
        }
        Step::GateBackward if F::IS_GATE => {
            let t = &mut of!([x, second, grad], [first_gradient, second_gradient]);
            loops.run(|| {
                walk::<T, false, true>(t, |[a, b, g], _| {
                    let gradient = F::gradient(a.wide(), g.wide() * b.wide());
                    ([T::narrow(gradient), T::narrow(g.wide() * F::value(a.wide()))], 0.0)
                })
            });
        }
        Step::Sums if F::IS_IDENTITY => {
            // Only the sums are of use; the loop writes what is there.
            let t = &mut of!([first_gradient, x, x], [buffer, &mut []]);
            loops.run(|| walk::<T, true, false>(t, |[g, ..], _| ([g, none], g.wide())));
        }
        Step::Product if F::IS_IDENTITY => {
            let t = &mut of!([buffer, second, x], [y, &mut []]);
            loops.run(|| walk::<T, false, false>(t, |[a, b, _], _| ([T::narrow(a.wide() * b.wide()), none], 0.0)));
        }
        Step::ProductBackward if F::IS_IDENTITY => {
            let t = &mut of!([buffer, second, grad], [first_gradient, second_gradient]);
            loops.run(|| {
                walk::<T, false, true>(t, |[a, b, g], _| {
                    let product = |a: T| T::narrow(a.wide() * g.wide());
                    ([product(b), product(a)], 0.0)
                })
            });
        }
        _ => unreachable!("no layer has it"),
    }
}

/// Of no layer: with it a pass is a sum.
pub const IDENTITY: &str = "";

/// Which loops are of use, so that the others aren't compiled.
trait Function {
    const IS_IDENTITY: bool = false;
    const TAKES_SECOND: bool = false;
    const IS_GATE: bool = false;

    fn value(x: f32) -> f32;
    fn gradient(x: f32, grad: f32) -> f32;
}

macro_rules! functions {
    ($($function:ident $($is:ident)*: |$x:ident| $value:expr, |$grad:ident| $gradient:expr;)+) => {
        $(
            struct $function;

            impl Function for $function {
                $(const $is: bool = true;)*

                #[inline(always)]
                fn value($x: f32) -> f32 {
                    $value
                }

                #[inline(always)]
                fn gradient($x: f32, $grad: f32) -> f32 {
                    $gradient
                }
            }
        )+
    };
}

functions! {
    Identity IS_IDENTITY TAKES_SECOND: |x| x, |grad| { _ = x; grad };
    Relu TAKES_SECOND: |x| if x > 0.0 { x } else { 0.0 }, |grad| if x > 0.0 { grad } else { 0.0 };
    Relu6: |x| x.clamp(0.0, 6.0), |grad| if x > 0.0 && x < 6.0 { grad } else { 0.0 };
    HardSigmoid: |x| (x / 6.0 + 0.5).clamp(0.0, 1.0), |grad| if x > -3.0 && x < 3.0 { grad / 6.0 } else { 0.0 };
    HardSwish: |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0), |grad| {
        let slope = if x < 3.0 { x / 3.0 + 0.5 } else { 1.0 };
        if x > -3.0 { grad * slope } else { 0.0 }
    };
    Sigmoid: |x| sigmoid(x), |grad| grad * sigmoid(x) * (1.0 - sigmoid(x));
    Tanh: |x| x.tanh(), |grad| grad * (1.0 - x.tanh() * x.tanh());
    Silu IS_GATE: |x| x * sigmoid(x), |grad| grad * sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)));
    Gelu: |x| x * normal(x), |grad| grad * (normal(x) + x * 0.398_942_3 * (-0.5 * x * x).exp());
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[inline(always)]
fn normal(x: f32) -> f32 {
    0.5 * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Loops that load and store as much, of ordinary stores or, beyond the caches, of streaming ones.
pub fn run_limit<T: Number<Sum = f32>>(layer: Layer, pass: Pass, tensors: &mut Tensors<'_, T>, limit: Limit) {
    let [x, second, grad] = tensors.inputs.map(bytemuck::cast_slice);
    let [y, _, first_gradient, second_gradient] = tensors
        .outputs
        .each_mut()
        .map(|output| bytemuck::cast_slice_mut(output));
    let has_gate = layer.epilogue == Epilogue::Gate;
    if has_gate || layer.epilogue.has_residual() {
        limit.load_load_store(x, second, y);
    } else {
        limit.load_store(x, y);
    }
    if pass == Pass::Training {
        limit.load_load_store(x, grad, first_gradient);
        if has_gate {
            limit.load_store(second, second_gradient);
        }
    }
}
