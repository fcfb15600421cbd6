"""Rows of a table that is never made, and rows put into one: what a sparse update needs."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Type, Value
from ..size import Dim, evaluate
from .add_rows import add_rows_calls
from .index import take_call

if TYPE_CHECKING:
    from ..builder import Builder


@dataclass(frozen=True)
class MergeRows(Primitive):
    """For each of `places` the sum of all `rows` with that id, zeros where there is none.

    These are the rows `places` of the table of `count` rows that `scatter_add` makes, to the last
    bit, without the table.
    """

    name = "merge_rows"
    finite = True
    count: Dim

    def infer(self, *types: Type) -> Type:
        ids, rows, places = types
        rank = len(ids.shape)
        if {ids.kind, places.kind} != {"int"} or rows.shape[:rank] != ids.shape:
            raise ShapeError(
                f"merge_rows takes ids, a row for each, and places, not {ids}, {rows} and {places}"
            )
        return Type(places.shape + rows.shape[rank:], rows.kind)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        ids, _, places = args
        return None, build.merge_rows(places, grad, ids, self.count), None

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        ids, rows, places = args
        count, shape = evaluate(self.count, sizes), out.shape[places.ndim :]
        if count > ids.size:
            # Every id gets the number of a row that has it; what no row has, the row of zeros.
            same, count, numbers = places is ids, ids.size + 1, scratch((count,), "int")
            if not same:
                yield partial(operator.setitem, numbers, places, ids.size)
            order = xp.arange(ids.size).reshape(ids.shape)
            yield partial(operator.setitem, numbers, ids, order)
            own = scratch(ids.shape, "int")
            yield take_call(xp, numbers, ids, own)
            ids, wanted = own, own if same else scratch(places.shape, "int")
            if not same:
                yield take_call(xp, numbers, places, wanted)
            places = wanted
        table = scratch((count, *shape), "int" if out.dtype.kind == "i" else "float")
        yield partial(table.fill, 0)
        yield from add_rows_calls(xp, scratch, table, ids, rows)
        yield take_call(xp, table, places, out)


@dataclass(frozen=True)
class PutRows(Primitive):
    """The table with `rows` in place of its rows `ids`; rows of one id are equal."""

    name = "put_rows"
    finite = True
    overwrites = (0,)

    def infer(self, *types: Type) -> Type:
        table, ids, rows = types
        if (
            not table.shape
            or ids.kind != "int"
            or rows != Type(ids.shape + table.shape[1:], table.kind)
        ):
            raise ShapeError(
                f"put_rows takes a table, ids and a row for each, not {table}, {ids} and {rows}"
            )
        return table

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        raise ShapeError("rows put into a table have no derivative here")

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        table, ids, rows = args
        if not xp.may_share_memory(out, table):
            yield partial(xp.copyto, out, table)
        yield partial(operator.setitem, out, ids, rows)
