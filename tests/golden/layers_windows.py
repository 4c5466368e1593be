"""Training steps and evaluation of the layers with windows, from PyTorch in f64. Writes layers_windows.json."""

from torch import nn

from layers import add, cases, draws
from record import write


def two(x, axes):
    return [x] * axes if isinstance(x, int) else x


def convolution(axes):
    name, layer = f"Conv{axes}d", getattr(nn, f"Conv{axes}d")
    for outputs, kernel, stride, padding, dilation, groups, bias in [
        (3, 3, 1, 0, 1, 1, True),
        (2, 2, 2, 1, 1, 1, False),
        (4, 3, 1, "same", 2, 2, True),
    ]:
        config = {"in_channels": 2, "out_channels": outputs, "kernel_size": two(kernel, axes), "groups": groups}
        config |= {"stride": two(stride, axes), "dilation": two(dilation, axes), "bias": bias}
        config["padding"] = padding if padding == "same" else two(padding, axes)
        *inputs, last = draws(name, [2, 2, *[6, 5][:axes]], [1, 2, *[5, 7][:axes]])
        add(name, layer(2, outputs, kernel, stride, padding, dilation, groups, bias), config, inputs, last)


def transposed(axes):
    name, layer = f"ConvTranspose{axes}d", getattr(nn, f"ConvTranspose{axes}d")
    for outputs, kernel, stride, padding, extra, groups, bias in [
        (3, 3, 1, 0, 0, 1, True),
        (2, 2, 2, 0, 1, 1, False),
        (4, 3, 2, 1, 1, 2, True),
    ]:
        config = {"in_channels": 2, "out_channels": outputs, "kernel_size": two(kernel, axes), "groups": groups}
        config |= {"stride": two(stride, axes), "padding": two(padding, axes), "output_padding": two(extra, axes)}
        config |= {"dilation": two(1, axes), "bias": bias}
        *inputs, last = draws(name, [2, 2, *[3, 4][:axes]], [1, 2, *[4, 2][:axes]])
        module = layer(2, outputs, kernel, stride, padding, extra, groups, bias)
        add(name, module, config, inputs, last)


def normalization():
    for layer, size in [(nn.BatchNorm2d, [3, 2]), (nn.BatchNorm3d, [2, 1, 3])]:
        for affine in [True, False]:
            config = {"num_features": 2, "eps": 1e-5, "momentum": 0.1, "affine": affine}
            *inputs, last = draws("BatchNorm", [2, 2, *size], [3, 2, *size], [1, 2, *size])
            add("BatchNorm", layer(2, affine=affine), config, inputs, last, layer.__name__)
    for layer, size in [(nn.InstanceNorm1d, [5]), (nn.InstanceNorm2d, [3, 2])]:
        for affine in [True, False]:
            config = {"num_features": 3, "eps": 1e-5, "affine": affine}
            *inputs, last = draws("InstanceNorm", [2, 3, *size], [1, 3, *size])
            add("InstanceNorm", layer(3, affine=affine), config, inputs, last, layer.__name__)


if __name__ == "__main__":
    for axes in [1, 2]:
        convolution(axes)
        transposed(axes)
    normalization()
    write(__file__, "layers_windows.json", cases=cases)
