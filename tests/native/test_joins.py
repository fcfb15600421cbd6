"""What follows a contraction is done where its sums are written, a reduction while it reads."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gdl
from graphdl.backends.native.kernels.reduction import Reduce
from graphdl.backends.native.schedule.kernel_table import Table
from graphdl.backends.native.schedule.native_program import NativeProgram
from graphdl.backends.native.tiles.tile_spec import Tile

# Inputs, layers, and how many operations a sum has at its end at most.
FINISHED = {
    "a product": ("x[40]", "x -> linear(70) -> relu -> linear(3)", 2),
    "a long sum": ("x[700]", "x -> linear(150) -> relu -> linear(3)", 2),
    "few columns": ("x[90]", "x -> linear(5) -> leaky_relu -> linear(3)", 1),
    "images": ("x[3, 9, 9]", "x -> conv(20, 3) -> relu -> max_pool(2) -> flatten -> linear(3)", 2),
    "strides": (
        "x[2, 9, 9]",
        "x -> conv(7, 3, stride=2, pad=1) -> relu -> flatten -> linear(3)",
        2,
    ),
    "two": ("x[40]\na = x -> linear(40) -> tanh\nb = a -> linear(40)", "b + a -> linear(3)", 2),
    "steps": ("x[6, 8]", "x -> rnn(20) -> last -> linear(3)", 1),
    "not cheap": ("x[40]", "x -> linear(70) -> gelu -> linear(3)", 1),
}
REDUCED = {
    "squares": ("x[70]", "x -> linear(30) -> mse(y)", ""),
    "absolute": ("x[70]", "x -> linear(30) -> l1(y)", ""),
    "normalised": ("x[70]", "x -> linear(50) -> layer_norm -> linear(30) -> mse(y)", ""),
    "batches": (
        "x[2, 9, 9]",
        "x -> conv(20, 3) -> batch_norm -> flatten -> linear(30) -> mse(y)",
        "",
    ),
    "clipped": ("x[700]", "x -> linear(50) -> tanh -> linear(30) -> mse(y)", "clip = 0.5"),
}
# Adam would divide a gradient that is 0 but for rounding by its own size.
TRAIN = "train {{\n  optimizer = sgd(lr = 0.01)\n  {}\n}}\n"
MODELS = {
    name: f"input {given}\ntarget y: int(3)\nloss = {layers} -> cross_entropy(y)\n"
    + TRAIN.format("")
    for name, (given, layers, _) in FINISHED.items()
} | {
    name: f"input {given}\ntarget y[30]\nloss = {layers}\n" + TRAIN.format(settings)
    for name, (given, layers, settings) in REDUCED.items()
}


@pytest.mark.parametrize("examples", [1, 3, 33])
@pytest.mark.parametrize("name", MODELS)
def test_the_same_as_apart(name: str, examples: int) -> None:
    backends = "numpy", "native"
    nets = [gdl.compile(MODELS[name], backend=b, dtype="float64", seed=1) for b in backends]
    batch = nets[0].blank(examples)
    losses = [[net.step(**batch) for _ in range(2)] for net in nets]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-12)
    for key, weight in nets[0].weights.items():
        np.testing.assert_allclose(nets[1][key], weight, rtol=1e-11, atol=1e-13, err_msg=key)


def specs(name: str) -> list[object]:
    """What the kernels of a step are made for."""
    net = gdl.compile(MODELS[name], backend="native")
    net.step(**net.blank(33))
    schedule = net.training_step().last.latest()
    assert isinstance(schedule, NativeProgram)
    tables = [part for part in schedule.parts if isinstance(part, Table)]
    return [call.kernel.spec for table in tables for call in table.calls]


@pytest.mark.parametrize("name", FINISHED)
def test_which_are_finished(name: str) -> None:
    ends = [s.epilogue for s in specs(name) if isinstance(s, Tile)]
    assert max(len(end.stages) for end in ends if end is not None) == FINISHED[name][2]


@pytest.mark.parametrize("name", REDUCED)
def test_some_are_reduced_while_read(name: str) -> None:
    assert any(spec.stages for spec in specs(name) if isinstance(spec, Reduce))
