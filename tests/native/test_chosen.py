"""Contractions with chosen entries, by kernels and by NumPy, against the operand made whole."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphdl.backends import Executable, Store
from graphdl.backends.native.schedule.kernel_table import Table
from graphdl.backends.native.schedule.native_program import NativeProgram
from graphdl.program import Builder, Program, Size, Type
from graphdl.program.primitives import ContractSpread

Array = np.ndarray[Any, Any]
T = Size.named("T")


def random_specs() -> Any:
    """The random contractions of `tests/program`."""
    path = Path(__file__).parent.parent / "program" / "test_contract.py"
    spec = importlib.util.spec_from_file_location("random_specs", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


specs = random_specs()


@dataclass(frozen=True)
class Case:
    """A contraction whose operand `side` has chosen entries along an axis; sizes of its axes.

    `T` is the size of the axis of choice; `kernel` the family that does it.
    """

    spec: str
    axis: int
    side: int
    sizes: dict[str, int]
    kernel: str = "chosen"
    opens: tuple[str, ...] = ()
    more: int = 0  # entries of the window's axis beyond what T positions lead to

    def at(self, length: int) -> dict[str, int]:
        """All sizes where the axis of choice has so many entries."""
        parts = [part.split() for part in self.spec.replace("->", ",").split(",")]
        found = {**self.sizes, parts[self.side][self.axis]: length}
        for name in {axis for axes in parts for axis in axes if "+" in axis} - found.keys():
            reach = eval(name, {}, {n: size - 1 for n, size in found.items()})
            found[name] = reach + 1 + self.more
        return found


SENTENCE = {"b": 3, "o": 5, "c": 37, "j": 3}
CASES = {
    "weight": Case("b x+j c, b x o -> o c j", 1, 1, SENTENCE, opens=("j",)),
    "weight, offsets first": Case("b x+j c, b x o -> o j c", 1, 1, SENTENCE, opens=("j",)),
    "weight, many maps": Case(
        "b x+j c, b x o -> o c j", 1, 1, {**SENTENCE, "o": 40, "c": 130}, opens=("j",)
    ),
    "weight, wide window": Case(
        "b x+j c, b x o -> o c j", 1, 1, {**SENTENCE, "j": 11}, opens=("j",)
    ),
    "weight, padded": Case("b x+j-1 c, b x o -> o c j", 1, 1, SENTENCE, opens=("j",), more=-1),
    "weight, stride": Case("b x*2+j c, b x o -> o c j", 1, 1, SENTENCE, opens=("j",), more=1),
    "weight, all": Case(
        "b x*3+j*2-2 c, b x o -> o j c", 1, 1, SENTENCE, opens=("j",), more=-1
    ),
    "weight, channels first": Case("b c x+j, b o x -> o c j", 2, 1, SENTENCE, opens=("j",)),
    "weight, one channel": Case(
        "b x+j c, b x o -> o c j", 1, 1, {**SENTENCE, "c": 1}, opens=("j",)
    ),
    "data": Case("b x o, o c j -> b x+j c", 1, 0, SENTENCE, opens=("x+j",)),
    "data, many": Case(
        "b x o, o c j -> b x+j c", 1, 0, {**SENTENCE, "b": 17, "c": 130}, opens=("x+j",)
    ),
    "data, padded": Case(
        "b x o, o c j -> b x+j-1 c", 1, 0, SENTENCE, opens=("x+j-1",), more=-1
    ),
    "data, stride": Case(
        "b x o, o c j -> b x*2+j c", 1, 0, SENTENCE, opens=("x*2+j",), more=1
    ),
    "data, all": Case(
        "b x o, o j c -> b x*3+j*2-2 c", 1, 0, SENTENCE, opens=("x*3+j*2-2",), more=-1
    ),
    "data, channels first": Case("b o x, o c j -> b c x+j", 2, 0, SENTENCE, opens=("x+j",)),
    "linear, weight": Case("b t k, b t n -> n k", 1, 1, {"b": 3, "n": 6, "k": 21}),
    "linear, data": Case("b t n, n k -> b t k", 1, 0, {"b": 3, "n": 6, "k": 21}),
    "turned": Case("k t b, b n t -> k n", 2, 1, {"b": 3, "n": 6, "k": 21}),
    "attention": Case(
        "b h q t, b h t d -> b h q d", 3, 0, {"b": 2, "h": 2, "q": 3, "d": 18}
    ),
    "on both sides": Case("b t n, b t k -> b t n k", 1, 0, {"b": 2, "n": 3, "k": 17}),
    "numbers": Case("b t, b t -> b", 1, 0, {"b": 4}),
    "two features": Case("b t n, n h d -> b t h d", 1, 0, {"b": 2, "n": 3, "h": 3, "d": 8}),
    "chosen offset": Case("b x+j c, o c j -> b x o", 2, 1, {**SENTENCE, "x": 4}, opens=("x",)),
    "window of another axis": Case(
        "b y+i x c, b y x o -> o c i", 2, 1, {**SENTENCE, "y": 3, "i": 2}, "tile", opens=("i",)
    ),
    "chosen in the window": Case(
        "b x+j c, o c j -> b x o", 1, 0, {**SENTENCE, "x": 4}, "tile", opens=("x",)
    ),
}  # fmt: skip


def program_of(case: Case, symbolic: bool) -> Program:
    """The contraction; with `symbolic`, what T is, is not known before there is data."""
    build = Builder()
    sizes: dict[str, Any] = case.at(11)
    axes = [part.split() for part in case.spec.replace("->", ",").split(",")]
    hot = axes[case.side][case.axis]
    if symbolic:
        led = {name for name in sizes if hot == name or hot in name.split("+")}
        plain = {name: sizes[name] - 11 + T for name in led}
        sizes = {**sizes, **plain}
    whole = [sizes[axis] for axis in axes[case.side]]
    held = tuple(size for n, size in enumerate(whole) if n != case.axis)
    ids = build.input("ids", Type(held, "int"), "data", "ids")
    values = build.input("values", Type(held), "data", "values")
    other = build.input(
        "other", Type(tuple(sizes[axis] for axis in axes[1 - case.side])), "data", "other"
    )
    build.input("length", Type((whole[case.axis],)), "data", "length")
    opens = tuple((name, sizes[name]) for name in case.opens)
    spread = ContractSpread(case.spec, case.axis, whole[case.axis], case.side, opens)
    return build.finish([("out", build.emit(spread, ids, values, other))])


def data_of(case: Case, length: int, seed: int = 0) -> tuple[dict[str, Array], Array]:
    """Arguments, and the operand made whole."""
    rng, sizes = np.random.default_rng(seed), case.at(length)
    axes = [part.split() for part in case.spec.replace("->", ",").split(",")]
    held = [sizes[a] for n, a in enumerate(axes[case.side]) if n != case.axis]
    ids, values = rng.integers(0, length, held), rng.normal(size=held)
    whole = np.moveaxis(values[..., None] * np.eye(length)[ids], -1, case.axis)
    other = rng.normal(size=[sizes[axis] for axis in axes[1 - case.side]])
    data = {"ids": ids, "values": values, "other": other, "length": np.zeros(length)}
    return data, whole


def wanted(case: Case, length: int, data: dict[str, Array], whole: Array) -> Array:
    operands = (data["other"], whole) if case.side else (whole, data["other"])
    found: Array = specs.naive(case.spec, case.at(length), *operands)
    return found


def kernels(executable: Executable) -> set[str]:
    schedule = executable.latest()
    assert isinstance(schedule, NativeProgram)
    return {
        call.kernel.family
        for part in schedule.parts
        if isinstance(part, Table)
        for call in part.calls
    }


@pytest.mark.parametrize("symbolic", [False, True], ids=["fixed", "varying"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_float64(case: Case, symbolic: bool) -> None:
    varies = symbolic and "*" not in case.spec
    executable = Executable(program_of(case, varies), np, "float64", native=True)
    for length in (11, 9, 16, 1) if varies else (11,):
        if min(case.at(length).values()) < 1:
            continue
        data, whole = data_of(case, length)
        found = executable.run(Store(np), data, {})["out"]
        expected = wanted(case, length, data, whole)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
        if length == 11:
            assert case.kernel in kernels(executable)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_float32_by_any_number_of_threads(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    data, whole = data_of(case, 11)
    results = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("GRAPHDL_THREADS", threads)
        executable = Executable(program_of(case, symbolic=False), np, "float32", native=True)
        results.append(np.array(executable.run(Store(np), data, {})["out"]))
    np.testing.assert_allclose(results[0], wanted(case, 11, data, whole), rtol=1e-4, atol=1e-4)
    assert all(np.array_equal(other, results[0]) for other in results[1:])


def test_vectors_that_are_woven_have_a_known_length() -> None:
    """A length that is known late lies around them, and cannot be taken into them."""
    build = Builder()
    ids = build.input("ids", Type((4,), "int"), "data", "ids")
    values = build.input("values", Type((4,)), "data", "values")
    other = build.input("other", Type((3, 4, 11, T, 12)), "data", "other")
    spread = ContractSpread("j b x t c, b x -> t c j", 1, 11, 1)
    program = build.finish([("out", build.emit(spread, ids, values, other))])
    executable, rng = Executable(program, np, "float64", native=True), np.random.default_rng(0)
    for length in (1, 2, 5):
        data = {
            "ids": rng.integers(0, 11, 4),
            "values": rng.normal(size=4),
            "other": rng.normal(size=(3, 4, 11, length, 12)),
        }
        whole = data["values"][:, None] * np.eye(11)[data["ids"]]
        expected = np.einsum("jbxtc,bx->tcj", data["other"], whole)
        found = executable.run(Store(np), data, {})["out"]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.one_of(specs.plain(), specs.windowed()), st.integers(0, 99))
def test_random_contractions(found: Any, choice: int) -> None:
    """By NumPy and by kernels, for any axis of any operand."""
    axes = [part.split() for part in found.spec.split("->")[0].split(",")]
    places = [(side, n) for side, own in enumerate(axes) for n in range(len(own))]
    if not places:
        return
    side, axis = places[choice % len(places)]
    shapes = found.shapes()
    rng = np.random.default_rng(found.seed)
    count = shapes[side][axis]
    held = [size for n, size in enumerate(shapes[side]) if n != axis]
    ids, values = rng.integers(0, count, held), rng.normal(size=held)
    whole = np.moveaxis(values[..., None] * np.eye(count)[ids], -1, axis)
    other = rng.normal(size=shapes[1 - side])
    operands = (other, whole) if side else (whole, other)
    if "+" in found.spec:
        expected = specs.naive(found.spec, found.sizes, *operands)
    else:
        expected = np.einsum(found.spec.replace(" ", ""), *operands)
    primitive = ContractSpread(found.spec, axis, count, side, found.extents)
    data = {"ids": ids, "values": values, "other": other}
    build = Builder()
    args = [
        build.input(n, Type(a.shape, "int" if n == "ids" else "float"), "data", n)
        for n, a in data.items()
    ]
    program = build.finish([("out", build.emit(primitive, *args))])
    near = 1e-4 if found.dtype == "float32" else 1e-11
    for native in (False, True):
        executable = Executable(program, np, found.dtype, native=native)
        for _ in range(2):
            out = executable.run(Store(np), data, {})["out"]
            np.testing.assert_allclose(out, expected, rtol=near, atol=near)
