//! The layers by `rectify`.

use rectify::{Activation, AnyActivation, Fused, Gated, Kernels, parallel};
use shapes::plain::Number;

use crate::layers::{Epilogue, Layer};
use crate::measure::Pass;
use crate::plain::{self, IDENTITY, Step, run_step};
use crate::tensors::Tensors;

/// In one pass each.
pub fn fused<T: Number<Sum = f32>>(layer: Layer, pass: Pass, tensors: &mut Tensors<'_, T>, threads: usize) {
    let f = function(layer);
    let layout = tensors.shape.layout();
    let [x, second, grad] = tensors.inputs;
    let [y, _, first_gradient, second_gradient] = &mut tensors.outputs;
    if layer.epilogue == Epilogue::Gate {
        let gated = Gated::of(f);
        let gated = if threads == 1 { gated } else { gated.parallel() };
        gated.forward(x, second, *y);
        if pass == Pass::Training {
            gated.backward(x, second, grad, *first_gradient, *second_gradient);
        }
        return;
    }
    let fused = Fused::new(f);
    let fused = if threads == 1 { fused } else { fused.parallel() };
    let mut forward = fused;
    if pass == Pass::Inference && layer.epilogue.has_bias() {
        forward = forward.bias(tensors.bias, layout);
        if layer.epilogue.has_scale() {
            forward = forward.scale(tensors.bias, layout);
        }
    }
    if layer.epilogue.has_residual() {
        forward = forward.residual(second);
    }
    forward.forward(x, *y);
    if pass == Pass::Training {
        let x = if layer.epilogue.has_residual() { &**y } else { x };
        if layer.epilogue == Epilogue::Bias {
            fused.backward_bias(x, grad, *first_gradient, layout, tensors.sums);
        } else {
            fused.backward(x, grad, *first_gradient);
        }
    }
}

/// The function alone; sums and products by loops as those of `plain`.
pub fn separate<T: Number<Sum = f32>>(
    layer: Layer,
    pass: Pass,
    tensors: &mut Tensors<'_, T>,
    kernels: Kernels,
    threads: usize,
) {
    let f = function(layer);
    let forward = |x: &[T], y: &mut [T]| match threads {
        1 => f.forward(x, y),
        _ => parallel::forward(f, x, y),
    };
    let backward_inplace = |x: &[T], grad: &mut [T]| match threads {
        1 => f.backward_inplace(x, grad),
        _ => parallel::backward_inplace(f, x, grad),
    };
    let second = layer.epilogue.has_residual();
    let [scale, bias] = plain::scale_and_bias(layer, pass);
    let has_gate = layer.epilogue == Epilogue::Gate;
    if has_gate {
        forward(tensors.inputs[0], tensors.outputs[1]);
        run_step(IDENTITY, Step::Product, tensors, kernels, threads);
    } else if bias || second {
        run_step(
            IDENTITY,
            Step::Forward { scale, bias, second },
            tensors,
            kernels,
            threads,
        );
        match threads {
            1 => f.forward_inplace(tensors.outputs[0]),
            _ => parallel::forward_inplace(f, tensors.outputs[0]),
        }
    } else {
        forward(tensors.inputs[0], tensors.outputs[0]);
    }
    if pass == Pass::Inference {
        return;
    }
    if has_gate {
        run_step(IDENTITY, Step::ProductBackward, tensors, kernels, threads);
        backward_inplace(tensors.inputs[0], tensors.outputs[2]);
        return;
    }
    let [x, _, grad] = tensors.inputs;
    let [y, _, gradient, _] = &mut tensors.outputs;
    let x = if second { &**y } else { x };
    match threads {
        1 => f.backward(x, grad, gradient),
        _ => parallel::backward(f, x, grad, gradient),
    }
    if layer.epilogue == Epilogue::Bias {
        run_step(IDENTITY, Step::Sums, tensors, kernels, threads);
    }
}

fn function(layer: Layer) -> AnyActivation {
    layer.function.parse().expect("a function of PyTorch")
}
