"""Networks with a list of questions and their answers, to be asked by whoever comes."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import graphdl as gdl

MODEL = """
input x[WIDTH]
target y: int(3)
h = x -> linear(40) -> tanh -> linear(24) -> layer_norm -> relu
s = h -> linear(3)
output p = s -> softmax
loss = s -> cross_entropy(y)
metric = s -> accuracy(y)
train { optimizer = sgd(lr = 0.0) }
"""
SIZES = (2, 3, 17, 64, 300, 1100)
BACKENDS = ("numpy", "native")

Question = Callable[[gdl.Network, dict[str, Any]], Any]


def saved(net: gdl.Network, _: dict[str, Any]) -> Any:
    """What a checkpoint holds of a network."""
    with tempfile.TemporaryDirectory() as folder:
        net.save(Path(folder) / "net.safetensors")
        again = gdl.load(Path(folder) / "net.safetensors", backend="numpy")
    return {name: np.array(again[name]) for name in again.weights}


def set_again(net: gdl.Network, _: dict[str, Any]) -> None:
    """A weight gets the values it has."""
    net["s.linear.weight"] = np.array(net["s.linear.weight"])


# All leave a network as it was, for its rate is 0.
QUESTIONS: list[Question] = [
    lambda net, batch: net(x=batch["x"]),
    lambda net, batch: net(x=batch["x"], outputs="h"),
    lambda net, batch: net.predict(x=batch["x"], batch=100),
    lambda net, batch: net.evaluate(**batch, batch=128),
    lambda net, batch: net.loss(**batch),
    lambda net, batch: net.gradients(**batch),
    lambda net, batch: net.step(**batch),
    lambda net, _: {n: np.array(net.state()[f"w/{n}"]) for n in net.weights},
    saved,
    set_again,
]


def equal(a: Any, b: Any) -> bool:
    """Whether two answers are the same to the last bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    return bool(np.array_equal(a, b))


class Questions:
    """Two networks of each backend; answers were found one by one, by others of their kind."""

    def __init__(self, seed: int) -> None:
        draws = np.random.default_rng(seed)
        self.kinds = [(backend, width) for backend in BACKENDS for width in (5, 33)]
        self.nets = [self.made(kind) for kind in range(len(self.kinds))]
        self.batches: dict[tuple[int, int], dict[str, Any]] = {}
        self.answers: dict[tuple[int, int, int], Any] = {}
        for kind, (_, width) in enumerate(self.kinds):
            alone = self.made(kind)
            for size in range(len(SIZES)):
                x = draws.normal(size=(SIZES[size], width)).astype(np.float32)
                self.batches[kind, size] = {"x": x, "y": np.arange(len(x)) % 3}
                for number, question in enumerate(QUESTIONS):
                    answer = question(alone, self.batches[kind, size])
                    self.answers[kind, size, number] = answer

    def made(self, kind: int) -> gdl.Network:
        """A network of a kind as it is at first."""
        backend, width = self.kinds[kind]
        return gdl.compile(MODEL.replace("WIDTH", str(width)), backend=backend, seed=kind)

    def ask(self, dice: random.Random) -> bool:
        """One question at random, now and then to a network that nobody has asked yet."""
        kind, size = dice.randrange(len(self.nets)), dice.randrange(len(SIZES))
        number = dice.randrange(len(QUESTIONS))
        net = self.made(kind) if dice.random() < 0.02 else self.nets[kind]
        found = QUESTIONS[number](net, self.batches[kind, size])
        return equal(found, self.answers[kind, size, number])
