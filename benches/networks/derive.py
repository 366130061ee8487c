"""Writes layers/NETWORK.csv: the activation layers of networks, as PyTorch runs them on one input.
usage: derive.py        needs torch, torchvision and ultralytics

A row is a shape: the function; what it is applied to (`epilogue`); its layout; images, channels and numbers of a channel in an image,
or with channels last rows, columns and 1; how many layers have it. The epilogue is

bn            a batch norm's output: its scale is folded into the convolution in inference, and a bias per channel is left
bn+residual   the same and a residual
bias          the output of a convolution or matrix product with a bias
gate          a second tensor, which the result is multiplied by
none          something else
"""

import collections
from pathlib import Path

import torch
import torchvision
import ultralytics
from torch.utils._python_dispatch import TorchDispatchMode

FUNCTIONS = {"relu": "relu", "silu": "silu", "hardtanh": "relu6", "hardswish": "hardswish", "hardsigmoid": "hardsigmoid"}
FUNCTIONS |= {"gelu": "gelu", "sigmoid": "sigmoid"}
PRODUCERS = {"native_batch_norm": "bn", "_native_batch_norm_legit_no_training": "bn", "addmm": "bias"}
VIEWS = {"view", "_unsafe_view", "t", "reshape", "detach", "transpose"}


class Recorder(TorchDispatchMode):
    """Of each tensor what computed it, and the layers."""

    def __init__(self):
        super().__init__()
        self.tensors, self.layers = {}, collections.Counter()

    def producer(self, tensor):
        return self.tensors.get(id(tensor), ("none", None))[0]

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        name = op.overloadpacket.__name__
        producer = PRODUCERS.get(name, "none")
        if name == "convolution" and args[2] is not None:
            producer = "bias"
        elif name in VIEWS:
            producer = self.producer(args[0])
        elif name.rstrip("_") == "add" and all(isinstance(arg, torch.Tensor) for arg in args):
            producer = "bn+residual" if self.producer(args[0]) == "bn" else "none"
        elif name.rstrip("_") in FUNCTIONS:
            function, x = FUNCTIONS[name.rstrip("_")], args[0]
            assert function != "relu6" or args[1:] == (0.0, 6.0)
            images, channels, spatial = 1, x.shape[1], x.shape[2:].numel()
            layout = "first"
            if self.producer(x) == "bias" and x.dim() == 3 or x.dim() == 2:
                layout, images, channels, spatial = "last", x.shape[:-1].numel(), x.shape[-1], 1
            assert images * channels * spatial == x.numel()
            self.layers[function, self.producer(x), layout, images, channels, spatial] += 1
        result = op(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            # Kept, so that no other gets its id.
            self.tensors[id(tensor)] = producer, tensor
        return result


def recorded(model, size):
    recorder = Recorder()
    with torch.no_grad(), recorder:
        model.eval()(torch.zeros(1, 3, size, size))
    return recorder.layers


def unet(features=32, size=256):
    layers = collections.Counter()
    for level in range(5):
        layers["relu", "bn", "first", 1, features << level, (size >> level) ** 2] = 4 if level < 4 else 2
    layers["sigmoid", "bias", "first", 1, 1, size**2] = 1
    return layers


def write(name, source, layers):
    rows = [",".join(map(str, [*layer, count])) for layer, count in layers.items()]
    lines = [f"# {source}", "function,epilogue,layout,images,channels,spatial,count", *rows]
    (Path(__file__).parent / "layers" / f"{name}.csv").write_text("\n".join(lines) + "\n")


def main():
    models, version = torchvision.models, f"torchvision {torchvision.__version__.split('+')[0]}, models."
    for name, title, paper in [
        ("resnet50", "ResNet-50", "arXiv:1512.03385"),
        ("mobilenet_v2", "MobileNetV2", "arXiv:1801.04381"),
        ("mobilenet_v3_large", "MobileNetV3-Large", "arXiv:1905.02244"),
        ("efficientnet_b0", "EfficientNet-B0", "arXiv:1905.11946"),
        ("vit_b_16", "ViT-B/16", "arXiv:2010.11929"),
    ]:
        write(name, f"{title}, 224 x 224 pixels: {version}{name}; {paper}", recorded(getattr(models, name)(), 224))
    yolo = recorded(ultralytics.YOLO("yolo11n.yaml").model, 640)
    write("yolo11n", f"YOLO11n, 640 x 640 pixels: ultralytics {ultralytics.__version__}, yolo11n.yaml", yolo)
    source = "U-Net, 256 x 256 pixels, 32 features: torch.hub, mateuszbuda/brain-segmentation-pytorch, unet.py; arXiv:1505.04597"
    write("unet", source, unet())
    # By their configurations.
    bert = {("gelu", "bias", "last", 128, 3072, 1): 12, ("tanh", "bias", "last", 1, 768, 1): 1}
    write("bert_base", "BERT-base, 128 tokens: google-bert/bert-base-uncased, config.json; arXiv:1810.04805", bert)
    llama = "Llama 3.2 1B, {}: meta-llama/Llama-3.2-1B, config.json (16 layers, intermediate_size 8192); arXiv:2407.21783"
    for name, title, tokens in [("llama_1b", "a prompt of 128 tokens", 128), ("llama_1b_token", "one token", 1)]:
        write(name, llama.format(title), {("silu", "gate", "last", tokens, 8192, 1): 16})


main()
