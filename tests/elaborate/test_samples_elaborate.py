"""The language's samples: their shapes, weights and names as text beside them.

Set GRAPHDL_REWRITE=1 to write what is found now, then read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import graphdl as gdl
from graphdl.elaborate import elaborate
from graphdl.graph import Graph
from graphdl.syntax import read

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*.gdl"))
GOLDEN = Path(__file__).parent / "samples"


def summary(graph: Graph) -> str:
    """What goes in and comes out, and every weight."""
    lines = [f"input {name} {shaped}" for name, shaped in graph.inputs.items()]
    lines += [f"target {name} {shaped}" for name, shaped in graph.targets.items()]
    for role in ("output", "loss", "metric"):
        wires = {"output": graph.outputs, "loss": graph.losses, "metric": graph.metrics}[role]
        lines += [f"{role} {name} {graph.shaped(wire)}" for name, wire in wires.items()]
    learned = [w for w in graph.weights.values() if w.kind == "weight"]
    lines.append(f"{len(graph.nodes)} nodes, {sum(w.count for w in learned):,} weights")
    for weight in graph.weights.values():
        start = weight.initial.path or ", ".join(f"{a:.4g}" for a in weight.initial.arguments)
        shape = ", ".join(map(str, weight.shape))
        lines.append(f"  {weight.kind} {weight.name} [{shape}] {weight.initial.name}({start})")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples(path: Path) -> None:
    found = summary(elaborate(read(path)).graph)
    golden = GOLDEN / f"{path.stem}.txt"
    if os.environ.get("GRAPHDL_REWRITE"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(found, "utf-8")
    assert found == golden.read_text("utf-8")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_check(path: Path) -> None:
    assert gdl.check(path) == []


def test_every_golden_file_has_its_sample() -> None:
    assert {p.stem for p in GOLDEN.glob("*.txt")} == {p.stem for p in SAMPLES}
