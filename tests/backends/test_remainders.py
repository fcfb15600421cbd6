"""`%` and `//` of floats and whole numbers are the same everywhere, and those of NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from graphdl.backends import Executable, Store
from graphdl.program import Builder, Type

from . import standin

FLOATS = [
    *(0.0, -0.0, 1.0, -1.0, 1.5, -1.5, 5.5, -5.5, 0.1, 0.3, -0.3, 0.7, 2.0, -2.0, 3.0, 7.0, -7.0),
    *(1e-40, 3e38, -3e38, 1e10, 8388609.0, 16777217.0, np.inf, -np.inf, np.nan),
]
WHOLE = [0, 1, -1, 2, -2, 3, 7, -7, 2**62, -(2**63), 2**63 - 1]


def computed(method: str, xp: Any, dtype: str, native: bool, a: Any, b: Any) -> Any:
    build = Builder()
    kind: Any = "int" if a.dtype.kind == "i" else "float"
    given = [build.input(key, Type(a.shape, kind), "data", key) for key in "ab"]
    program = build.finish([("y", getattr(build, method)(*given))])
    executable = Executable(program, xp, dtype, native=native)
    data = {"a": xp.asarray(a), "b": xp.asarray(b)}
    found = executable.run(Store(xp), data, {})["y"]
    return np.array(found.get() if hasattr(found, "get") else found)


@pytest.mark.parametrize("where", ["numpy", "native", "another module"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize(
    ("method", "function"), [("mod", np.remainder), ("floordiv", np.floor_divide)]
)
def test_every_pair(method: str, function: Any, dtype: str, where: str) -> None:
    pairs = np.array([*itertools.product(WHOLE if dtype == "int64" else FLOATS, repeat=2)], dtype)
    a, b = (np.ascontiguousarray(side) for side in pairs.T)
    xp: Any = standin.module() if where == "another module" else np
    precision = "float32" if dtype == "int64" else dtype
    with np.errstate(all="ignore"):
        got = computed(method, xp, precision, where == "native", a, b)
        np.testing.assert_array_equal(got, function(a, b))


@pytest.mark.parametrize("where", ["numpy", "native", "another module"])
def test_a_remainder_of_zero_has_the_sign_of_the_divisor(where: str) -> None:
    a, b = np.array([-4.0, 4.0, 0.0, -0.0], "float32"), np.array([2.0, -2.0, -3.0, 3.0], "float32")
    xp: Any = standin.module() if where == "another module" else np
    got = computed("mod", xp, "float32", where == "native", a, b)
    assert np.signbit(got).tolist() == [False, True, True, False]
