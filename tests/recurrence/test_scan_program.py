"""The scan as a primitive: built, hoisted, written and read, differentiated, run."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.backends import Executable, Store
from graphdl.backends.transfer import host
from graphdl.passes import optimise
from graphdl.passes.layout import concrete
from graphdl.program import (
    BrokenProgram,
    Builder,
    Program,
    Region,
    Size,
    Type,
    Update,
    Value,
    differentiate,
    read,
    text,
    verify,
)
from graphdl.program.primitives import Contract, Scan, loop
from graphdl.program.reference import run

B, T = Size.named("B"), Size.named("T")
FIXTURES = Path(__file__).with_name("fixtures")
LSTM = """\
input x[T, 4]
target z[T, 3]
y = x -> lstm(3)
loss = mean((y - z)^2)
train { optimizer = sgd(lr = 0.1) }
"""


@pytest.mark.parametrize("stage", ["program", "schedule"])
def test_the_program_of_an_lstm(stage: str) -> None:
    """One product for the inputs of all steps, one for each weight gradient, one inside a step."""
    program = verify(gdl.compile(LSTM).program(stage))
    assert text(program) == (FIXTURES / f"lstm_{stage}.txt").read_text("utf-8")


def products(program: Program) -> list[int]:
    """How many contractions there are outside of scans, then in each scan."""
    scans = [op.primitive.body for op in program.ops if isinstance(op.primitive, Scan)]
    parts = [program.ops, *(body.ops for body in scans)]
    return [sum(isinstance(op.primitive, Contract) for op in ops) for ops in parts]


@pytest.mark.parametrize(
    ("cell", "outside", "inside"), [("rnn", 3, [1, 1]), ("lstm", 3, [1, 1]), ("gru", 3, [1, 1])]
)
def test_products_are_hoisted(cell: str, outside: int, inside: list[int]) -> None:
    program = gdl.compile(LSTM.replace("lstm", cell)).program("schedule")
    assert products(program) == [outside, *inside]


def recurrent(reverse: bool = False) -> tuple[Builder, dict[str, Value]]:
    """A plain recurrent net with a learned start: its values and the gradient of everything."""
    build = Builder()
    x = build.input("x", Type((T, B, 3)), "data", "x")
    shapes = {"w": (4, 3), "u": (4, 4), "b": (4,), "start": (4,)}
    weights = {n: build.input(n, Type(s), "weight", n) for n, s in shapes.items()}
    region = Region(build, T, reverse)
    step, h = region.step(x), region.carry(build.broadcast(weights["start"], (B, 4)))
    sums = build.matmul(step, build.transpose(weights["w"], (1, 0)))
    sums = build.add(sums, build.matmul(h, build.transpose(weights["u"], (1, 0))))
    new = build.tanh(build.add(sums, weights["b"]))
    (y,) = region.close([new], [new])
    loss = build.sum(build.power(y, 3))
    wrt = {"x": x, **weights}
    found = differentiate(build, loss, list(wrt.values()))
    gradients = {f"gradient/{n}": g for n, g in zip(wrt, found, strict=True)}
    return build, {"y": y, "loss": loss, **gradients}


def finished(reverse: bool = False) -> Program:
    build, outputs = recurrent(reverse)
    return verify(build.finish(list(outputs.items())))


def numbers() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    shapes = {"x": (5, 2, 3), "w": (4, 3), "u": (4, 4), "b": (4,), "start": (4,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


SIZES = {"T": 5, "B": 2}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", ["x", "w", "u", "b", "start"])
def test_gradients_against_differences(name: str, reverse: bool) -> None:
    program, data, eps = finished(reverse), numbers(), 1e-6
    found = run(program, SIZES, data)[f"gradient/{name}"]
    wanted = np.zeros_like(found)
    for index in np.ndindex(*found.shape):
        sides = []
        for sign in (1, -1):
            moved = {n: a.copy() for n, a in data.items()}
            moved[name][index] += sign * eps
            sides.append(float(run(program, SIZES, moved)["loss"]))
        wanted[index] = (sides[0] - sides[1]) / (2 * eps)
    assert np.abs(found - wanted).max() < 1e-7


@pytest.mark.parametrize("reverse", [False, True])
def test_values_of_both_directions(reverse: bool) -> None:
    data = numbers()
    h, y = np.tile(data["start"], (2, 1)), np.zeros((5, 2, 4))
    for now in range(5)[::-1] if reverse else range(5):
        h = np.tanh(data["x"][now] @ data["w"].T + h @ data["u"].T + data["b"])
        y[now] = h
    assert np.abs(run(finished(reverse), SIZES, data)["y"] - y).max() < 1e-12


@pytest.mark.parametrize("reverse", [False, True])
def test_calls_worked_out_are_those_of_each_step(
    reverse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = optimise(finished(reverse))
    data = numbers() | {"x": np.random.default_rng(1).normal(size=(40, 2, 3))}
    found = run(program, {"T": 40, "B": 2}, data)
    monkeypatch.setattr(loop, "BOUND", 1000)
    wanted = run(program, {"T": 40, "B": 2}, data)
    for name, value in wanted.items():
        assert np.array_equal(found[name], value), name


def test_passes_change_nothing() -> None:
    data = numbers()
    plain, better = run(finished(), SIZES, data), run(optimise(finished()), SIZES, data)
    for name, value in plain.items():
        assert np.abs(value - better[name]).max() < 1e-12, name


def test_a_program_with_a_scan_is_read_back() -> None:
    program = finished(reverse=True)
    again = verify(read(text(program)))
    assert text(again) == text(program)
    data = numbers()
    assert (run(again, SIZES, data)["loss"] == run(program, SIZES, data)["loss"]).all()


def test_a_broken_body_is_found() -> None:
    source = text(finished())
    with pytest.raises(BrokenProgram):
        verify(read(source.replace("float[B, 4] = tanh", "float[B, 5] = tanh", 1)))


def test_what_no_step_changes_needs_no_loop() -> None:
    build = Builder()
    x = build.input("x", Type((T, 3)), "data", "x")
    region = Region(build, T)
    (y, z) = region.close(
        [], [build.mul(region.step(x), 2.0), build.broadcast(build.constant(1), (3,))]
    )
    assert y.type == z.type == Type((T, 3))
    assert not any(isinstance(op.primitive, Scan) for op in build.ops)


def test_whole_numbers_come_out_as_such() -> None:
    build = Builder()
    x = build.input("x", Type((T, 3)), "data", "x")
    region = Region(build, T)
    total = region.carry(build.zeros(Type((3,))))
    following = build.add(total, region.step(x))
    (places,) = region.close([following], [build.argmax(following, 0)])
    assert places.type == Type((T,), "int")
    program = verify(build.finish([("places", places)]))
    found = run(program, {"T": 3}, {"x": [[0, 1, 0], [2, 0, 0], [0, 0, 5]]})
    assert found["places"].tolist() == [1, 0, 2]


# Room for NumPy's own iteration buffers, which are gone after each call.
BUFFERS = 3 * 8192 * 8


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_warm_step_allocates_no_arrays(dtype: str) -> None:
    build, outputs = recurrent()
    weights = {i.key: i.value for i in build.inputs if i.role == "weight"}
    updates = [Update(w, build.sub(w, outputs[f"gradient/{n}"])) for n, w in weights.items()]
    program = optimise(build.finish([("loss", outputs["loss"])], updates))
    store = Store(np)
    for name, weight in weights.items():
        store[name] = np.full(concrete(weight.type, {}), 0.01, dtype)
    executable = Executable(program, np, dtype)
    data = {"x": np.ones((20, 2048, 3), dtype)}
    assert peak(executable, store, data) > 10 * BUFFERS
    assert peak(executable, store, data) < BUFFERS


def peak(executable: Executable, store: Store, data: dict[str, Any]) -> int:
    """The most memory, in bytes, that one run held beyond what was there before."""
    tracemalloc.start()
    executable.run(store, data, {}, guard="loss")
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def after_a_step(xp: Any, cell: str, dtype: str) -> dict[str, Any]:
    """Loss and weights after one step, with dropout inside the scan."""
    inside = f"x -> scan {{ dropout(0.5) -> {cell}_step(3) }} -> reverse"
    net = gdl.compile(LSTM.replace("x -> lstm(3)", inside), dtype=dtype, seed=4)
    program = net.program("schedule")
    rng, store = np.random.default_rng(0), Store(xp)
    for name, value in net.weights.items():
        store[name] = xp.asarray(np.array(value))
    data = {"x": rng.normal(size=(2, 6, 4)), "z": rng.normal(size=(2, 6, 3))}
    known = {"lr": 0.1, "seed": 1, "draw": 2, "step": 1, "group": 1}
    scalars = {i.key: known[i.key] for i in program.inputs if i.role == "scalar"}
    found = Executable(program, xp, dtype).run(store, data, scalars)
    return {name: host(array) for name, array in {**found, **store}.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_another_array_module_gives_the_same(cell: str, dtype: str, standin: Any) -> None:
    ours, theirs = after_a_step(np, cell, dtype), after_a_step(standin, cell, dtype)
    for name, value in ours.items():
        assert np.abs(value - theirs[name]).max() < (1e-6 if dtype == "float32" else 1e-14), name
