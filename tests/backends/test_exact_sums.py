"""Sums and means in float32 are as exact as float32 is, however long and in whatever layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.backends import Executable, Store
from graphdl.program import Builder, Type

LAYOUTS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((2_000_000,), (0,)),
    ((1_000_003,), (0,)),
    ((300_007, 3), (0,)),
    ((3, 300_007), (1,)),
    ((2000, 3, 70), (0, 2)),
    ((70, 2000, 3), (0, 1)),
]
NUMBERS: dict[str, Callable[[Any], Any]] = {
    "equal": lambda shape: np.full(shape, 0.1),
    "drawn": lambda shape: np.random.default_rng(0).uniform(0, 1, shape),
    "far": lambda shape: np.random.default_rng(0).normal(1e4, 1, shape),
}


def reduced(x: Any, method: str, axes: tuple[int, ...], native: bool) -> Any:
    build = Builder()
    y = getattr(build, method)(build.input("x", Type(x.shape), "data", "x"), axes)
    executable = Executable(build.finish([("y", y)]), np, "float32", native=native)
    return np.array(executable.run(Store(np), {"x": x}, {})["y"])


@pytest.mark.parametrize("native", [False, True], ids=["numpy", "native"])
@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize(("shape", "axes"), LAYOUTS)
def test_long_ones(shape: Any, axes: Any, numbers: str, native: bool) -> None:
    x = NUMBERS[numbers](shape).astype("float32")
    for method in ("sum", "mean"):
        exact = getattr(x.astype("float64"), method)(axis=axes)
        np.testing.assert_allclose(reduced(x, method, axes, native), exact, rtol=2.5e-7)


@pytest.mark.parametrize("native", [False, True], ids=["numpy", "native"])
@pytest.mark.parametrize("count", [3, 10, 37, 1000])
def test_the_mean_of_equal_numbers_is_that_number(count: int, native: bool) -> None:
    x = np.repeat(np.random.default_rng(1).uniform(1, 1e6, (50, 1)), count, 1).astype("float32")
    assert (reduced(x, "mean", (1,), native) == x[:, 0]).all()
    assert (reduced(x.T.copy(), "mean", (0,), native) == x[:, 0]).all()


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_what_does_not_vary_is_normalised_to_zero(backend: str) -> None:
    text = "input x[10]\noutput a = x -> layer_norm\noutput b = x -> batch_norm\nloss = mean(a + b)"
    net = gdl.compile(text, backend=backend)
    level = np.random.default_rng(2).uniform(1e3, 1e5, (30, 1))
    assert not net(x=np.repeat(level, 10, 1))["a"].any()
    net.step(x=np.repeat(level.T[:, :10], 30, 0))
    np.testing.assert_allclose(net["b.batch_norm.spread"], 0.9, rtol=1e-6)


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_layer_norm_far_from_zero(backend: str) -> None:
    """The mean is rounded, by half a unit in its last place, and nothing else is lost."""
    x = np.random.default_rng(3).normal(1e4, 1, (20, 64)).astype("float32")
    wide = x.astype("float64")
    centred = wide - wide.mean(1, keepdims=True)
    exact = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5)
    net = gdl.compile("input x[64]\noutput y = x -> layer_norm\nloss = mean(y)", backend=backend)
    assert np.abs(net(x=x)["y"] - exact).max() < 6e-4


LONG_PRODUCTS = [
    # By examples, by features, and by examples and places of an image.
    ("input x[2]\nweight w[3, 2] = 1\noutput y = x @ transpose(w)\nloss = sum(y, all)", 300_007),
    (
        "input x[200003]\nweight w[3, 200003] = 1\noutput y = x @ transpose(w)\nloss = sum(y, all)",
        2,
    ),
    (
        "input x[1, 40, 40]\nweight w[2, 1, 1, 1] = 1\noutput y = convolve(x, w)\nloss = sum(y)",
        60,
    ),
]


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize(("text", "count"), LONG_PRODUCTS)
def test_a_long_product(text: str, count: int, backend: str) -> None:
    net = gdl.compile(text, backend=backend)
    x = np.full((count, *(int(n) for n in net.inputs["x"].shape)), 0.1, "float32")
    exact = x.astype("float64").sum() * (2 if "convolve" in text else 3)
    np.testing.assert_allclose(float(net.loss(x=x)), exact, rtol=5e-5)
    slopes = net.gradients(x=x)["w"]
    per_weight = x.sum(0, dtype="float64") if x.ndim == 2 else x.sum(dtype="float64")
    np.testing.assert_allclose(slopes, np.broadcast_to(per_weight, slopes.shape), rtol=5e-5)
