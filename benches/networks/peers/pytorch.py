"""PyTorch, as `networks --peer` asks: operators called one after another from Python, into memory that is there and without autograd.
usage: pytorch.py [compiled] NUMBERS
compiled: torch.compile fuses the operators of a direction instead"""

import os
import sys
import time

import numpy as np
import torch

aten = torch.ops.aten
STARTS = [0, 1000, 5000, 9000]  # tensors.rs
FORMATS = {"f32": torch.float32, "bf16": torch.bfloat16}

# Forward from x to y, and backward from the gradient and x, or y, which is what the operator takes.
FORWARD = {"relu": aten.relu, "silu": aten.silu, "gelu": aten.gelu, "sigmoid": aten.sigmoid, "tanh": aten.tanh}
FORWARD |= {"hardswish": aten.hardswish, "hardsigmoid": aten.hardsigmoid}
BACKWARD = {"silu": aten.silu_backward, "gelu": aten.gelu_backward, "hardsigmoid": aten.hardsigmoid_backward}
FROM_OUTPUT = {"sigmoid": aten.sigmoid_backward, "tanh": aten.tanh_backward}


def forward(function, x, out):
    if function == "relu6":
        return aten.hardtanh(x, 0.0, 6.0, out=out)
    return FORWARD[function](x, out=out)


def backward(function, grad, x, y, out):
    match function:
        case "relu":
            return aten.threshold_backward(grad, y, 0, grad_input=out)
        case "relu6":
            return aten.hardtanh_backward(grad, x, 0.0, 6.0, grad_input=out)
        case "hardswish":  # has no variant with an output
            return aten.hardswish_backward(grad, x)
    if function in FROM_OUTPUT:
        return FROM_OUTPUT[function](grad, y, grad_input=out)
    return BACKWARD[function](grad, x, grad_input=out)


def operators(function, epilogue, is_training, tensors):
    """A function that computes the layer one operator after another, and what it computes."""
    x, second, grad, bias, y, buffer, grad_x, grad_second, sums = tensors
    channel = 1 if x.dim() == 3 else x.dim() - 1
    others = [axis for axis in range(x.dim()) if axis != channel]
    has_bias = not is_training and epilogue in ["bn", "bn+residual", "bias"]
    has_scale = has_bias and epilogue != "bias"
    # The fastest way to a scale and a bias: 0.5 to 0.8 of the time of a product and a sum into memory that is there.
    scale = bias.flatten()
    mean, variance = torch.zeros_like(scale), torch.ones_like(scale)
    results = [grad_x] if is_training else [y]

    def run():
        if epilogue == "gate":
            torch.mul(forward(function, x, buffer), second, out=y)
        else:
            z = x
            if has_scale:
                z = torch.batch_norm(x, scale, scale, mean, variance, False, 0.0, 0.0, False)
            elif has_bias:
                z = torch.add(x, bias, out=y)
            if epilogue == "bn+residual":
                z = torch.add(z, second, out=y)
            forward(function, z, y)
        if not is_training:
            return
        if epilogue == "gate":
            torch.mul(grad, buffer, out=grad_second)
            backward(function, torch.mul(grad, second, out=grad_x), x, None, grad_x)
        else:
            # ReLU's, where there is a residual: from its output.
            results[0] = backward(function, grad, x, y, grad_x)
            if epilogue == "bias":
                torch.sum(results[0], others, out=sums)

    if epilogue == "gate" and is_training:
        results.append(grad_second)
    if epilogue == "bias" and is_training:
        results.append(sums)
    return run, results


def value(function, x):
    return aten.hardtanh(x, 0.0, 6.0) if function == "relu6" else FORWARD[function](x)


def gradient(function, grad, x, y):
    match function:
        case "relu":
            return aten.threshold_backward(grad, y, 0)
        case "relu6":
            return aten.hardtanh_backward(grad, x, 0.0, 6.0)
        case "hardswish":
            return aten.hardswish_backward(grad, x)
    return FROM_OUTPUT[function](grad, y) if function in FROM_OUTPUT else BACKWARD[function](grad, x)


fused = {}


def compiled(function, epilogue, is_training, tensors):
    """`operators`, each direction as one compiled function that writes to memory that is there."""
    x, second, grad, bias, y, _, grad_x, grad_second, sums = tensors
    others = [0, 2] if x.dim() == 3 else [0]
    has_bias = not is_training and epilogue in ["bn", "bn+residual", "bias"]

    has_scale = has_bias and epilogue != "bias"

    def forward(x, second, bias, y):
        z = x * bias if has_scale else x
        z = z + bias if has_bias else z
        z = z + second if epilogue == "bn+residual" else z
        result = value(function, z)
        y.copy_(result * second if epilogue == "gate" else result)

    def backward(x, second, grad, y, grad_x, grad_second, sums):
        if epilogue == "gate":
            grad_second.copy_(grad * value(function, x))
            grad_x.copy_(gradient(function, grad * second, x, None))
        else:
            result = gradient(function, grad, x, y)
            grad_x.copy_(result)
            if epilogue == "bias":
                sums.copy_(result.sum(others))

    key = function, epilogue, is_training, x.dtype, x.dim(), x.shape[0] == 1, x.shape[-1] == 1
    if key not in fused:
        fused[key] = [torch.compile(step, dynamic=True) for step in [forward, backward]]
    forward, backward = fused[key]

    def run():
        forward(x, second, bias, y)
        if is_training:
            backward(x, second, grad, y, grad_x, grad_second, sums)

    results = [grad_x] if is_training else [y]
    if epilogue == "gate" and is_training:
        results.append(grad_second)
    if epilogue == "bias" and is_training:
        results.append(sums)
    return run, results


def make_tensors(numbers, format, layout, images, channels, spatial):
    shape = (images, channels, spatial) if layout == "first" else (images, channels)
    elements = images * channels * spatial

    def filled(start, shape, elements):
        return torch.from_numpy(np.resize(np.roll(numbers, -start), elements)).to(FORMATS[format]).view(shape)

    inputs = [filled(start, shape, elements) for start in STARTS[:3]]
    bias = filled(STARTS[3], (1, channels, 1) if layout == "first" else (1, channels), channels)
    outputs = [torch.empty_like(inputs[0]) for _ in range(4)]
    return [*inputs, bias, *outputs, torch.empty(channels, dtype=FORMATS[format])]


def main():
    way = compiled if sys.argv[1] == "compiled" else operators
    numbers = np.fromfile(sys.argv[-1], np.float32)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    run = None
    with torch.inference_mode():
        for line in sys.stdin:
            words = line.split()
            if len(words) > 1:
                pass_, function, epilogue, format, layout, *axes = words
                tensors = make_tensors(numbers, format, layout, *map(int, axes))
                run, results = way(function, epilogue, pass_ == "training", tensors)
                run()
                print(sum(result.double().abs().sum().item() for result in results), flush=True)
            else:
                start = time.perf_counter_ns()
                for _ in range(int(words[0])):
                    run()
                print(time.perf_counter_ns() - start, flush=True)


main()
