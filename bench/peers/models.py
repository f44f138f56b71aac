"""The ready architectures of `lethe bench step` as functions of weights by their names in Lethe, over a framework's operations.

`ops` has what frameworks name differently; products, sums, slices and reshapes are those of their arrays.
"""


def dense(w, name, x):
    y = x @ w[f"{name}.weight"]
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def mlp(ops, w, x):
    x = x.reshape(x.shape[0], -1)
    layers = sum(name.endswith(".weight") for name in w)
    for layer in range(1, layers + 1):
        x = dense(w, f"fc{layer}", x)
        x = ops.relu(x) if layer < layers else x
    return x


def cnn(ops, w, x):
    for layer in (1, 2):
        x = ops.conv(x, w[f"conv{layer}.weight"], w.get(f"conv{layer}.bias"), 2, 2)
        if f"bn{layer}.scale" in w:
            x = ops.batch_norm(x, w[f"bn{layer}.scale"], w[f"bn{layer}.shift"])
        x = ops.relu(x)
    return dense(w, "fc1", x.reshape(x.shape[0], -1))


def cnn_medium(ops, w, x):
    for layer in (1, 2):
        x = ops.relu(ops.max_pool(ops.conv(x, w[f"conv{layer}.weight"], w[f"conv{layer}.bias"], 1, 1)))
    return dense(w, "fc2", ops.relu(dense(w, "fc1", x.reshape(x.shape[0], -1))))


def resnet20(ops, w, x):
    def normalised(conv, norm, x, stride=1):
        y = ops.conv(x, w[f"{conv}.weight"], None, stride, 1)
        return ops.batch_norm(y, w[f"{norm}.scale"], w[f"{norm}.shift"])

    x = ops.relu(normalised("stem.conv", "stem.bn", x))
    for stage in (1, 2, 3):
        for block in (1, 2, 3):
            name = f"stage{stage}.block{block}"
            stride = 2 if stage > 1 and block == 1 else 1
            y = ops.relu(normalised(f"{name}.conv1", f"{name}.bn1", x, stride))
            y = normalised(f"{name}.conv2", f"{name}.bn2", y)
            if stride > 1:
                x = ops.pad_channels(x[:, :, ::2, ::2], (y.shape[1] - x.shape[1]) // 2)
            x = ops.relu(x + y)
    return dense(w, "head", x.mean((2, 3)))


def heads_of(x, count):
    """[batch, positions, count·size] → [batch, count, positions, size]"""
    return x.reshape(x.shape[0], x.shape[1], count, -1).swapaxes(1, 2)


def merged(x):
    x = x.swapaxes(1, 2)
    return x.reshape(x.shape[0], x.shape[1], -1)


def vit(ops, w, x, heads=4):
    batch, channels, height, _ = x.shape
    side = round((w["patches.weight"].shape[0] / channels) ** 0.5)
    count = height // side
    x = ops.transpose(x.reshape(batch, channels, count, side, count, side), (0, 2, 4, 1, 3, 5))
    x = dense(w, "patches", x.reshape(batch, count * count, -1)) + w["positions.weight"]
    width = x.shape[2]
    for block in range(1, 1 + sum(name.endswith("qkv.weight") for name in w)):
        name = f"block{block}"
        y = ops.layer_norm(x, w[f"{name}.norm1.scale"], w[f"{name}.norm1.shift"])
        qkv = dense(w, f"{name}.attention.qkv", y)
        q, k, v = (heads_of(qkv[:, :, at * width : (at + 1) * width], heads) for at in range(3))
        x = x + dense(w, f"{name}.attention.output", merged(ops.attention(q, k, v, False)))
        y = ops.layer_norm(x, w[f"{name}.norm2.scale"], w[f"{name}.norm2.shift"])
        x = x + dense(w, f"{name}.mlp.out", ops.gelu(dense(w, f"{name}.mlp.in", y)))
    return dense(w, "head", ops.layer_norm(x, w["norm.scale"], w["norm.shift"]).mean(1))


def gpt(ops, w, ids, heads=4, key_heads=2):
    x = w["tokens.weight"][ids]
    width, size = x.shape[2], x.shape[2] // heads
    cosine, sine = ops.rotary(x.shape[1], size)

    def turned(x):
        a, b = x[..., : size // 2], x[..., size // 2 :]
        return ops.concat([a * cosine - b * sine, b * cosine + a * sine])

    for block in range(1, 1 + sum(name.endswith("qkv.weight") for name in w)):
        name = f"block{block}"
        qkv = ops.rms_norm(x, w[f"{name}.norm1.scale"]) @ w[f"{name}.attention.qkv.weight"]
        keys = width + key_heads * size
        q, k, v = heads_of(qkv[:, :, :width], heads), heads_of(qkv[:, :, width:keys], key_heads), heads_of(qkv[:, :, keys:], key_heads)
        k, v = (ops.repeat(part, heads // key_heads) for part in (turned(k), v))
        x = x + merged(ops.attention(turned(q), k, v, True)) @ w[f"{name}.attention.output.weight"]
        inner = ops.rms_norm(x, w[f"{name}.norm2.scale"]) @ w[f"{name}.mlp.in.weight"]
        hidden = inner.shape[2] // 2
        x = x + (ops.silu(inner[:, :, :hidden]) * inner[:, :, hidden:]) @ w[f"{name}.mlp.out.weight"]
    return ops.rms_norm(x, w["norm.scale"]) @ w["head.weight"]


def lstm(ops, w, ids):
    states = ops.lstm(w["tokens.weight"][ids], w["lstm1.input.weight"], w["lstm1.hidden.weight"], w["lstm1.bias"])
    # The benchmark's texts have no padding: the mean is that of all positions.
    return dense(w, "head", states.mean(1))


MODELS = {"cnn-bn": cnn, "cnn-medium": cnn_medium, **{f.__name__: f for f in (mlp, cnn, resnet20, vit, gpt, lstm)}}


def find(text):
    """The function of a model's text: settings behind a colon are read off the weights."""
    name, _, settings = text.partition(":")
    if name not in MODELS or (settings and name != "mlp"):
        raise SystemExit(f"no twin of {text}")
    return MODELS[name]
