"""The same programs on NumPy, on a stand-in for CuPy, and on CuPy where there is a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphdl.backends import Executable, Store
from graphdl.backends.interpreter import results
from graphdl.passes import optimise
from graphdl.passes.layout import concrete
from graphdl.program import Builder, Program, Size, Type, Update, differentiate

B, T = Size.named("B"), Size.named("T")


def of_row(row: Any) -> tuple[Program, dict[str, Any]]:
    """One primitive as a program; two more inputs bind the sizes."""
    build = Builder()
    data: dict[str, Any] = {}
    args = []
    for (name, array), type in zip(row.data.items(), row.types, strict=True):
        args.append(build.input(name, type, "data", name))
        data[name] = array
    for size in (B, T):
        build.input(f"size {size}", Type((size,)), "data", f"size {size}")
        data[f"size {size}"] = np.zeros(row.sizes[str(size)])
    return build.finish([("out", build.emit(row.primitive, *args))]), data


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_primitive(row: Any, dtype: str, xp: Any, host: Any) -> None:
    program, data = of_row(row)
    found = Executable(program, xp, dtype).run(Store(xp), data, {})["out"]
    close = {"float32": 2e-5, "float64": 1e-6}[dtype]
    expected = row.formula(*row.data.values())
    np.testing.assert_allclose(host(found), expected, rtol=close, atol=close)


@pytest.mark.parametrize("xp", ["native"], indirect=True)
def test_every_primitive_has_a_kernel(row: Any, xp: Any) -> None:
    program, data = of_row(row)
    executable = Executable(program, xp, "float64")
    executable.run(Store(xp), data, {})
    schedule: Any = executable.latest()
    assert {type(part).__name__ for part in schedule.parts} <= {"Table"}, str(row.primitive)


def training_step() -> Program:
    """Convolution, pooling, dropout, a table of words, softmax and nll, momentum."""
    build = Builder()
    x = build.input("x", Type((B, 1, 8, 8)), "data", "x")
    words = build.input("words", Type((B,), "int"), "data", "words")
    y = build.input("y", Type((B,), "int"), "data", "y")
    lr = build.input("lr", Type(()), "scalar", "lr")
    seed, draw = (build.input(n, Type((), "int"), "scalar", n) for n in ("seed", "draw"))
    shapes = {"conv": (4, 1, 3, 3), "bias": (4, 1, 1), "table": (6, 16), "out": (3, 80)}
    weights = {n: build.input(n, Type(s), "weight", n) for n, s in shapes.items()}
    build.origin = "conv"
    h = build.convolve(x, weights["conv"], (1, 1), ((1, 1), (1, 1)), (1, 1))
    h = build.maximum(0, build.add(h, weights["bias"]))
    h = build.window_max(h, (2, 2), (2, 2), ((0, 0), (0, 0)))
    h = build.concat([build.reshape(h, (B, 64)), build.gather(weights["table"], words)], 1)
    build.origin = "dropout"
    mask = build.greater_equal(build.random(h.type.shape, 0, seed, draw), 0.5)
    h = build.div(build.mul(h, mask), 0.5)
    build.origin = "out"
    z = build.matmul(h, build.transpose(weights["out"], (1, 0)))
    shifted = build.sub(z, build.stop(build.amax(z, [1], keep=True)))
    build.origin = "loss"
    logp = build.sub(shifted, build.log(build.sum(build.exp(shifted), [1], keep=True)))
    loss = build.mean(build.neg(build.log(build.pick(build.exp(logp), y))))
    updates = []
    build.origin = "momentum"
    for (name, w), grad in zip(
        weights.items(), differentiate(build, loss, list(weights.values())), strict=True
    ):
        m = build.input(f"m {name}", w.type, "state", f"m {name}")
        speed = build.add(build.mul(m, 0.9), grad)
        updates += [Update(m, speed), Update(w, build.sub(w, build.mul(lr, speed)))]
    return build.finish([("loss", loss), ("scores", z)], updates)


def start(program: Program, xp: Any) -> Store:
    rng, store = np.random.default_rng(0), Store(xp)
    for item in program.inputs:
        if item.role in ("weight", "state"):
            scale = 0.3 if item.role == "weight" else 0.0
            store[item.key] = scale * rng.standard_normal(concrete(item.value.type, {}))
    return store


def batch(count: int) -> dict[str, Any]:
    rng = np.random.default_rng(count)
    ids = {"words": rng.integers(0, 6, count), "y": rng.integers(0, 3, count)}
    return {"x": rng.random((count, 1, 8, 8)), **ids}


def test_a_training_run(xp: Any, host: Any) -> None:
    program = training_step()
    store, plain = start(program, xp), dict(start(program, np))
    executable = Executable(optimise(program), xp, "float64")
    for step, count in enumerate([4, 4, 2, 4], start=1):
        scalars = {"lr": 0.1, "seed": 7, "draw": step}
        expected, new = results(program, np, "float64", plain, batch(count), scalars)
        found = executable.run(store, batch(count), scalars, guard="loss")
        for name, array in expected.items():
            np.testing.assert_allclose(host(found[name]), array, rtol=1e-7, err_msg=name)
        for name, array in new.items():
            np.testing.assert_allclose(host(store[name]), array, rtol=1e-7, atol=1e-12)
        plain |= new


def rows_step() -> Program:
    """Two gathers from one table, its norm, and a rule that adds to a state."""
    build = Builder()
    words = build.input("words", Type((B, T), "int"), "data", "words")
    title = build.input("title", Type((B,), "int"), "data", "title")
    table = build.input("table", Type((2500, 3)), "weight", "table")
    seen = build.input("seen", table.type, "state", "seen")
    part = build.sum(build.tanh(build.gather(table, words)), [1])
    h = build.mul(part, build.gather(table, title))
    loss = build.mean(build.mul(h, h))
    (grad,) = differentiate(build, loss, [table])
    norm = build.sqrt(build.sum(build.mul(grad, grad)))
    grad = build.mul(grad, build.div(0.1, build.add(norm, 0.1)))
    new = build.add(seen, build.mul(grad, grad))
    change = build.div(grad, build.add(build.sqrt(new), 0.01))
    updates = [Update(table, build.sub(table, change)), Update(seen, new)]
    return build.finish([("loss", loss), ("norm", norm)], updates)


def test_a_table_updated_by_rows(xp: Any, host: Any) -> None:
    program, rng = rows_step(), np.random.default_rng(0)
    optimised = optimise(program)
    assert "scatter_add" not in {op.primitive.name for op in optimised.ops}
    store, plain = start(program, xp), dict(start(program, np))
    executable = Executable(optimised, xp, "float64")
    for count, length in [(4, 3), (4, 3), (2, 5), (4, 3)]:
        data = {
            "words": rng.integers(0, 9, (count, length)),
            "title": rng.integers(5, 2500, count),
        }
        expected, new = results(program, np, "float64", plain, data, {})
        found = executable.run(store, data, {}, guard="loss")
        for name, array in expected.items():
            np.testing.assert_allclose(host(found[name]), array, rtol=1e-9, err_msg=name)
        for name, array in new.items():
            np.testing.assert_allclose(host(store[name]), array, rtol=1e-9, atol=1e-15)
        plain |= new


def test_float32_follows_float64(xp: Any, host: Any) -> None:
    program = training_step()
    single, double = Store(xp), start(program, np)
    for name, array in double.items():
        single[name] = array.astype("float32")
    scalars = {"lr": 0.1, "seed": 7, "draw": 1}
    found = Executable(optimise(program), xp, "float32").run(single, batch(8), scalars)
    expected = Executable(optimise(program), np, "float64").run(double, batch(8), scalars)
    assert found["loss"].dtype == np.float32
    np.testing.assert_allclose(host(found["scores"]), expected["scores"], rtol=1e-3, atol=1e-5)
    for name, array in double.items():
        np.testing.assert_allclose(host(single[name]), array, rtol=1e-3, atol=1e-5)


def test_data_may_already_be_there(device: Any, host: Any) -> None:
    program = training_step()
    given = {name: device.asarray(array) for name, array in batch(4).items()}
    scalars = {"lr": 0.1, "seed": 7, "draw": 1}
    executable = Executable(optimise(program), device, "float64")
    here = host(executable.run(start(program, device), batch(4), scalars)["loss"]).copy()
    there = host(executable.run(start(program, device), given, scalars)["loss"])
    assert here == there


def test_outputs_are_arrays_of_the_device(device: Any) -> None:
    program = training_step()
    scalars = {"lr": 0.1, "seed": 7, "draw": 1}
    executable = Executable(optimise(program), device, "float64")
    found = executable.run(start(program, device), batch(4), scalars)
    assert isinstance(found["scores"], device.ndarray)
    with pytest.raises(TypeError, match="Implicit conversion"):
        np.asarray(found["scores"])
