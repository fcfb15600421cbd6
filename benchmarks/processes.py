"""Whole processes of the project and its peers in turn: start, memory, inference, MNIST.

    python benchmarks/processes.py --peers /tmp/peers/bin/python
    python benchmarks/processes.py --peers /tmp/peers/bin/python --mnist /data/mnist --rounds 3
    python benchmarks/processes.py --peers /tmp/peers/bin/python --only first images --quick

`--mnist` is the folder of the four gzipped idx files; without it, that row is left out. See
`process.py` for what is measured. The machine should do nothing else. Nobody's own cache is used:
what compiled kernels (ours, JAX's) are kept is in a folder of this run, filled before its rounds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from report import HERE, cell, heading, lines, machine, markdown, row_of

CONTENDERS = ("graphdl", "torch", "jax")
Unit = Callable[[list[float]], str]


@dataclass(frozen=True)
class Task:
    """What `process.py` is asked, and a row for each figure it gives: name, key and unit.

    `cold` begins every run with no kernel kept.
    """

    asked: tuple[str, ...]
    rows: tuple[tuple[str, str, Unit], ...]
    cold: bool = False

    def runs_in(self, contender: str) -> bool:
        """Whether the contender has this: the regime of MNIST is written for PyTorch only."""
        return contender != "jax" or self.asked[0] != "mnist"


class Runner:
    """Runs `process.py` for each contender in turn, so many rounds."""

    def __init__(self, peers: str, rounds: int, kept: str, warm_up: bool) -> None:
        self.peers, self.rounds, self.kept, self.warm_up = peers, rounds, kept, warm_up

    def rows(self, task: Task) -> list[list[str]]:
        """Rows of the table: medians, and how many times ours the best peer's is."""
        found: dict[str, list[Any]] = {c: [] for c in CONTENDERS}
        contenders = [c for c in CONTENDERS if task.runs_in(c)]
        # Files are read for the first time, and kernels compiled, before anything counts.
        warm_up = self.warm_up and task.asked[0] != "mnist"
        for number in range(0 if warm_up else 1, self.rounds + 1):
            for contender in contenders:
                named = f"round {number}" if number else "before the rounds"
                print(f"{' '.join(task.asked)}, {named}: {contender}", file=sys.stderr, flush=True)
                lines_of_run = self._run(contender, task)
                if number:
                    found[contender] += lines_of_run
        return [self._row(found, *row) for row in task.rows]

    def _row(self, found: dict[str, list[Any]], name: str, key: str, unit: Unit) -> list[str]:
        values = {c: [line[key] for line in found[c]] for c in CONTENDERS}
        ours, best = values["graphdl"], [median(values[c]) for c in CONTENDERS[1:] if values[c]]
        ratio = f"{min(best) / median(ours):.2f}" if ours and best else ""
        return [name, *(unit(values[c]) for c in CONTENDERS), ratio]

    def _run(self, contender: str, task: Task) -> list[Any]:
        python = sys.executable if contender == "graphdl" else self.peers
        command = [python, str(HERE / "process.py"), contender, *task.asked]
        with tempfile.TemporaryDirectory() as fresh:
            folder = fresh if task.cold else self.kept
            return lines(command, {**caches(folder), "BENCHMARK_STARTED": repr(time.monotonic())})


def caches(folder: str) -> dict[str, str]:
    """The environment in which all that is compiled is kept in a folder."""
    return {
        "XDG_CACHE_HOME": folder,
        "JAX_COMPILATION_CACHE_DIR": f"{folder}/jax",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def _seconds(values: list[float]) -> str:
    return cell([1e6 * value for value in values])


def _megabytes(values: list[float]) -> str:
    return f"{median(values):.0f} MB" if values else ""


def _count(values: list[float]) -> str:
    return f"{median(values):.0f}" if values else ""


def tasks(mnist: str | None, quick: bool) -> list[Task]:
    """All that is measured."""
    found = [
        Task(("import",), (("import", "seconds", _seconds),)),
        Task(
            ("first",), (("first step of the CNN, nothing cached", "seconds", _seconds),), cold=True
        ),
        Task(("first",), (("first step of the CNN", "seconds", _seconds),)),
        *(
            Task(("memory", name), ((f"memory at its peak, {name}", "megabytes", _megabytes),))
            for name in ("cnn32", "cnn128", "lm")
        ),
        Task(
            ("memory", "cnn32"),
            (("memory at its peak, cnn32, nothing cached", "megabytes", _megabytes),),
            cold=True,
        ),
        Task(("images",), (("10,000 images", "whole", _seconds), ("one image", "one", _seconds))),
    ]
    goal = "0.9" if quick else "0.985"
    for seed in ("1",) if quick else ("1", "2", "3"):
        name = f"MNIST to {goal}, seed {seed}"
        rows = ((name, "seconds", _seconds), (f"{name}, steps", "steps", _count))
        # Whoever trains for the first time has no kernel kept.
        found += [Task(("mnist", mnist, seed, goal), rows, cold=True)] if mnist else []
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", required=True, help="the Python that has PyTorch and JAX")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mnist", help="the folder of MNIST's four files")
    parser.add_argument(
        "--only", nargs="+", choices=("import", "first", "memory", "images", "mnist")
    )
    parser.add_argument(
        "--quick", action="store_true", help="one round, nothing before it, MNIST to 0.9"
    )
    given = parser.parse_args(arguments)
    rounds = 1 if given.quick else given.rounds
    print(heading(machine(given.peers), rounds))
    print(markdown([["", "graphdl", "PyTorch eager", "JAX jit", "best peer / graphdl"]]))
    with tempfile.TemporaryDirectory() as kept:
        run = Runner(given.peers, rounds, kept, warm_up=not given.quick)
        for task in tasks(given.mnist, given.quick):
            if not given.only or task.asked[0] in given.only:
                # At once: nothing is lost when a run of an hour is stopped.
                print("\n".join(row_of(row) for row in run.rows(task)), flush=True)


if __name__ == "__main__":
    main()
