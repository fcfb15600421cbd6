"""Padded sequences cut into windows: padding weighs nothing, and what has ended is not run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl
from graphdl.data import Dataset, bind
from graphdl.engine.feeding import training_feed
from graphdl.engine.settings import Settings

LENGTHS = (16, 3, 5, 4, 8, 1)
TAGGER = """
input w[T]: int(20, pad = 0)
target y[T]: int(3)
s = w -> embedding(4) -> rnn(5) -> linear(3)
output o = s -> softmax
loss = s -> cross_entropy(y)
metric = s -> accuracy(y)
train {{
  batch = {batch}
  optimizer = sgd(lr = {rate})
  {more}
}}
"""
CUT = "window = 4\n  carry_state = true"


def data(width: int = 16) -> dict[str, Any]:
    random = np.random.default_rng(0)
    w = np.zeros((len(LENGTHS), width), np.int64)
    for row, length in zip(w, LENGTHS, strict=True):
        row[:length] = random.integers(1, 20, length)
    y = random.integers(0, 3, (len(LENGTHS), 16))
    return {"w": w, "y": np.pad(y, ((0, 0), (0, width - 16)), constant_values=2)}


def tagger(more: str, batch: int = 4, rate: float = 1e-300) -> graphdl.Network:
    text = TAGGER.format(more=more, batch=batch, rate=rate)
    return graphdl.compile(text, seed=1, dtype="float64")


def real() -> np.ndarray[Any, Any]:
    return np.arange(16) < np.array(LENGTHS)[:, None]


def by_hand(net: graphdl.Network, window: int) -> float:
    """The mean over all real steps, states beginning anew with each window."""
    given, total = data(), 0.0
    for i, length in enumerate(LENGTHS):
        for first in range(0, length, window):
            part = slice(first, min(first + window, length))
            p = net(w=given["w"][i : i + 1, part])["o"][0]
            total -= np.log(p[range(len(p)), given["y"][i, part]]).sum()
    return total / sum(LENGTHS)


@pytest.mark.parametrize("batch", [1, 2, 4, 6])
@pytest.mark.parametrize(
    ("more", "reach"), [("", 16), (CUT, 16), ("window = 4", 4), ("window = 3", 3)]
)
@pytest.mark.parametrize("width", [16, 21])
def test_a_mean_over_windows_is_a_mean_over_real_steps(
    more: str, reach: int, batch: int, width: int
) -> None:
    net = tagger(more, batch)
    expected = by_hand(net, reach)
    found = net.evaluate(**data(width), batch=batch)
    assert found["loss"] == pytest.approx(expected, abs=1e-12)
    # A rate of nothing: the losses of training are those of the same weights.
    history = net.fit(**data(width), epochs=2)
    assert history[-1]["loss"] == pytest.approx(expected, abs=1e-12)


def feed(batch: int, settings: dict[str, Any]) -> Any:
    net = tagger("")
    found = bind(Dataset.from_arrays(data(21)), net.graph.inputs, net.graph.targets)
    return training_feed(found.train, Settings.resolve({}, {"batch": batch, **settings}))


@pytest.mark.parametrize("batch", [1, 2, 4, 6])
@pytest.mark.parametrize("window", [3, 4, 16, 30])
def test_no_window_is_padding_alone(batch: int, window: int) -> None:
    windows = feed(batch, {"window": window, "sampler": "shuffle"})
    for epoch in (1, 2):
        fed = list(windows.batches(epoch))
        assert len(fed) == windows.steps(epoch)
        assert sum(one.weight for one in fed) == sum(LENGTHS)
        assert all((one.batch["w"][:, 0] > 0).all() for one in fed)
        for start in range(len(fed) + 1):
            rest = list(windows.batches(epoch, start))
            assert len(rest) == len(fed) - start
            for one, other in zip(rest, fed[start:], strict=True):
                assert np.array_equal(one.batch["w"], other.batch["w"])
                assert one.fresh == other.fresh


def test_labels_of_whole_sequences_are_counted_once_in_each_window_they_reach() -> None:
    text = "input w[T]: int(20, pad = 0)\ntarget y: int(3)\n"
    text += "s = w -> embedding(4) -> rnn(5) -> last -> linear(3)\nloss = s -> cross_entropy(y)\n"
    net = graphdl.compile(text + f"train {{\n  {CUT}\n  batch = 6\n}}", seed=1, dtype="float64")
    w, y = data()["w"], np.arange(6) % 3
    parts = [
        net.loss(w=w[i : i + 1, : min(first + 4, length)], y=y[i : i + 1])
        for i, length in enumerate(LENGTHS)
        for first in range(0, length, 4)
    ]
    assert net.evaluate(w=w, y=y)["loss"] == pytest.approx(np.mean(parts), abs=1e-12)


class Stop:
    """Interrupts a training in the middle of its second epoch."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __getattr__(self, _: str) -> Any:
        return lambda *_, **__: None

    def batch(self, *_: Any) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [8, 9, 11])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_resuming_among_sequences_that_have_ended(
    after: int, accumulate: int, tmp_path: Path
) -> None:
    more = f"{CUT}\n  accumulate = {accumulate}"
    whole = tagger(more, batch=3, rate=0.5)
    whole.fit(**data(), epochs=3)
    half = tagger(more, batch=3, rate=0.5)
    with pytest.raises(KeyboardInterrupt):
        half.fit(**data(), folder=tmp_path, epochs=3, save_every=1, reporter=Stop(after))
    again = tagger(more, batch=3, rate=0.5)
    again.fit(**data(), resume=tmp_path / "model-1", epochs=3)
    for name, weight in whole.weights.items():
        assert np.array_equal(weight, again[name]), name
