"""Writes architectures.json: class scores, losses and gradients of the ready architectures from PyTorch in double precision.

    python3 test/golden/generate-architectures.py

Weights and inputs come from the formula `values` below, which the test repeats, so that the file holds results alone: scores
of every sample, the loss, and for smooth models the product of every gradient with a direction of the same formula. A ReLU
network's gradients are left out: its kinks make single and double precision differ.
"""

import json
import platform
import zlib
from math import prod, sqrt
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def noise(name, count):
    """Uniform on [-1, 1] in steps of 1/1001, decided by the name."""
    offset = zlib.crc32(name.encode()) % 1000003
    return torch.tensor([((i * i * 31 + i * 7919 + offset) % 2003) / 1001 - 1 for i in range(count)])


def values(name, shape):
    """The tensor of a name: matrices of He's size, scales and variances near one, biases small."""
    u = noise(name, prod(shape)).reshape(shape)
    last = name.rsplit(".", 1)[-1]
    if last in ("scale", "variance"):
        w = 1 + 0.3 * u
    elif last in ("shift", "bias", "mean"):
        w = 0.2 * u
    else:
        fan_in = shape[0] if len(shape) == 2 else prod(shape[1:])
        w = sqrt(6 / fan_in) * u
    return w.float().double()


def tokens(name, shape, vocabulary):
    u = noise(name, prod(shape))
    return ((u + 1) * 1001).round().long().remainder(vocabulary).reshape(shape)


class Binding:
    """Tensors of a PyTorch model by the names and in the layouts of ours."""

    def __init__(self):
        self.entries = []

    def put(self, name, tensor, shape=None, to=lambda w: w, back=lambda g: g):
        shape = list(tensor.shape) if shape is None else shape
        with torch.no_grad():
            tensor.copy_(to(values(name, shape)))
        self.entries.append((name, tensor, shape, back))

    def dense(self, name, weight, bias=None):
        self.put(f"{name}.weight", weight, list(weight.T.shape), lambda w: w.T, lambda g: g.T)
        if bias is not None:
            self.put(f"{name}.bias", bias)

    def norm(self, name, module):
        self.put(f"{name}.scale", module.weight)
        if getattr(module, "bias", None) is not None:
            self.put(f"{name}.shift", module.bias)
        if isinstance(module, nn.BatchNorm2d):
            self.put(f"{name}.mean", module.running_mean)
            self.put(f"{name}.variance", module.running_var)

    def gradients(self):
        found = {}
        for name, tensor, shape, back in self.entries:
            if tensor.grad is None:
                continue
            direction = noise(f"direction of {name}", prod(shape)).reshape(shape)
            found[name] = float((back(tensor.grad) * direction).sum())
        return found


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.added = outputs - inputs

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.added:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.added // 2, self.added // 2))
        return F.relu(x + y)


