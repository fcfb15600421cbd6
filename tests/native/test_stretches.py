"""Many batches in one call are those one by one, to the last bit: training, resuming, diverging."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

import graphdl as gdl
from graphdl.backends.native.schedule import native_program
from graphdl.errors import DivergedError

MODEL = """
input x[3]
target y: int(2)
scores = x -> linear(4) -> tanh -> dropout(0.3) -> linear(2)
loss   = scores -> cross_entropy(y)
metric = scores -> accuracy(y)
train {
  optimizer = adam(lr = 0.01)
  batch     = 2
  epochs    = 3
}
"""
COUNT = 51


def examples() -> dict[str, Any]:
    random = np.random.default_rng(0)
    x = random.standard_normal((COUNT, 3)).astype("float32")
    return {"x": x, "y": (x[:, 0] > x[:, 1]).astype(int)}


def network(one_by_one: bool = False) -> gdl.Network:
    net = gdl.compile(MODEL, backend="native", seed=4)
    if one_by_one:
        net.train_batches = lambda *_: None  # type: ignore[method-assign]
    return net


@pytest.mark.parametrize(
    "settings",
    [{}, {"batch": 1}, {"sampler": "sequential"}, {"schedule": "linear()"}, {"accumulate": 3}],
    ids=str,
)
def test_a_run_is_the_same_either_way(settings: dict[str, Any]) -> None:
    text = MODEL.replace("batch     = 2", "\n".join(f"{k} = {v}" for k, v in settings.items()))
    together, single = (gdl.compile(text, backend="native", seed=4) for _ in range(2))
    single.train_batches = lambda *_: None  # type: ignore[method-assign]
    records = [net.fit(**examples()).records for net in (together, single)]
    for one, other in zip(*records, strict=True):
        timed = {"seconds", "examples_per_second"}
        assert {k: v for k, v in one.items() if k not in timed} == {
            k: v for k, v in other.items() if k not in timed
        }
    for name, weight in single.weights.items():
        assert np.array_equal(together[name], weight), name
    assert (together.steps, together.draws) == (single.steps, single.draws)


def test_stretches_are_taken() -> None:
    net, taken = network(), list[int]()
    plain = net.train_batches

    def counted(batches: Any, lr: float | None, times: int) -> Any:
        taken.append(times)
        return plain(batches, lr, times)

    net.train_batches = counted  # type: ignore[method-assign]
    net.fit(**examples())
    # All but the first batch of all, and the last of each epoch, which is short.
    assert sum(taken) == 3 * (COUNT // 2) - 1
    assert len(taken) < 15


def test_resuming_within_an_epoch(tmp_path: Path) -> None:
    whole = network()
    whole.fit(**examples())

    class Stop:
        def __getattr__(self, _: str) -> Any:
            return lambda *_, **__: None

        def batch(self, done: int, *_: Any) -> None:
            if done > 12:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network().fit(**examples(), folder=tmp_path, save_every=5, reporter=Stop())
    run = next(tmp_path.iterdir())
    again = gdl.load(run / "last.safetensors", backend="native")
    again.fit(**examples(), resume=run)
    for name, weight in whole.weights.items():
        assert np.array_equal(again[name], weight), name


def test_divergence_stops_at_its_batch() -> None:
    nets = network(), network(one_by_one=True)
    for net in nets:
        # Each update makes the weights 1e8 times as large, so the fifth leaves float32.
        with pytest.raises(DivergedError, match="not finite"):
            net.fit(**examples(), optimizer="sgd(1e8, decay = 1)")
    assert nets[0].steps == nets[1].steps > 2
    for name, weight in nets[1].weights.items():
        assert np.array_equal(nets[0][name], weight, equal_nan=True), name


def test_interrupted_while_calls_are_made_for_more_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nets, data = (network(), network()), examples()

    def train(net: gdl.Network, first: int, times: int) -> Any:
        rows = slice(2 * first, 2 * (first + times))
        return net.train_batches({k: a[rows] for k, a in data.items()}, None, times)

    for net in nets:
        train(net, 0, 2)
    with monkeypatch.context() as patch:
        patch.setattr(native_program, "chained", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train(nets[0], 2, 8)
    losses = [train(net, 10, 8)["loss"] for net in nets]
    assert np.array_equal(*losses)
    for name, weight in nets[1].weights.items():
        assert np.array_equal(nets[0][name], weight), name


def test_threads_that_are_stopped_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not finite is seen by all of them before anything else begins."""
    monkeypatch.setenv("GRAPHDL_THREADS", "3")
    text = MODEL.replace("x[3]", "x[700]").replace(
        "4) -> tanh -> dropout(0.3)", "400) -> linear(9)"
    )
    nets = [gdl.compile(text, backend="native", seed=4) for _ in range(2)]
    good = nets[0].blank(40)
    bad = {**good, "x": np.full((40, 700), 3e38, "float32")}
    for _ in range(30):
        with pytest.raises(DivergedError):
            nets[0].step(**bad)
        assert nets[0].step(**good) == nets[1].step(**good)
