"""Optimisers against their papers' updates written out, and on Rosenbrock's valley."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphdl as gdl

Array = np.ndarray[Any, Any]
Updates = Iterator[Array]
START = np.array([0.5, -1.0, 2.0])
SCALE = np.array([1.0, 0.3, 2.0])


def descended(optimizer: str, steps: int, lr: float | None = None) -> list[Array]:
    """The weights after each step on a bowl, with the rates of `SCALE` along the axes."""
    text = (
        "input x[3]\ninput s[3]\nweight w[3]\n"
        "loss = mean(s * (w - x) ^ 2 + 0.1 * w ^ 4)\n"
        f"train {{ optimizer = {optimizer} }}"
    )
    net = gdl.compile(text, dtype="float64")
    net["w"] = START
    found = []
    for step in range(steps):
        net.step(lr=lr, x=[[0.1, 0.2, -0.3 * step]], s=[SCALE])
        found.append(np.array(net["w"]))
    return found


def slope(w: Array, step: int) -> Array:
    """Of the bowl of `descended`, for one example."""
    found: Array = (2 * SCALE * (w - np.array([0.1, 0.2, -0.3 * step])) + 0.4 * w**3) / 3
    return found


def sgd(
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
    decay: float = 0.0,
) -> Updates:
    """torch.optim.SGD: the buffer starts as the first gradient."""
    w, buffer = START, None
    for step in range(99):
        g = slope(w, step) + decay * w
        if momentum:
            buffer = g if buffer is None else momentum * buffer + (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
        w = w - lr * g
        yield w


def adam(
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    decay: float = 0.0,
    apart: bool = False,
) -> Updates:
    """Algorithm 1 of Kingma and Ba; `apart` is the decay of Loshchilov and Hutter."""
    w, m, v = START, np.zeros(3), np.zeros(3)
    for t in range(1, 99):
        g = slope(w, t - 1) + (0 if apart else decay) * w
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        first, second = m / (1 - beta1**t), v / (1 - beta2**t)
        w = w - lr * (first / (np.sqrt(second) + eps) + (decay * w if apart else 0))
        yield w


def adagrad(lr: float = 0.01, eps: float = 1e-10, decay: float = 0.0) -> Updates:
    w, total = START, np.zeros(3)
    for step in range(99):
        g = slope(w, step) + decay * w
        total = total + g**2
        w = w - lr * g / (np.sqrt(total) + eps)
        yield w


def adadelta(lr: float = 1.0, rho: float = 0.95, eps: float = 1e-6, decay: float = 0.0) -> Updates:
    """Algorithm 1 of Zeiler."""
    w, square, moved = START, np.zeros(3), np.zeros(3)
    for step in range(99):
        g = slope(w, step) + decay * w
        square = rho * square + (1 - rho) * g**2
        change = np.sqrt((moved + eps) / (square + eps)) * g
        moved = rho * moved + (1 - rho) * change**2
        w = w - lr * change
        yield w


def rmsprop(
    lr: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-8,
    momentum: float = 0.0,
    decay: float = 0.0,
) -> Updates:
    w, square, buffer = START, np.zeros(3), np.zeros(3)
    for step in range(99):
        g = slope(w, step) + decay * w
        square = alpha * square + (1 - alpha) * g**2
        buffer = momentum * buffer + g / (np.sqrt(square) + eps)
        w = w - lr * buffer
        yield w


RULES: list[tuple[str, Updates]] = [
    ("sgd(0.1)", sgd(0.1)),
    ("sgd(lr = 0.1, momentum = 0.9)", sgd(0.1, 0.9)),
    ("sgd(lr = 0.1, momentum = 0.9, dampening = 0.9)", sgd(0.1, 0.9, 0.9)),
    (
        "sgd(lr = 0.1, momentum = 0.8, dampening = 0.3, decay = 0.01)",
        sgd(0.1, 0.8, 0.3, False, 0.01),
    ),
    ("sgd(lr = 0.1, momentum = 0.9, nesterov = true)", sgd(0.1, 0.9, nesterov=True)),
    ("sgd(0.1, 0.9, nesterov = true, decay = 0.1)", sgd(0.1, 0.9, 0.0, True, 0.1)),
    ("sgd(lr = 0.1, dampening = 0.5)", sgd(0.1)),
    ("adam()", adam()),
    ("adam(lr = 0.1, beta1 = 0.8, beta2 = 0.9, eps = 0.01)", adam(0.1, 0.8, 0.9, 0.01)),
    ("adam(0.1, decay = 0.1)", adam(0.1, decay=0.1)),
    ("adamw(lr = 0.1)", adam(0.1, decay=0.01, apart=True)),
    ("adamw(lr = 0.1, decay = 0.3)", adam(0.1, decay=0.3, apart=True)),
    ("adagrad(lr = 0.5)", adagrad(0.5)),
    ("adagrad(0.5, eps = 0.1, decay = 0.2)", adagrad(0.5, 0.1, 0.2)),
    ("adadelta()", adadelta()),
    ("adadelta(lr = 3, rho = 0.8, eps = 0.01, decay = 0.1)", adadelta(3, 0.8, 0.01, 0.1)),
    ("rmsprop(lr = 0.1)", rmsprop(0.1)),
    (
        "rmsprop(0.1, alpha = 0.9, eps = 0.01, momentum = 0.8, decay = 0.1)",
        rmsprop(0.1, 0.9, 0.01, 0.8, 0.1),
    ),
]


@pytest.mark.parametrize(("optimizer", "updates"), RULES, ids=[name for name, _ in RULES])
def test_steps(optimizer: str, updates: Updates) -> None:
    for got, want in zip(descended(optimizer, 8), updates, strict=False):
        np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-13)


def test_the_rate_of_a_step_may_be_given() -> None:
    assert np.array_equal(descended("sgd(0.1)", 3, lr=0.2), descended("sgd(0.2)", 3))


def test_every_optimiser_of_the_prelude_is_here() -> None:
    from graphdl.elaborate.library import prelude_trees
    from graphdl.syntax import tree

    rules = {
        st.name
        for one in prelude_trees()
        for st in one.statements
        if isinstance(st, tree.Block) and st.kind == "rule"
    }
    assert rules == {name.partition("(")[0] for name, _ in RULES}


VALLEY = """
weight x[1] = 0
weight y[1] = 0
output value = (1 - x) ^ 2 + 100 * (y - x ^ 2) ^ 2
loss = value
train {{ optimizer = {optimizer} }}
"""
ADAM_OF_2016 = """
rule (w, grad) -> adam_2016(lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) {
  state m = 0
  state v = 0
  next m = beta1 * m + (1 - beta1) * grad
  next v = beta2 * v + (1 - beta2) * grad ^ 2
  w - lr * sqrt(1 - beta2 ^ step) / (1 - beta1 ^ step) * next m / (sqrt(next v) + eps)
}
"""
# Rules that divide by a running root jitter about the valley's floor, and which way depends on the
# last bit. Plain NumPy with the products in another order, or with 0.01 written for 1 - 0.99, gives
# 0.222491 to 0.222503 for rmsprop's early value, and 2e-18 to 7e-6 for adam's late one (5.37e-12 in
# the order the table was made in). Those are held less tightly.
TABLE = [
    ("sgd(lr = 1e-3)", 0.106595, 3.13999e-5, 5e-6),
    ("sgd(lr = 1e-3, momentum = 0.9, dampening = 0.9)", 0.104372, 3.0054e-5, 5e-6),
    ("adam_2016(lr = 2e-3)", 0.00114428, None, 5e-6),
    ("adagrad(lr = 0.1)", 0.00966293, 5.03e-10, 2e-3),
    ("rmsprop(lr = 5e-4)", 0.222491, 5.63e-5, 1e-3),
]


@pytest.mark.parametrize(
    ("optimizer", "early", "late", "within"), TABLE, ids=[row[0] for row in TABLE]
)
def test_rosenbrock(optimizer: str, early: float, late: float | None, within: float) -> None:
    """The value seen by calls 1001 and 10001, from (0, 0)."""
    text = VALLEY.format(optimizer=optimizer)
    net = gdl.compile(ADAM_OF_2016 + text, dtype="float64")
    seen = [net.step() for _ in range(10_001)]
    assert seen[1000] == pytest.approx(early, rel=within)
    if late is None:
        assert 0 <= seen[10_000] < 1e-4
    else:
        assert seen[10_000] == pytest.approx(late, rel=within)
