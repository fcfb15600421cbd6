"""The whole run: `python -m tests.random [WHAT] [--count N] [--seed N] [--workers N] [--shrink]`.

models       random valid ones against the interpreter, up to the first that fails
texts        mutated ones: diagnostics or a network
checkpoints  mutated ones: a network that goes on, or a sentence
data         mutated files of every reader: examples, or a sentence
kills        training processes killed at random moments: resumed, the same run bit for bit
threads      threads that ask the same networks everything at once, for so many seconds
signals      handlers that ask networks in the middle of other calls, for so many seconds
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from . import agreement, checkpoints, data_files, handlers, kills, texts, threads
from .asked import Asked

# How many trials unless told otherwise, and the run: the number of failures.
RUNS: dict[str, tuple[int, Callable[[Asked], int]]] = {
    "models": (agreement.COUNT, agreement.run),
    "texts": (texts.COUNT, texts.run),
    "checkpoints": (checkpoints.COUNT, checkpoints.run),
    "data": (data_files.COUNT, data_files.run),
    "kills": (kills.COUNT, kills.run),
    "threads": (threads.COUNT, threads.run),
    "signals": (handlers.COUNT, handlers.run),
}


def main() -> int:
    """The exit status: 0 when all is well."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.random",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    counts = ", ".join(f"{count:,} {name}" for name, (count, _) in RUNS.items())
    parser.add_argument("what", nargs="?", choices=(*RUNS, "all"), default="all")
    parser.add_argument("--count", type=int, help=f"{counts} unless given")
    parser.add_argument("--seed", type=int, default=0, help="the number of the first")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--shrink", action="store_true", help="shrink a model that fails: minutes")
    given = parser.parse_args()
    failed = 0
    for name, (count, run) in RUNS.items():
        if given.what in (name, "all"):
            failed += run(Asked(given.count or count, given.seed, given.workers, given.shrink))
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
