"""What primitives state of themselves is so, and what they do not state is the cautious answer."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from graphdl.passes.idle import Idle
from graphdl.program import Array, Builder, Input, Op, Primitive, Program, Type, Value
from graphdl.program import primitives as p
from graphdl.program.lift import lift
from graphdl.program.primitives.unary import Unary
from graphdl.program.reference import run

STEPS = 3


class New(Unary):
    """A primitive that states nothing."""

    name = "new"
    function = "reciprocal"


def computed(row: Any, arrays: list[Array]) -> Array:
    """The primitive of these arrays, which may have other numbers than those of the row."""
    build = Builder()
    args = [build.input(f"a{n}", t, "data", str(n)) for n, t in enumerate(row.types)]
    y = build.emit(row.primitive, *args)
    data = {str(n): array for n, array in enumerate(arrays)}
    with np.errstate(all="ignore"):
        return run(build.finish([("y", y)]), row.sizes, data)["y"]


def drawn(row: Any, seed: int) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [rng.permuted(array.ravel()).reshape(array.shape) for array in row.data.values()]


def with_numbers(row: Any, *numbers: float) -> list[Array]:
    """The arguments of the row, those of floats beginning with these numbers."""
    arrays = [array.copy() for array in row.data.values()]
    for array in arrays:
        if array.dtype.kind == "f":
            array.flat[: len(numbers)] = numbers[: array.size]
    return arrays


def subclasses(base: type[Primitive]) -> set[type[Primitive]]:
    found = {base}
    for each in base.__subclasses__():
        found |= subclasses(each)
    return found


def test_every_primitive_is_in_the_list_of_all() -> None:
    room = p.__name__ + "."
    named = {
        c for c in subclasses(Primitive) if c.__module__.startswith(room) and "name" in vars(c)
    }
    missing = sorted(c.__name__ for c in named - {*p.ALL, p.Scan})
    assert not missing, f"add {missing} to ALL in graphdl/program/primitives/__init__.py"
    assert len(p.BY_NAME) == len(p.ALL), "two primitives have one name"


def test_commutative(row: Any) -> None:
    if row.primitive.commutative:
        a, b = row.data.values()
        assert np.array_equal(computed(row, [a, b]), computed(row, [b, a]))


def test_moves(row: Any) -> None:
    if row.primitive.moves:
        first = next(iter(row.data.values()))
        assert np.isin(computed(row, list(row.data.values())), first).all()


def test_finite(row: Any) -> None:
    if row.primitive.finite:
        assert np.isfinite(computed(row, with_numbers(row, 0.0, 1e100, 1e-100))).all()
    if row.primitive.finite_if_positive:
        arrays = with_numbers(row, 1e100, 1e-100)
        assert np.isfinite(computed(row, [abs(array) for array in arrays])).all()


def test_not_negative(row: Any) -> None:
    if row.primitive.not_negative:
        numbers = (0.0, -1e-9, -40.0, 40.0) if row.low < 0 else (0.0, 1e-9, 40.0)
        assert computed(row, with_numbers(row, *numbers)).min() >= 0


def test_zero_at_zero(row: Any) -> None:
    arrays = list(row.data.values())
    for place in range(len(arrays)) if row.primitive.zero_at_zero else ():
        zeros = [a * 0 if n == place else a for n, a in enumerate(arrays)]
        assert not computed(row, zeros).any()


def test_identity(row: Any) -> None:
    type = row.primitive.infer(*row.types)
    if len(row.types) == 1 and row.primitive.identity(row.types[0], type):
        (x,) = row.data.values()
        assert np.array_equal(computed(row, [x]), x)


def test_kinks(row: Any) -> None:
    """A jump has no gradient; a bend shows in the gradient of the first argument."""
    build = Builder()
    args = [build.input(f"a{n}", t, "data", str(n)) for n, t in enumerate(row.types)]
    y = build.emit(row.primitive, *args)
    if row.primitive.jumps:
        assert not any(row.primitive.vjp(build, tuple(args), y, y))
    if row.primitive.bends and y.type.kind == "float":
        assert row.primitive.vjp(build, tuple(args), y, y)[0] is not None


def test_keeps_order(row: Any) -> None:
    type = row.primitive.infer(*row.types)
    if row.primitive.view and row.primitive.keeps_order(row.types[0], type):
        (x,) = row.data.values()
        assert row.primitive.alias(np, row.sizes, x).flags.c_contiguous


def test_all_steps_at_once(row: Any) -> None:
    """Whichever arguments have steps, they give what one step after the other gives."""
    places = range(len(row.types))
    for stepped in (c for n in places for c in combinations(places, n + 1)):
        build = Builder()
        args: list[Value] = []
        whole: dict[Value, Value] = {}
        for n, type in enumerate(row.types):
            args.append(build.input(f"a{n}", type, "data", str(n)))
            if n in stepped:
                steps = Type((STEPS, *type.shape), type.kind)
                whole[args[n]] = build.input(f"s{n}", steps, "data", f"s{n}")
        op = Op(build.emit(row.primitive, *args), row.primitive, tuple(args))
        found = lift(build, op, whole, STEPS)
        if found is None:
            continue
        each = [drawn(row, seed) for seed in range(STEPS)]
        each = [[now[n] if n in stepped else each[0][n] for n in places] for now in each]
        data = {str(n): each[0][n] for n in places}
        data |= {f"s{n}": np.stack([now[n] for now in each]) for n in stepped}
        got = run(build.finish([("y", found)]), row.sizes, data)["y"]
        want = np.stack([computed(row, now) for now in each])
        assert got.shape == want.shape
        assert np.allclose(got, want, rtol=0, atol=1e-12)


def test_what_is_not_stated() -> None:
    x = Value("x", Type((2,)))
    new = New()
    assert new.batched() is new  # it is pointwise
    stated = (new.commutative, new.moves, new.finite, new.finite_if_positive, new.not_negative)
    assert not any((*stated, new.zero_at_zero, new.identity(x.type, x.type)))
    assert not list(new.needs((x,)))


@pytest.mark.parametrize(("primitive", "found"), [(New(), None), (p.Exp(), None), (p.Tanh(), 0.0)])
def test_zero_times_something(primitive: Primitive, found: float | None) -> None:
    """Zero times what may be infinite is not zero."""
    x, zero = Value("x", Type((2,))), Value("z", Type((2,)))
    y, product = Value("y", Type((2,))), Value("p", Type((2,)))
    ops = (Op(y, primitive, (x,)), Op(product, p.Mul(), (zero, y)))
    given = (Input(x, "weight", "x"), Input(zero, "data", "z"))
    assert Idle(Program(given, ops, (("p", product),)), [zero])[product] == found
