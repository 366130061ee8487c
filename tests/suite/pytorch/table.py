"""Prints what PyTorch gives for the functions of the family and their gradients, on f32, in the format of table.csv.
usage: python3 table.py >table.csv        with torch 2.15.0 and numpy"""

import numpy as np
import torch
from torch.nn import functional as F

FUNCTIONS = {
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.01),
    "clipped_relu": F.relu6,
    "hardtanh": F.hardtanh,
    "thresholded_relu": lambda x: F.threshold(x, 1.0, 0.0),
    "squared_relu": lambda x: F.relu(x).square(),
    "hard_sigmoid": F.hardsigmoid,
    "hard_swish": F.hardswish,
}
NUMBERS = [0.0, 1e-45, 1e-38, 1e-3, 0.3, 0.5, 1.0, 1.0000001, 1.5, 2.9999998, 3.0, 3.0000002, 5.9999995, 6.0, 6.5, 1e3, 3e38]
NUMBERS += [float("inf")]

print("function,x,grad_output,y,grad_input")
for name, function in FUNCTIONS.items():
    for magnitude in NUMBERS:
        for x in [magnitude, -magnitude]:
            for g in [1.0, -0.3, 1e30]:
                input = torch.tensor([x], requires_grad=True)
                y = function(input)
                y.backward(torch.tensor([g]))
                numbers = [input.item(), torch.tensor(g).item(), y.item(), input.grad.item()]
                print(name + "".join(f",{np.float32(number).view(np.uint32):08x}" for number in numbers))
