"""Prints what ONNX Runtime's CPU kernels give for the functions of the family, in the format that ../tables.py describes.
usage: python3 table.py >table.txt        with onnxruntime 1.32.0, onnx 1.23.2 and numpy, on x86-64 with AVX2 or AVX-512

A format in which it has no kernel for an operator is left out."""

import pathlib
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import tables
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidGraph, NotImplemented

INFINITY, NAN = float("inf"), float("nan")
TYPES = {"f32": (TensorProto.FLOAT, np.float32), "f64": (TensorProto.DOUBLE, np.float64), "f16": (TensorProto.FLOAT16, np.float16)}

# The operator, its attributes' names or else those of its inputs, the parameters, and the kinks of functions without.
FUNCTIONS = {
    "relu": ("Relu", [], [], [[]], []),
    "leaky_relu": ("LeakyRelu", ["alpha"], [], [[0.01], [0.0], [-0.5], [1e-50]], []),
    "clipped_relu": ("Clip", [], ["min", "max"], [[6.0], [0.9], [0.0], [-0.0], [INFINITY]], []),
    "hardtanh": (
        "Clip",
        [],
        ["min", "max"],
        [[-1.0, 1.0], [-0.9, 0.4], [0.5, 2.0], [-0.0, 1.0], [-1.0, -0.0], [-INFINITY, INFINITY]],
        [],
    ),
    "thresholded_relu": (
        "ThresholdedRelu",
        ["alpha"],
        [],
        [[1.0], [0.4], [-0.3], [0.0], [-1e-9], [1e6], [INFINITY], [-INFINITY]],
        [],
    ),
    "hard_sigmoid": (
        "HardSigmoid",
        ["alpha", "beta"],
        [],
        [[0.2, 0.5], [1 / 6, 0.5], [3.0, -1.5]],
        [-3.0, -2.9, -2.5, -1.7, 0.5, 0.7, 5 / 6, 2.5, 3.0],
    ),
    "hard_swish": ("HardSwish", [], [], [[]], [-3.0, -2.9, -1.7, -1.5, 0.7, 1.7, 2.9, 3.0, 3.4]),
    "prelu": ("PRelu", [], ["slope"], [[0.25], [0.0], [-0.5], [INFINITY], [NAN]], []),
    "gelu": ("Gelu", [], [], [[]], tables.GELU),
    "gelu_tanh": ("GeluTanh", [], [], [[]], tables.GELU),
    "sigmoid": ("Sigmoid", [], [], [[]], tables.SIGMOID),
    "tanh": ("Tanh", [], [], [[]], tables.TANH),
    "softplus": ("Softplus", [], [], [[]], tables.SOFTPLUS),
    "mish": ("Mish", [], [], [[]], tables.MISH),
    "softsign": ("Softsign", [], [], [[]], tables.SOFTSIGN),
    "hardshrink": ("Shrink", ["lambd"], [], [[0.5], [0.3], [0.0], [1e-9], [INFINITY]], []),
    "softshrink": ("Shrink", ["lambd", "bias"], [], [[0.5], [0.3], [0.0], [1e-9]], tables.SOFTSHRINK),
    "elu": ("Elu", ["alpha"], [], [[1.0], [0.7]], tables.ELU),
    "selu": ("Selu", [], [], [[]], tables.ELU),
    "celu": ("Celu", ["alpha"], [], [[1.0], [0.7]], tables.ELU),
    "swish": ("Swish", ["alpha"], [], [[1.702], [1.0]], tables.SWISH),
}


def session(operator, format, attributes, inputs):
    if operator == "GeluTanh":
        operator, attributes = "Gelu", {"approximate": "tanh"}
    type, _ = TYPES[format]
    x, y = [helper.make_tensor_value_info(name, type, ["n"]) for name in ["x", "y"]]
    inputs = [helper.make_tensor_value_info(name, type, ["n"] if name == "slope" else []) for name in inputs]
    node = helper.make_node(operator, ["x", *[input.name for input in inputs]], ["y"], **attributes)
    graph = helper.make_graph([node], operator, [x, *inputs], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 24)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def table(name, operator, attributes, inputs, parameters, kinks):
    for format, (_, dtype) in TYPES.items():
        numbers = {"clipped_relu": [0.0, *parameters], "softshrink": parameters * 2}.get(name, parameters)
        try:
            runs = session(operator, format, dict(zip(attributes, numbers)), inputs)
        except (NotImplemented, InvalidGraph):
            continue
        bits = tables.FORMATS[format][0]

        def run(x, _, elements):
            values = {"x": np.full(elements, x, bits).view(dtype)}
            for input, number in zip(inputs, numbers):
                number = np.full([1] if input == "slope" else [], tables.nearest(format, number), bits)
                values[input] = number.view(dtype)
            [y] = runs.run(None, values)
            return [y.view(bits).tolist()], []

        bounds = [] if name in ["leaky_relu", "hard_sigmoid", "prelu", "elu", "celu", "swish"] else parameters
        tables.write_section(name, parameters, format, kinks + bounds, run, False)


if __name__ == "__main__":
    for name, (operator, attributes, inputs, parameters, kinks) in FUNCTIONS.items():
        for parameters in parameters:
            table(name, operator, attributes, inputs, parameters, kinks)
