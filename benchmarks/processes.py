"""Whole processes of the project and its peers in turn: start, memory, inference, MNIST.

    python benchmarks/processes.py --peers /tmp/peers/bin/python
    python benchmarks/processes.py --peers /tmp/peers/bin/python --mnist /data/mnist --rounds 3

`--mnist` is the folder of the four gzipped idx files; without it, that row is left out. See
`process.py` for what is measured. The machine should do nothing else.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from statistics import median
from typing import Any

from report import HERE, cell, heading, lines, markdown

CONTENDERS = ("graphdl", "torch", "jax")
Unit = Callable[[list[float]], str]


class Runner:
    """Runs `process.py` for each contender in turn, so many rounds."""

    def __init__(self, peers: str, rounds: int) -> None:
        self.peers, self.rounds = peers, rounds

    def row(self, name: str, task: list[str], key: str, unit: Unit, cache: str) -> list[str]:
        """A row of the table: medians, and how many times ours the best peer's is."""
        found: dict[str, list[float]] = {c: [] for c in CONTENDERS}
        for number in range(self.rounds):
            for contender in CONTENDERS:
                if contender == "jax" and task[0] == "mnist":
                    continue  # its regime is written for PyTorch only
                print(f"{name}, round {number + 1}: {contender}", file=sys.stderr, flush=True)
                found[contender] += self._values(contender, task, key, cache)
        ours, best = found["graphdl"], [median(v) for c, v in found.items() if v and c != "graphdl"]
        ratio = f"{min(best) / median(ours):.2f}" if ours and best else ""
        return [name, *(unit(found[c]) for c in CONTENDERS), ratio]

    def _values(self, contender: str, task: list[str], key: str, cache: str) -> list[float]:
        python = sys.executable if contender == "graphdl" else self.peers
        command = [python, str(HERE / "process.py"), contender, *task]
        if cache == "kept":
            return [line[key] for line in lines(command)]
        with tempfile.TemporaryDirectory() as folder:
            return [line[key] for line in lines(command, {"XDG_CACHE_HOME": folder})]


def _seconds(values: list[float]) -> str:
    return cell([1e6 * value for value in values])


def _megabytes(values: list[float]) -> str:
    return f"{median(values):.0f} MB" if values else ""


# Name, task, what of its line, unit, and whether kernels of earlier runs may be used.
TASKS: list[tuple[str, list[str], str, Unit, str]] = [
    ("import", ["import"], "seconds", _seconds, "kept"),
    ("first step of the CNN, nothing cached", ["first"], "seconds", _seconds, "new"),
    ("first step of the CNN", ["first"], "seconds", _seconds, "kept"),
    *(
        (f"memory at its peak, {name}", ["memory", name], "megabytes", _megabytes, "kept")
        for name in ("cnn32", "cnn128", "lm")
    ),
    ("10,000 images", ["images"], "whole", _seconds, "kept"),
    ("one image", ["images"], "one", _seconds, "kept"),
]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", required=True, help="the Python that has PyTorch and JAX")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mnist", help="the folder of MNIST's four files")
    given = parser.parse_args()
    run = Runner(given.peers, given.rounds)
    machine: Any = lines([sys.executable, str(HERE / "steps.py"), "--json", "logreg1"])[0]
    rows = [["", "graphdl", "PyTorch eager", "JAX jit", "best peer / graphdl"]]
    for name, task, key, unit, cache in TASKS:
        rows.append(run.row(name, task, key, unit, cache))
    for seed in ("1", "2", "3") if given.mnist else ():
        task = ["mnist", given.mnist, seed]
        rows.append(run.row(f"MNIST to 0.985, seed {seed}", task, "seconds", _seconds, "kept"))
    print(heading(machine, given.rounds))
    print(markdown(rows))


if __name__ == "__main__":
    main()
