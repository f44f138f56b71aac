"""Writes transforms.json: curvature, per-sample gradients, double backward and an objective's steps, from PyTorch in double precision.

    python3 test/golden/generate-transforms.py

Needs PyTorch 2 (torch.func). Weights and inputs have three decimals, rounded to single precision; results nine digits.
"""

import json
import platform
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.func import grad, hessian, jvp, vmap

torch.manual_seed(20240412)
CLASSES = 3
EPSILON = 1e-5
MOMENTUM = 0.1


def draw(*shape, scale=1.0):
    return single(scale * torch.randn(*shape))


def single(tensor):
    return tensor.mul(1000).round().div(1000).float().double()


def mlp(weights, x, training=False):
    hidden = F.relu(x.flatten(1) @ weights["fc1.weight"] + weights["fc1.bias"])
    return hidden @ weights["fc2.weight"] + weights["fc2.bias"], {}, hidden


def cnn(weights, x, training=False):
    """One padded 3x3 convolution, (normalisation,) pool, ReLU, two dense layers."""
    h = F.conv2d(x, weights["conv1.weight"], weights.get("conv1.bias"), padding=1)
    buffers = {}
    if "bn1.scale" in weights:
        mean, variance = weights["bn1.mean"], weights["bn1.variance"]
        if training:
            count = h.numel() / h.shape[1]
            own = h.mean(dim=(0, 2, 3)), h.var(dim=(0, 2, 3), unbiased=False)
            buffers["bn1.mean"] = (1 - MOMENTUM) * mean + MOMENTUM * own[0].detach()
            buffers["bn1.variance"] = (1 - MOMENTUM) * variance + MOMENTUM * own[1].detach() * count / (count - 1)
            mean, variance = own
        view = lambda v: v.view(1, -1, 1, 1)
        h = view(weights["bn1.scale"]) * (h - view(mean)) / torch.sqrt(view(variance) + EPSILON) + view(weights["bn1.shift"])
    h = F.relu(F.max_pool2d(h, 2)).flatten(1)
    hidden = F.relu(h @ weights["fc1.weight"] + weights["fc1.bias"])
    return hidden @ weights["fc2.weight"] + weights["fc2.bias"], buffers, hidden


def dense(name, inputs, outputs):
    return {f"{name}.weight": draw(inputs, outputs, scale=inputs**-0.5), f"{name}.bias": draw(outputs, scale=0.1)}


def mlp_case():
    return "mlp", mlp, {**dense("fc1", 4, 5), **dense("fc2", 5, CLASSES)}, {}, [4]


def cnn_case(normalised):
    weights = {"conv1.weight": draw(3, 2, 3, 3, scale=0.3)}
    buffers = {}
    if normalised:
        weights |= {"bn1.scale": draw(3), "bn1.shift": draw(3, scale=0.2)}
        buffers = {"bn1.mean": draw(3, scale=0.2), "bn1.variance": single(draw(3).abs() + 0.5)}
    else:
        weights |= {"conv1.bias": draw(3, scale=0.1)}
    weights |= {**dense("fc1", 12, 4), **dense("fc2", 4, CLASSES)}
    return ("cnn-bn" if normalised else "cnn"), cnn, weights, buffers, [2, 4, 4]


def flatten(tree, names):
    return torch.cat([tree[name].flatten() for name in names])


def record(name, forward, weights, buffers, shape):
    names = list(weights)
    x = draw(5, *shape)
    labels = torch.tensor([0, 2, 1, 1, 2])
    v = {key: draw(*value.shape) for key, value in weights.items()}
    logits_of = lambda w, x: forward({**w, **buffers}, x)[0]
    sample_loss = lambda w, x, y: F.cross_entropy(logits_of(w, x[None]), y[None])
    mean_loss = lambda w: F.cross_entropy(logits_of(w, x), labels)

    hvp = jvp(grad(mean_loss), (weights,), (v,))[1]
    logits = logits_of(weights, x)
    p = torch.softmax(logits, dim=1)
    moved = jvp(lambda w: logits_of(w, x), (weights,), (v,))[1]
    curved = (p * moved - p * (p * moved).sum(1, keepdim=True)) / len(x)
    pulled = torch.func.vjp(lambda w: logits_of(w, x), weights)[1]
    ggn = pulled(curved)[0]

    per_sample = vmap(grad(sample_loss), (None, 0, 0))(weights, x, labels)
    rows = torch.stack([torch.cat([per_sample[n][i].flatten() for n in names]) for i in range(len(x))])
    fisher = rows.T @ (rows @ flatten(v, names)) / len(x)
    labelled = lambda c: vmap(grad(sample_loss), (None, 0, 0))(weights, x, torch.full_like(labels, c))
    every = torch.stack([
        torch.cat([gradients[n].flatten(1) for n in names], dim=1) for gradients in map(labelled, range(CLASSES))
    ])  # [classes, batch, parameters]
    exact = (p.T[:, :, None] * every.pow(2)).sum(0).mean(0)

    input_loss = vmap(grad(sample_loss, argnums=1), (None, 0, 0))(weights, x, labels)
    logit = lambda w, x, y: logits_of(w, x[None])[0].gather(0, y[None])[0]
    input_logit = vmap(grad(logit, argnums=1), (None, 0, 0))(weights, x, labels)
    sensitivity = lambda w: vmap(grad(logit, argnums=1), (None, 0, 0))(w, x, labels).pow(2).flatten(1).sum(1).mean()

    if name == "mlp":
        inputs = {"fc1.weight": x.flatten(1), "fc2.weight": forward({**weights, **buffers}, x)[2]}
    else:
        inputs = {
            "conv1.weight": F.unfold(x, 3, padding=1).transpose(1, 2).flatten(0, 1),
            "fc2.weight": forward({**weights, **buffers}, x)[2],
        }
    return {
        "name": name,
        "inputShape": shape,
        "weights": {key: flat(value, 6) for key, value in {**weights, **buffers}.items()},
        "features": flat(x, 6),
        "labels": labels.tolist(),
        "direction": {key: flat(value, 6) for key, value in v.items()},
        "hessian": flat(flatten(hvp, names)),
        "gauss-newton": flat(flatten(ggn, names)),
        "empirical-fisher": flat(fisher),
        "perSample": {key: flat(value) for key, value in per_sample.items()},
        "squaredNorms": flat(rows.pow(2).sum(1)),
        "slopes": flat(rows @ flatten(v, names)),
        "empiricalDiagonal": flat(rows.pow(2).mean(0)),
        "fisherDiagonal": flat(exact),
        "eigenvalues": flat(torch.linalg.eigvalsh(full_hessian(mean_loss, weights, names)).flip(0)[:3]),
        "trace": torch.trace(full_hessian(mean_loss, weights, names)).item(),
        "inputGradientOfLoss": flat(input_loss),
        "inputGradientOfLogit": flat(input_logit),
        "sensitivity": sensitivity(weights).item(),
        "sensitivityGradient": {key: flat(value) for key, value in grad(sensitivity)(weights).items()},
        "penultimate": flat(forward({**weights, **buffers}, x)[2]),
        "secondMoments": {key: flat(rows.T @ rows) for key, rows in inputs.items()},
        "covariances": {key: flat(torch.cov(rows.T)) for key, rows in inputs.items()},
        "steps": steps(forward, weights, buffers, shape),
    }


