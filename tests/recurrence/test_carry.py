"""States carried from window to window: what is equal to one long window, and what is cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl
from graphdl.errors import ModelError, UsageError

WORDS, STEPS, BATCH = 30, 14, 3
CELL = """
block x -> cell(n) {
  weight start[n] = normal(0.5)
  state h[n] = start
  next h = tanh((x -> linear(n)) + (h -> linear(n)))
  next h
}
"""
LAYERS = {
    "rnn": "rnn(4)",
    "lstm": "lstm(4)",
    "gru": "gru(4)",
    "learned start": "scan { cell(4) }",
    "two layers": "repeat 2 { lstm(4) }",
    "several kinds": "lstm(5) -> scan { cell(4) } -> gru(3)",
}


def network(layers: str, settings: str = "optimizer = sgd(lr = 0.1)") -> graphdl.Network:
    text = f"""{CELL}
input  words[T]: int({WORDS})
target following[T]: int({WORDS})
scores = words -> embedding(6) -> {layers} -> linear({WORDS})
output = scores -> softmax
loss   = scores -> cross_entropy(following)
train {{ {settings} }}
"""
    return graphdl.compile(text, seed=1, dtype="float64")


def text() -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(0)
    shape = (BATCH, STEPS)
    return {name: random.integers(0, WORDS, shape) for name in ("words", "following")}


def windows(size: int) -> list[dict[str, np.ndarray[Any, Any]]]:
    return [
        {name: ids[:, first : first + size] for name, ids in text().items()}
        for first in range(0, STEPS, size)
    ]


@pytest.mark.parametrize("size", [1, 4, 7, 14])
@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_windows_with_carried_states_are_one_long_window(layers: str, size: int) -> None:
    net = network(layers)
    whole = net.evaluate_batch(text())["loss"]
    total = 0.0
    for number, window in enumerate(windows(size)):
        values = net.evaluate_batch(window, fresh=number == 0)
        total += values["loss"] * window["words"].size
    assert total / (BATCH * STEPS) == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_training_goes_on_where_the_window_before_ended(layers: str) -> None:
    net = network(layers, "carry_state = true\nwindow = 4\noptimizer = sgd(lr = 0.1)")
    judge = network(layers)
    for number, window in enumerate(windows(4)):
        # A rate of nothing: the same weights for all windows.
        values = net.train_batch(window, 1e-300, fresh=number == 0)
        expected = judge.evaluate_batch(window, fresh=number == 0)
        assert values["loss"] == pytest.approx(expected["loss"], abs=1e-12)


def test_no_gradient_goes_over_the_border() -> None:
    rate, settings = 0.5, "carry_state = true\nwindow = 4\noptimizer = sgd(lr = 0.5)"
    net, name = network("rnn(4)", settings), "scores.rnn.scan.rnn_step.linear#2.weight"
    first, second = windows(4)[:2]
    net.train_batch(first, 1e-300, fresh=True)
    (held,) = net.state().keys() & {"c/scores.rnn.scan.rnn_step.h"}
    start = net.state()[held]
    before = net[name].copy()
    net.train_batch(second, rate, fresh=False)
    found = (before - net[name]) / rate

    def loss(w: np.ndarray[Any, Any]) -> float:
        """The second window alone, its start held."""
        other = network("rnn(4)")
        other[name] = w
        other._programs.judged.arrays[held] = start
        return other.evaluate_batch(second, fresh=False)["loss"]

    for place in [(0, 1), (2, 3), (3, 0)]:
        step = np.zeros_like(before)
        step[place] = 1e-6
        slope = (loss(before + step) - loss(before - step)) / 2e-6
        assert found[place] == pytest.approx(slope, abs=1e-8)


def test_a_learned_start_has_a_gradient_only_where_a_sequence_begins() -> None:
    net = network("scan { cell(4) }", "carry_state = true\nwindow = 4\noptimizer = sgd(lr = 0.5)")
    name = "scores.scan.cell.start"
    first, second = windows(4)[:2]
    before = net[name].copy()
    net.train_batch(first, 0.5, fresh=True)
    after = net[name].copy()
    assert not np.array_equal(before, after)
    net.train_batch(second, 0.5, fresh=False)
    assert np.array_equal(net[name], after)


def test_states_of_an_inner_scan_begin_anew_at_every_outer_step() -> None:
    body = "scan { spread -> scan { cell(2) } -> last -> cell(3) }"
    text_ = CELL + "block x[n] -> spread() {\n  reshape(x, [3, 2])\n}\n"
    text_ += f"input x[T, 6]\noutput y = x -> {body}\n"
    net = graphdl.compile(text_ + "loss = mean(y)\n", dtype="float64")
    assert len(net.graph.weights) > 0
    x = np.random.default_rng(0).normal(size=(2, 6, 6))
    whole = net.evaluate_batch({"x": x})["loss"]
    parts = [net.evaluate_batch({"x": x[:, i : i + 2]}, fresh=i == 0)["loss"] for i in (0, 2, 4)]
    assert sum(parts) / 3 == pytest.approx(whole, abs=1e-12)
    assert list(net._programs.judged.arrays) == ["c/y.scan.cell.h"]


def test_a_window_of_other_sequences_is_refused() -> None:
    net = network("lstm(4)")
    first, second = windows(4)[:2]
    net.evaluate_batch(first, fresh=True)
    fewer = {name: ids[:2] for name, ids in second.items()}
    with pytest.raises(UsageError, match="a window of 2 sequences cannot follow one of 3"):
        net.evaluate_batch(fewer, fresh=False)
    with pytest.raises(UsageError, match="this window has none before it"):
        network("lstm(4)").evaluate_batch(second, fresh=False)


REFUSED = {
    "e = words -> embedding(4)\noutput y = e -> mean_over_time": "no state to carry",
    "e = words -> embedding(4) -> reverse -> dropout\noutput y = e -> lstm(3) -> last": "backwards",
}


@pytest.mark.parametrize("pad", ["", ", pad = 0"])
@pytest.mark.parametrize(("body", "says"), REFUSED.items(), ids=REFUSED.values())
def test_checking_tells_what_cannot_be_carried(
    body: str, says: str, pad: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.gdl"
    setting = "\ntrain {\n  window = 5\n  carry_state = true\n}\n"
    path.write_text(f"input words[T]: int(30{pad})\n{body}{setting}", "utf-8")
    (found,) = graphdl.check(path)
    assert found.code == "E0605"
    assert says in found.message
    with pytest.raises(ModelError):
        graphdl.compile(path).evaluate_batch({"words": np.zeros((1, 5), int)}, fresh=True)
