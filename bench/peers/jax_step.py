"""Training steps in JAX for `lethe bench step`: python3 bench/peers/jax_step.py JOB"""

import math
import os
import sys

from job import NOT_INSTALLED, main, read
from models import find

# XLA makes as many threads as the process has processors when it is loaded.
threads = int(read(sys.argv[1])["settings"]["threads"])
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
try:
    import jax
    import jax.numpy as jnp
    from jax import lax
except ImportError:
    sys.exit(NOT_INSTALLED)


class ops:
    relu, silu = jax.nn.relu, jax.nn.silu
    transpose = jnp.transpose

    def gelu(x):
        return jax.nn.gelu(x, approximate=False)

    def concat(parts):
        return jnp.concatenate(parts, -1)

    def repeat(x, times):
        return jnp.repeat(x, times, 1)

    def conv(x, weight, bias, stride, padding):
        y = lax.conv_general_dilated(x, weight, (stride, stride), [(padding, padding)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW"))
        return y if bias is None else y + bias[:, None, None]

    def batch_norm(x, scale, shift):
        mean, variance = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
        return (x - mean) * lax.rsqrt(variance + 1e-5) * scale[:, None, None] + shift[:, None, None]

    def max_pool(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def pad_channels(x, count):
        return jnp.pad(x, ((0, 0), (count, count), (0, 0), (0, 0)))

    def layer_norm(x, scale, shift):
        return (x - x.mean(-1, keepdims=True)) * lax.rsqrt(x.var(-1, keepdims=True) + 1e-5) * scale + shift

    def rms_norm(x, scale):
        return x * lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-6) * scale

    def attention(q, k, v, causal):
        q, k, v = (part.swapaxes(1, 2) for part in (q, k, v))
        return jax.nn.dot_product_attention(q, k, v, is_causal=causal).swapaxes(1, 2)

    def rotary(positions, size):
        half = size // 2
        angles = jnp.outer(jnp.arange(positions), 10000.0 ** (-jnp.arange(half) / half))
        return jnp.cos(angles), jnp.sin(angles)

    def lstm(x, inputs, hidden, bias):
        width = hidden.shape[0]

        def cell(state, entering):
            h, c = state
            gates = entering + h @ hidden
            i, f, o = jnp.split(jax.nn.sigmoid(gates[:, : 3 * width]), 3, 1)
            c = f * c + i * jnp.tanh(gates[:, 3 * width :])
            h = o * jnp.tanh(c)
            return (h, c), h

        zero = jnp.zeros((x.shape[0], width))
        return lax.scan(cell, (zero, zero), (x @ inputs + bias).swapaxes(0, 1))[1].swapaxes(0, 1)


def start(job):
    forward = find(job["settings"]["model"])
    weights = {name: jnp.asarray(values) for name, values in job["weights"].items()}
    x, labels = jnp.asarray(job["input"]), jnp.asarray(job["labels"])
    rate = float(job["settings"]["learningRate"])

    def loss_of(weights):
        scores = jax.nn.log_softmax(forward(ops, weights, x))
        return -jnp.take_along_axis(scores, labels[..., None], -1).mean()

    @jax.jit
    def stepped(weights):
        loss, found = jax.value_and_grad(loss_of)(weights)
        return loss, {name: weight - rate * found[name] for name, weight in weights.items()}

    state = {"weights": weights}

    def gradients():
        return {name: jax.device_get(value) for name, value in jax.jit(jax.grad(loss_of))(weights).items()}

    def step():
        loss, state["weights"] = jax.block_until_ready(stepped(state["weights"]))
        assert math.isfinite(float(loss))

    return gradients, step


main(f"JAX {jax.__version__}", start)
