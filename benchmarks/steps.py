"""Times one training step (forward, backward, update) of standard workloads on fixed random data.

    python benchmarks/steps.py                     # every workload, as a table
    python benchmarks/steps.py mlp32 cnn32 --json  # one JSON object per line, the machine first
    python benchmarks/steps.py --backend cupy

The figures of another library mean something only beside these, run in turn on the same idle
machine. A step includes what `net.step` does in Python: checking the arrays, copying them in.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits
from timing import measure

import graphdl as gdl
from graphdl.backends import open_backend

MODELS = Path(__file__).parent / "models"
THREADS = 2
POINTS = 862  # examples of `logreg_epoch`


@dataclass(frozen=True)
class Workload:
    """A model file, the size of a batch, the length of sequences, and examples of an epoch."""

    model: str
    batch: int
    length: int = 0
    points: int = 0

    def arrays(self, net: gdl.Network) -> dict[str, Any]:
        """One batch of random data; all examples, for a whole epoch."""
        rng = np.random.default_rng(0)
        found: dict[str, Any] = {}
        for name, port in {**net.inputs, **net.targets}.items():
            sizes = (self.length if isinstance(size, str) else size for size in port.shape)
            shape = (self.points or self.batch, *sizes)
            if port.classes:
                found[name] = rng.integers(0, port.classes, shape)
            else:
                found[name] = rng.standard_normal(shape).astype(np.float32)
        return found


WORKLOADS = {
    "logreg1": Workload("logreg", 1),
    "logreg_epoch": Workload("logreg", 1, points=POINTS),
    "mlp32": Workload("mlp", 32),
    "mlp32_adam": Workload("mlp_adam", 32),
    "cnn32": Workload("cnn", 32),
    "cnn128": Workload("cnn", 128),
    "lm": Workload("lm", 20, length=20),
    "kim": Workload("kim", 50, length=56),
    "kim_static": Workload("kim_static", 50, length=56),
}


def training_step(workload: Workload, backend: str) -> Callable[[], object]:
    """A function that makes one update, or one for each example of an epoch."""
    net = gdl.compile(MODELS / f"{workload.model}.gdl", backend=backend, seed=0)
    arrays = workload.arrays(net)
    if not workload.points:
        return lambda: net.step(**arrays)
    examples = [
        {name: values[i : i + 1] for name, values in arrays.items()} for i in range(workload.points)
    ]

    def epoch() -> None:
        # An epoch is one call where the backend can do that.
        if net.train_batches(arrays, None, workload.points) is None:
            for example in examples:
                net.step(**example)

    return epoch


def header(backend: str) -> dict[str, Any]:
    """What the figures depend on: machine, versions, BLAS and the kernels that BLAS chose."""
    names = ("graphdl", "numpy", "threadpoolctl")
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in names},
        "backend": backend,
        "blas": [
            {
                key: pool.get(key)
                for key in ("internal_api", "version", "architecture", "num_threads")
            }
            for pool in threadpool_info()
        ],
        # A value such as Haswell halves the speed of products on an AVX-512 machine.
        "OPENBLAS_CORETYPE": os.environ.get("OPENBLAS_CORETYPE", "unset"),
        "environment": {
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith(("OPENBLAS_", "OMP_", "MKL_"))
        },
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def show(row: Mapping[str, Any], as_json: bool) -> None:
    """One line of output, at once."""
    if as_json:
        print(json.dumps(row), flush=True)
    elif "workload" in row:
        times = "".join(f"{row[key]:>12,.1f} us" for key in ("us_median", "us_min"))
        print(f"{row['workload']:<14}{times}", flush=True)
    else:
        print(*(f"# {name}: {value}" for name, value in row.items()), sep="\n")
        print(f"{'workload':<14}{'median':>15}{'minimum':>15}", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Times the workloads that were named, or all."""
    parser = argparse.ArgumentParser(description="Times one training step of each workload.")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=", ".join(WORKLOADS))
    parser.add_argument("--backend", help="native, numpy or cupy; else the default one")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--budget", type=float, default=4.0, help="seconds per workload")
    given = parser.parse_args(arguments)
    if unknown := set(given.workloads) - set(WORKLOADS):
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    backend = open_backend(given.backend).name
    with threadpool_limits(THREADS):
        show(header(backend), given.json)
        for name in given.workloads or WORKLOADS:
            workload = WORKLOADS[name]
            median, least = measure(training_step(workload, backend), given.budget)
            unit = 1e6 / (workload.points or 1)
            show(
                {
                    "peer": f"graphdl-{backend}",
                    "workload": name,
                    "us_median": round(median * unit, 3),
                    "us_min": round(least * unit, 3),
                },
                given.json,
            )


if __name__ == "__main__":
    try:
        main()
    except gdl.GdlError as error:
        sys.exit(f"error: {error}")
