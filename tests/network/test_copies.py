"""Copies and pickles of networks: everything survives, a copy trains on bit for bit."""

from __future__ import annotations

import copy
import io
import pickle  # noqa: TID251 - what users do with a network
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl

MODEL = """
param n = 5
input x[3]
target y: int(2)
s = x -> linear(n) -> batch_norm -> tanh -> dropout(0.3) -> linear(2)
output p = s -> softmax
loss = s -> cross_entropy(y)
train { optimizer = adam(lr = 0.01) }
"""
LM = """
input words[T]: int(9)
target following[T]: int(9)
scores = words -> embedding(4) -> rnn(4) -> linear(9)
output p = scores -> softmax
loss = scores -> cross_entropy(following)
train {
  data = text("a.txt", validation = 0.2)
  window = 3
  batch = 2
  carry_state = true
}
"""
DATA: dict[str, Any] = {"x": np.linspace(-1, 1, 36).reshape(12, 3), "y": np.arange(12) % 2}
NAMED: dict[str, Any] = {"x": DATA["x"], "y": ["dog", "cat"] * 6}


def trained(**more: Any) -> gdl.Network:
    net = gdl.compile(MODEL, seed=4, n=6)
    net.fit(**NAMED, epochs=1, batch=4, **more)
    return net


def mid_group() -> gdl.Network:
    net = trained(accumulate=3)
    net.train_batch(DATA, None, last_of_group=False)
    return net


def in_float64() -> gdl.Network:
    return gdl.compile(MODEL, dtype="float64")


NETS: dict[str, Callable[[], gdl.Network]] = {
    "fresh": lambda: gdl.compile(MODEL, seed=4),
    "trained": trained,
    "with settings": lambda: trained(optimizer="rmsprop", clip=0.1, freeze=["s.linear"]),
    "within a group": mid_group,
    "initialised anew": lambda: (net := trained(optimizer="rmsprop")).initialise(9) or net,
    "float64": in_float64,
}
COPIES: dict[str, Callable[[gdl.Network], gdl.Network]] = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "oldest protocol": lambda net: pickle.loads(pickle.dumps(net, protocol=0)),
}


def same(net: gdl.Network, other: gdl.Network) -> None:
    assert {n: a.tobytes() for n, a in net.state().items()} == {
        n: a.tobytes() for n, a in other.state().items()
    }
    for name in ("steps", "draws", "seed", "params", "labels", "vocabularies", "trained_with"):
        assert getattr(net, name) == getattr(other, name)
    for name in ("dtype", "backend", "name", "gathered", "trained"):
        assert getattr(net, name) == getattr(other, name)


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("which", NETS)
def test_a_copy_trains_on_bit_for_bit(which: str, how: str) -> None:
    net = NETS[which]()
    other = COPIES[how](net)
    assert other is not net
    same(net, other)
    for _ in range(3):
        assert net.step(**DATA) == other.step(**DATA)
    same(net, other)
    net.step(**DATA)
    assert net.steps == other.steps + 1


def test_words_and_data_of_a_language_model_survive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("a b c d\nb c a\n" * 9)
    (tmp_path / "lm.gdl").write_text(LM)
    net = gdl.compile(tmp_path / "lm.gdl")
    net.fit(epochs=1)
    other = copy.deepcopy(net)
    monkeypatch.chdir("/")
    same(net, other)
    assert other.folder == tmp_path
    assert net.evaluate() == other.evaluate()
    assert net.sample(5) == other.sample(5)
    one, two = net.fit(epochs=1), other.fit(epochs=1)
    assert one["loss"] == two["loss"]
    same(net, other)


def test_a_history_survives(tmp_path: Path) -> None:
    net = gdl.compile(MODEL)
    history = net.fit(**DATA, epochs=2, validation=3, folder=tmp_path)
    for found in (copy.deepcopy(history), pickle.loads(pickle.dumps(history))):
        assert found == history
        assert found["loss"] == history["loss"]


class Strict(pickle.Unpickler):
    """Lets a pickle name one function of ours, and the one that old protocols write bytes with."""

    def find_class(self, module: str, name: str) -> Any:
        assert (module, name) in (
            ("graphdl.network.copying", "rebuilt"),
            ("_codecs", "encode"),
        )
        return super().find_class(module, name)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_no_code_is_in_a_pickle(protocol: int) -> None:
    net = trained()
    same(net, Strict(io.BytesIO(pickle.dumps(net, protocol))).load())


def test_what_cannot_train_can_be_copied() -> None:
    net = gdl.compile("input x[2]\noutput y = x -> linear(2)")
    assert copy.deepcopy(net)(x=[[1, 2]])["y"].tolist() == net(x=[[1, 2]])["y"].tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        idle = gdl.compile("input x[2]\ny = x -> linear(2)\nloss = mean(x)")
    assert copy.deepcopy(idle)["y.linear.weight"].tobytes() == idle["y.linear.weight"].tobytes()
