"""Shipped models take the same steps by generated kernels as by NumPy, for any threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphdl as gdl

# Between them they have every primitive and both kinds of loops.
MODELS = (
    "autoencoder",
    "bilstm_tagger",
    "cnn",
    "hw2_cnn",
    "kim_cnn",
    "lstm_lm",
    "min_max_dag",
    "resnet",
    "siamese_text",
    "transformer",
)
STEPS = 3


def batch(net: gdl.Network, count: int, length: int) -> dict[str, Any]:
    random = np.random.default_rng(count)
    found: dict[str, Any] = {}
    for name, port in {**net.inputs, **net.targets}.items():
        shape = (count, *(length if isinstance(size, str) else size for size in port.shape))
        if port.classes:
            found[name] = random.integers(0, port.classes, shape)
        else:
            found[name] = random.standard_normal(shape)
    return found


def trained(model: str, backend: str, dtype: str) -> tuple[gdl.Network, list[float]]:
    net = gdl.compile(model, seed=3, dtype=dtype, backend=backend)
    losses = []
    for step in range(STEPS):
        # Another batch and another length in between: kernels are told, not made anew.
        count, length = (5, 9) if step == 1 else (4, 7)
        given = batch(net, count, length)
        # Without weights there is nothing to step: its loss and slopes are still to be the same.
        losses.append(float(net.step(**given) if net.weights else net.loss(**given)))
        if not net.weights:
            losses += net.gradients(wrt=[*net.inputs], **given)["x1"].tolist()
    return net, losses


@pytest.mark.parametrize("model", MODELS)
def test_float64(model: str) -> None:
    expected, curve = trained(model, "numpy", "float64")
    found, losses = trained(model, "native", "float64")
    np.testing.assert_allclose(losses, curve, rtol=1e-12)
    for name, weight in expected.weights.items():
        scale = np.abs(weight).max() + 1e-30
        # Adam divides by the root of a gradient's square: where that is 0 but for rounding, much.
        np.testing.assert_allclose(found[name], weight, rtol=1e-9, atol=1e-10 * scale)


@pytest.mark.parametrize("model", ["cnn", "kim_cnn", "lstm_lm"])
def test_float32(model: str) -> None:
    _, curve = trained(model, "numpy", "float32")
    _, losses = trained(model, "native", "float32")
    np.testing.assert_allclose(losses, curve, rtol=2e-4)


@pytest.mark.parametrize("model", ["cnn", "kim_cnn", "lstm_lm"])
def test_threads_change_nothing(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("GRAPHDL_THREADS", threads)
        net, losses = trained(model, "native", "float32")
        weights.append({"loss": np.array(losses), **net.weights})
    for other in weights[1:]:
        for name, expected in weights[0].items():
            assert np.array_equal(other[name], expected), name
