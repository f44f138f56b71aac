"""What the golden files are written with: random inputs, and losses with their derivatives from PyTorch in double precision.

Inputs have three decimals and are rounded to single precision, so that an engine of single precision starts from the same
numbers. Results are written with nine digits.
"""

import json
import platform
from pathlib import Path

import torch

torch.manual_seed(20240229)


def draw(*shape, scale=1.0):
    return single(scale * torch.randn(*shape))


def single(tensor):
    return tensor.mul(1000).round().div(1000).float().double()


def weighted(shape_of, operate):
    """Σ weight·sin(y): a loss whose gradient is not constant, so that second derivatives say something."""
    weight = draw(*shape_of)

    def forward(*values):
        return (weight * torch.sin(operate(*values))).sum()

    return weight, forward


def record(name, facts, inputs, constants, forward):
    leaves = {key: value.clone().requires_grad_() for key, value in inputs.items()}
    loss = forward(*leaves.values())
    gradients = torch.autograd.grad(loss, list(leaves.values()), create_graph=True)
    directions = {key: draw(*value.shape) for key, value in inputs.items()}
    slope = sum((g * d).sum() for g, d in zip(gradients, directions.values()))
    products = torch.autograd.grad(slope, list(leaves.values()))
    return {
        "name": name,
        **facts,
        "inputs": {key: pack(value) for key, value in inputs.items()},
        "directions": {key: flat(value, 6) for key, value in directions.items()},
        "constants": {key: pack(value) for key, value in constants.items()},
        "value": loss.item(),
        "gradients": {key: flat(value) for key, value in zip(leaves, gradients)},
        "products": {key: flat(value) for key, value in zip(leaves, products)},
    }


def pack(tensor):
    return {"shape": list(tensor.shape), "data": flat(tensor, 6)}


def flat(tensor, digits=9):
    return [float(f"{x:.{digits}g}") if isinstance(x, float) else x for x in tensor.detach().flatten().tolist()]


def write(script, cases):
    """Writes `cases` (arguments of `record` by name) beside the script, under the last word of its name."""
    result = {
        "command": f"python3 test/golden/{Path(script).name}",
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "cases": [record(name, *case) for name, case in cases.items()],
    }
    path = Path(script).with_name(Path(script).stem.split("-")[-1] + ".json")
    path.write_text(json.dumps(result, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes, {len(result['cases'])} cases")
