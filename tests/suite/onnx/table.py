"""Prints the cases that ONNX's backend tests have for the operators of the family, on f32, in the format of table.csv.
usage: python3 -W ignore table.py >table.csv        with onnx 1.23.2 and numpy 2.4.6

Left out: other formats than f32; Selu of other parameters than its own; Clip of int8, with min > max, which Hardtanh refuses, and without any bound, which is no function of the family; a
single absent bound is infinite. The tests named `_expanded` are the same cases, made of other operators."""

import numpy as np
import onnx
from onnx.backend.test.case import node

# Those of each operator; columns a and b.
PARAMETERS = {
    "Relu": [],
    "LeakyRelu": ["alpha"],
    "ThresholdedRelu": ["alpha"],
    "HardSigmoid": ["alpha", "beta"],
    "HardSwish": [],
    "Clip": ["min", "max"],
    "PRelu": ["slope"],
    "Gelu": [],
    "Sigmoid": [],
    "Tanh": [],
    "Softplus": [],
    "Mish": [],
    "Softsign": [],
    "Shrink": ["lambd", "bias"],
    "Swish": ["alpha"],
    "Elu": ["alpha"],
    "Selu": [],
    "Celu": ["alpha"],
}

print("case,operator,a,b,x,y")
for case in node.collect_testcases(""):
    operator = case.model.graph.node[0]
    name = operator.op_type
    if name not in PARAMETERS or "_expanded" in case.name:
        continue
    (inputs, [y]) = case.data_sets[0]
    inputs = dict(zip(filter(None, operator.input), inputs))
    x = inputs.pop(operator.input[0])
    values = {key: attribute.default_value.f for key, attribute in onnx.defs.get_schema(name).attributes.items()}
    values |= {attribute.name: attribute.f for attribute in operator.attribute} | inputs
    if name == "Clip":
        if x.dtype == np.int8 or not inputs:
            continue
        values = {"min": -np.inf, "max": np.inf} | values
        if values["min"] > values["max"]:
            continue
    if name == "Selu" and operator.attribute or x.dtype.name in ["float16", "bfloat16"]:
        continue
    assert x.dtype == y.dtype == np.float32

    def bits(numbers):
        return [f"{number:08x}" for number in np.broadcast_to(np.float32(numbers), x.shape).flatten().view(np.uint32)]

    # Gelu by tanh is another function.
    suffix = "Tanh" if any(attribute.s == b"tanh" for attribute in operator.attribute) else ""
    parameters = [bits(values[key]) for key in PARAMETERS[name]]
    blank = [[""] * x.size] * (2 - len(parameters))
    for cells in zip(*parameters, *blank, bits(x), bits(y)):
        print(case.name, name + suffix, *cells, sep=",")
