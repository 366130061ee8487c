"""Each library in turns with rectify, on one thread of one core and on the same memory. Prints the rows that table.py reads: the
nanoseconds of a call of the library and of rectify, and the errors of both (`errors`).
usage: measure.py relu|smooth|FUNCTION"""

import ctypes
import itertools
import os
import re
import statistics
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import ml_dtypes
import numpy as np
from libraries import numpy_maximum, onnx_runtime

FORMATS = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16, "f64": np.float64}
# Elements of a slice, or its bytes; the standard deviations of x; in place or not.
RELU = [1, 2, 4, 8, 16, 32, 64], [1 << 10, 16 << 10, 256 << 10, 1 << 20, 16 << 20, 256 << 20], [1], [True, False]
SMOOTH = [4 << 10, 64 << 10, 1 << 20, 16 << 20], [], [1, 3], [False]
PERIOD = 1 << 17  # After so many the numbers repeat: more than what a branch predictor remembers.
COLUMNS = "library,function,format,input,elements,bytes,ns,rectify_ns,ulp,breaks,rectify_ulp,rectify_breaks"

here = Path(__file__).parent


class Call(ctypes.Structure):
    """libraries/call.h"""

    _fields_ = [("function", ctypes.c_char_p), ("format", ctypes.c_char_p)]
    _fields_ += [(name, ctypes.c_void_p) for name in ["x", "grad", "target"]]
    _fields_ += [(name, ctypes.c_size_t) for name in ["len", "calls"]]


def native(name, file=None):
    """A library by its C function. As those in Python, it returns the time of so many calls, or None if it doesn't have the function."""
    time_calls = ctypes.CDLL(here / "target" / (file or f"{name}.so"))[name]
    time_calls.restype = ctypes.c_double

    def library(function, format, x, grad, target):
        pointers = [None if slice is None else slice.ctypes.data for slice in [x, grad, target]]

        def run(calls):
            return time_calls(ctypes.byref(Call(function.encode(), format.encode(), *pointers, x.size, calls)))

        return run if run(0) >= 0 else None

    return library


def of_rust(name):
    return native(name, "release/libpeers.so")


rectify = of_rust("rectify")
LIBRARIES = {
    "from output": of_rust("from_output"),
    "plain loop": of_rust("plain_loop"),
    "ndarray": of_rust("ndarray"),
    "rten": of_rust("rten"),
    "tract": of_rust("tract"),
    "candle": of_rust("candle"),
    "PyTorch": native("pytorch"),
    "oneDNN": native("onednn"),
    "libmvec": native("libmvec"),
    "ONNX Runtime": onnx_runtime.library,
    "NumPy": numpy_maximum.library,
}
write_reference = ctypes.CDLL(here / "target/reference.so").reference
write_reference.restype = ctypes.c_bool


def reference(function, is_slope, x):
    """The exact values or slopes."""
    x = x.astype(np.float64)
    exact = np.empty(x.size, np.longdouble)
    pointers = (ctypes.c_void_p(array.ctypes.data) for array in [x, exact])
    assert write_reference(function.encode(), is_slope, *pointers, ctypes.c_size_t(x.size)), function
    return exact


def ulp(dtype, exact):
    """Of each number, rounded to the format."""
    info = ml_dtypes.finfo(dtype)
    exponents = np.maximum(np.frexp(exact)[1] - 1, info.minexp)
    return np.ldexp(np.longdouble(1), exponents - info.nmant)


def errors(library, function, format, is_backward):
    """The greatest error for |x| <= 3, in ulp of the exact result; and the x of least magnitude beyond 3 where the error is more
    than a thousandth and more than 4 ulp, as where a tail is 0, or None. Where a slope changes sign, an ulp is at least that of 1/8.
    By all x of 16 bits, else a million from 2^-24 to 3, evenly by their bits, and every 1/64 beyond."""
    dtype = FORMATS[format]
    bits = np.dtype(f"u{np.dtype(dtype).itemsize}")
    first, last = (int(np.array(x, dtype).view(bits)) for x in [2**-24, 3])
    # An odd step: else the last bits of all are 0, and so is the error of 1 + x.
    near = np.arange(last, first - 1, -((last - first) >> 19 | 1), dtype=bits).view(dtype)
    least = ml_dtypes.finfo(dtype).smallest_subnormal.astype(np.float64)
    far = np.arange(3, 1 - np.log(least), 1 / 64).astype(dtype)
    # Where two have the same magnitude, the negative one is first.
    x = np.concatenate([-near, near, np.stack([-far, far], 1).ravel()])
    grad, target = (np.ones_like(x) if is_backward else None), np.empty_like(x)
    library(function, format, x, grad, target)(1)
    exact = reference(function, is_backward, x)
    error = np.abs(target.astype(np.longdouble) - exact)
    error[np.isnan(error)] = np.inf
    unit = ulp(dtype, exact)
    is_near = np.arange(x.size) < 2 * near.size
    breaks = np.flatnonzero(~is_near & (error > np.maximum(np.abs(exact) / 1000, 4 * unit)))
    if is_backward and (exact[is_near] < 0).any():
        unit = np.maximum(unit, ulp(dtype, np.longdouble(1 / 8)))
    return np.max(error[is_near] / unit[is_near]), (float(x[breaks[0]]) if breaks.size else None)


