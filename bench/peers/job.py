"""The job `lethe bench step` hands to another framework: a model's weights, one batch and its gradients, in safetensors.

A peer runs `main(start)`, where `start(job)` gives `(gradients, step)`: a function that gives the loss's gradients by name, and one
that takes a training step and returns when it is over. It prints one JSON document. Exit code 3: the framework is not installed.
"""

import json
import resource
import sys
import time

NOT_INSTALLED = 3


def read(path):
    import numpy

    data = open(path, "rb").read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    settings = header.pop("__metadata__")
    groups = {"weight": {}, "grad": {}, "batch": {}}
    for entry, place in header.items():
        begin, end = place["data_offsets"]
        values = numpy.frombuffer(data[start + begin : start + end], numpy.float32).reshape(place["shape"])
        group, name = entry.split(":", 1)
        groups[group][name] = values.copy()
    batch = groups["batch"]
    batch["labels"] = batch["labels"].astype(numpy.int64)
    if settings["inputType"] != "float32":
        batch["input"] = batch["input"].astype(numpy.int64)
    return {"settings": settings, "weights": groups["weight"], "gradients": groups["grad"], **batch}


def gradient_error(found, expected):
    """The distance of all gradients together, relative to their length."""
    apart = sum(float(((found[name].astype("float64") - expected[name]) ** 2).sum()) for name in expected)
    length = sum(float((expected[name].astype("float64") ** 2).sum()) for name in expected)
    return (apart / length) ** 0.5


def resident_bytes():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()


def main(version, start):
    base = resident_bytes()
    job = read(sys.argv[1])
    steps = int(job["settings"]["steps"])
    gradients, step = start(job)
    error = gradient_error(gradients(), job["gradients"])
    times = []
    for _ in range(1 + steps + max(1, steps // 10)):
        begin = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - begin))
    document = {
        "version": version,
        "gradientError": error,
        "firstStepMs": times[0],
        "msPerStep": times[-steps:],
        "baseBytes": base,
        # Counted in KiB.
        "peakBytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    print(json.dumps(document))
