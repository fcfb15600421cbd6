"""How the cost of a training step grows with batch, depth and width, here and in PyTorch eager.

    python benchmarks/growth.py --peers /tmp/peers/bin/python
    python benchmarks/growth.py --peers /tmp/peers/bin/python depth

batch      the course CNN and a network of three layers at 1 to 1,024 examples
depth      10 to 1,000 layers of 64 units, as a chain and as residual blocks, 32 examples
width      two hidden layers of 32 to 2,048 units, 32 examples
compiling  kernels that a depth needs, and seconds to the end of the first step with none cached
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from time import perf_counter
from typing import Any

import numpy as np
from report import HERE, cell, heading, lines, markdown

BATCHES = [2**n for n in range(11)]
DEPTHS, RESIDUAL = [10, 30, 100, 300, 1000], [10, 30, 100, 300]
WIDTHS = [2**n for n in range(5, 12)]
CNN = [(1, 28, 28), ("conv", 16), ("conv", 32), ("dense", 200), ("out", 10)]
Layers = list[Any]


def networks(series: str) -> Iterator[tuple[str, Layers, int, int]]:
    """Name, layers, examples, and how many units there are, for each point of a series."""
    if series == "batch":
        for count in BATCHES:
            yield f"CNN, {count}", CNN, count, count
        for count in BATCHES:
            yield f"784-200-200-10, {count}", _dense(784, [200, 200]), count, count
    elif series == "width":
        for width in WIDTHS:
            weights = 784 * width + width * width + 10 * width
            yield f"784-{width}-{width}-10", _dense(784, [width, width]), 32, weights
    else:
        for depth in DEPTHS:
            yield f"{depth} layers", _dense(64, [64] * depth), 32, depth
        for depth in RESIDUAL:
            yield (
                f"{depth} residual layers",
                [(64,), *[("residual", 64)] * depth, ("out", 10)],
                32,
                depth,
            )


def _dense(start: int, sizes: list[int]) -> Layers:
    return [(start,), *(("dense", size) for size in sizes), ("out", 10)]


def _residual(depth: int) -> Layers:
    return [(64,), *[("residual", 64)] * depth, ("out", 10)]


def ours(layers: Layers, count: int) -> Callable[[], Any]:
    """A training step of the project."""
    gdl = import_module("graphdl")
    made, flat = [], len(layers[0]) == 1
    for kind, size in layers[1:]:
        if kind != "conv" and not flat:
            made.append("flatten")
            flat = True
        made.append({
            "conv": f"conv({size}, 5, pad = 2) -> relu -> max_pool(2)",
            "dense": f"linear({size}) -> relu",
            "residual": f"residual({size})",
            "out": f"linear({size})",
        }[kind])  # fmt: skip
    shape = ", ".join(map(str, layers[0]))
    net = gdl.compile(
        "block x[n] -> residual(m) { x + (x -> linear(m) -> relu) }\n"
        f"input x[{shape}]\ntarget y: int(10)\nloss = x -> {' -> '.join(made)}\n"
        "  -> cross_entropy(y)\ntrain { optimizer = sgd(lr = 0.001, momentum = 0.9) }\n",
        backend="native",
    )
    batch = net.blank(count)
    return lambda: net.step(**batch)


def torchs(layers: Layers, count: int) -> Callable[[], Any]:
    """The same in PyTorch eager."""
    torch = import_module("torch")
    nn = torch.nn
    torch.set_num_threads(2)

    class Residual(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, size: int) -> None:
            super().__init__()
            self.inner = nn.Linear(size, size)

        def forward(self, x: Any) -> Any:
            return x + torch.relu(self.inner(x))

    parts: list[Any] = []
    shape, side = layers[0], layers[0][-1]
    before = shape[0]
    for kind, size in layers[1:]:
        if kind == "conv":
            parts += [nn.Conv2d(before, size, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
            side //= 2
        elif kind == "residual":
            parts.append(Residual(size))
        else:
            if len(shape) == 3:
                parts.append(nn.Flatten())
                before, shape = before * side * side, (0,)
            parts += [nn.Linear(before, size), *([nn.ReLU()] if kind == "dense" else [])]
        before = size
    model = nn.Sequential(*parts)
    rule = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    x, y = torch.randn(count, *layers[0]), torch.randint(0, 10, (count,))

    def step() -> None:
        rule.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(x), y).backward()
        rule.step()

    return step


def measure(step: Callable[[], Any]) -> float:
    """The middle of seven samples of a quarter of a second, in microseconds."""
    step()
    began = perf_counter()
    step()
    calls = max(1, int(0.25 / max(perf_counter() - began, 1e-7)))
    samples = []
    for _ in range(7):
        began = perf_counter()
        for _ in range(calls):
            step()
        samples.append(1e6 * (perf_counter() - began) / calls)
    return float(np.median(samples))


def work(contender: str, series: str) -> None:
    """In a process of its own: a line for each point of a series."""
    if series == "compiling":
        for depth in RESIDUAL:
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, __file__, "--work", "one", str(depth)]
                for line in lines(command, {"XDG_CACHE_HOME": folder}):
                    print(json.dumps(line), flush=True)
        return
    for name, layers, count, units in networks(series):
        step = (ours if contender == "graphdl" else torchs)(layers, count)
        line = {"name": name, "units": units, "us": measure(step)}
        print(json.dumps(line), flush=True)


def one(depth: int) -> None:
    """Seconds to the end of a first step, and the kernels that were made for it."""
    library = import_module("graphdl.backends.native.library")
    began = perf_counter()
    ours([(64,), *[("residual", 64)] * depth, ("out", 10)], 32)()
    seconds = perf_counter() - began
    print(
        json.dumps(
            {
                "name": f"{depth} residual layers",
                "seconds": seconds,
                "kernels": len(library.COMPILED),
            }
        )
    )


def shown(series: str, found: dict[str, list[Any]]) -> str:
    """The table of a series."""
    if series == "compiling":
        rows = [["", "first step", "kernels"]]
        rows += [
            [p["name"], cell([1e6 * p["seconds"]]), str(p["kernels"])] for p in found["graphdl"]
        ]
        return markdown(rows)
    unit = {"batch": "an example", "depth": "a layer", "width": "1,000 weights"}[series]
    rows = [["", "graphdl", unit, "PyTorch eager", unit, "PyTorch / graphdl"]]
    for mine, theirs in zip(found["graphdl"], found["torch"], strict=True):
        share = mine["units"] / (1000 if series == "width" else 1)
        times = mine["us"], mine["us"] / share, theirs["us"], theirs["us"] / share
        ratio = f"{theirs['us'] / mine['us']:.2f}"
        rows.append([mine["name"], *(cell([time]) for time in times), ratio])
    return markdown(rows)


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--work"]:
        contender, what = sys.argv[2:]
        if contender == "one":
            one(int(what))
        else:
            work(contender, what)
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = ("batch", "depth", "width", "compiling")
    parser.add_argument("series", nargs="*", choices=[*every, []], help="all without")
    parser.add_argument("--peers", required=True, help="the Python that has PyTorch")
    given = parser.parse_args()
    print(heading(lines([sys.executable, str(HERE / "steps.py"), "--json", "logreg1"])[0], 1))
    for series in given.series or every:
        found: dict[str, list[Any]] = {}
        for contender, python in (("graphdl", sys.executable), ("torch", given.peers)):
            if series != "compiling" or contender == "graphdl":
                print(f"{series}: {contender}", file=sys.stderr, flush=True)
                found[contender] = lines([python, __file__, "--work", contender, series])
        print(shown(series, found) + "\n", flush=True)


if __name__ == "__main__":
    main()
