"""Writes operators.json: single operators with their gradients and Hessian-vector products from PyTorch in double precision.

    python3 test/golden/generate-operators.py
"""

import torch
import torch.nn.functional as F
from recording import draw, single, weighted, write


def operator(node, operate, inputs, domain="", constants=None, **attributes):
    """Σ weight·sin(y) for the first output y of a node; `operate` is the same in PyTorch."""
    weight, forward = weighted(operate(*inputs.values()).shape, operate)
    facts = {"type": node, "domain": domain, "attributes": {key: tagged(value) for key, value in attributes.items()}}
    return facts, inputs, {"weight": weight, **(constants or {})}, forward


def tagged(value):
    kinds = {int: "int", float: "float", str: "string"}
    if isinstance(value, list):
        return {"type": "ints", "value": value}
    return {"type": kinds[type(value)], "value": value}


def activation(node, operate, domain="", scale=2.0, **attributes):
    return operator(node, operate, {"x": draw(3, 5, scale=scale)}, domain, **attributes)


def inside(*shape):
    """Numbers in (-1, 1)."""
    return single(torch.tanh(draw(*shape)) * 0.9)


def factors_with_zeros():
    """Rows of five factors: with no zero, with one and with two."""
    x = draw(3, 5)
    x[1, 2] = x[2, 0] = x[2, 4] = 0
    return x


def positive(*shape):
    return single(draw(*shape).abs() + 0.3)


def layer_norm_of_sum(x, skip, scale, bias):
    return F.layer_norm(x + skip, (5,), scale, bias, 1e-3)


def rms_norm(x, scale):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-3) * scale


def quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)


def mean_pool_with_gaps(x):
    """Means of 2 x 2 elements two apart: PyTorch has them as a convolution."""
    window = torch.full((3, 1, 2, 2), 0.25, dtype=torch.float64)
    return F.conv2d(x, window, dilation=2, groups=3)


