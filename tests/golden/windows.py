"""Values and gradients of convolution, pooling and resizing, from PyTorch in f64. Writes windows.json."""

import itertools

import torch
import torch.nn.functional as F

from record import Cases, write

cases = Cases()


def pair(x):
    return [x, x] if isinstance(x, int) else list(x)


def draw(op, *shapes):
    # Products of drawn numbers are exact in f64; no two elements of a tensor are equal, so that no maximum is a tie.
    numbers = cases.numbers(op)
    return [numbers.draw(shape, -8.0, 8.0) for shape in shapes]


def convolutions():
    # size, in, out, kernel, stride, padding, dilation, groups
    settings = [
        ([5, 6], 2, 3, [3, 2], 1, 0, 1, 1),
        ([5, 6], 2, 3, [3, 2], 1, [1, 2], 1, 1),
        ([7, 5], 2, 2, [3, 3], 2, 1, 1, 1),
        ([6, 7], 1, 2, [2, 3], [2, 1], [0, 1], [1, 2], 1),
        ([7, 7], 2, 4, [3, 3], [3, 2], 2, 2, 2),
        ([4, 5], 3, 3, [3, 3], 1, 1, 1, 3),
        ([4, 4], 2, 4, [1, 1], 1, 0, 1, 1),
        ([3, 3], 2, 2, [3, 3], 1, 0, 1, 1),
        ([4, 3], 4, 2, [2, 2], 2, 1, 1, 2),
        ([5, 4], 1, 1, [2, 4], 1, "same", 1, 1),
        ([5, 4], 2, 2, [3, 2], 1, "same", 2, 2),
        ([1, 1], 2, 3, [3, 3], 1, 1, 1, 1),
        ([2, 9], 1, 2, [2, 3], [1, 4], [0, 3], [1, 3], 1),
    ]
    for size, inputs, outputs, kernel, stride, padding, dilation, groups in settings:
        for n, bias in [(2, True), (1, False)]:
            shapes = [[n, inputs, *size], [outputs, inputs // groups, *kernel]] + [[outputs]] * bias
            args = {"stride": pair(stride), "dilation": pair(dilation), "groups": groups}
            args["padding"] = padding if padding == "same" else pair(padding)
            options = (stride, padding, dilation, groups)
            f = lambda x, w, b=None: F.conv2d(x, w, b, *options)
            cases.add("conv2d", f, draw("conv2d", *shapes), args)
    args = {"stride": [1, 1], "dilation": [1, 1], "groups": 1, "padding": [0, 0]}
    cases.add("conv2d", F.conv2d, draw("conv2d", [0, 2, 4, 4], [3, 2, 2, 2], [3]), args, "no samples")
    signals = [
        (7, 2, 3, 3, 1, 0, 1, 1),
        (8, 2, 4, 3, 2, 1, 2, 2),
        (5, 1, 2, 5, 1, "same", 1, 1),
        (9, 3, 3, 2, 3, 1, 1, 3),
        (1, 1, 1, 1, 1, 0, 1, 1),
    ]
    for length, inputs, outputs, kernel, stride, padding, dilation, groups in signals:
        shapes = [[2, inputs, length], [outputs, inputs // groups, kernel], [outputs]]
        args = {"stride": [stride], "dilation": [dilation], "groups": groups}
        args["padding"] = padding if padding == "same" else [padding]
        f = lambda x, w, b: F.conv1d(x, w, b, stride, padding, dilation, groups)
        cases.add("conv1d", f, draw("conv1d", *shapes), args)


def transposed():
    # size, in, out, kernel, stride, padding, output padding, dilation, groups
    settings = [
        ([3, 4], 2, 3, [3, 2], 1, 0, 0, 1, 1),
        ([3, 2], 2, 3, [3, 3], 2, 1, 1, 1, 1),
        ([2, 3], 4, 2, [2, 3], [3, 2], [0, 1], [2, 0], 1, 2),
        ([3, 3], 2, 2, [3, 2], 1, [2, 1], 1, 2, 2),
        ([1, 1], 1, 2, [3, 3], 2, 0, 0, 1, 1),
        ([4, 4], 3, 3, [4, 4], 2, 1, 0, 1, 3),
    ]
    for size, inputs, outputs, kernel, stride, padding, extra, dilation, groups in settings:
        for n, bias in [(2, True), (1, False)]:
            shapes = [[n, inputs, *size], [inputs, outputs // groups, *kernel]] + [[outputs]] * bias
            args = {"stride": pair(stride), "dilation": pair(dilation), "groups": groups}
            args |= {"padding": pair(padding), "output_padding": pair(extra)}
            options = (stride, padding, extra, groups, dilation)
            f = lambda x, w, b=None: F.conv_transpose2d(x, w, b, *options)
            cases.add("conv_transpose2d", f, draw("conv_transpose2d", *shapes), args)
    for length, stride, padding, extra, dilation, groups in [
        (5, 1, 0, 0, 1, 1), (4, 2, 1, 1, 1, 2), (3, 3, 0, 2, 2, 1), (1, 2, 0, 0, 1, 1)
    ]:
        shapes = [[2, 2, length], [2, 4 // groups, 3], [4]]
        args = {"stride": [stride], "dilation": [dilation], "groups": groups}
        args |= {"padding": [padding], "output_padding": [extra]}
        f = lambda x, w, b: F.conv_transpose1d(x, w, b, stride, padding, extra, groups, dilation)
        cases.add("conv_transpose1d", f, draw("conv_transpose1d", *shapes), args)


def pooling():
    # size, kernel, stride, padding, dilation, ceil mode
    settings = [
        ([4, 6], [2, 2], 2, 0, 1, False),
        ([5, 7], [2, 3], 2, 0, 1, False),
        ([5, 7], [2, 3], 2, 0, 1, True),
        ([6, 5], [3, 3], [2, 1], 1, 1, False),
        ([6, 5], [3, 3], [2, 3], 1, 1, True),
        ([7, 8], [2, 3], 1, 0, [2, 3], False),
        ([7, 7], [2, 2], 3, 1, 2, True),
        ([3, 3], [3, 3], 1, 1, 1, False),
        ([2, 2], [2, 2], 3, 0, 1, True),
        ([1, 5], [1, 2], 3, [0, 1], 1, True),
    ]
    for size, kernel, stride, padding, dilation, ceil in settings:
        args = {"kernel": kernel, "stride": pair(stride), "padding": pair(padding), "ceil_mode": ceil}
        [x] = draw("max_pool2d", [2, 3, *size])
        f = lambda x: F.max_pool2d(x, kernel, stride, padding, dilation, ceil)
        cases.add("max_pool2d", f, [x], args | {"dilation": pair(dilation)})
        if dilation == 1:
            for count in [True, False]:
                f = lambda x: F.avg_pool2d(x, kernel, stride, padding, ceil, count)
                cases.add("avg_pool2d", f, [x], args | {"count_include_pad": count})
    ties = torch.tensor([[[[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]]])
    args = {"kernel": [2, 2], "stride": [1, 1], "padding": [0, 0], "dilation": [1, 1], "ceil_mode": False}
    cases.add("max_pool2d", lambda x: F.max_pool2d(x, 2, 1), [ties], args, "the first of several")
    for length, kernel, stride, padding in [(6, 2, 2, 0), (7, 3, 2, 1), (5, 5, 1, 2), (1, 1, 1, 0)]:
        args = {"kernel": [kernel], "stride": [stride], "padding": [padding]}
        [x] = draw("max_pool1d", [2, 2, length])
        cases.add("max_pool1d", lambda x: F.max_pool1d(x, kernel, stride, padding), [x], args)
        cases.add("avg_pool1d", lambda x: F.avg_pool1d(x, kernel, stride, padding), [x], args)
    for size, output in itertools.product([[4, 6], [5, 7], [1, 3]], [[1, 1], [2, 3], [3, 2], [5, 7]]):
        [x] = draw("adaptive", [1, 2, *size])
        args = {"output": output}
        cases.add("adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, output), [x], args)
        cases.add("adaptive_max_pool2d", lambda x: F.adaptive_max_pool2d(x, output), [x], args)


def resizing():
    for shape, border, value in [
        ([2, 3], [(1, 2), (0, 1)], 0.0),
        ([2, 1, 3], [(0, 0), (2, 0), (1, 1)], -1.5),
        ([4], [(3, 0)], 2.0),
        ([], [], 1.0),
        ([0, 2], [(1, 1), (0, 3)], 0.5),
    ]:
        # PyTorch begins with the last axis.
        flat = [n for sides in reversed(border) for n in sides]
        f = lambda x: F.pad(x, flat, value=value) if flat else x * 1.0
        cases.add("pad", f, draw("pad", shape), {"border": border, "value": value})
    for shape, times in [
        ([1, 2, 2, 3], [2, 3]),
        ([2, 1, 3, 1], [1, 2]),
        ([2, 2, 2, 2], [1, 1]),
        ([0, 1, 2, 2], [2, 2]),
    ]:
        f = lambda x: x.repeat_interleave(times[0], 2).repeat_interleave(times[1], 3)
        if 0 not in shape:
            [x] = draw("check", shape)
            assert torch.equal(f(x), F.interpolate(x, scale_factor=tuple(times), mode="nearest"))
        cases.add("upsample_nearest2d", f, draw("upsample_nearest2d", shape), {"times": times})
    for name, mode in [("pad_reflect", "reflect"), ("pad_replicate", "replicate"), ("pad_circular", "circular")]:
        for shape, border in [
            ([1, 2, 3, 4], [(0, 0), (0, 0), (2, 1), (3, 0)]),
            ([2, 1, 5], [(0, 0), (0, 0), (0, 4)]),
            ([1, 1, 1, 2], [(0, 0), (0, 0), (0, 0), (1, 1)]),
            ([2, 3, 2, 2], [(0, 0), (0, 0), (0, 1), (0, 1)]),
        ]:
            flat = [n for sides in reversed(border[2:]) for n in sides]
            f = lambda x: F.pad(x, flat, mode=mode)
            cases.add(name, f, draw(name, shape), {"border": border})
    for shape, size in [
        ([2, 2, 3, 4], [6, 8]),
        ([1, 2, 2, 3], [5, 7]),
        ([1, 1, 7, 6], [3, 4]),
        ([1, 2, 1, 1], [2, 3]),
        ([2, 1, 4, 5], [1, 5]),
        ([1, 1, 5, 2], [9, 1]),
    ]:
        for aligned in [False, True]:
            f = lambda x: F.interpolate(x, size=size, mode="bilinear", align_corners=aligned)
            args = {"size": size, "align_corners": aligned}
            cases.add("upsample_bilinear2d", f, draw("upsample_bilinear2d", shape), args)


convolutions()
transposed()
pooling()
resizing()
write(__file__, "windows.json", cases=cases.cases)
