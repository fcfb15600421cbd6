"""One measurement of a whole process, printed as a line of JSON: `processes.py` runs it in turn.

    python benchmarks/process.py graphdl import
    python benchmarks/process.py torch memory lm

import, first   seconds from the start of the process until the library is there, until the first
                step of the course CNN is done; `import graphdl` loads most of it when it is used
memory NAME     megabytes at the peak of fifty steps of a workload
images          seconds for 10,000 images in batches of 256, and for one
mnist FOLDER    seconds and steps until 0.985 of the test images are right, asked every 250 steps;
                a seed and another share may follow
"""

from __future__ import annotations

import os
import time

# Whoever starts this process may say when, by a clock that all processes share.
STARTED = float(os.environ.get("BENCHMARK_STARTED") or time.monotonic())

import gzip  # noqa: E402 - the clock runs first
import json  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

STEPS, BATCH, EVERY, MOST = 50, 32, 250, 15_000
Run = Callable[..., Any]


def training(contender: str, name: str) -> Run:
    """A training step of a workload, which returns when it is done."""
    if contender == "graphdl":
        steps = import_module("steps")
        ours: Run = steps.training_step(steps.WORKLOADS[name], "native")
        return ours
    peers = import_module("peers")
    made = peers.Jax() if contender == "jax" else peers.Torch(compiled=False)
    step, sync, _ = made.step(name)

    def run() -> None:
        step()
        sync()

    return run


def scoring(contender: str) -> Run:
    """From images [n, 1, 28, 28] to scores, by the course CNN."""
    if contender == "graphdl":
        gdl = import_module("graphdl")
        net = gdl.compile("cnn", backend="native", seed=0)
        return lambda x: net.predict(image=x)
    peers = import_module("peers")
    if contender == "torch":
        made = peers.Torch(compiled=False)
        model, torch = made._cnn(), made.torch

        def eager(x: Any) -> None:
            with torch.inference_mode():
                for start in range(0, len(x), 256):
                    torch.softmax(model(torch.from_numpy(x[start : start + 256])), 1).numpy()

        return eager
    made = peers.Jax()
    params = [made._draw(5, 5, 1, 16), made._draw(16), made._draw(5, 5, 16, 32), made._draw(32)]
    params += made._dense(1568, 200, 10)
    score = made.jax.jit(lambda p, x: made.jax.nn.softmax(made._cnn(p, x)))

    def jitted(x: Any) -> None:
        images = x.reshape(-1, 28, 28, 1)
        for start in range(0, len(x), 256):
            np.asarray(score(params, images[start : start + 256]))

    return jitted


def images(contender: str) -> dict[str, float]:
    """Seconds for 10,000 images, and for one: the middle of several passes."""
    score = scoring(contender)
    x = np.random.default_rng(0).random((10_000, 1, 28, 28), dtype=np.float32)

    def seconds(count: int) -> float:
        began = time.perf_counter()
        score(x[:count])
        return time.perf_counter() - began

    seconds(10_000), seconds(1)
    return {
        "whole": float(np.median([seconds(10_000) for _ in range(5)])),
        "one": float(np.median([seconds(1) for _ in range(500)])),
    }


def digits(folder: Path, part: str) -> tuple[Any, Any]:
    """Images from 0 to 1, and their digits."""
    pixels, labels = (
        gzip.decompress((folder / f"{part}-{name}-ubyte.gz").read_bytes())
        for name in ("images-idx3", "labels-idx1")
    )
    x = np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 1, 28, 28)
    return x.astype(np.float32) / 255, np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def learner(contender: str, seed: int) -> tuple[Run, Run]:
    """A step on a batch, and the classes of images, in the regime of `models/cnn.gdl`."""
    if contender == "graphdl":
        gdl = import_module("graphdl")
        net = gdl.compile("cnn", backend="native", seed=seed)
        return (
            lambda x, y: net.step(image=x, digit=y),
            lambda x: net.predict(image=x).argmax(1),
        )
    made = import_module("peers").Torch(compiled=False)
    torch = made.torch
    torch.manual_seed(seed)
    model = made._cnn()
    rule = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, dampening=0.9)

    def step(x: Any, y: Any) -> None:
        rule.zero_grad(set_to_none=True)
        scores = model(torch.from_numpy(x))
        torch.nn.functional.cross_entropy(scores, torch.from_numpy(y)).backward()
        rule.step()

    def classes(x: Any) -> Any:
        with torch.inference_mode():
            parts = torch.from_numpy(x).split(256)
            return np.concatenate([model(part).argmax(1).numpy() for part in parts])

    return step, classes


def mnist(contender: str, folder: str, seed: str = "1", goal: str = "0.985") -> dict[str, float]:
    """Seconds with the library's import and compiling until the goal is reached, data read before.

    Each contender draws its weights from the same distributions, and sees the same batches.
    """
    x, y = digits(Path(folder), "train")
    x, y = x[:50_000], y[:50_000]
    test, answers = digits(Path(folder), "t10k")
    began = time.perf_counter()
    step, classes = learner(contender, int(seed))
    random = np.random.default_rng(int(seed))
    right, done = 0.0, 0
    while right < float(goal) and done < MOST:
        for _ in range(EVERY):
            rows = random.integers(0, len(x), BATCH)
            step(x[rows], y[rows])
        done += EVERY
        right = float((classes(test) == answers).mean())
    if right < float(goal):
        raise SystemExit(f"{right} of the test images are right after {done} steps, not {goal}")
    return {"seconds": time.perf_counter() - began, "steps": done, "right": right}


def main(contender: str, task: str, *more: str) -> None:
    """Measure one thing."""
    if task == "import":
        import_module(contender)
        found: dict[str, float] = {"seconds": time.monotonic() - STARTED}
    elif task == "first":
        training(contender, "cnn32")()
        found = {"seconds": time.monotonic() - STARTED}
    elif task == "memory":
        step = training(contender, more[0])
        for _ in range(STEPS):
            step()
        found = {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    else:
        found = images(contender) if task == "images" else mnist(contender, *more)
    print(json.dumps({"contender": contender, "task": task, **found}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
