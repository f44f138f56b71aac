"""Training steps in PyTorch for `lethe bench step`: python3 bench/peers/torch_step.py JOB"""

import math
import sys

from job import NOT_INSTALLED, main
from models import find

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    sys.exit(NOT_INSTALLED)


class ops:
    relu, gelu, silu = F.relu, F.gelu, F.silu
    transpose = torch.permute

    def concat(parts):
        return torch.cat(parts, -1)

    def repeat(x, times):
        return x.repeat_interleave(times, 1)

    def conv(x, weight, bias, stride, padding):
        return F.conv2d(x, weight, bias, stride, padding)

    def batch_norm(x, scale, shift):
        return F.batch_norm(x, None, None, scale, shift, training=True)

    def max_pool(x):
        return F.max_pool2d(x, 2)

    def pad_channels(x, count):
        return F.pad(x, (0, 0, 0, 0, count, count))

    def layer_norm(x, scale, shift):
        return F.layer_norm(x, scale.shape, scale, shift)

    def rms_norm(x, scale):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6) * scale

    def attention(q, k, v, causal):
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal)

    def rotary(positions, size):
        half = size // 2
        angles = torch.outer(torch.arange(positions), 10000.0 ** (-torch.arange(half) / half))
        return angles.cos(), angles.sin()

    def lstm(x, inputs, hidden, bias):
        width = hidden.shape[0]
        # Lethe orders the gates i, f, o, g; PyTorch i, f, g, o.
        order = torch.cat([torch.arange(2 * width), torch.arange(3 * width, 4 * width), torch.arange(2 * width, 3 * width)])
        zero = x.new_zeros(1, x.shape[0], width)
        weights = [inputs.T[order], hidden.T[order], bias[order], torch.zeros(4 * width)]
        return torch._VF.lstm(x, (zero, zero), weights, True, 1, 0.0, True, False, True)[0]


def start(job):
    torch.set_num_threads(int(job["settings"]["threads"]))
    forward = find(job["settings"]["model"])
    weights = {name: torch.tensor(values, requires_grad=True) for name, values in job["weights"].items()}
    x, labels = torch.tensor(job["input"]), torch.tensor(job["labels"])
    optimizer = torch.optim.SGD(weights.values(), lr=float(job["settings"]["learningRate"]))

    def backward():
        optimizer.zero_grad()
        scores = forward(ops, weights, x)
        loss = F.cross_entropy(scores.reshape(-1, scores.shape[-1]), labels.reshape(-1))
        loss.backward()
        return loss

    def gradients():
        backward()
        return {name: weight.grad.numpy() for name, weight in weights.items()}

    def step():
        loss = backward()
        optimizer.step()
        assert math.isfinite(loss.item())

    return gradients, step


main(f"PyTorch {torch.__version__}", start)
