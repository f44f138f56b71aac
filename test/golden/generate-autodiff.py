"""Writes autodiff.json: losses, gradients and Hessian-vector products from PyTorch in double precision.

    python3 test/golden/generate-autodiff.py
"""

import torch
import torch.nn.functional as F
from recording import draw, flat, single, weighted, write


def mlp(loss):
    """Two layers with tanh between; the teacher of the KL loss is a fixed distribution."""
    inputs = {
        "x": draw(5, 4),
        "w1": draw(4, 6, scale=0.5),
        "b1": draw(6, scale=0.1),
        "w2": draw(6, 3, scale=0.5),
        "b2": draw(3, scale=0.1),
    }
    labels = torch.tensor([0, 2, 1, 1, 2])
    target = draw(5, 3)
    teacher = single(torch.softmax(target, dim=1))

    def forward(x, w1, b1, w2, b2):
        logits = torch.tanh(x @ w1 + b1) @ w2 + b2
        if loss == "cross-entropy":
            return F.cross_entropy(logits, labels)
        if loss == "mse":
            return F.mse_loss(logits, target)
        temperature = 2.0
        return F.kl_div(F.log_softmax(logits / temperature, dim=1), teacher, reduction="batchmean")

    constants = {"labels": labels, "target": target, "teacher": teacher}
    return {"model": "mlp", "loss": loss}, inputs, constants, forward


def cnn():
    """Convolution, pool before ReLU, strided convolution with softplus, global mean, linear layer, cross-entropy."""
    inputs = {
        "x": draw(3, 1, 8, 8),
        "w1": draw(6, 1, 3, 3, scale=0.5),
        "b1": draw(6, scale=0.1),
        "w2": draw(4, 6, 3, 3, scale=0.3),
        "b2": draw(4, scale=0.1),
        "w3": draw(4, 3, scale=0.5),
        "b3": draw(3, scale=0.1),
    }
    labels = torch.tensor([2, 0, 1])

    def forward(x, w1, b1, w2, b2, w3, b3):
        h = F.relu(F.max_pool2d(F.conv2d(x, w1, b1, padding=1), 2))
        h = F.softplus(F.conv2d(h, w2, b2, stride=2, padding=1))
        return F.cross_entropy(h.mean(dim=(2, 3)) @ w3 + b3, labels)

    return {"model": "cnn"}, inputs, {"labels": labels}, forward


def conv(channels, outputs, group, kernel, stride, padding, dilation, space, transposed=False, extra=0):
    filters = (channels, outputs // group) if transposed else (outputs, channels // group)
    inputs = {
        "x": draw(2, channels, *space),
        "w": draw(*filters, *kernel, scale=0.5),
        "b": draw(outputs, scale=0.1),
    }
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": group}
    if transposed:
        name = f"conv_transpose{len(space)}d"
        settings["output_padding"] = extra
    else:
        name = f"conv{len(space)}d"
    operate = lambda x, w, b: getattr(F, name)(x, w, b, **settings)
    weight, forward = weighted(operate(*inputs.values()).shape, operate)
    return {"model": name, "kernel": kernel, **settings}, inputs, {"weight": weight}, forward


def pool(kind, kernel, stride, padding, **settings):
    inputs = {"x": draw(2, 3, 7, 6)}
    operate = lambda x: getattr(F, f"{kind}_pool2d")(x, kernel, stride, padding, **settings)
    weight, forward = weighted(operate(*inputs.values()).shape, operate)
    facts = {"model": f"{kind}_pool2d", "kernel": kernel, "stride": stride, "padding": padding, **settings}
    return facts, inputs, {"weight": weight}, forward


def batch_norm(training):
    inputs = {"x": single(draw(4, 3, 2, 3) + 2.0), "scale": draw(3), "bias": draw(3)}
    mean, variance = draw(3), single(draw(3).abs() + 0.5)
    epsilon = 1e-3

    def operate(x, scale, bias):
        if training:
            return F.batch_norm(x, mean.clone(), variance.clone(), scale, bias, True, 0.1, epsilon)
        return F.batch_norm(x, mean, variance, scale, bias, False, 0.1, epsilon)

    weight, forward = weighted((4, 3, 2, 3), operate)
    x = inputs["x"]
    constants = {"weight": weight, "mean": mean, "variance": variance}
    facts = {
        "model": "batch_norm",
        "training": training,
        "epsilon": epsilon,
        "batchMean": flat(x.mean(dim=(0, 2, 3))),
        "batchVariance": flat(x.var(dim=(0, 2, 3), unbiased=False)),
        "unbiasedVariance": flat(x.var(dim=(0, 2, 3), unbiased=True)),
    }
    return facts, inputs, constants, forward


def embedding():
    inputs = {"table": draw(7, 4)}
    indices = torch.tensor([[0, 3, 3], [6, 0, 3]])
    weight, forward = weighted((2, 3, 4), lambda table: F.embedding(indices, table))
    return {"model": "embedding"}, inputs, {"indices": indices, "weight": weight}, forward


CASES = {
    "mlp, cross-entropy": mlp("cross-entropy"),
    "mlp, mean squared error": mlp("mse"),
    "mlp, KL divergence": mlp("kl"),
    "cnn, cross-entropy": cnn(),
    "convolution, few channels": conv(1, 4, 1, (3, 3), 1, 1, 1, (6, 5)),
    "convolution, many channels": conv(6, 4, 1, (3, 3), 1, 1, 1, (6, 5)),
    "convolution, more outputs than inputs": conv(5, 8, 1, (3, 3), 1, 0, 1, (6, 5)),
    "convolution, strided": conv(6, 4, 1, (3, 3), 2, 1, 1, (7, 6)),
    "convolution, dilated": conv(6, 4, 1, (3, 3), 1, 2, 2, (6, 7)),
    "convolution, grouped": conv(4, 6, 2, (3, 3), 1, 1, 1, (5, 5)),
    "convolution, depthwise": conv(4, 4, 4, (3, 3), 1, 1, 1, (5, 5)),
    "convolution, depthwise with multiplier": conv(3, 6, 3, (3, 3), 2, 1, 1, (6, 5)),
    "convolution, pointwise": conv(6, 4, 1, (1, 1), 1, 0, 1, (4, 5)),
    "convolution, pointwise strided": conv(6, 4, 1, (1, 1), 2, 0, 1, (5, 5)),
    "convolution, one axis": conv(5, 3, 1, (3,), 2, 1, 1, (9,)),
    "convolution, three axes": conv(5, 3, 1, (2, 3, 2), 1, 1, 1, (3, 4, 3)),
    "transposed convolution": conv(4, 3, 1, (3, 3), 2, 1, 1, (4, 3), True, 1),
    "transposed convolution, grouped": conv(4, 6, 2, (3, 3), 1, 1, 1, (4, 3), True),
    "maximum, tiles": pool("max", 2, 2, 0),
    "maximum, overlapping": pool("max", 3, 2, 1),
    "mean, tiles": pool("avg", 2, 2, 0),
    "mean, overlapping": pool("avg", 3, 2, 1),
    "mean, overlapping, padding left out": pool("avg", 3, 2, 1, count_include_pad=False),
    "batch normalisation, inference": batch_norm(False),
    "batch normalisation, training": batch_norm(True),
    "embedding": embedding(),
}

write(__file__, CASES)
