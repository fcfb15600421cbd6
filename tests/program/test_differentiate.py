"""Reverse mode on whole programs: sharing, stopping, ties, what gets no work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphdl.program import Builder, Kind, Size, Type, Value, differentiate, text, verify
from graphdl.program.reference import run

B = Size.named("B")


def data(build: Builder, name: str, *shape: Any, kind: Kind = "float") -> Value:
    return build.input(name, Type(shape, kind), "data", name)


def gradient(make: Callable[[Builder, Value], Value], x: Any) -> Any:
    """The gradient of the sum of what is made of an input."""
    x = np.asarray(x, float)
    build = Builder()
    given = data(build, "x", *x.shape)
    (slope,) = differentiate(build, build.sum(make(build, given)), [given])
    return run(verify(build.finish([("g", slope)])), {}, {"x": x})["g"]


TIES: list[tuple[str, Callable[[Builder, Value], Value], Any, Any]] = [
    ("relu", lambda m, x: m.maximum(0.0, x), [-1, 0, 2], [0, 0, 1]),
    ("first of two", lambda m, x: m.maximum(x, 0.0), [-1, 0, 2], [0, 1, 1]),
    ("minimum", lambda m, x: m.minimum(x, 0.0), [-1, 0, 2], [1, 1, 0]),
    ("minimum, second", lambda m, x: m.minimum(0.0, x), [-1, 0, 2], [1, 0, 0]),
    ("amax", lambda m, x: m.amax(x), [3, 1, 3], [1, 0, 0]),
    ("amax, two axes", lambda m, x: m.amax(x), [[1, 3], [3, 0]], [[0, 1], [0, 0]]),
    ("amin", lambda m, x: m.amin(x, [0]), [[1, 3], [1, 0]], [[1, 0], [0, 1]]),
    ("window", lambda m, x: m.window_max(x, (2,), (2,), ((0, 0),)), [5, 5, 0, 0], [1, 0, 1, 0]),
    (
        "overlap",
        lambda m, x: m.window_max(x, (3,), (1,), ((1, 1),)),
        [1, 1, 1, 0],
        [2, 1, 1, 0],
    ),
    ("abs", lambda m, x: m.abs(x), [-2, 0, 3], [-1, 0, 1]),
    ("select", lambda m, x: m.select(m.greater(x, 0), x, m.mul(x, 3)), [-1, 0, 1], [3, 3, 1]),
    ("square", lambda m, x: m.power(x, 2), [-1, 0, 3], [-2, 0, 6]),
    ("cube", lambda m, x: m.power(x, 3), [-1, 0, 3], [3, 0, 27]),
    ("fifth power", lambda m, x: m.power(x, 5), [-1, 0, 3], [5, 0, 405]),
]


@pytest.mark.parametrize(
    ("make", "x", "want"), [pytest.param(*rest, id=name) for name, *rest in TIES]
)
def test_ties_and_corners(make: Any, x: Any, want: Any) -> None:
    assert gradient(make, x).tolist() == want


def test_a_value_used_often_has_one_gradient() -> None:
    def make(m: Builder, x: Value) -> Value:
        y = m.mul(x, x)
        return m.add(m.mul(y, x), m.sub(y, x))

    assert gradient(make, [2.0]) == 3 * 4 + 2 * 2 - 1


def test_shared_weights_to_the_fiftieth() -> None:
    def make(m: Builder, w: Value) -> Value:
        h = m.constant(1.0)
        for _ in range(50):
            h = m.mul(w, h)
        return h

    assert gradient(make, 1.0) == 50
    assert gradient(make, 0.5) == 50 * 0.5**49


def test_stop_passes_nothing() -> None:
    assert gradient(lambda m, x: m.mul(m.stop(x), x), [3.0]) == 3
    assert gradient(lambda m, x: m.stop(x), [3.0]) == 0


def test_unreached_and_whole_numbers() -> None:
    build = Builder()
    table, other = data(build, "table", 4, 2), data(build, "other", B)
    ids = data(build, "ids", B, kind="int")
    loss = build.mean(build.gather(table, ids))
    grads = differentiate(build, loss, [table, other])
    assert [g.type for g in grads] == [table.type, other.type]
    verify(build.finish([("t", grads[0]), ("o", grads[1])]))
    assert "scatter_add" in text(build.finish([]))


def test_no_work_for_what_is_not_asked() -> None:
    build = Builder()
    x, w = data(build, "x", B, 3), data(build, "w", 3, 3)
    y = build.tanh(build.matmul(x, w))
    loss = build.mean(build.matmul(y, w))
    before = len(build.ops)
    differentiate(build, loss, [w])
    added = build.ops[before:]
    contractions = [op for op in added if op.primitive.name == "contract"]
    # One for each use of w, and one back through the second product; none for x.
    assert len(contractions) == 3
    used = {arg for op in added for arg in op.args}
    assert all(op.out in used or op is added[-1] for op in added)


def test_an_intermediate_value_has_a_gradient_too() -> None:
    build = Builder()
    x = data(build, "x", B)
    y = build.exp(x)
    gy, gx = differentiate(build, build.sum(build.mul(y, y)), [y, x])
    got = run(build.finish([("y", gy), ("x", gx)]), {"B": 2}, {"x": [0.0, 1.0]})
    assert np.allclose(got["y"], 2 * np.exp([0, 1]))
    assert np.allclose(got["x"], 2 * np.exp([0, 2]))


def test_the_loss_itself() -> None:
    build = Builder()
    x = data(build, "x")
    (one,) = differentiate(build, x, [x])
    assert run(build.finish([("g", one)]), {}, {"x": 3.0})["g"] == 1


def test_twice() -> None:
    build = Builder()
    x = data(build, "x", 3)
    y = build.sum(build.mul(build.tanh(x), build.exp(x)))
    (first,) = differentiate(build, y, [x])
    (second,) = differentiate(build, build.sum(first), [x])
    at = np.array([-1.0, 0.2, 0.7])
    got = run(build.finish([("g", first), ("h", second)]), {}, {"x": at})
    step = 1e-6
    ends = [run(build.finish([("g", first)]), {}, {"x": at + s})["g"] for s in (step, -step)]
    assert np.allclose(got["h"], (ends[0] - ends[1]) / (2 * step), atol=1e-8)


def test_origins_follow() -> None:
    build = Builder()
    x = data(build, "x", 3)
    build.origin = "layer"
    y = build.tanh(x)
    build.origin = "loss"
    differentiate(build, build.sum(y), [x])
    assert build.ops[-1].origin == "layer"
    assert build.origin == "loss"
