"""Steps of very small models are one kernel, which does what its calls do, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.backends.native.schedule.kernel_table import Table
from graphdl.backends.native.schedule.native_program import NativeProgram
from graphdl.errors import DivergedError

MODELS = {
    "logistic": """
input x[2]
target y: int(2)
loss = x -> linear(2) -> cross_entropy(y)
""",
    "adam and dropout": """
input x[3]
target y: int(5)
loss = x -> linear(4) -> tanh -> dropout(0.3) -> linear(5) -> cross_entropy(y)
train {
  optimizer = adam(lr = 0.01)
  clip      = 1
}
""",
    "regression": """
input x[7]
target y[1]
loss = x -> linear(6) -> relu -> linear(1) -> mse(y)
train { optimizer = sgd(lr = 0.01, momentum = 0.9) }
""",
    "words": """
input x[4]: int(9)
target y: int(3)
loss = x -> embedding(5) -> flatten -> linear(3) -> cross_entropy(y)
""",
    "windows": """
input x[1, 6, 6]
target y: int(2)
loss = x -> conv(2, 3) -> relu -> max_pool(2) -> flatten -> linear(2) -> cross_entropy(y)
""",
    "recurrent": """
input x[3, 2]
target y: int(2)
loss = x -> lstm(3) -> last -> linear(2) -> cross_entropy(y)
""",
}


def stepped(text: str, dtype: str) -> tuple[gdl.Network, Table, NativeProgram]:
    """A network after its first step, and what a step of it is."""
    net = gdl.compile(text, backend="native", seed=2, dtype=dtype)
    net.step(**net.blank(1))
    schedule = net.training_step().last.latest()
    assert isinstance(schedule, NativeProgram)
    (table,) = schedule.parts
    assert isinstance(table, Table)
    return net, table, schedule


def fed(net: gdl.Network, schedule: NativeProgram) -> None:
    """Put the data in place again: what it lies in is used for other things too."""
    batch = net.blank(1)
    for name, buffer in schedule.data:
        buffer[...] = batch[name]
    for name, buffer in schedule.scalars:
        buffer[()] = {"lr": 0.1, "step": 2, "seed": 2, "draw": 1}[name]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MODELS)
def test_one_kernel_does_what_its_calls_do(name: str, dtype: str) -> None:
    net, table, schedule = stepped(MODELS[name], dtype)
    assert table.chain is not None
    assert table.ran == [table.chain]
    before, results = net.state(), []
    for each in (table, table.unchained()):
        net.restore(before)
        fed(net, schedule)
        assert each.run()
        state = {key: np.array(value) for key, value in net.store.items()}
        results.append((state, {key: np.array(value) for key, value in schedule.outputs.items()}))
    for one, other in zip(*results, strict=True):
        for key, value in one.items():
            assert np.array_equal(value, other[key]), key
    for key, value in results[0][0].items():
        assert np.isfinite(value).all(), key


def test_a_loss_that_is_not_finite_leaves_the_weights() -> None:
    net, _, _ = stepped(MODELS["regression"], "float32")
    before = {name: np.array(weight) for name, weight in net.weights.items()}
    with pytest.raises(DivergedError):
        net.step(x=np.full((1, 7), 1e38, "float32"), y=np.full((1, 1), -1e38, "float32"))
    for name, weight in before.items():
        assert np.array_equal(net[name], weight), name


@pytest.mark.parametrize(
    ("text", "batch"),
    [
        (MODELS["logistic"], 3),
        (MODELS["logistic"].replace("x[2]", "x[20000]"), 1),
        (MODELS["recurrent"].replace("x[3, 2]", "x[T, 2]"), 1),
    ],
    ids=["a batch", "much work", "a length"],
)
def test_what_varies_or_is_large_is_not_one(text: str, batch: int) -> None:
    net = gdl.compile(text, backend="native")
    arrays: dict[str, Any] = net.blank(batch)
    net.step(**arrays)
    schedule = net.training_step().last.latest()
    assert isinstance(schedule, NativeProgram)
    assert all(isinstance(part, Table) and part.chain is None for part in schedule.parts)
