"""Primitives that read and write at places given by whole numbers; the caller checks the ids."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from types import ModuleType
from typing import TYPE_CHECKING

from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Type, Value
from ..size import Dim
from .add_rows import add_rows_calls
from .ordered import ordered

if TYPE_CHECKING:
    from ..builder import Builder


def take_call(xp: ModuleType, source: Array, ids: Array, out: Array) -> Call:
    """The call that writes the rows `ids` of `source`, which lies in order, to `out`."""
    # NumPy buffers `out` unless the mode is "clip"; CuPy has no mode.
    mode = {"mode": "clip"} if xp.__name__ == "numpy" else {}
    return partial(xp.take, source, ids, axis=0, out=out, **mode)


def placed(
    xp: ModuleType, scratch: Scratch, ids: Array, steps: Sequence[int], step: int
) -> tuple[Array, list[Call]]:
    """Ids as places in memory, flat, and the calls that work them out.

    An id is worth `step`, and an entry of each axis of `ids` its number in `steps`.
    """
    flat = scratch(ids.shape, "int")
    calls: list[Call] = []
    if step != 1:
        calls.append(partial(xp.multiply, ids, step, flat))
        ids = flat
    rows = [
        (xp.arange(count) * by).reshape((count, *(1,) * (ids.ndim - 1 - axis)))
        for axis, (count, by) in enumerate(zip(ids.shape, steps, strict=True))
    ]
    if rows:
        calls.append(partial(xp.add, reduce(operator.add, rows), ids, flat))
    elif step == 1:
        calls.append(partial(xp.copyto, flat, ids))
    return flat.reshape(-1), calls


def _as_it_lies(xp: ModuleType, x: Array) -> Array:
    """All the memory from the first number of `x` to its last, where no axis goes back."""
    ends = ((n - 1) * stride for n, stride in zip(x.shape, x.strides, strict=True))
    count = sum(ends) // x.itemsize + 1 if x.size else 0
    return xp.lib.stride_tricks.as_strided(x, (count,), (x.itemsize,))


@dataclass(frozen=True)
class Gather(Primitive):
    """Rows of a table: `table[ids]`."""

    name = "gather"
    finite = True

    def infer(self, *types: Type) -> Type:
        table, ids = types
        if ids.kind != "int" or not table.shape:
            raise ShapeError(f"gather takes a table and ids, not {table} and {ids}")
        return Type(ids.shape + table.shape[1:], table.kind)

    def batch(
        self, build: Builder, args: tuple[Value, ...], whole: Mapping[Value, Value], length: Dim
    ) -> Value | None:
        ids = whole.get(args[1])
        return None if args[0] in whole or not ids else build.gather(args[0], ids)

    def by_steps(
        self, args: tuple[Value, ...], given: Sequence[int | None], out: Value, axis: int
    ) -> bool:
        return given[0] is None

    def needs(self, args: tuple[Value, ...]) -> Iterator[tuple[Dim, int]]:
        yield args[0].type.shape[0], 1

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        table, ids = args
        return build.scatter_add(ids, grad, table.type.shape[0]), None

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        table, copies = ordered(xp, scratch, args[0])
        yield from copies
        yield take_call(xp, table, args[1], out)


@dataclass(frozen=True)
class ScatterAdd(Primitive):
    """A table of `count` rows in which row `ids[i]` is the sum of all such `rows[i]`."""

    name = "scatter_add"
    finite = True
    count: Dim

    def infer(self, *types: Type) -> Type:
        ids, rows = types
        rank = len(ids.shape)
        if ids.kind != "int" or rows.shape[:rank] != ids.shape:
            raise ShapeError(f"scatter_add takes ids and a row for each, not {ids} and {rows}")
        return Type((self.count, *rows.shape[rank:]), rows.kind)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return None, build.gather(grad, args[0])

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        yield partial(out.fill, 0)
        yield from add_rows_calls(xp, scratch, out, *args)


@dataclass(frozen=True)
class Pick(Primitive):
    """One number out of each row: `x[..., ids]`, an id for every row of the last axis."""

    name = "pick"
    keeps_steps = True
    finite = True
    moves = True

    def infer(self, *types: Type) -> Type:
        x, ids = types
        if ids.kind != "int" or not x.shape or x.shape[:-1] != ids.shape:
            raise ShapeError(f"pick takes one id for each row of {x}, not {ids}")
        return Type(ids.shape, x.kind)

    def batched(self) -> Primitive:
        return self

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        x, ids = args
        return build.spread(ids, grad, x.type.shape[-1]), None

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        x, ids = args
        if any(stride < 0 for stride in x.strides):
            x, copies = ordered(xp, scratch, x)
            yield from copies
        *steps, step = (stride // x.itemsize for stride in x.strides)
        flat, calls = placed(xp, scratch, ids, steps, step)
        yield from calls
        yield take_call(xp, _as_it_lies(xp, x), flat, out.reshape(-1))


@dataclass(frozen=True)
class Spread(Primitive):
    """Rows of `count` zeros with one value each, at its id: what `pick` undoes."""

    name = "spread"
    finite = True
    count: Dim

    def infer(self, *types: Type) -> Type:
        ids, values = types
        if ids.kind != "int" or ids.shape != values.shape:
            raise ShapeError(f"spread takes one id for each value, not {ids} for {values}")
        return Type((*ids.shape, self.count), values.kind)

    def batched(self) -> Primitive:
        return self

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return None, build.pick(grad, args[0])

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        ids, values = args
        values, copies = ordered(xp, scratch, values)
        yield from copies
        *steps, step = (stride // out.itemsize for stride in out.strides)
        flat, calls = placed(xp, scratch, ids, steps, step)
        yield from calls
        yield partial(out.fill, 0)
        yield partial(operator.setitem, out.reshape(-1), flat, values.reshape(-1))
