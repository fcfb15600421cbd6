"""What the scripts that run others in turn share: their processes, and Markdown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
# Some machines set these, which halves the speed of NumPy's products.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def lines(command: Sequence[str], environment: Mapping[str, str] | None = None) -> list[Any]:
    """The JSON lines that a command prints; none where it fails, which is said."""
    given = {k: v for k, v in os.environ.items() if k not in UNSET} | dict(environment or {})
    done = subprocess.run(command, capture_output=True, text=True, env=given)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:]
        print(f"failed: {' '.join(command)}: {' '.join(reason)}", file=sys.stderr, flush=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def say(line: Mapping[str, Any]) -> None:
    """One line of JSON, at once."""
    print(json.dumps(line), flush=True)


def cell(times: Sequence[float] | None) -> str:
    """The median of microseconds in its unit."""
    if not times:
        return ""
    value = median(times)
    if value >= 1e6:
        return f"{value / 1e6:.2f} s"
    if value >= 1000:
        return f"{value / 1000:.1f} ms"
    return f"{value:.0f} µs" if value >= 10 else f"{value:.2f} µs"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table, the first row being its head."""
    whole = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in whole)


def heading(machine: Mapping[str, Any], rounds: int) -> str:
    """When, where, and with what versions."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {machine.get('machine')}, {rounds} rounds\n"
        f"{machine.get('versions')}, backend {machine.get('backend')}\n"
    )