class Resnet20(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.conv = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(16)
        widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
        self.blocks = nn.Sequential(
            *[Block(a, b, 1 if a == b else 2) for a, b in zip(widths, widths[1:])]
        )
        self.head = nn.Linear(64, classes)

    def forward(self, x):
        return self.head(self.blocks(F.relu(self.bn(self.conv(x)))).mean((2, 3)))


def resnet20():
    shape, classes = [3, 16, 16], 5
    model = Resnet20(shape[0], classes)
    bind = Binding()
    bind.put("stem.conv.weight", model.conv.weight)
    bind.norm("stem.bn", model.bn)
    for index, block in enumerate(model.blocks):
        name = f"stage{index // 3 + 1}.block{index % 3 + 1}"
        for part in (1, 2):
            bind.put(f"{name}.conv{part}.weight", getattr(block, f"conv{part}").weight)
            bind.norm(f"{name}.bn{part}", getattr(block, f"bn{part}"))
    bind.dense("head", model.head.weight, model.head.bias)
    x = values("input", [3, *shape])
    labels = tokens("labels", [3], classes)
    inference = model.eval()(x)
    # In training the running statistics move; the scores do not depend on them.
    training = model.train()(x)
    return {
        "model": "resnet20",
        "sizes": {"inputShape": shape, "classes": classes},
        "batch": 3,
        "labels": labels,
        "scores": inference,
        "trainingScores": training,
        "loss": F.cross_entropy(training, labels),
    }


def encoder(width, heads, depth):
    layer = nn.TransformerEncoderLayer(
        width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(layer, depth, nn.LayerNorm(width), enable_nested_tensor=False)


def bind_encoder(bind, model):
    for index, layer in enumerate(model.layers):
        name = f"block{index + 1}"
        bind.norm(f"{name}.norm1", layer.norm1)
        attention = layer.self_attn
        bind.dense(f"{name}.attention.qkv", attention.in_proj_weight, attention.in_proj_bias)
        bind.dense(f"{name}.attention.output", attention.out_proj.weight, attention.out_proj.bias)
        bind.norm(f"{name}.norm2", layer.norm2)
        bind.dense(f"{name}.mlp.in", layer.linear1.weight, layer.linear1.bias)
        bind.dense(f"{name}.mlp.out", layer.linear2.weight, layer.linear2.bias)
    bind.norm("norm", model.norm)


def vit():
    shape, classes, patch, width, heads, depth = [2, 12, 8], 4, 4, 16, 4, 2
    positions = 6
    embed = nn.Conv2d(shape[0], width, patch, patch)
    place = nn.Parameter(torch.zeros(positions, width))
    body = encoder(width, heads, depth)
    head = nn.Linear(width, classes)
    bind = Binding()
    bind.put(
        "patches.weight",
        embed.weight,
        [shape[0] * patch * patch, width],
        lambda w: w.T.reshape(embed.weight.shape),
        lambda g: g.reshape(width, -1).T,
    )
    bind.put("patches.bias", embed.bias)
    bind.put("positions.weight", place)
    bind_encoder(bind, body)
    bind.dense("head", head.weight, head.bias)
    x = values("input", [3, *shape])
    labels = tokens("labels", [3], classes)
    scores = head(body(embed(x).flatten(2).transpose(1, 2) + place).mean(1))
    loss = F.cross_entropy(scores, labels)
    loss.backward()
    return {
        "model": f"vit:patch={patch},width={width},depth={depth},heads={heads}",
        "sizes": {"inputShape": shape, "classes": classes},
        "batch": 3,
        "labels": labels,
        "scores": scores,
        "loss": loss,
        "gradients": bind.gradients(),
    }


def lstm(pooling):
    positions, vocabulary, width, hidden, classes = 7, 11, 6, 5, 3
    table = nn.Embedding(vocabulary, width)
    body = nn.LSTM(width, hidden, 2, batch_first=True)
    head = nn.Linear(hidden, classes)
    # Ours are ordered i, f, o, g; PyTorch's i, f, g, o.
    ours = torch.cat([torch.arange(0, 2 * hidden), torch.arange(3 * hidden, 4 * hidden), torch.arange(2 * hidden, 3 * hidden)])
    theirs = torch.argsort(ours)
    bind = Binding()
    bind.put("tokens.weight", table.weight)
    for layer in (0, 1):
        name = f"lstm{layer + 1}"
        for ours_name, kind in (("input.weight", "weight_ih"), ("hidden.weight", "weight_hh")):
            tensor = getattr(body, f"{kind}_l{layer}")
            bind.put(f"{name}.{ours_name}", tensor, list(tensor.T.shape), lambda w: w.T[theirs], lambda g: g[ours].T)
        bind.put(f"{name}.bias", getattr(body, f"bias_ih_l{layer}"), None, lambda w: w[theirs], lambda g: g[ours])
        with torch.no_grad():
            getattr(body, f"bias_hh_l{layer}").zero_()
    bind.dense("head", head.weight, head.bias)
    ids = tokens("ids", [3, positions], vocabulary)
    ids[1, :3] = 0
    labels = tokens("labels", [3], classes)
    states = body(table(ids))[0]
    if pooling == "last":
        pooled = states[:, -1]
    else:
        holds = (ids != 0).double().unsqueeze(2)
        pooled = (states * holds).sum(1) / holds.sum(1)
    scores = head(pooled)
    loss = F.cross_entropy(scores, labels)
    loss.backward()
    return {
        "model": f"lstm:width={width},hidden={hidden},layers=2,pooling={pooling}",
        "sizes": {"inputShape": [positions], "classes": classes, "vocabulary": vocabulary},
        "batch": 3,
        "ids": ids,
        "labels": labels,
        "scores": scores,
        "loss": loss,
        "gradients": bind.gradients(),
    }


def language_loss(scores, ids):
    """The next token at every position but the last, padding not counted."""
    targets = ids[:, 1:].clone()
    targets[targets == 0] = -100
    targets = torch.cat([targets, torch.full((len(ids), 1), -100)], 1)
    return targets, F.cross_entropy(scores.flatten(0, 1), targets.flatten())


def gpt():
    positions, vocabulary, width, depth, heads, key_heads, hidden = 6, 13, 24, 2, 4, 2, 64
    size = width // heads
    table = nn.Embedding(vocabulary, width)
    head = nn.Linear(width, vocabulary, bias=False)
    last = nn.RMSNorm(width, eps=1e-6)
    bind = Binding()
    bind.put("tokens.weight", table.weight)
    angles = torch.outer(torch.arange(positions).double(), 10000.0 ** (-torch.arange(0, size, 2).double() / size))
    turn = torch.polar(torch.ones_like(angles), angles)

    def rotary(x):  # [batch, heads, positions, size], pairs (j, j + size/2)
        a, b = x.chunk(2, -1)
        turned = torch.complex(a, b) * turn
        return torch.cat([turned.real, turned.imag], -1)

    ids = tokens("ids", [3, positions], vocabulary)
    x = table(ids)
    for index in range(depth):
        name = f"block{index + 1}"
        norm1, norm2 = nn.RMSNorm(width, eps=1e-6), nn.RMSNorm(width, eps=1e-6)
        qkv = nn.Linear(width, width + 2 * key_heads * size, bias=False)
        out = nn.Linear(width, width, bias=False)
        inner, outer = nn.Linear(width, 2 * hidden, bias=False), nn.Linear(hidden, width, bias=False)
        bind.norm(f"{name}.norm1", norm1)
        bind.dense(f"{name}.attention.qkv", qkv.weight)
        bind.dense(f"{name}.attention.output", out.weight)
        bind.norm(f"{name}.norm2", norm2)
        bind.dense(f"{name}.mlp.in", inner.weight)
        bind.dense(f"{name}.mlp.out", outer.weight)
        q, k, v = qkv(norm1(x)).split([width, key_heads * size, key_heads * size], -1)
        q, k, v = (t.unflatten(-1, (-1, size)).transpose(1, 2) for t in (q, k, v))
        k, v = (t.repeat_interleave(heads // key_heads, 1) for t in (k, v))
        seen = F.scaled_dot_product_attention(rotary(q), rotary(k), v, is_causal=True)
        x = x + out(seen.transpose(1, 2).flatten(2))
        gate, value = inner(norm2(x)).chunk(2, -1)
        x = x + outer(F.silu(gate) * value)
    bind.norm("norm", last)
    bind.dense("head", head.weight)
    scores = head(last(x))
    targets, loss = language_loss(scores, ids)
    loss.backward()
    return {
        "model": f"gpt:width={width},depth={depth},heads={heads},keyHeads={key_heads}",
        "sizes": {"inputShape": [positions], "classes": vocabulary, "vocabulary": vocabulary},
        "batch": 3,
        "ids": ids,
        "labels": targets,
        "scores": scores,
        "loss": loss,
        "gradients": bind.gradients(),
    }


def gpt2():
    positions, vocabulary, width, depth, heads = 6, 13, 16, 2, 4
    table = nn.Embedding(vocabulary, width)
    place = nn.Parameter(torch.zeros(positions, width))
    body = encoder(width, heads, depth)
    bind = Binding()
    bind.put("tokens.weight", table.weight)
    bind.put("positions.weight", place)
    bind_encoder(bind, body)
    ids = tokens("ids", [3, positions], vocabulary)
    mask = nn.Transformer.generate_square_subsequent_mask(positions).double()
    scores = body(table(ids) + place, mask, is_causal=True) @ table.weight.T
    targets, loss = language_loss(scores, ids)
    loss.backward()
    return {
        "model": f"gpt2:width={width},depth={depth},heads={heads}",
        "sizes": {"inputShape": [positions], "classes": vocabulary, "vocabulary": vocabulary},
        "batch": 3,
        "ids": ids,
        "labels": targets,
        "scores": scores,
        "loss": loss,
        "gradients": bind.gradients(),
    }


def plain(value):
    if isinstance(value, torch.Tensor):
        digits = [int(v) if value.dtype == torch.int64 else float(f"{v:.9g}") for v in value.flatten().tolist()]
        return digits if value.dim() > 0 else digits[0]
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return float(f"{value:.9g}") if isinstance(value, float) else value


cases = [resnet20(), vit(), lstm("mean"), lstm("last"), gpt(), gpt2()]
document = {
    "command": "python3 test/golden/generate-architectures.py",
    "versions": {"python": platform.python_version(), "torch": torch.__version__},
    "cases": [plain(case) for case in cases],
}
Path(__file__).with_name("architectures.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
