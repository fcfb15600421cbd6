"""The recurrent cells once more, in NumPy, from their papers: what the tests compare with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = Any
Weights = Mapping[str, Array]
# One step: x, the states before, the weights by the last part of their names -> states after.
Step = Callable[[Array, list[Array], Weights], list[Array]]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def rnn(x: Array, states: list[Array], w: Weights) -> list[Array]:
    (h,) = states
    return [np.tanh(x @ w["linear.weight"].T + w["linear.bias"] + h @ w["linear#2.weight"].T)]


def lstm(x: Array, states: list[Array], w: Weights) -> list[Array]:
    h, c = states
    sums = x @ w["linear.weight"].T + w["linear.bias"]
    sums = sums + h @ w["linear#2.weight"].T + w["linear#2.bias"]
    i, f, g, o = np.split(sums, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru(x: Array, states: list[Array], w: Weights) -> list[Array]:
    (h,) = states
    r, z, a = np.split(x @ w["linear.weight"].T + w["linear.bias"], 3, axis=-1)
    s, y, b = np.split(h @ w["linear#2.weight"].T + w["linear#2.bias"], 3, axis=-1)
    update = sigmoid(z + y)
    return [(1 - update) * np.tanh(a + sigmoid(r + s) * b) + update * h]


CELLS: dict[str, tuple[Step, int]] = {"rnn": (rnn, 1), "lstm": (lstm, 2), "gru": (gru, 1)}


def unrolled(cell: str, x: Array, size: int, weights: Weights) -> Array:
    """The first state after every step of x[B, T, D]: [B, T, size]."""
    step, count = CELLS[cell]
    short = {name.rpartition("_step.")[2]: np.asarray(w) for name, w in weights.items()}
    states = [np.zeros((len(x), size))] * count
    found = []
    for now in range(x.shape[1]):
        states = step(x[:, now], states, short)
        found.append(states[0])
    return np.stack(found, 1)