def numbers(random, deviation, format, elements):
    """Aligned to 16 bytes and no more, as an allocator returns them."""
    dtype = np.dtype(FORMATS[format])
    memory = np.empty(elements * dtype.itemsize + 128, np.uint8)
    start = 16 - memory.ctypes.data % 64
    slice = memory[start % 64 :][: elements * dtype.itemsize].view(dtype)
    slice[:] = np.resize(random.normal(0, deviation, min(elements, PERIOD)).astype(dtype), elements)
    return slice


def measure(function, format, is_backward, is_inplace, deviation, elements, error_columns):
    random = np.random.default_rng(1969)
    x = numbers(random, deviation, format, elements)
    grad = numbers(random, 1, format, elements) if is_backward else None
    before = grad if is_backward else x
    target = before if is_inplace else numbers(random, 1, format, elements)
    before = before.copy()
    exact = reference(function, is_backward, x[:PERIOD])
    if is_backward:
        exact *= before[:PERIOD].astype(np.longdouble)
    # ReLU chooses. Others compute, some with an error that is absolute.
    tolerance = 0 if function == "relu" else 64 * float(ml_dtypes.finfo(target.dtype).eps) * np.maximum(1, np.abs(exact))
    run_rectify = rectify(function, format, x, grad, target)
    for name, library in LIBRARIES.items():
        run = library(function, format, x, grad, target)
        if run is None:
            continue
        is_right = []
        for checked in [run, run_rectify]:
            target[:] = before
            checked(1)
            periods = target.reshape(-1, exact.size)
            error = np.abs(periods[0].astype(np.longdouble) - exact)
            is_right.append((error <= tolerance).all() and (periods == periods[0]).all())
        assert is_right[1], f"rectify, {function}: a wrong result"
        if not is_right[0]:
            print(f"measure: {name}, {function}, N(0, {deviation**2}): a wrong result: left out", file=sys.stderr)
            continue
        calls = 1
        while (elapsed := run(calls)) < 200_000:
            calls *= 2
        rounds = 25 if elapsed < 10_000_000 else 5
        times = [(run(calls) / calls, run_rectify(calls) / calls) for _ in range(rounds)]
        # Lower quartiles of short rounds: what else runs on the core adds milliseconds to some.
        ns, rectify_ns = (statistics.quantiles(column)[0] for column in zip(*times))
        suffix = ("_backward" if is_backward else "") + ("_inplace" if is_inplace else "")
        cell = name, function + suffix, format, deviation, elements, x.nbytes, f"{ns:.2f}", f"{rectify_ns:.2f}"
        print(*cell, *error_columns[name], *error_columns["rectify"], sep=",", flush=True)


def has(library, function, format, is_backward):
    nothing = np.empty(0, FORMATS[format])
    return library(function, format, nothing, nothing if is_backward else None, np.empty_like(nothing)) is not None


def measure_all(function, format, is_backward, few, sizes, deviations, inplace):
    columns = {}
    for name, library in {"rectify": rectify, **LIBRARIES}.items():
        if has(library, function, format, is_backward):
            worst, breaks = errors(library, function, format, is_backward)
            columns[name] = f"{worst:.{'2f' if worst < 10 else '3g'}}", "" if breaks is None else breaks
    for elements in few + [size // np.dtype(FORMATS[format]).itemsize for size in sizes]:
        for deviation in deviations:
            for is_inplace in inplace:
                measure(function, format, is_backward, is_inplace, deviation, elements, columns)


def main(wanted):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    relu, *smooth = re.findall(r"^  FUNCTION\((\w+), ", (here / "functions.h").read_text(), re.MULTILINE)
    functions = smooth if wanted == "smooth" else [wanted]
    for function in functions:
        if not has(rectify, function, "f32", False):
            print(f"measure: rectify has no {function}: left out", file=sys.stderr)
    print(COLUMNS)
    for format, function, is_backward in itertools.product(FORMATS, functions, [False, True]):
        if has(rectify, function, format, is_backward):
            measure_all(function, format, is_backward, *(RELU if function == relu else SMOOTH))


main(sys.argv[1])