def full_hessian(mean_loss, weights, names):
    sizes = [weights[n].numel() for n in names]
    unflatten = lambda flat: {
        n: part.view(weights[n].shape) for n, part in zip(names, flat.split(sizes))
    }
    return hessian(lambda flat: mean_loss(unflatten(flat)))(flatten(weights, names))


def steps(forward, weights, buffers, shape):
    """Two steps of SGD with momentum on CE(retain) + T²·KL(teacher‖student) on retain − 0.3·CE(forget), statistics moved by retain alone."""
    retain, forget = draw(6, *shape), draw(4, *shape)
    retain_labels, forget_labels = torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([1, 1, 0, 2])
    temperature, momentum, rate, limit, decay, anchor_weight = 2.0, 0.9, 0.1, 0.5, 0.01, 0.05
    teacher = {key: value + draw(*value.shape, scale=0.1) for key, value in weights.items()}
    current = {key: value.clone().requires_grad_() for key, value in weights.items()}
    statistics = dict(buffers)
    velocity = {key: torch.zeros_like(value) for key, value in weights.items()}
    losses = []
    for _ in range(2):
        logits, moved, _ = forward({**current, **statistics}, retain, training=True)
        target = forward({**teacher, **buffers}, retain)[0]
        log_p, log_q = F.log_softmax(target / temperature, 1), F.log_softmax(logits / temperature, 1)
        divergence = F.kl_div(log_q, log_p, reduction="batchmean", log_target=True) * temperature**2
        forgotten = F.cross_entropy(forward({**current, **statistics}, forget)[0], forget_labels)
        distance = sum((current[key] - weights[key]).pow(2).sum() for key in weights)
        absolute = sum(current[key].abs().sum() for key in weights)
        loss = (
            F.cross_entropy(logits, retain_labels)
            + divergence
            - 0.3 * forgotten
            + anchor_weight * distance
            + 0.001 * absolute
        )
        losses.append(loss.item())
        gradients = torch.autograd.grad(loss, list(current.values()))
        norm = torch.sqrt(sum(g.pow(2).sum() for g in gradients))
        factor = min(1.0, limit / norm.item())
        statistics |= moved
        for (key, value), gradient in zip(current.items(), gradients):
            velocity[key] = momentum * velocity[key] + factor * gradient + decay * value.detach()
            current[key] = (value - rate * velocity[key]).detach().requires_grad_()
    return {
        "retain": {"features": flat(retain, 6), "labels": retain_labels.tolist()},
        "forget": {"features": flat(forget, 6), "labels": forget_labels.tolist()},
        "teacher": {key: flat(value, 9) for key, value in {**teacher, **buffers}.items()},
        "losses": losses,
        "weights": {key: flat(value) for key, value in {**current, **statistics}.items()},
    }


def flat(tensor, digits=9):
    return [float(f"{x:.{digits}g}") for x in tensor.detach().flatten().tolist()]


result = {
    "command": "python3 test/golden/generate-transforms.py",
    "versions": {"python": platform.python_version(), "torch": torch.__version__},
    "cases": [record(*mlp_case()), record(*cnn_case(False)), record(*cnn_case(True))],
}
path = Path(__file__).with_name("transforms.json")
path.write_text(json.dumps(result, separators=(",", ":")) + "\n")
print(f"{path.name}: {path.stat().st_size} bytes, {len(result['cases'])} cases")
