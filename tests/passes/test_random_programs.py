"""Random programs mean the same before and after every pass, and as a planned schedule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphdl.backends import Executable, Store
from graphdl.backends.interpreter import results
from graphdl.passes import PASSES, optimise, plan_memory
from graphdl.passes.memory import MemoryPlan
from graphdl.passes.settle import settle_updates
from graphdl.program import Builder, Program, Size, Type, Update, Value
from graphdl.program.reference import run
from graphdl.program.text import text
from graphdl.program.verify import verify

B = Size.named("B")
SIZES = {"B": 3}
SHAPES: list[tuple[Any, ...]] = [(), (4,), (B, 4), (4, B), (B, 2, 2), (B, 1)]
Draw = Any
QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def unary(draw: Draw, build: Builder, pool: list[Value]) -> Value:
    name = draw(st.sampled_from(["neg", "tanh", "abs", "exp", "log", "stop", "twice", "scaled"]))
    x = draw(st.sampled_from(pool))
    if name == "exp":
        return build.exp(build.tanh(x))
    if name == "log":
        return build.log(build.exp(build.minimum(x, 3.0)))
    if name == "twice":
        return build.neg(build.neg(x))
    if name == "scaled":
        return build.mul(x, draw(st.sampled_from([-1.0, 0.5, 1.0, 3.0])))
    return getattr(build, name)(x)  # type: ignore[no-any-return]


def binary(draw: Draw, build: Builder, pool: list[Value]) -> Value:
    name = draw(st.sampled_from(["add", "sub", "mul", "maximum", "minimum"]))
    x = draw(st.sampled_from(pool))
    # The same shape, or one that broadcasts to it.
    y = draw(st.sampled_from([v for v in pool if v.type.shape in (x.type.shape, (), (4,))]))
    y = y if y.type.shape == x.type.shape or x.type.shape[-1:] == (4,) else x
    return getattr(build, name)(*draw(st.permutations([x, y])))  # type: ignore[no-any-return]


def choice(draw: Draw, build: Builder, pool: list[Value]) -> Value:
    x = draw(st.sampled_from(pool))
    same = [v for v in pool if v.type == x.type]
    a, b = draw(st.sampled_from(same)), draw(st.sampled_from(same))
    return build.select(build.greater(x, 0.3), a, b)


def moved(draw: Draw, build: Builder, pool: list[Value]) -> Value:
    x = draw(st.sampled_from([v for v in pool if v.type.shape]))
    name = draw(st.sampled_from(["transpose", "reshape", "slice", "reverse", "concat", "flat"]))
    rank = len(x.type.shape)
    axis = draw(st.integers(0, rank - 1))
    if name == "transpose":
        return build.transpose(x, draw(st.permutations(range(rank))))
    if name == "reshape":
        fits = [s for s in SHAPES if Type(s).count == x.type.count]
        return build.reshape(x, draw(st.sampled_from(fits))) if fits else x
    if name == "slice":
        return build.slice(x, axis, 0, 1)
    if name == "reverse":
        return build.reverse(x, axis)
    if name == "concat":
        return build.concat([x, build.neg(x), x], axis)
    return build.reshape(x, (x.type.count,))


def reduced(draw: Draw, build: Builder, pool: list[Value]) -> Value:
    x = draw(st.sampled_from([v for v in pool if v.type.shape]))
    axis = draw(st.integers(0, len(x.type.shape) - 1))
    name = draw(st.sampled_from(["sum", "amax", "mean"]))
    return getattr(build, name)(x, [axis], keep=draw(st.booleans()))  # type: ignore[no-any-return]


def chosen(draw: Draw, build: Builder, pool: list[Value]) -> Value:
    """What the gradient of a maximum along `B` is: a number in each row, and zeros."""
    x = draw(st.sampled_from([v for v in pool if v.type.shape == (4, B)]))
    values = draw(st.sampled_from([v for v in pool if v.type.shape == (4,)]))
    spread = build.spread(build.argmax(x, 1), values, B)
    turned = draw(st.sampled_from(["not", "once", "with another"]))
    if turned == "with another":
        return build.mul(spread, build.tanh(x))
    return spread if turned == "not" else build.transpose(spread, (1, 0))


def contracted(draw: Draw, build: Builder, pool: list[Value]) -> Value:
    matrices = [v for v in pool if len(v.type.shape) == 2]
    if not matrices:
        return pool[0]
    x = draw(st.sampled_from(matrices))
    y = draw(st.sampled_from([v for v in matrices if v.type.shape[0] == x.type.shape[0]]))
    y = build.mul(y, 0.1)
    product = build.matmul(build.transpose(x, (1, 0)), y)
    return build.transpose(product, (1, 0)) if draw(st.booleans()) else product


@st.composite
def programs(draw: Draw) -> Program:
    build = Builder()
    pool = []
    for number, shape in enumerate(SHAPES):
        pool.append(build.input(f"x{number}", Type(shape), "data", f"x{number}"))
    kept = []
    for number in range(draw(st.integers(0, 4))):
        shape = draw(st.sampled_from([(), (4,), (4,), (4, 4)]))
        kept.append(build.input(f"w{number}", Type(shape), "weight", f"w{number}"))
    pool += kept
    makers = [unary, unary, binary, binary, choice, moved, moved, reduced, chosen, contracted]
    for number in range(draw(st.integers(1, 16))):
        build.origin = f"node{number}"
        pool.append(draw(st.sampled_from(makers))(draw, build, pool))
    outputs = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))
    updates = [
        Update(w, draw(st.sampled_from([v for v in pool if v.type == w.type])))
        for w in kept
        if draw(st.booleans())
    ]
    return build.finish([(f"out{n}", v) for n, v in enumerate(outputs)], updates)


def arrays(program: Program) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    shapes = {i.key: i.value.type.shape for i in program.inputs}
    numbers = {
        key: tuple(d if isinstance(d, int) else SIZES["B"] for d in shape)
        for key, shape in shapes.items()
    }
    return {key: rng.uniform(-1, 1, shape) for key, shape in numbers.items()}


def split(program: Program, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    roles = {i.key: i.role for i in program.inputs}
    data = {key: a for key, a in given.items() if roles[key] == "data"}
    return data, {key: a for key, a in given.items() if roles[key] != "data"}


def agree(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for key, array in found.items():
        np.testing.assert_allclose(array, expected[key], rtol=1e-9, atol=1e-9, err_msg=key)


@QUICK
@given(programs())
@pytest.mark.parametrize("each", dict.fromkeys(PASSES), ids=lambda p: p.__name__)
def test_a_pass_keeps_the_meaning(each: Any, program: Program) -> None:
    given_arrays = arrays(program)
    data, kept = split(program, given_arrays)
    with np.errstate(all="ignore"):
        expected = run(program, SIZES, given_arrays)
    before = text(program)
    outputs, updates = results(verify(each(program)), np, "float64", kept, data, {})
    agree(outputs | updates, expected)
    assert text(program) == before


@QUICK
@given(programs(), st.booleans(), st.booleans())
def test_a_schedule_computes_the_program(program: Program, optimised: bool, guard: bool) -> None:
    given_arrays = arrays(program)
    data, kept = split(program, given_arrays)
    store = Store(np)
    for key, array in kept.items():
        store[key] = array
    executable = Executable(optimise(program) if optimised else program, np, "float64")
    finite = guard and bool(np.isfinite(run(program, SIZES, given_arrays)["out0"]).all())
    for _ in range(3):
        with np.errstate(all="ignore"):
            expected = run(program, SIZES, data | {k: np.array(a) for k, a in store.items()})
        agree(executable.run(store, data, {}, guard="out0" if finite else None), expected)
        agree(dict(store), {k: expected.get(k, a) for k, a in store.items()})


def disjoint(plan: MemoryPlan) -> bool:
    spans = sorted(plan.buffers, key=lambda b: b.offset)
    return not any(
        a.offset + a.nbytes > b.offset and a.first <= b.last and b.first <= a.last
        for n, a in enumerate(spans)
        for b in spans[n + 1 :]
        if a.nbytes and b.nbytes
    )


@QUICK
@given(programs(), st.booleans(), st.integers(0, 9))
def test_live_buffers_never_overlap(program: Program, optimised: bool, batch: int) -> None:
    program = settle_updates(optimise(program) if optimised else program)
    plan = plan_memory(program, {"B": batch}, "float32")
    assert disjoint(plan)
    assert plan.size <= plan.unplanned
    assert all(b.offset + b.nbytes <= plan.size for b in plan.buffers)
    targets = list(plan.direct.values())
    assert len(set(targets)) == len(targets)
