"""What an executable promises: sizes from data, updates all at once, outputs that stay, guards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphdl.backends import Executable, NonFinite, ShapeMismatch, Store
from graphdl.backends.executable import MOST_SCHEDULES
from graphdl.errors import DataError
from graphdl.passes import optimise
from graphdl.program import Builder, Program, Size, Type, Update, Value

B, T = Size.named("B"), Size.named("T")


def weight(build: Builder, name: str, *shape: Any) -> Value:
    return build.input(name, Type(shape), "weight", name)


def data(build: Builder, name: str, *shape: Any) -> Value:
    return build.input(name, Type(shape), "data", name)


def stored(xp: Any, **arrays: Any) -> Store:
    store = Store(xp)
    for name, array in arrays.items():
        store[name] = xp.asarray(np.asarray(array, dtype="float64"))
    return store


def program(outputs: dict[str, Value], updates: dict[Value, Value], build: Builder) -> Program:
    return build.finish(list(outputs.items()), [Update(*pair) for pair in updates.items()])


# ---- updates -----------------------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["as written", "optimised"])
def finished(request: pytest.FixtureRequest) -> Any:
    return optimise if request.param else (lambda p: p)


def test_updates_see_only_old_values(xp: Any, host: Any, finished: Any) -> None:
    build = Builder()
    a, b, c = (weight(build, n, 3) for n in "abc")
    updates = {a: b, b: c, c: build.add(a, b)}
    store = stored(xp, a=[1, 1, 1], b=[2, 2, 2], c=[3, 3, 3])
    Executable(finished(program({}, updates, build)), xp, "float64").run(store, {}, {})
    assert [host(store[n])[0] for n in "abc"] == [2, 3, 3]


def test_a_reader_after_the_writer_sees_the_old_value(xp: Any, host: Any, finished: Any) -> None:
    build = Builder()
    w = weight(build, "w", 4)
    new = build.neg(w)
    late = build.mul(w, build.add(new, 1.0))
    store = stored(xp, w=[1, 2, 3, 4])
    found = Executable(finished(program({"late": late}, {w: new}, build)), xp, "float64").run(
        store, {}, {}
    )
    assert host(found["late"]).tolist() == [0, -2, -6, -12]
    assert host(store["w"]).tolist() == [-1, -2, -3, -4]


def test_outputs_are_from_before_the_update(xp: Any, host: Any, finished: Any) -> None:
    build = Builder()
    w = weight(build, "w", 2, 3)
    outputs = {"w": w, "turned": build.transpose(w, (1, 0)), "next": build.add(w, 1.0)}
    executable = Executable(finished(program(outputs, {w: outputs["next"]}, build)), xp, "float64")
    store = stored(xp, w=np.zeros((2, 3)))
    for step in range(3):
        found = executable.run(store, {}, {})
        sums = [float(host(found[n]).sum()) for n in ("w", "turned", "next")]
        assert sums == [6.0 * step, 6.0 * step, 6.0 * step + 6]
        assert host(found["turned"]).shape == (3, 2)


def test_a_value_may_go_to_two_places(xp: Any, host: Any) -> None:
    build = Builder()
    a, b, x = weight(build, "a", 2), weight(build, "b", 2), data(build, "x", 2)
    store = stored(xp, a=[0, 0], b=[0, 0])
    twice = build.add(x, x)
    Executable(program({}, {a: twice, b: twice}, build), xp, "float64").run(
        store, {"x": np.ones(2)}, {}
    )
    assert host(store["a"]).tolist() == host(store["b"]).tolist() == [2, 2]


def test_a_transposed_value_is_no_place_to_write(xp: Any, host: Any) -> None:
    build = Builder()
    w = weight(build, "w", 2, 2)
    new = build.add(w, build.transpose(w, (1, 0)))
    store = stored(xp, w=[[1, 2], [3, 4]])
    Executable(optimise(program({}, {w: new}, build)), xp, "float64").run(store, {}, {})
    assert host(store["w"]).tolist() == [[2, 5], [5, 8]]


# ---- sizes -------------------------------------------------------------------------------------


def sums(*shapes: tuple[Any, ...]) -> Program:
    build = Builder()
    inputs = [data(build, f"x{n}", *shape) for n, shape in enumerate(shapes)]
    return build.finish([("sum", build.add(build.sum(inputs[0]), build.sum(inputs[-1])))])


FITTING = [
    ([(B, 3)], [(5, 3)]),
    ([(B, T), (T, B)], [(2, 7), (7, 2)]),
    ([(B, 2 * T + 1)], [(2, 7)]),
    ([(B * T,), (B,)], [(12,), (3,)]),
    ([((T + 1) // 2,), (T,)], [(1,), (2,)]),
    ([(B, 3)], [(0, 3)]),
]


@pytest.mark.parametrize(("declared", "shapes"), FITTING)
def test_sizes_come_from_the_data(declared: Any, shapes: Any) -> None:
    arrays = {f"x{n}": np.ones(shape) for n, shape in enumerate(shapes)}
    found = Executable(sums(*declared), np, "float64").run(Store(np), arrays, {})
    assert found["sum"] == arrays["x0"].size + list(arrays.values())[-1].size


CLASHING = [
    ([(B, 3)], [(5, 4)], "`x0` must have the shape [B=5, 3], got [5, 4]"),
    ([(B, 3)], [(5,)], "`x0` must have the shape [B, 3], got [5]"),
    ([(B, 3), (B, 2)], [(5, 3), (4, 2)], "`x1` must have the shape [B=5, 2], got [4, 2]"),
    ([(B, 2 * T)], [(2, 7)], "`x0` must have the shape [B=2, 2*T], got [2, 7]"),
    ([(3,)], [(4,)], "`x0` must have the shape [3], got [4]"),
]


@pytest.mark.parametrize(("declared", "shapes", "sentence"), CLASHING)
def test_data_that_does_not_fit(declared: Any, shapes: Any, sentence: str) -> None:
    arrays = {f"x{n}": np.ones(shape) for n, shape in enumerate(shapes)}
    with pytest.raises(ShapeMismatch) as caught:
        Executable(sums(*declared), np, "float64").run(Store(np), arrays, {})
    assert str(caught.value) == sentence


def test_missing_data_is_named() -> None:
    with pytest.raises(DataError, match="`x0` is missing from the data; did you mean `x00`"):
        Executable(sums((B, 3)), np, "float64").run(Store(np), {"x00": np.ones((1, 3))}, {})


def test_other_dtypes_are_converted(xp: Any, host: Any) -> None:
    executable = Executable(sums((B, 3)), xp, "float32")
    for dtype in ("uint8", "int64", "float64", "bool"):
        found = executable.run(Store(xp), {"x0": np.ones((2, 3), dtype)}, {})["sum"]
        assert (host(found), found.dtype) == (12, np.float32)


# ---- schedules ---------------------------------------------------------------------------------


def test_every_size_is_bound_once_and_old_ones_go() -> None:
    executable = Executable(sums((B, 3)), np, "float32")
    store = Store(np)

    def bound(count: int) -> Any:
        return executable.schedule(store, {"x0": np.ones((count, 3))})

    first = bound(99)  # the largest: what is bound to a smaller arena goes when it is replaced
    assert bound(99) is first
    for count in range(1, MOST_SCHEDULES):
        bound(count)
    assert bound(99) is first
    bound(MOST_SCHEDULES)
    assert bound(99) is first
    assert len(executable._schedules) == MOST_SCHEDULES


def test_a_replaced_weight_is_bound_again(xp: Any, host: Any) -> None:
    build = Builder()
    w = weight(build, "w", 2)
    executable = Executable(program({"y": build.add(w, w)}, {}, build), xp, "float64")
    store = stored(xp, w=[1, 1])
    executable.run(store, {}, {})
    del store["w"]
    store["w"] = xp.asarray(np.array([5.0, 5.0]))
    assert host(executable.run(store, {}, {})["y"]).tolist() == [10, 10]
    other = stored(xp, w=[7, 7])
    assert host(executable.run(other, {}, {})["y"]).tolist() == [14, 14]


def test_outputs_hold_until_the_next_run(xp: Any, host: Any) -> None:
    build = Builder()
    x = data(build, "x", B, 4)
    h = build.exp(x)
    outputs = {"x": x, "h": h, "view": build.transpose(h, (1, 0)), "z": build.neg(build.tanh(h))}
    executable = Executable(optimise(program(outputs, {}, build)), xp, "float64")
    array = np.linspace(-1, 1, 8).reshape(2, 4)
    found = executable.run(Store(xp), {"x": array}, {})
    expected = [array, np.exp(array), np.exp(array).T, -np.tanh(np.exp(array))]
    for name, values in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(host(found[name]), values, rtol=1e-12)


# ---- guard and inspection ----------------------------------------------------------------------


def broken() -> Program:
    build = Builder()
    w, x = weight(build, "w", 3), data(build, "x", B, 3)
    memory = build.input("seen", Type(()), "state", "seen")
    seen = build.add(memory, build.sum(x))
    build.origin = "hidden"
    hidden = build.tanh(build.mul(x, w))
    build.origin = "trouble"
    trouble = build.log(hidden)
    build.origin = "loss"
    loss = build.sum(trouble)
    build.origin = "sgd"
    new = build.sub(w, loss)
    return program({"loss": loss}, {w: new, memory: seen}, build)


def test_a_guard_keeps_everything_as_it_was(xp: Any, host: Any, finished: Any) -> None:
    executable = Executable(finished(broken()), xp, "float64")
    store = stored(xp, w=[1, 1, 1], seen=0)
    bad = {"x": np.array([[1.0, -1.0, 2.0]])}
    with pytest.raises(NonFinite, match="the loss is nan") as caught:
        executable.run(store, bad, {}, guard="loss")
    assert caught.value.origin == "trouble"
    assert host(store["w"]).tolist() == [1, 1, 1]
    assert float(store["seen"]) == 0
    good = {"x": np.array([[1.0, 1.0, 2.0]])}
    executable.run(store, good, {}, guard="loss")
    assert float(store["seen"]) == 4
