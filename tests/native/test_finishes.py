"""Bias, ReLU and what is added are done where a contraction's sums are written."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gdl
from graphdl.backends.native.schedule import NativeSchedule, Table
from graphdl.backends.native.tiling import Tile

LAYERS = {
    "a product": "x[40] | linear(70) -> relu -> linear(3)",
    "a long sum": "x[700] | linear(150) -> relu -> linear(3)",
    "few columns": "x[90] | linear(5) -> leaky_relu -> linear(3)",
    "images": "x[3, 9, 9] | conv(20, 3) -> relu -> max_pool(2) -> flatten -> linear(3)",
    "strides": "x[2, 9, 9] | conv(7, 3, stride=2, pad=1) -> relu -> flatten -> linear(3)",
    "a sum of two": "x[40]\na = x -> linear(40) -> tanh\nb = a -> linear(40) | b + a -> linear(3)",
    "steps": "x[6, 8] | rnn(20) -> last -> linear(3)",
    "not cheap": "x[40] | linear(70) -> gelu -> linear(3)",
}
# How many operations a sum has at its end at most: a bias, and a ReLU or another sum.
MOST = {"few columns": 1, "steps": 1, "not cheap": 1}


def text(name: str) -> str:
    """The model."""
    given, layers = LAYERS[name].split(" | ")
    source = "" if "b + a" in layers else "x -> "
    return f"input {given}\ntarget y: int(3)\nloss = {source}{layers} -> cross_entropy(y)\n"


@pytest.mark.parametrize("examples", [1, 3, 33])
@pytest.mark.parametrize("name", LAYERS)
def test_the_same_as_apart(name: str, examples: int) -> None:
    nets = [
        gdl.compile(text(name), backend=b, dtype="float64", seed=1) for b in ("numpy", "native")
    ]
    batch = nets[0].blank(examples)
    losses = [[net.step(lr=0.01, **batch) for _ in range(2)] for net in nets]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-12)
    for key, weight in nets[0].weights.items():
        np.testing.assert_allclose(nets[1][key], weight, rtol=1e-10, atol=1e-11, err_msg=key)


@pytest.mark.parametrize("name", LAYERS)
def test_which_are_finished(name: str) -> None:
    net = gdl.compile(text(name), backend="native")
    net.step(**net.blank(33))
    schedule = net.training_step().last.latest()
    assert isinstance(schedule, NativeSchedule)
    calls = [call for part in schedule.parts if isinstance(part, Table) for call in part.calls]
    tiles = [call.kernel.spec for call in calls if isinstance(call.kernel.spec, Tile)]
    ends = [len(tile.finish.stages) for tile in tiles if tile.finish is not None]
    assert max(ends) == MOST.get(name, 2), ends
