"""What settings do to a step: penalties, clipping, limits, freezing, gathering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphdl as gdl

Array = np.ndarray[Any, Any]
TEXT = """
input x[3]
target t[2]
output y = x -> linear(2, bias = false)
loss = y -> mse(t)
train {
  optimizer = sgd(lr = 0.1)
  batch     = 8
  epochs    = 1
  sampler   = sequential
}
"""
W = "y.linear.weight"
RNG = np.random.default_rng(5)
X, T = RNG.standard_normal((8, 3)), RNG.standard_normal((8, 2))
START = RNG.standard_normal((2, 3))


def slope(w: Array, rows: slice = slice(None)) -> Array:
    x, t = X[rows], T[rows]
    return np.asarray(2 * (x @ w.T - t).T @ x / t.size)


def clipped(g: Array, most: float) -> Array:
    return g * min(1.0, most / float(np.linalg.norm(g)))


def limited(w: Array, most: float) -> Array:
    return np.asarray(w * np.minimum(1, most / np.linalg.norm(w, axis=1, keepdims=True)))


SETTINGS: list[tuple[dict[str, Any], Callable[[Array], Array]]] = [
    ({}, lambda w: w - 0.1 * slope(w)),
    ({"lr": 0.7}, lambda w: w - 0.7 * slope(w)),
    ({"l2": 0.3}, lambda w: w - 0.1 * (slope(w) + 0.3 * w)),
    ({"l1": 0.3}, lambda w: w - 0.1 * (slope(w) + 0.3 * np.sign(w))),
    ({"decay": 0.3}, lambda w: w - 0.1 * (slope(w) + 0.3 * w)),
    ({"clip": 0.2}, lambda w: w - 0.1 * clipped(slope(w), 0.2)),
    ({"clip": 1e6}, lambda w: w - 0.1 * slope(w)),
    ({"clip_value": 0.2}, lambda w: w - 0.1 * np.clip(slope(w), -0.2, 0.2)),
    ({"clip": 0.2, "l2": 0.3}, lambda w: w - 0.1 * clipped(slope(w) + 0.3 * w, 0.2)),
    ({"clip": 0.2, "decay": 0.3}, lambda w: w - 0.1 * (clipped(slope(w), 0.2) + 0.3 * w)),
    ({"max_norm": 0.8}, lambda w: limited(w - 0.1 * slope(w), 0.8)),
    ({"max_norm": 100}, lambda w: w - 0.1 * slope(w)),
    ({"batch": 2, "accumulate": 4}, lambda w: w - 0.1 * slope(w)),
    (
        {"batch": 2, "accumulate": 3},
        lambda w: (v := w - 0.1 * slope(w, slice(0, 6))) - 0.1 * slope(v, slice(6, 8)),
    ),
]


@pytest.mark.parametrize(("settings", "formula"), SETTINGS, ids=[str(s) for s, _ in SETTINGS])
def test_one_epoch(settings: dict[str, Any], formula: Callable[[Array], Array]) -> None:
    net = gdl.compile(TEXT, dtype="float64")
    net[W] = START
    net.fit(x=X, t=T, **settings)
    np.testing.assert_allclose(net[W], formula(START), rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "penalty"),
    [
        ({"l1": 0.3}, 0.3 * np.abs(START).sum()),
        ({"l2": 0.3}, 0.15 * (START**2).sum()),
        ({"l1": 0.1, "l2": 0.2}, 0.1 * np.abs(START).sum() + 0.1 * (START**2).sum()),
        ({"decay": 0.3}, 0.0),
    ],
    ids=str,
)
def test_penalties_are_in_the_training_loss_and_not_in_evaluation(
    settings: dict[str, Any], penalty: float
) -> None:
    net = gdl.compile(TEXT, dtype="float64")
    net[W] = START
    plain = net.loss(x=X, t=T)
    history = net.fit(x=X, t=T, validation={"x": X, "t": T}, **settings)
    assert history[0]["loss"] == pytest.approx(plain + penalty, rel=1e-12)
    assert history[0]["validation_loss"] == pytest.approx(net.loss(x=X, t=T), rel=1e-12)


def test_a_frozen_layer_stays_while_others_learn() -> None:
    text = TEXT.replace("x -> linear(2, bias = false)", "x -> linear(4) -> tanh -> linear(2)")
    net = gdl.compile(text, dtype="float64")
    before = {name: np.array(value) for name, value in net.weights.items()}
    net.fit(x=X, t=T, freeze=["y.linear#2"])
    moved = [name for name, value in net.weights.items() if not np.array_equal(value, before[name])]
    assert moved == ["y.linear.weight", "y.linear.bias"]
