"""Prints what PyTorch gives for the functions of the family and their gradients, in the format that ../tables.py describes.
usage: python3 table.py >table.txt        with torch 2.15.0 and numpy, on x86-64 with AVX2 or AVX-512

An error instead of a result is `error`. With AVX2 the NaNs of sigmoid's gradient in f16 have other bits."""

import pathlib
import sys

import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import tables

INFINITY, NAN = float("inf"), float("nan")
TYPES = {"f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16}


def tensor(format, bits, elements):
    bits = np.full(elements, bits, tables.FORMATS[format][0])
    return torch.from_numpy(bits.view(bits.dtype.str.replace("u", "i"))).view(TYPES[format])


def to_bits(numbers):
    integers = {2: torch.int16, 4: torch.int32, 8: torch.int64}[numbers.element_size()]
    numbers = numbers.detach().flatten().view(integers).numpy()
    return numbers.view(numbers.dtype.str.replace("i", "u")).tolist()


def unary(function):
    """The value, and the gradient of x."""

    def run(format, parameters, x, g, elements):
        x = tensor(format, x, elements).requires_grad_()
        y = function(x, *parameters)
        y.backward(tensor(format, g, elements))
        return [y], [x.grad]

    return run


def prelu(format, parameters, x, g, elements):
    """The value, and the gradients of x and of the slope; a channel has x and a 1, whose gradient is 0."""
    [slope] = parameters
    one = tables.nearest(format, 1.0)
    slope = tensor(format, tables.nearest(format, slope), elements).requires_grad_()
    x, g = [torch.stack([tensor(format, bits, elements) for bits in rows]) for rows in [[x, one], [g, 0]]]
    y = F.prelu(x.requires_grad_(), slope)
    y.backward(g)
    return [y[0]], [x.grad[0], slope.grad]


def reglu(format, parameters, a, g, elements):
    """The value, and the gradients of a and of b."""
    [b] = parameters
    a = tensor(format, a, elements).requires_grad_()
    b = tensor(format, tables.nearest(format, b), elements).requires_grad_()
    y = F.relu(a) * b
    y.backward(tensor(format, g, elements))
    return [y], [a.grad, b.grad]


def crelu(format, parameters, x, g, elements):
    """Both values, and the gradients of x where that of the other output is 2."""
    values, grads = [], []
    two = tables.nearest(format, 2.0)
    for at_outputs in [[g, two], [two, g]]:
        input = tensor(format, x, elements).requires_grad_()
        y = torch.cat([F.relu(input), F.relu(-input)])
        y.backward(torch.cat([tensor(format, bits, elements) for bits in at_outputs]))
        values = list(y.split(elements))
        grads.append(input.grad)
    return values, grads


# With the parameters, and the kinks of functions without.
FUNCTIONS = {
    "relu": (unary(F.relu), [[]], []),
    "leaky_relu": (unary(F.leaky_relu), [[0.01], [0.0], [-0.5], [1e-50], [1e300]], []),
    "clipped_relu": (
        unary(lambda x, max: F.hardtanh(x, 0.0, max)),
        [[6.0], [0.9], [0.0], [-0.0], [1e300], [INFINITY]],
        [],
    ),
    "hardtanh": (
        unary(F.hardtanh),
        [[-1.0, 1.0], [-0.9, 0.4], [0.5, 2.0], [-0.0, 1.0], [-1.0, -0.0], [-1.0, 1e300], [-INFINITY, INFINITY]],
        [],
    ),
    "thresholded_relu": (
        unary(lambda x, alpha: F.threshold(x, alpha, 0.0)),
        [[1.0], [0.4], [-0.3], [0.0], [-1e-9], [1e6], [1e300], [INFINITY], [-INFINITY]],
        [],
    ),
    "squared_relu": (unary(lambda x: F.relu(x).square()), [[]], [2.0]),
    "hard_sigmoid": (unary(F.hardsigmoid), [[]], [-3.0, -2.9, -1.7, 0.7, 2.9, 3.0]),
    "hard_swish": (unary(F.hardswish), [[]], [-3.0, -2.9, -1.7, -1.5, 0.7, 1.7, 2.9, 3.0, 3.4]),
    "prelu": (prelu, [[0.25], [0.0], [-0.5], [INFINITY], [NAN]], []),
    "reglu": (reglu, [[-1.7], [0.0], [1e38], [INFINITY], [NAN]], []),
    "crelu": (crelu, [[]], []),
    "gelu": (unary(F.gelu), [[]], tables.GELU),
    "gelu_tanh": (unary(lambda x: F.gelu(x, approximate="tanh")), [[]], tables.GELU),
    "sigmoid": (unary(torch.sigmoid), [[]], tables.SIGMOID),
    "tanh": (unary(torch.tanh), [[]], tables.TANH),
    "softplus": (unary(F.softplus), [[1.0], [0.3], [20.0]], tables.SOFTPLUS),
    "log_sigmoid": (unary(F.logsigmoid), [[]], tables.SOFTPLUS),
    "mish": (unary(F.mish), [[]], tables.MISH),
    "softsign": (unary(F.softsign), [[]], tables.SOFTSIGN),
    "hardshrink": (unary(F.hardshrink), [[0.5], [0.3], [0.0], [1e-9], [1e300], [INFINITY]], []),
    "softshrink": (unary(F.softshrink), [[0.5], [0.3], [0.0], [1e-9], [1e300]], tables.SOFTSHRINK),
    "tanhshrink": (unary(F.tanhshrink), [[]], tables.TANHSHRINK),
    "silu": (unary(F.silu), [[]], tables.SILU),
    "elu": (unary(F.elu), [[1.0], [0.7]], tables.ELU),
    "selu": (unary(F.selu), [[]], tables.ELU),
    "celu": (unary(F.celu), [[1.0], [0.7]], tables.ELU),
    "swish": (unary(lambda x, beta: F.silu(x)), [[1.0]], tables.SILU),
}

if __name__ == "__main__":
    for name, (function, parameters, kinks) in FUNCTIONS.items():
        for parameters in parameters:
            for format in TYPES:

                def run(x, g, elements):
                    outputs = function(format, parameters, x, g, elements)
                    return [[to_bits(output) for output in part] for part in outputs]

                try:
                    run(0, 0, 1)
                except RuntimeError:
                    print("#", name, *parameters, format + ",error")
                    continue
                bounds = [] if name in ["leaky_relu", "prelu", "reglu", "elu", "celu", "swish"] else parameters
                tables.write_section(name, parameters, format, kinks + bounds, run, True)
