"""How far float32 functions are from the truth, in units in the last place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphdl.backends import Executable, Store
from graphdl.backends.native.emit.machine import this_machine
from graphdl.program import Builder, Program, Size, Type


def _sigmoid(x: Any) -> Any:
    wide = np.asarray(x, "float64")
    return np.exp(np.minimum(wide, 0)) / (1 + np.exp(-np.abs(wide)))


def _softplus(x: Any) -> Any:
    wide = np.asarray(x, "float64")
    return np.maximum(wide, 0) + np.log1p(np.exp(-np.abs(wide)))


RANGES: dict[str, tuple[tuple[float, float], Any, float]] = {
    "expm1": ((-17.0, 88.0), np.expm1, 1.5),
    "log1p": ((1e-37, 1e37), np.log1p, 2.0),
    "sigmoid": ((-87.3, 88.0), _sigmoid, 2.5),
    "softplus": ((-87.3, 88.0), _softplus, 2.5),
    "exp": ((-87.0, 88.0), np.exp, 1.5),
    "log": ((1e-37, 1e37), np.log, 1.5),
    "tanh": ((-10.0, 10.0), np.tanh, 5.0),
    "sqrt": ((0.0, 1e30), np.sqrt, 0.51),
}
ODD = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1.0, 89.0, -104.0, 1e30], "float32")


def of(name: str) -> Program:
    build = Builder()
    x = build.input("x", Type((Size.named("B"),)), "data", "x")
    return build.finish([("y", getattr(build, name)(x))])


def run(name: str, x: Any) -> Any:
    found = Executable(of(name), np, "float32", native=True).run(Store(np), {"x": x}, {})
    return np.array(found["y"])


@pytest.mark.parametrize("name", RANGES)
def test_accuracy(name: str) -> None:
    (low, high), function, ulps = RANGES[name]
    random = np.random.default_rng(0)
    if low > 0:
        x = np.exp(random.uniform(np.log(low), np.log(high), 200_003)).astype("float32")
    else:
        x = random.uniform(low, high, 200_003).astype("float32")
    exact = function(x.astype("float64"))
    errors = np.abs(run(name, x) - exact) / np.spacing(np.abs(exact).astype("float32"))
    # Without a*b + c in one instruction, each coefficient costs one rounding more.
    assert errors.max() < (ulps if this_machine().fused else 1.4 * ulps)


def test_erf() -> None:
    from math import erf

    x = np.linspace(-5, 5, 20_001).astype("float32")
    exact = np.array([erf(v) for v in x.astype("float64")])
    bound = 3e-7 if this_machine().fused else 3.5e-7
    assert np.abs(run("erf", x) - exact).max() < bound


def test_normal_cdf() -> None:
    """Relatively precise down to the smallest normal number, below it to one unit of the last."""
    from math import erfc

    x = np.linspace(-14.4, 6, 40_001).astype("float32")
    exact = np.array([erfc(-v / 2**0.5) / 2 for v in x.astype("float64")])
    error = np.abs(run("normal_cdf", x) - exact)
    assert (error <= np.maximum(1e-6 * exact, 1.4e-45)).all()


def test_the_tail_of_the_sigmoid() -> None:
    x = np.linspace(-104, -87, 20_001).astype("float32")
    exact = _sigmoid(x)
    assert (np.abs(run("sigmoid", x) - exact) <= np.maximum(1e-6 * exact, 1.4e-45)).all()


@pytest.mark.parametrize("name", [*RANGES, "abs", "floor", "sign"])
def test_odd_numbers(name: str) -> None:
    functions = {"abs": np.abs, "floor": np.floor, "sign": np.sign}
    function: Any = functions.get(name) or RANGES[name][1]
    with np.errstate(all="ignore"):
        expected = function(ODD)
    np.testing.assert_allclose(run(name, ODD), expected, rtol=1e-6, atol=1e-44)
