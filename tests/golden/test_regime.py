"""How training goes: first steps of rules, schedules by epoch, when it stops, what it refuses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.engine.history import History
from graphdl.graph import Named

Array = np.ndarray[Any, Any]

LINE = """
input x[2]
target t[1]
output y = x -> linear(1, bias = false)
loss = y -> mse(t)
train {{
  optimizer = {}
  epochs = 8
  batch = 4
}}
"""
RNG = np.random.default_rng(3)
X, T = RNG.standard_normal((4, 2)), RNG.standard_normal((4, 1))
W = "y.linear.weight"


def slope(w: Array) -> Array:
    return 2 * (X @ w.T - T).T @ X / 4


def descended(w: Array, steps: int, momentum: float, dampening: float, nesterov: bool) -> Array:
    """Momentum as Torch has it: the first velocity is the plain gradient."""
    v = np.zeros_like(w)
    for step in range(steps):
        g = slope(w)
        v = g if step == 0 else momentum * v + (1 - dampening) * g
        w = w - 0.1 * (g + momentum * v if nesterov else v if momentum else g)
    return w


SGD: list[tuple[str, float, float, bool]] = [
    ("sgd(lr = 0.1)", 0, 0, False),
    ("sgd(0.1, momentum = 0.9)", 0.9, 0, False),
    ("sgd(0.1, momentum = 0.9, dampening = 0.9)", 0.9, 0.9, False),
    ("sgd(0.1, momentum = 0.9, nesterov = true)", 0.9, 0, True),
]


@pytest.mark.parametrize(("rule", "momentum", "dampening", "nesterov"), SGD, ids=lambda v: str(v))
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_sgd(rule: str, momentum: float, dampening: float, nesterov: bool, steps: int) -> None:
    net = gdl.compile(LINE.format(rule), dtype="float64")
    start = np.array(net[W])
    for _ in range(steps):
        net.step(x=X, t=T)
    expected = descended(start, steps, momentum, dampening, nesterov)
    np.testing.assert_allclose(net[W], expected, rtol=1e-12)


def test_the_first_step_takes_the_plain_gradient_in_spite_of_dampening() -> None:
    net = gdl.compile(LINE.format("sgd(0.1, momentum = 0.9, dampening = 0.9)"), dtype="float64")
    start = np.array(net[W])
    net.step(x=X, t=T)
    np.testing.assert_allclose(net[W], start - 0.1 * slope(start), rtol=1e-14)


def test_decay_is_added_to_the_gradient() -> None:
    net = gdl.compile(LINE.format("sgd(0.1, decay = 0.5)"), dtype="float64")
    start = np.array(net[W])
    net.step(x=X, t=T)
    np.testing.assert_allclose(net[W], start - 0.1 * (slope(start) + 0.5 * start), rtol=1e-13)


# ---- schedules -----------------------------------------------------------------------------------

RATES: list[tuple[str, list[float]]] = [
    ("sgd(lr = 1)", [1] * 8),
    ("sgd(lr = steps(1, {5: 0.5, 6: 0.25}))", [1] * 5 + [0.5] + [0.25] * 2),
    ("sgd(lr = steps(1, [5, 6], [0.5, 0.25]))", [1] * 5 + [0.5] + [0.25] * 2),
    ("sgd(lr = steps(1, [2, 4], 0.1))", [1, 1, 0.1, 0.1] + [0.01] * 4),
    ("sgd(lr = step(1, 3, 0.5))", [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]),
    ("sgd(lr = exponential(1, 0.5, after = 5))", [1] * 5 + [0.5, 0.25, 0.125]),
    ("sgd(lr = linear(1))", [1 - i / 8 for i in range(8)]),
    ("sgd(lr = cosine(1))", [(1 + math.cos(math.pi * i / 8)) / 2 for i in range(8)]),
    ("sgd(lr = 1)\n  schedule = steps({5: 0.5, 6: 0.25})", [1] * 5 + [0.5] + [0.25] * 2),
    ("sgd(lr = 1)\n  schedule = {5: 0.5, 6: 0.25}", [1] * 5 + [0.5] + [0.25] * 2),
    ("sgd(lr = 1)\n  schedule = constant(warmup = 4)", [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]),
]


@pytest.mark.parametrize(("rule", "rates"), RATES, ids=[rule for rule, _ in RATES])
def test_rates_change_after_the_named_epoch(rule: str, rates: list[float]) -> None:
    """One step an epoch; the inputs are zero, so nothing moves whatever the rate."""
    net = gdl.compile(LINE.format(rule))
    history = net.fit(x=0 * X, t=T)
    assert history["lr"] == pytest.approx(rates)


def test_the_schedule_is_what_the_weights_feel() -> None:
    """The step after epoch 5 is half as long, and that after epoch 6 a quarter."""
    net = gdl.compile(LINE.format("sgd(lr = steps(0.1, {5: 0.05, 6: 0.025}))"), dtype="float64")
    w = np.array(net[W])
    net.fit(x=X, t=T)
    for rate in [0.1] * 5 + [0.05] + [0.025] * 2:
        w = w - rate * slope(w)
    np.testing.assert_allclose(net[W], w, rtol=1e-12)


def test_plateau_waits_longer_than_its_patience() -> None:
    text = LINE.format("sgd(lr = plateau(1, factor = 0.5, patience = 2))")
    history = gdl.compile(text).fit(x=0 * X, t=T)
    assert history["lr"] == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25]


# ---- early stopping ------------------------------------------------------------------------------


def from_zero() -> gdl.Network:
    net = gdl.compile(LINE.format("sgd(lr = 0.1)"), dtype="float64")
    net[W] = np.zeros((1, 2))
    return net


def stopped(patience: int, t_validation: Array, **settings: Any) -> tuple[gdl.Network, History]:
    net = from_zero()
    held_out = {"x": X, "t": t_validation}
    history = net.fit(x=X, t=T, validation=held_out, patience=patience, epochs=40, **settings)
    return net, history


@pytest.mark.parametrize("patience", [0, 1, 3, 30])
def test_stops_when_more_than_patience_epochs_bring_nothing(patience: int) -> None:
    """What is to be learned is the opposite of what is validated: the first epoch is the best."""
    net, history = stopped(patience, -100 * T)
    assert history.best_epoch == 1
    assert history.ending == "early stop"
    assert len(history) == 1 + patience + 1
    again = from_zero()
    again.step(x=X, t=T)
    np.testing.assert_allclose(net[W], again[W], rtol=1e-12)  # ends with the best epoch's weights


def test_an_equal_epoch_is_no_improvement() -> None:
    _, history = stopped(2, T, optimizer=Named("sgd", (0.0,)))
    assert len(set(history["validation_loss"])) == 1
    assert (history.best_epoch, len(history)) == (1, 4)


def test_goes_on_while_it_improves() -> None:
    _, history = stopped(1, T)
    assert (history.best_epoch, history.ending, len(history)) == (40, "finished", 40)


# ---- what is refused before the step -------------------------------------------------------------

CLASSES = """
input x[2]
input word: int(4)
target y: int(3)
scores = (x, word -> embedding(2)) -> concat -> linear(3)
output = scores
loss = scores -> cross_entropy(y)
"""
GOOD: dict[str, list[Any]] = {"x": [[0.0, 1.0]] * 4, "word": [0, 1, 2, 3], "y": [0, 1, 2, 0]}
BAD: list[tuple[dict[str, list[Any]], str, int]] = [
    ({"y": [0, 1, 3, 0]}, "y", 2),
    ({"y": [0, -1, 2, 0]}, "y", 1),
    ({"word": [0, 1, 2, 4]}, "word", 3),
    ({"word": [-1, 1, 2, 3]}, "word", 0),
    ({"x": [[0.0, 1.0], [0.0, math.nan], [0.0, 1.0], [1.0, 2.0]]}, "x", 1),
    ({"x": [[0.0, 1.0], [0.0, 2.0], [0.0, 1.0], [math.inf, 2.0]]}, "x", 3),
    ({"x": [[0.0, -math.inf], [0.0, 2.0], [0.0, 1.0], [0.0, 2.0]]}, "x", 0),
]


@pytest.mark.parametrize(("change", "name", "row"), BAD, ids=[str(c) for c, _, _ in BAD])
@pytest.mark.parametrize("way", ["step", "fit", "loss", "gradients", "evaluate"])
def test_bad_examples_are_data_errors_with_their_row(
    change: dict[str, list[Any]], name: str, row: int, way: str
) -> None:
    net = gdl.compile(CLASSES)
    before = net.state()
    with pytest.raises(gdl.DataError) as raised:
        getattr(net, way)(**{n: np.array(v) for n, v in {**GOOD, **change}.items()})
    assert f"row {row}" in str(raised.value)
    assert f"`{name}`" in str(raised.value)
    assert raised.value.exit_code == 4
    after = net.state()
    assert all(np.array_equal(array, after[key]) for key, array in before.items())


def test_good_examples_are_taken() -> None:
    net = gdl.compile(CLASSES)
    assert math.isfinite(net.step(x=GOOD["x"], word=GOOD["word"], y=GOOD["y"]))
