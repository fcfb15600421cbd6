"""Recurrent layers: shapes, names of weights, what is refused; they run in tests/recurrence."""

from __future__ import annotations

import pytest

import graphdl as gdl
from graphdl.elaborate import elaborate
from graphdl.errors import Source

WEIGHTS = {
    "rnn": {"linear.weight": (3, 4), "linear.bias": (3,), "linear#2.weight": (3, 3)},
    "lstm": {
        "linear.weight": (12, 4),
        "linear.bias": (12,),
        "linear#2.weight": (12, 3),
        "linear#2.bias": (12,),
    },
    "gru": {
        "linear.weight": (9, 4),
        "linear.bias": (9,),
        "linear#2.weight": (9, 3),
        "linear#2.bias": (9,),
    },
}


@pytest.mark.parametrize("cell", WEIGHTS)
@pytest.mark.parametrize("step", [False, True], ids=["layer", "step"])
def test_shapes_and_weights(cell: str, step: bool) -> None:
    layer = f"scan {{ {cell}_step(3) }}" if step else f"{cell}(3)"
    text = f"input x[T, 4]\noutput y = x -> {layer}"
    graph = elaborate(Source("<text>", text)).graph
    assert str(graph.shaped(graph.outputs["y"])) == "[T, 3]"
    prefix = "y.scan." if step else f"y.{cell}.scan."
    assert {n: w.shape for n, w in graph.weights.items()} == {
        f"{prefix}{cell}_step.{name}": shape for name, shape in WEIGHTS[cell].items()
    }


@pytest.mark.parametrize("cell", WEIGHTS)
def test_a_step_outside_a_scan_is_refused(cell: str) -> None:
    (found,) = gdl.check(f"input x[4]\noutput y = x -> {cell}_step(3)")
    assert found.code == "E0601"
    assert found.message == f"`{cell}_step` has state and must run inside `scan`"
    assert found.hints == (f"write `-> scan {{ {cell}_step(3) }}`",)


@pytest.mark.parametrize("cell", WEIGHTS)
def test_a_single_number_is_no_sequence(cell: str) -> None:
    (found,) = gdl.check(f"input x\noutput y = x * 1 -> {cell}(3)")
    assert found.primary is not None
    assert found.primary.span.source.name == "<text>"
