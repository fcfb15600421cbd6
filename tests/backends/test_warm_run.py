"""A warm run allocates no arrays: what it needs was reserved when its sizes were bound."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from graphdl.backends import Executable, Store
from graphdl.passes import optimise
from graphdl.passes.layout import concrete
from graphdl.program import Builder, Program, Size, Type, Update, differentiate

B = Size.named("B")
# NumPy's own iteration buffer for operands that it broadcasts: 8192 elements of each, gone after
# the call. Any array of the programs below is larger at the batch they run with.
BUFFERS = 3 * 8192 * 8


def perceptron() -> Program:
    build = Builder()
    h = build.input("x", Type((B, 3, 16, 16)), "data", "x")
    y = build.input("y", Type((B,), "int"), "data", "y")
    lr = build.input("lr", Type(()), "scalar", "lr")
    shapes = {"conv": (8, 3, 3, 3), "shift": (8, 1, 1), "w": (64, 512), "b": (64,), "out": (10, 64)}
    weights = {n: build.input(n, Type(s), "weight", n) for n, s in shapes.items()}
    h = build.convolve(h, weights["conv"], (1, 1), ((1, 1), (1, 1)), (1, 1))
    h = build.maximum(0, build.add(h, weights["shift"]))
    h = build.window_max(h, (2, 2), (2, 2), ((0, 0), (0, 0)))
    h = build.matmul(build.reshape(h, (B, 512)), build.transpose(weights["w"], (1, 0)))
    h = build.erf(build.tanh(build.add(h, weights["b"])))
    z = build.matmul(h, build.transpose(weights["out"], (1, 0)))
    shifted = build.sub(z, build.stop(build.amax(z, [1], keep=True)))
    logp = build.sub(shifted, build.log(build.sum(build.exp(shifted), [1], keep=True)))
    loss = build.mean(build.neg(build.pick(logp, y)))
    updates = []
    grads = differentiate(build, loss, list(weights.values()))
    for (name, w), grad in zip(weights.items(), grads, strict=True):
        m, v = (build.input(f"{k} {name}", w.type, "state", f"{k} {name}") for k in "mv")
        new_m = build.add(build.mul(m, 0.9), build.mul(grad, 0.1))
        new_v = build.add(build.mul(v, 0.99), build.mul(build.power(grad, 2), 0.01))
        change = build.div(new_m, build.add(build.sqrt(new_v), 1e-8))
        updates += [Update(m, new_m), Update(v, new_v)]
        updates += [Update(w, build.sub(w, build.mul(lr, change)))]
    accuracy = build.mean(build.equal(build.argmax(z, 1), y))
    return build.finish([("loss", loss), ("accuracy", accuracy)], updates)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_warm_training_step_allocates_no_arrays(dtype: str) -> None:
    program = optimise(perceptron())
    rng, store, count = np.random.default_rng(0), Store(np), 256
    for item in program.inputs:
        if item.role in ("weight", "state"):
            store[item.key] = rng.random(concrete(item.value.type, {})).astype(dtype)
    data = {
        "x": rng.random((count, 3, 16, 16)).astype(dtype),
        "y": rng.integers(0, 10, count),
    }
    executable = Executable(program, np, dtype)
    assert peak(executable, store, data) > 10 * BUFFERS
    assert peak(executable, store, data) < BUFFERS


def peak(executable: Executable, store: Store, data: dict[str, Any]) -> int:
    """The most memory, in bytes, that one run held beyond what was there before."""
    tracemalloc.start()
    executable.run(store, data, {"lr": 0.01}, guard="loss")
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_every_update_is_written_in_place() -> None:
    program = optimise(perceptron())
    store = Store(np)
    for item in program.inputs:
        if item.role in ("weight", "state"):
            store[item.key] = np.zeros(concrete(item.value.type, {}), "float32")
    data = {"x": np.zeros((64, 3, 16, 16)), "y": np.zeros(64, int)}
    plan = Executable(program, np, "float32").schedule(store, data).plan
    assert len(plan.direct) == len(program.updates)
    assert plan.size < plan.unplanned / 1.5
