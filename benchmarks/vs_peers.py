"""The project and its peers in turn, on one machine, in one go: medians and their ratios.

    python benchmarks/vs_peers.py --peers /tmp/peers/bin/python               # everything
    python benchmarks/vs_peers.py --peers /tmp/peers/bin/python mlp32 --rounds 5

`--peers` is the Python of an environment that has PyTorch or JAX or both. The machine should do
nothing else. What is printed is Markdown, for RESULTS.md.
"""

from __future__ import annotations

import argparse
import sys
from statistics import median
from typing import Any

from report import HERE, cell, heading, lines, markdown

PEERS = ("torch", "jax", "compile")


def measured(
    peers: str, names: list[str], rounds: int, which: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the machine is, and for each workload the medians of all rounds by contender."""
    machine: dict[str, Any] = {}
    found: dict[str, dict[str, list[float]]] = {}
    for number in range(rounds):
        commands = [
            ("graphdl", [sys.executable, str(HERE / "steps.py"), "--json", *names]),
            *((peer, [peers, str(HERE / "peers.py"), peer, *names]) for peer in which),
        ]
        for contender, command in commands:
            if contender == "compile" and number:
                continue  # it takes minutes to compile, and was never the fastest
            print(f"round {number + 1}: {contender}", file=sys.stderr, flush=True)
            for line in lines(command):
                if "workload" not in line:
                    machine = line
                    continue
                of = found.setdefault(line["workload"], {})
                of.setdefault(contender, []).append(float(line["us_median"]))
    return machine, found


def table(found: dict[str, Any]) -> str:
    """The workloads, each contender, and how much faster than the best peer the project is."""
    head = [
        "workload",
        "graphdl",
        "PyTorch eager",
        "JAX jit",
        "torch.compile",
        "best peer / graphdl",
    ]
    rows = [head]
    for name, of in found.items():
        best = min((median(of[peer]) for peer in PEERS if of.get(peer)), default=None)
        ours = median(of["graphdl"]) if of.get("graphdl") else None
        ratio = f"{best / ours:.2f}" if best and ours else ""
        rows.append([name, *(cell(of.get(c)) for c in ("graphdl", *PEERS)), ratio])
    return markdown(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="workloads; all without")
    parser.add_argument("--peers", required=True, help="the Python that has PyTorch or JAX")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--which", nargs="+", choices=PEERS, default=PEERS, help="of the peers")
    given = parser.parse_args()
    machine, found = measured(given.peers, given.names, given.rounds, given.which)
    print(heading(machine, given.rounds))
    print(table(found))


if __name__ == "__main__":
    main()
