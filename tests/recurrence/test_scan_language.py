"""Everything a model can write about recurrence: it runs, and its gradients are proved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.elaborate import elaborate
from graphdl.errors import Source

SAMPLES = Path(__file__).parents[1] / "samples"
ENDS = "\ntarget z[T, 3]\nloss = mean((y - z)^2)\n"
MODELS = {
    "learned initial state": """
block x -> cell(n) {
  weight start[n] = normal(0.1)
  state h[n] = start
  next h = tanh((x -> linear(n)) + (h -> linear(n)))
  next h
}
input x[T, 4]
y = x -> scan { cell(3) }
""",
    "learned number as initial state": """
block x -> cell(n) {
  weight start[1] = 0.3
  state h[n] = sum(start)
  next h = tanh((x -> linear(n)) + (h -> linear(n)))
  next h
}
input x[T, 4]
y = x -> scan { cell(3) }
""",
    "both directions": """
input x[T, 4]
ahead = x -> gru(2)
back = x -> reverse -> rnn(1) -> reverse
y = (ahead, back) -> concat
""",
    "a stack": """
input x[T, 4]
y = x -> repeat 2 { lstm(3) }
""",
    "dropout": """
input x[T, 4]
y = x -> scan { dropout(0.5) -> lstm_step(3) -> dropout(0.3) }
""",
    "a held initial state": """
block (x, m) -> cell(n) {
  state h[n] = m
  next h = tanh((x -> linear(n)) + h * m)
  next h
}
input x[T, 4]
input m[3]
y = (x, hold(m)) -> scan { cell(3) }
""",
    "a scan inside a scan": """
block x -> inner(n) {
  state s[n]
  next s = tanh((x -> linear(n)) + (s -> linear(n)))
  next s
}
block row -> outer(n) {
  state h[n] = 0.5
  u = row -> scan { inner(n) } -> last
  next h = tanh(u + (h -> linear(n)))
  next h
}
input x[T, 5, 4]
y = x -> scan { outer(3) }
""",
    "an inner scan that reads the outer state": """
block (x, s) -> inner(n) {
  state k[n] = s
  next k = tanh((x -> linear(n)) + k * s)
  next k
}
block row -> outer(n) {
  state h[n] = 0.5
  next h = (row, hold(h)) -> scan { inner(n) } -> last
  next h
}
input x[T, 5, 4]
y = x -> scan { outer(3) }
""",
    "several sequences, states and results": """
block (a, b) -> cell(n) {
  state h[n]
  state k
  next h = tanh((a -> linear(n)) * (b -> linear(n)) + h)
  next k = k + sum(h)
  (next h, next k)
}
input x[T, 4]
input q[T, 2]
u, k = (x, q) -> scan { cell(3) }
y = u * mean(k, 0)
""",
    "the state before the step": """
block x -> delay() {
  state h[4]
  next h = x
  h
}
input x[T, 4]
y = x -> scan { delay } -> linear(3)
""",
    "a weight inside and outside": """
layer f = linear(3)
block x -> cell() {
  state h[3]
  next h = tanh((x -> f) + h)
  next h
}
input x[T, 4]
y = (x -> scan { cell }) + (x -> f)
""",
    "no state": """
input x[T, 4]
y = x -> scan { linear(5) -> tanh -> linear(3) }
""",
    "images": """
block x -> cell() {
  state h[2, 4, 4]
  next h = tanh((x -> conv(2, 3, pad = 1)) + (h -> conv(2, 3, pad = 1, bias = false)))
  next h
}
input x[T, 1, 4, 4]
y = x -> scan { cell -> flatten -> linear(3) }
""",
    "attention over what is held": """
block (x, memory) -> cell(n) {
  state h[n]
  scores = memory @ h
  read = softmax(scores) @ memory
  next h = tanh((x -> linear(n)) + read + (h -> linear(n)))
  next h
}
input x[T, 4]
input memory[S, 3]
y = (x, hold(memory)) -> scan { cell(3) }
""",
}


def examples(net: gdl.Network, length: int = 4, batch: int = 2) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    sizes = {"T": length, "S": 3}
    found = {}
    for name, port in {**net.inputs, **net.targets}.items():
        shape = (batch, *(n if isinstance(n, int) else sizes[str(n)] for n in port.shape))
        whole = port.dtype == "int64"
        found[name] = rng.integers(0, port.classes or 2, shape) if whole else rng.normal(size=shape)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_gradients(name: str) -> None:
    text = MODELS[name] + ENDS
    assert [gdl.render(found) for found in gdl.check(text)] == []
    net = gdl.compile(text, dtype="float64", seed=3)
    report = net.gradcheck(data=examples(net))
    assert report, str(report)


@pytest.mark.parametrize("name", MODELS)
def test_training_lowers_the_loss(name: str) -> None:
    net = gdl.compile(MODELS[name] + ENDS, seed=3)
    data = examples(net)
    losses = [net.step(**data) for _ in range(8)]
    assert np.isfinite(losses).all()
    assert "dropout" in name or losses[-1] < losses[0]


def test_a_loss_on_the_last_step() -> None:
    text = "input x[T, 4]\ntarget z[3]\noutput y = x -> lstm(3) -> last\nloss = mean((y - z)^2)"
    net = gdl.compile(text, dtype="float64")
    assert net.gradcheck(data=examples(net))


def test_each_step_has_a_mask_of_its_own() -> None:
    text = "input x[T, 64]\ntarget z[T, 64]\ny = x -> scan { dropout(0.5) }\nloss = mean(y - z)"
    net = gdl.compile(text, dtype="float64")
    shape = (1, 8, 64)
    gradient = net.gradients("x", x=np.ones(shape), z=np.zeros(shape))["x"]
    assert len({tuple(row) for row in gradient[0]}) == 8


@pytest.mark.parametrize("name", ["06_lstm_lm", "07_lstm_cell", "17_bilstm_tagger"])
def test_samples_train(name: str) -> None:
    sizes = {"vocab": 50, "size": 8} if name[0] == "0" else {}
    net = gdl.compile(SAMPLES / f"{name}.gdl", seed=1, **sizes)  # type: ignore[arg-type]
    data = examples(net, length=5)
    losses = [net.step(**data) for _ in range(3)]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


CELL = """\
block x -> cell(n) {{
  state h[n]{start}
  next h = {following}
  next h
}}
input x[T, 4]
output y = x -> scan {{ cell(3) }}
"""
MISTAKES = {
    "a sum of unequal shapes": ({"following": "h + x"}, "E0402", "h + x"),
    "a state of another shape": ({"following": "x"}, "E0409", None),
    "a layer that does not fit": ({"following": "h -> conv(3, 3)"}, "E0401", "conv(3, 3)"),
    "a start that changes": ({"start": " = x -> linear(n)", "following": "h"}, "E0409", None),
    "a running statistic": ({"following": "x -> linear(n) -> batch_norm"}, "E0604", None),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_shown_where_they_are(name: str) -> None:
    parts, code, place = MISTAKES[name]
    text = CELL.format(**{"start": "", **parts}) + "loss = mean(y)"
    with pytest.raises(gdl.ModelError) as caught:
        elaborate(Source("<text>", text), training=True)
    (found,) = caught.value.diagnostics
    assert found.code == code, gdl.render(found)
    assert found.primary is not None
    if place is not None:
        assert found.primary.span.text == place