CASES = {
    "gelu": activation("Gelu", F.gelu),
    "gelu, tanh": activation("Gelu", lambda x: F.gelu(x, approximate="tanh"), approximate="tanh"),
    "quick gelu": activation("QuickGelu", quick_gelu, "com.microsoft"),
    "fast gelu": operator(
        "FastGelu",
        lambda x, b: F.gelu(x + b, approximate="tanh"),
        {"x": draw(3, 5), "b": draw(5)},
        "com.microsoft",
    ),
    "swish": activation("Swish", F.silu),
    "mish": activation("Mish", F.mish),
    "hard swish": activation("HardSwish", F.hardswish),
    "elu": activation("Elu", lambda x: F.elu(x, 0.75), alpha=0.75),
    "celu": activation("Celu", lambda x: F.celu(x, 0.75), alpha=0.75),
    "selu": activation("Selu", F.selu),
    "softsign": activation("Softsign", F.softsign),
    "prelu": operator("PRelu", F.prelu, {"x": draw(3, 4), "slope": draw(4)}),
    "inverse cosine": operator("Acos", torch.acos, {"x": inside(3, 4)}),
    "inverse hyperbolic tangent": operator("Atanh", torch.atanh, {"x": inside(3, 4)}),
    "power": operator("Pow", torch.pow, {"x": positive(3, 4), "e": draw(4)}),
    "remainder": operator("Mod", torch.fmod, {"x": draw(3, 4, scale=3.0), "d": positive(4)}, fmod=1),
    "product": operator("ReduceProd", lambda x: x.prod(-1), {"x": factors_with_zeros()}, axes=[-1], keepdims=0),
    "norm": operator("ReduceL2", lambda x: x.norm(dim=(0, 2)), {"x": draw(2, 3, 4)}, axes=[0, 2], keepdims=0),
    "logarithm of sums of exponentials": operator(
        "ReduceLogSumExp", lambda x: x.logsumexp(1), {"x": draw(3, 5)}, axes=[1], keepdims=0
    ),
    "attention scores": operator(
        "Einsum",
        lambda q, k: torch.einsum("bqhd,bkhd->bhqk", q, k),
        {"q": draw(2, 3, 2, 4), "k": draw(2, 5, 2, 4)},
        equation="bqhd,bkhd->bhqk",
    ),
    "diagonal": operator(
        "Einsum",
        lambda a, b: torch.einsum("iji,ik->jk", a, b),
        {"a": draw(3, 2, 3), "b": draw(3, 4)},
        equation="iji,ik->jk",
    ),
    "group normalisation": operator(
        "GroupNormalization",
        lambda x, scale, bias: F.group_norm(x, 2, scale, bias, 1e-3),
        {"x": draw(2, 4, 3, 2), "scale": draw(4), "bias": draw(4)},
        num_groups=2,
        epsilon=1e-3,
    ),
    "instance normalisation": operator(
        "InstanceNormalization",
        lambda x, scale, bias: F.instance_norm(x, weight=scale, bias=bias, eps=1e-3),
        {"x": draw(2, 3, 3, 4), "scale": draw(3), "bias": draw(3)},
        epsilon=1e-3,
    ),
    "layer normalisation of a sum": operator(
        "SkipLayerNormalization",
        layer_norm_of_sum,
        {"x": draw(2, 3, 5), "skip": draw(2, 3, 5), "scale": draw(5), "bias": draw(5)},
        "com.microsoft",
        epsilon=1e-3,
    ),
    "root mean square normalisation": operator(
        "RMSNormalization", rms_norm, {"x": draw(2, 3, 5), "scale": draw(5)}, epsilon=1e-3
    ),
    "local response normalisation": operator(
        "LRN",
        lambda x: F.local_response_norm(x, 3, 0.5, 0.75, 1.5),
        {"x": draw(2, 5, 3, 2)},
        size=3,
        alpha=0.5,
        beta=0.75,
        bias=1.5,
    ),
    "normalisation by the norm": operator("LpNormalization", lambda x: F.normalize(x, dim=1), {"x": draw(3, 4)}, axis=1),
    "pool by the norm": operator(
        "LpPool",
        lambda x: F.lp_pool2d(x, 2, 2, 2),
        {"x": draw(2, 3, 6, 4)},
        kernel_shape=[2, 2],
        strides=[2, 2],
    ),
    "mean with gaps": operator(
        "AveragePool", mean_pool_with_gaps, {"x": draw(2, 3, 5, 4)}, kernel_shape=[2, 2], dilations=[2, 2]
    ),
    "maximum with gaps": operator(
        "MaxPool",
        lambda x: F.max_pool2d(x, 3, 1, 1, 2),
        {"x": draw(2, 3, 6, 7)},
        kernel_shape=[3, 3],
        pads=[1, 1, 1, 1],
        dilations=[2, 2],
    ),
    "maximum, three axes, rounded up": operator(
        "MaxPool",
        lambda x: F.max_pool3d(x, 2, 2, ceil_mode=True),
        {"x": draw(2, 2, 3, 4, 5)},
        kernel_shape=[2, 2, 2],
        strides=[2, 2, 2],
        ceil_mode=1,
    ),
    "mean, one axis, rounded up": operator(
        "AveragePool",
        lambda x: F.avg_pool1d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False),
        {"x": draw(2, 3, 8)},
        kernel_shape=[3],
        strides=[2],
        pads=[1, 1],
        ceil_mode=1,
    ),
    "transposed convolution, three axes, grouped": operator(
        "ConvTranspose",
        lambda x, w: F.conv_transpose3d(x, w, stride=2, padding=1, output_padding=1, groups=2),
        {"x": draw(1, 4, 2, 3, 2), "w": draw(4, 1, 3, 2, 3, scale=0.5)},
        strides=[2, 2, 2],
        pads=[1, 1, 1, 1, 1, 1],
        output_padding=[1, 1, 1],
        group=2,
    ),
    "transposed convolution to a given shape": operator(
        "ConvTranspose",
        lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1),
        {"x": draw(2, 3, 4, 3), "w": draw(3, 2, 3, 3, scale=0.5)},
        strides=[2, 2],
        output_shape=[8, 6],
        auto_pad="SAME_LOWER",
    ),
    "running sums": operator(
        "CumSum",
        lambda x: x.flip(1).cumsum(1).flip(1),
        {"x": draw(3, 5)},
        constants={"axis": torch.tensor(1)},
        reverse=1,
    ),
}

write(__file__, CASES)
