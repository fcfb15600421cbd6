"""The recurrent layers of the prelude: their values against formulas, their gradients proved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphdl as gdl

CELLS = ["rnn", "lstm", "gru"]
LENGTHS = [1, 2, 7]
BATCHES = [1, 3]


def model(cell: str) -> str:
    return f"input x[T, 4]\ntarget z[T, 3]\noutput y = x -> {cell}(3)\nloss = mean((y - z)^2)"


def examples(batch: int, length: int) -> dict[str, Any]:
    rng = np.random.default_rng(length)
    return {"x": rng.normal(size=(batch, length, 4)), "z": rng.normal(size=(batch, length, 3))}


@pytest.mark.parametrize("cell", CELLS)
def test_values_are_those_of_the_formula(cell: str, formulas: Any) -> None:
    net = gdl.compile(model(cell), dtype="float64")
    for batch in BATCHES:
        for length in LENGTHS:
            x = examples(batch, length)["x"]
            wanted = formulas.unrolled(cell, x, 3, net.weights)
            assert np.abs(net.predict(x) - wanted).max() < 1e-12


@pytest.mark.parametrize("cell", CELLS)
def test_single_precision_is_near(cell: str, formulas: Any) -> None:
    net = gdl.compile(model(cell))
    x = examples(3, 7)["x"]
    assert np.abs(net.predict(x) - formulas.unrolled(cell, x, 3, net.weights)).max() < 1e-6


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("cell", CELLS)
def test_gradients(cell: str, length: int, batch: int) -> None:
    report = gdl.compile(model(cell), dtype="float64", seed=1).gradcheck(
        data=examples(batch, length)
    )
    assert not report.failures, str(report)
    # In one step the weights of the state meet zeros alone.
    assert report.ok is (length > 1), str(report)


HAND = """\
block x -> lstm_cell(n) {
  state h[n]
  state c[n]
  i, f, g, o = (x, h) -> concat -> linear(4 * n) -> split(4)
  next c = sigmoid(f) * c + sigmoid(i) * tanh(g)
  next h = sigmoid(o) * tanh(next c)
  next h
}
input x[T, 4]
target z[T, 3]
output y = x -> scan { lstm_cell(3) }
loss = mean((y - z)^2)
"""


def test_a_cell_by_hand_is_the_built_in() -> None:
    hand = gdl.compile(HAND, dtype="float64", seed=2)
    built = gdl.compile(model("lstm"), dtype="float64")
    weights = {k.rpartition("lstm_cell.")[2]: np.array(v) for k, v in hand.weights.items()}
    cell = "y.lstm.scan.lstm_step."
    parts = {
        "linear.weight": weights["linear.weight"][:, :4],
        "linear#2.weight": weights["linear.weight"][:, 4:],
        "linear.bias": weights["linear.bias"],
        "linear#2.bias": np.zeros(12),
    }
    for name, value in parts.items():
        built[cell + name] = value
    data = examples(3, 7)
    assert np.abs(hand.predict(data["x"]) - built.predict(data["x"])).max() < 1e-12
    ours, theirs = hand.gradients(**data), built.gradients(**data)
    whole = ours["y.scan.lstm_cell.linear.weight"]
    joined = [theirs[cell + "linear.weight"], theirs[cell + "linear#2.weight"]]
    assert np.abs(whole - np.concatenate(joined, 1)).max() < 1e-12


def test_another_length_compiles_nothing() -> None:
    net = gdl.compile(model("lstm"))
    net.predict(examples(2, 5)["x"])
    before = dict(net._programs.executables)
    assert net.predict(examples(2, 9)["x"]).shape == (2, 9, 3)
    assert net._programs.executables == before


def test_no_steps_give_nothing() -> None:
    net = gdl.compile(model("gru"))
    assert net.predict(np.zeros((2, 0, 4))).shape == (2, 0, 3)
