"""Writes training.json: losses with their gradients, and learning rates, from PyTorch in double precision.

    python3 test/golden/generate-training.py
"""

import json
import platform
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR, OneCycleLR

torch.manual_seed(20240611)
torch.set_default_dtype(torch.float64)


def draw(*shape, scale=2.0):
    return (scale * torch.randn(*shape)).mul(1000).round().div(1000).float().double()


def numbers(tensor):
    return [float(f"{v:.9g}") for v in tensor.flatten().tolist()]


def case(name, loss, logits, labels=None, others=None, **settings):
    x = logits.clone().requires_grad_()
    value = loss(x)
    value.backward()
    return {
        "name": name,
        **settings,
        "logits": {"shape": list(logits.shape), "data": numbers(logits)},
        **({} if labels is None else {"labels": {"shape": list(labels.shape), "data": labels.flatten().tolist()}}),
        **{key: {"shape": list(t.shape), "data": numbers(t)} for key, t in (others or {}).items()},
        "loss": float(f"{value.item():.9g}"),
        "gradient": numbers(x.grad),
    }


def losses():
    logits, other = draw(4, 5), draw(4, 5)
    labels = torch.tensor([1, 4, 0, 2])
    soft = torch.softmax(draw(4, 5), 1).float().double()
    yield case("cross-entropy", lambda x: F.cross_entropy(x, labels), logits, labels)
    yield case("soft cross-entropy", lambda x: F.cross_entropy(x, soft), logits, None, {"other": soft})
    yield case(
        "smoothed cross-entropy",
        lambda x: F.cross_entropy(x, labels, label_smoothing=0.15),
        logits,
        labels,
        smoothing=0.15,
    )
    yield case("hinge", lambda x: F.multi_margin_loss(x, labels), logits, labels, margin=1)
    yield case("hinge", lambda x: F.multi_margin_loss(x, labels, margin=2.5), logits, labels, margin=2.5)
    yield case("mean squared error", lambda x: F.mse_loss(x, other), logits, None, {"other": other})
    temperature = 2.5

    def divergence(x):  # KL(other || x), times the square of the temperature
        p = F.log_softmax(other / temperature, 1)
        q = F.log_softmax(x / temperature, 1)
        return temperature**2 * F.kl_div(q, p, reduction="batchmean", log_target=True)

    yield case("KL divergence", divergence, logits, None, {"other": other}, temperature=temperature)

    def jensen_shannon(x, y):
        p, q = F.softmax(x, 1), F.softmax(y, 1)
        m = ((p + q) / 2).log()
        return (F.kl_div(m, p, reduction="batchmean") + F.kl_div(m, q, reduction="batchmean")) / 2

    yield case("Jensen-Shannon", lambda x: jensen_shannon(x, other), logits, None, {"other": other})

    words = draw(3, 4, 6)
    targets = torch.tensor([[1, 5, 0, 2], [-100, 3, -100, 4], [2, -100, -100, -100]])
    yield case(
        "cross-entropy of positions",
        lambda x: F.cross_entropy(x.flatten(0, 1), targets.flatten(), ignore_index=-100),
        words,
        targets,
    )

    def likelihood(x, answers):
        return -F.cross_entropy(x.transpose(1, 2), answers, ignore_index=-100, reduction="none").sum(1)

    reference = draw(3, scale=3.0)
    beta = 0.4
    yield case(
        "negative preference",
        lambda x: -2 / beta * F.logsigmoid(-beta * (likelihood(x, targets) - reference)).mean(),
        words,
        targets,
        {"reference": reference},
        beta=beta,
    )
    refusal = torch.tensor([[0, 0, 1, -100], [3, 3, 3, 3], [1, 2, 3, -100]])
    refused = draw(3, scale=3.0)
    yield {
        **case(
            "direct preference",
            lambda x: -F.logsigmoid(
                beta * ((likelihood(x, refusal) - refused) - (likelihood(x, targets) - reference))
            ).mean(),
            words,
            targets,
            {"reference": reference, "preferredReference": refused},
            beta=beta,
        ),
        "preferred": {"shape": list(refusal.shape), "data": refusal.flatten().tolist()},
    }


def rates(make, steps):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scheduler = make(optimizer)
    found = []
    for step in range(steps):
        found.append(float(f"{optimizer.param_groups[0]['lr']:.9g}"))
        optimizer.step()
        if step < steps - 1:
            scheduler.step()
    return found


def schedules():
    yield {
        "schedule": {"id": "one-cycle"},
        "rates": rates(lambda o: OneCycleLR(o, 1.0, total_steps=20, cycle_momentum=False), 20),
    }
    yield {
        "schedule": {"id": "one-cycle", "rise": 0.5, "start": 0.1, "end": 0.001},
        "rates": rates(
            lambda o: OneCycleLR(
                o, 1.0, total_steps=12, pct_start=0.5, div_factor=10, final_div_factor=100, cycle_momentum=False
            ),
            12,
        ),
    }
    yield {
        "schedule": {"id": "milestones", "at": [0.5, 0.75], "factor": 0.2},
        "rates": rates(lambda o: MultiStepLR(o, [10, 15], 0.2), 20),
    }
    yield {
        "schedule": {"id": "cosine", "end": 0.05},
        "rates": rates(lambda o: CosineAnnealingLR(o, 14, 0.05), 15),
    }


document = {
    "command": "python3 test/golden/generate-training.py",
    "versions": {"python": platform.python_version(), "torch": torch.__version__},
    "losses": list(losses()),
    "schedules": list(schedules()),
}
Path(__file__).with_name("training.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
