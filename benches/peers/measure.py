"""Python's libraries on one thread, in turns with rectify, which it loads as a C library. Appends to the rows of peers:
library, function, format, elements, bytes a slice, and the nanoseconds of a call of the library and of rectify."""

import ctypes
import os
import statistics
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper
from torch.utils.cpp_extension import load

FUNCTIONS = ["relu_inplace", "relu", "relu_backward", "relu_backward_inplace"]
FORMATS = {"f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16}
NUMPY = {"f32": np.float32, "f64": np.float64, "f16": np.float16}
ONNX = {"f32": TensorProto.FLOAT, "f64": TensorProto.DOUBLE, "f16": TensorProto.FLOAT16}
ROUNDS = 7

here = Path(__file__).parent
rectify = ctypes.CDLL(here / "target/release/libpeers.so")
rectify.time_rectify.restype = ctypes.c_double
loop = load("torch_loop", [here / "torch_loop.cpp"], extra_cflags=["-O2"])
torch.manual_seed(1969)


def time_rectify(function, format, tensors, calls):
    pointers = [ctypes.c_void_p(tensor.data_ptr()) for tensor in tensors]
    place = list(FORMATS).index(format)
    arguments = [function, place], pointers, [tensors[0].numel(), calls]
    return rectify.time_rectify(*(ctypes.c_size_t(a) for a in arguments[0]), *pointers, *map(ctypes.c_size_t, arguments[2]))


def time_python(call, calls):
    start = time.perf_counter_ns()
    for _ in range(calls):
        call()
    return time.perf_counter_ns() - start


def onnx_call(format, x, target):
    shape = [x.numel()]
    y, x_info = (helper.make_tensor_value_info(name, ONNX[format], shape) for name in "yx")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "relu", [x_info], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_input("x", "cpu", 0, NUMPY[format], shape, x.data_ptr())
    binding.bind_output("y", "cpu", 0, NUMPY[format], shape, target.data_ptr())
    return lambda: session.run_with_iobinding(binding)


def libraries(function, format, x, grad, target):
    """The time of so many calls, by library."""
    yield "PyTorch", lambda calls: loop.time_torch(function, x, grad, target, calls)
    if format in NUMPY and function < 2:
        zero = NUMPY[format](0)
        out = target.numpy()
        source = out if function == 0 else x.numpy()
        yield "NumPy", lambda calls: time_python(lambda: np.maximum(source, zero, out=out), calls)
    if format in ONNX and function == 1:
        call = onnx_call(format, x, target)
        yield "ONNX Runtime", lambda calls: time_python(call, calls)


def measure(function, format, elements):
    x, grad = ((torch.rand(elements, dtype=torch.float32) - 0.5).to(FORMATS[format]) for _ in range(2))
    before = x if function == 0 else grad
    target = before.clone()
    tensors = [x, grad, target]
    expected = torch.where(x > 0, before if function != 1 else x, torch.zeros_like(x))
    for name, run in libraries(function, format, *tensors):
        for check in [run, lambda calls: time_rectify(function, format, tensors, calls)]:
            target.copy_(before)
            check(1)
            assert torch.equal(target, expected), name
        calls = 1
        while run(calls) < 200_000:
            calls *= 2
        times = [(run(calls) / calls, time_rectify(function, format, tensors, calls) / calls) for _ in range(ROUNDS)]
        ns, rectify_ns = (statistics.median(column) for column in zip(*times))
        size = elements * x.element_size()
        print(f"{name},{FUNCTIONS[function]},{format},{elements},{size},{ns:.2f},{rectify_ns:.2f}", flush=True)


for format, dtype in FORMATS.items():
    size = torch.empty(0, dtype=dtype).element_size()
    elements = [1, 2, 4, 8, 16, 32, 64] + [b // size for b in (1 << 10, 16 << 10, 256 << 10, 1 << 20, 16 << 20, 256 << 20)]
    for count in elements:
        for function in range(len(FUNCTIONS)):
            measure(function, format, count)
