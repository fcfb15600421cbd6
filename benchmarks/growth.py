"""How the cost of a training step grows with batch, depth and width, here and in PyTorch eager.

    python benchmarks/growth.py --peers /tmp/peers/bin/python
    python benchmarks/growth.py --peers /tmp/peers/bin/python depth --rounds 5
    python benchmarks/growth.py compiling --quick          # the smallest points alone

batch      the course CNN and a network of three layers at 1 to 1,024 examples
depth      10 to 1,000 layers of 64 units, as a chain and as residual blocks, 32 examples; the
           convolutions of `models/resnet.gdl`, 8 to 110 layers, 8 examples
width      two hidden layers of 32 to 2,048 units, 32 examples
compiling  kernels that a depth needs, and seconds to the end of the first step with none cached;
           of these, what reading the model and making its training step took before any kernel

Contenders take turns, round by round; what is printed is Markdown, with medians of all rounds.
Where a line is straight, the time of a unit (an example, a layer, a thousand weights) settles.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from statistics import median
from time import perf_counter
from typing import Any

from networks import Layers, ours, prepared, torchs
from report import cell, heading, lines, machine, markdown, say
from timing import measure

SERIES = ("batch", "depth", "width", "compiling")
BATCHES = [2**n for n in range(11)]
DEPTHS, RESIDUAL = [10, 30, 100, 300, 1000], [10, 30, 100, 300]
# Residual blocks of each size in `models/resnet.gdl`.
BLOCKS = [1, 3, 5, 7, 9, 18]
WIDTHS = [2**n for n in range(5, 12)]
CNN: Layers = [(1, 28, 28), ("conv", 16), ("conv", 32), ("dense", 200), ("out", 10)]
BUDGET, QUICK = 2.0, 0.1  # seconds for a point
Point = tuple[str, Layers, int, float]


def points(series: str, quick: bool) -> list[Point]:
    """Name, layers, examples, and how many units there are, for each point of a series."""
    chain = [(f"{n} layers", _dense(64, [64] * n), 32, float(n)) for n in DEPTHS]
    blocks = [(f"{n} residual layers", _residual(n), 32, float(n)) for n in RESIDUAL]
    resnets: list[Point] = [
        (f"ResNet of {6 * n + 2}", [(1, 28, 28), ("resnet", n), ("out", 10)], 8, 6.0 * n + 2)
        for n in BLOCKS
    ]
    lists: dict[str, list[list[Point]]] = {
        "batch": [
            [(f"CNN, {n}", CNN, n, float(n)) for n in BATCHES],
            [(f"784-200-200-10, {n}", _dense(784, [200, 200]), n, float(n)) for n in BATCHES],
        ],
        "width": [
            [
                (
                    f"784-{n}-{n}-10",
                    _dense(784, [n, n]),
                    32,
                    (784 * n + n * n + 10 * n) / 1000,
                )
                for n in WIDTHS
            ]
        ],
        "depth": [chain, blocks, resnets],
        "compiling": [chain, blocks, resnets],
    }
    return [point for row in lists[series] for point in (row[:2] if quick else row)]


def _dense(start: int, sizes: list[int]) -> Layers:
    return [(start,), *(("dense", size) for size in sizes), ("out", 10)]


def _residual(depth: int) -> Layers:
    return [(64,), *[("residual", 64)] * depth, ("out", 10)]


def work(contender: str, series: str, quick: bool) -> None:
    """In a process of its own: a line for each point of a series."""
    for name, layers, count, units in points(series, quick):
        made = ours(layers, count) if contender == "graphdl" else torchs(layers, count)
        seconds, _ = measure(made, QUICK if quick else BUDGET)
        say({"name": name, "units": units, "us": 1e6 * seconds})


def compiling(quick: bool) -> Iterator[dict[str, Any]]:
    """For each depth, a first step in a process that finds no kernel."""
    for place, (name, *_) in enumerate(points("compiling", quick)):
        command = [sys.executable, __file__, "--work", "one", str(place), str(int(quick))]
        with tempfile.TemporaryDirectory() as folder:
            for line in lines(command, {"XDG_CACHE_HOME": folder}):
                yield {"name": name, **line}


def one(place: int, quick: bool) -> None:
    """Seconds until a training step is made and the first one done; kernels compiled for it."""
    _, layers, count, units = points("compiling", quick)[place]
    library = import_module("graphdl.backends.native.compile.library")
    # The grammar and the definitions of all layers, which every model needs.
    import_module("graphdl").compile("logreg")
    began = perf_counter()
    net, step = prepared(layers, count)
    net.training_step()
    made = perf_counter() - began
    step()
    say(
        {
            "units": units,
            "made": 1e6 * made,
            "first": 1e6 * (perf_counter() - began),
            "kernels": len(library.COMPILED),
        }
    )


def medians(rounds: list[list[dict[str, Any]]], key: str) -> dict[str, float]:
    """The median of the rounds of a figure, by the name of the point."""
    found: dict[str, list[float]] = {}
    for line in (line for lines_of in rounds for line in lines_of):
        found.setdefault(line["name"], []).append(line[key])
    return {name: median(values) for name, values in found.items()}


def steps_table(series: str, found: dict[str, list[list[dict[str, Any]]]], quick: bool) -> str:
    """Times of a step and of a unit."""
    unit = {"batch": "an example", "depth": "a layer", "width": "1,000 weights"}[series]
    head = ["", "graphdl", unit, "PyTorch eager", unit, "PyTorch / graphdl"]
    times = {contender: medians(rounds, "us") for contender, rounds in found.items()}
    mine, theirs = times["graphdl"], times.get("torch", {})
    rows = [head]
    for name, _, _, units in points(series, quick):
        row = [name]
        for of in (mine, theirs):
            row += [cell([of[name]]), cell([of[name] / units])] if name in of else ["", ""]
        both = name in mine and name in theirs
        rows.append([*row, f"{theirs[name] / mine[name]:.2f}" if both else ""])
    return markdown(rows)


def compiling_table(rounds: list[list[dict[str, Any]]]) -> str:
    """Times of a first step and of a layer of it."""
    rows = [["", "first step", "a layer", "before any kernel", "a layer", "kernels compiled"]]
    first, made = medians(rounds, "first"), medians(rounds, "made")
    kernels, units = medians(rounds, "kernels"), medians(rounds, "units")
    for name, seconds in first.items():
        row = [name]
        for of in (seconds, made[name]):
            row += [cell([of]), cell([of / units[name]])]
        rows.append([*row, f"{kernels[name]:.0f}"])
    return markdown(rows)


def table(series: str, peers: str | None, rounds: int, quick: bool) -> str:
    """Run a series and show it."""
    found: dict[str, list[list[dict[str, Any]]]] = {"graphdl": []}
    for number in range(rounds):
        for contender, python in (("graphdl", sys.executable), ("torch", peers)):
            if python is None or (series == "compiling" and contender == "torch"):
                continue
            print(f"{series}, round {number + 1}: {contender}", file=sys.stderr, flush=True)
            command = [python, __file__, "--work", contender, series, str(int(quick))]
            ran = list(compiling(quick)) if series == "compiling" else lines(command)
            found.setdefault(contender, []).append(ran)
    if series == "compiling":
        return compiling_table(found["graphdl"])
    return steps_table(series, found, quick)


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--work"]:
        contender, what, quick = sys.argv[2:]
        run: Callable[[], None] = (
            (lambda: one(int(what), quick == "1"))
            if contender == "one"
            else (lambda: work(contender, what, quick == "1"))
        )
        return run()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("series", nargs="*", metavar="SERIES", help=f"{', '.join(SERIES)}; or all")
    parser.add_argument("--peers", help="the Python that has PyTorch; without it, ours alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of the smallest points")
    given = parser.parse_args()
    if unknown := set(given.series) - set(SERIES):
        parser.error(f"no series {', '.join(sorted(unknown))}; there are {', '.join(SERIES)}")
    rounds = 1 if given.quick else given.rounds
    print(heading(machine(given.peers), rounds))
    for series in given.series or SERIES:
        print(table(series, given.peers, rounds, given.quick) + "\n", flush=True)
    return None


if __name__ == "__main__":
    main()
