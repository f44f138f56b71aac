"""One model's training steps in PyTorch, for `lethe bench step`: prints {"msPerStep": [...], "version": "..."}.

Usage: python3 bench/torch-step.py MODEL THREADS BATCH STEPS   (exit 1 when PyTorch or the model is missing)
"""
import json
import sys
import time

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit(1)

model_id, threads, batch, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
torch.manual_seed(1)


def small(norm):
    layers, channels = [], 1
    for width in (8, 16):
        layers.append(nn.Conv2d(channels, width, 5, stride=2, padding=2))
        if norm:
            layers.append(nn.BatchNorm2d(width))
        layers.append(nn.ReLU())
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(784, 10))


MODELS = {
    "mlp": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10)),
    "mlp:128": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)),
    "cnn": lambda: small(False),
    "cnn-bn": lambda: small(True),
    "cnn-medium": lambda: nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10)),
}
if model_id not in MODELS:
    sys.exit(1)
model = MODELS[model_id]()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
features = torch.rand(batch, 1, 28, 28)
labels = torch.randint(0, 10, (batch,))
times = []
for step in range(steps + max(1, steps // 10)):
    start = time.perf_counter()
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(features), labels)
    loss.backward()
    optimizer.step()
    loss.item()
    times.append(1000 * (time.perf_counter() - start))
print(json.dumps({"msPerStep": times[-steps:], "version": torch.__version__}))
