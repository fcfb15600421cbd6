"""Kernels made for AArch64 compute there what NumPy computes here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.backends import Executable, Store

CLOSE = {"float32": 2e-4, "float64": 1e-12}
ATTENTION = {"vocab": 50, "depth": 1, "width": 24, "heads": 2, "classes": 4}
SIZES = ((17, 9), (33, 6), (17, 9))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_primitive(row: Any, dtype: str, runs: Any, other: Any) -> None:
    program, data = other("backends", "test_parity.py").of_row(row)
    executable = Executable(program, np, dtype, native=True)
    found = executable.run(Store(np), data, {})["out"]
    close = {"float32": 2e-5, "float64": 1e-6}[dtype]
    expected = row.formula(*row.data.values())
    np.testing.assert_allclose(found, expected, rtol=close, atol=close)
    schedule: Any = executable.latest()
    assert runs() == len(schedule.parts)


@pytest.mark.parametrize(
    "name", ["a_training_run", "a_table_updated_by_rows", "float32_follows_float64"]
)
def test_programs(name: str, runs: Any, other: Any, monkeypatch: Any) -> None:
    other("backends", "conftest.py").generate_kernels(monkeypatch)
    getattr(other("backends", "test_parity.py"), f"test_{name}")(np, lambda array: array)
    assert runs()


def trained(name: str, backend: str, dtype: str, other: Any) -> tuple[Any, dict[str, Any]]:
    """The losses of steps on a few batches, and the weights after them."""
    texts = {"transformer": "transformer", **other("native", "guarded.py").MODELS}
    params = ATTENTION if name == "transformer" else {}
    net = gdl.compile(texts[name], seed=3, dtype=dtype, backend=backend, **params)
    random = np.random.default_rng(1)
    losses = []
    for examples, length in SIZES:
        batch = net.blank(examples, length)
        for array in batch.values():
            whole = array.dtype.kind == "i"
            array[...] = random.integers(0, 3, array.shape) if whole else random.random(array.shape)
        losses.append(float(net.step(**batch)))
    return losses, net.weights


@pytest.mark.parametrize(
    "name", ["dense", "images", "sentences", "sequences", "transformer", "wide"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_models(name: str, dtype: str, runs: Any, other: Any, monkeypatch: Any) -> None:
    expected, weights = trained(name, "numpy", dtype, other)
    losses, found = trained(name, "native", dtype, other)
    np.testing.assert_allclose(losses, expected, rtol=CLOSE[dtype])
    for key, array in weights.items() if dtype == "float64" else ():
        # Adam divides by the root of a gradient's square: where that is 0 but for rounding, much.
        scale = float(np.abs(array).max())
        np.testing.assert_allclose(found[key], array, rtol=1e-9, atol=1e-8 * scale, err_msg=key)
    monkeypatch.setenv("GRAPHDL_THREADS", "3")
    again, shared = trained(name, "native", dtype, other)
    assert again == losses
    for key, array in found.items():
        assert np.array_equal(shared[key], array), key
    assert runs() == 2 * len(SIZES)


def test_a_large_model(runs: Any, other: Any, monkeypatch: Any) -> None:
    """Products whose operands are first put side by side."""
    monkeypatch.setenv("GRAPHDL_THREADS", "2")
    models = other("native", "test_native_models.py")
    _, curve = models.trained("cnn", "numpy", "float32")
    _, losses = models.trained("cnn", "native", "float32")
    np.testing.assert_allclose(losses, curve, rtol=CLOSE["float32"])
    assert runs()


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "erf"])
def test_functions(name: str, runs: Any, other: Any) -> None:
    functions = other("native", "test_mathematics.py")
    functions.test_erf() if name == "erf" else functions.test_accuracy(name)
    if name != "erf":
        functions.test_odd_numbers(name)
    assert runs()


def test_many_steps_in_one_call(runs: Any, other: Any) -> None:
    text, times = other("native", "test_stretches.py").MODEL, 25
    random = np.random.default_rng(0)
    data: dict[str, Any] = {
        "x": random.random((2 * times, 3)),
        "y": random.integers(0, 2, 2 * times),
    }
    plain = gdl.compile(text, seed=4, dtype="float64", backend="numpy")
    expected = [
        float(plain.step(**{name: array[n : n + 2] for name, array in data.items()}))
        for n in range(0, 2 * times, 2)
    ]
    net = gdl.compile(text, seed=4, dtype="float64", backend="native")
    found = net.train_batches(data, None, times)
    assert found is not None
    np.testing.assert_allclose(found["loss"], expected, rtol=1e-10)
    assert runs() == 1
