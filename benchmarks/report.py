"""What the scripts that run others in turn share: their processes, and Markdown."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
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
    return "\n".join(row_of(row) for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]])


def row_of(cells: Sequence[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def installed(names: Iterable[str]) -> dict[str, str]:
    """Versions of those packages that this environment has."""
    found = {}
    for name in names:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def machine(peers: str | None = None) -> dict[str, Any]:
    """What `steps.py` says of the machine, how busy it is, and versions of the peers too."""
    busy = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    command = [sys.executable, str(HERE / "steps.py"), "--json", "--budget", "0.01", "logreg1"]
    told: dict[str, Any] = {**lines(command)[0], "busy": busy}
    told["versions"] |= installed(["llvmlite"])
    if peers is not None:
        ask = "import report; report.say(report.installed(['torch', 'jax']))"
        for found in lines([peers, "-c", ask], {"PYTHONPATH": str(HERE)}):
            told["versions"] |= found
    return told


def heading(told: Mapping[str, Any], rounds: int) -> str:
    """When, where, and with what versions."""
    versions = ", ".join(f"{name} {number}" for name, number in told.get("versions", {}).items())
    threads = os.environ.get("GRAPHDL_THREADS", "all")
    busy = f"load {told['busy']} before, " if "busy" in told else ""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {told.get('machine')}, {busy}{rounds} rounds\n"
        f"{versions}; backend {told.get('backend')}, threads {threads}\n"
    )
