"""NumPy, called from Python."""

import time

import numpy as np


def library(function, format, x, grad, target):
    if function != "relu" or grad is not None or format == "bf16":
        return None
    zero = x.dtype.type(0)

    def run(calls):
        start = time.perf_counter_ns()
        for _ in range(calls):
            np.maximum(x, zero, out=target)
        return time.perf_counter_ns() - start

    return run
