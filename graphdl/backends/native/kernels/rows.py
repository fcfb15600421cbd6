"""Rows of tables read, added up and put in place; single numbers picked and spread.

Ids are checked before a step; here one that is outside is taken for the nearest, as NumPy does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ....program import Kind
from ..compile.library import writer
from ..emit.emit import Emit
from ..emit.runtime_sizes import Argument, Number, RuntimeSize
from .call import Call, Making
from .operand import Operand, total
from .pointwise import FEW_NUMBERS, Access, fill

Space = Callable[[tuple[int, ...], Kind], Operand]


@dataclass(frozen=True, slots=True)
class Ids:
    """Whole numbers, each naming a row of a table of `rows`."""

    place: Argument
    extents: tuple[Number, ...]
    strides: tuple[Number, ...]
    rows: Number


@dataclass(frozen=True, slots=True)
class Gathering:
    """out[i, column] = table[ids[i], column]; `table` has its row distance first."""

    ids: Ids
    columns: tuple[Number, ...]
    table: Access
    out: Access


@dataclass(frozen=True, slots=True)
class Adding:
    """table[ids[i], column] += rows[i, column], in order of i; threads share the columns."""

    ids: Ids
    width: Number
    table: Access
    rows: Access


def _ids(making: Making, ids: Operand, rows: int) -> Ids:
    return Ids(
        making.operand(ids),
        making.all(ids.extents),
        making.all(ids.strides),
        making.of(rows),
    )


def gather(out: Operand, table: Operand, ids: Operand, precision: str) -> list[Call]:
    """The call that reads rows."""
    if not out.count:
        return []
    making, rank = Making(), len(ids.extents)
    spec = Gathering(
        _ids(making, ids, table.extents[0]),
        making.all(table.extents[1:]),
        Access(making.operand(table), table.kind, making.all(table.strides)),
        Access(making.operand(out), out.kind, making.all(out.strides)),
    )
    assert rank + len(table.extents) - 1 == len(out.extents)
    return [making.call("gather", spec, precision, out.count // 4)]


def put_rows(table: Operand, ids: Operand, rows: Operand, precision: str) -> list[Call]:
    """The call that puts rows in their places; those of one id are equal."""
    if not rows.count:
        return []
    making = Making()
    spec = Gathering(
        _ids(making, ids, table.extents[0]),
        making.all(table.extents[1:]),
        Access(making.operand(table), table.kind, making.all(table.strides)),
        Access(making.operand(rows), rows.kind, making.all(rows.strides)),
    )
    return [making.call("put", spec, precision, rows.count // 4)]


def add_rows(table: Operand, ids: Operand, rows: Operand, precision: str) -> list[Call]:
    """The call that adds rows to those of a table in order."""
    if not rows.count:
        return []
    making = Making()
    rank = len(ids.extents)
    width = total(table.extents[1:])
    flat = table.reshaped((table.extents[0], width))
    lines = rows.reshaped((*ids.extents, width))
    assert flat is not None
    assert lines is not None, rows
    spec = Adding(
        _ids(making, ids, table.extents[0]),
        making.of(width),
        Access(making.operand(table), table.kind, making.all(flat.strides)),
        Access(making.operand(rows), rows.kind, making.all(lines.strides[: rank + 1])),
    )
    # Threads share columns, so that each row is added in order, and each of them walks all ids: for
    # narrow rows, of a few lines of the cache, that is most of the work.
    return [making.call("add_rows", spec, precision, rows.count // 4, alone=int(width) < 64)]


def scatter_add(out: Operand, ids: Operand, rows: Operand, precision: str) -> list[Call]:
    """The calls that add rows up in a table of zeros."""
    return [*fill(out, 0, precision), *add_rows(out, ids, rows, precision)]


def merge_rows(
    out: Operand,
    ids: Operand,
    rows: Operand,
    places: Operand,
    count: int,
    precision: str,
    space: Space,
) -> list[Call]:
    """The calls that add up, for each place, all rows that have its id."""
    number = total(ids.extents)
    if not out.count:
        return []
    if not number:
        return fill(out, 0, precision)
    shape = rows.extents[len(ids.extents) :]
    numbers = space((count,), "int")
    own, wanted = space(ids.extents, "int"), space(places.extents, "int")
    sums = space((number + 1, *shape), rows.kind)
    making = Making()
    spec = (
        _ids(making, ids, count),
        _ids(making, places, count),
        making.operand(numbers),
        making.address(own.address),
        making.address(wanted.address),
    )
    work = number + total(places.extents)
    return [
        making.call("number_rows", spec, precision, work, alone=True),
        *scatter_add(sums, own, rows, precision),
        *gather(out, sums, wanted, precision),
    ]


def pick(out: Operand, x: Operand, ids: Operand, precision: str) -> list[Call]:
    """The call that reads one number of each row."""
    return _single("pick", out, x, ids, x.extents[-1], x.strides, precision)


def spread(out: Operand, ids: Operand, values: Operand, precision: str) -> list[Call]:
    """The calls that put one number into each row of zeros."""
    if not isinstance(out.extents[-1], RuntimeSize) and out.extents[-1] <= FEW_NUMBERS:
        return _single("spread", values, out, ids, out.extents[-1], out.strides, precision)
    calls = _single("spread", values, out, ids, out.extents[-1], out.strides, precision)
    return [*fill(out, 0, precision), *calls]


def _single(
    family: str,
    numbers: Operand,
    rows: Operand,
    ids: Operand,
    count: int,
    strides: Sequence[int],
    precision: str,
) -> list[Call]:
    if not numbers.count:
        return []
    making = Making()
    spec = Gathering(
        _ids(making, ids, count),
        (),
        Access(making.operand(rows), rows.kind, making.all(strides)),
        Access(making.operand(numbers), numbers.kind, making.all(numbers.strides)),
    )
    return [making.call(family, spec, precision, numbers.count)]


def _row(e: Emit, ids: Ids, places: Sequence[Any]) -> Any:
    """The row that an id names."""
    found = e.load(e.address(ids.place), e.offset(places, ids.strides), "int")
    return e.most(e.least(found, e.sub(ids.rows, 1)), 0)


def _each_row(e: Emit, spec: Gathering, element: Any) -> None:
    start, stop = e.share(e.count(spec.ids.extents))
    with e.loop(start, stop) as index:
        places = e.places(index, spec.ids.extents)
        row = _row(e, spec.ids, places)
        element(places, row)


def _columns(e: Emit, extents: tuple[Number, ...], near: bool, element: Any) -> None:
    """All columns, the last axis by vectors where its numbers lie side by side."""
    if not extents:
        element([], 1)
        return
    *outer, inner = extents
    with e.nest(outer) as places:
        width = e.width if near else 1
        whole = e.sub(inner, e.rem(inner, width))
        with e.loop(0, whole, width) as place:
            element([*places, place], width)
        if width > 1 and not (isinstance(inner, int) and inner % width == 0):
            with e.loop(whole, inner) as place:
                element([*places, place], 1)


@writer("gather")
def _write_gather(e: Emit, spec: Gathering) -> None:
    _move(e, spec, spec.table, spec.out, to_table=False)


@writer("put")
def _write_put(e: Emit, spec: Gathering) -> None:
    _move(e, spec, spec.table, spec.out, to_table=True)


def _move(e: Emit, spec: Gathering, table: Access, out: Access, to_table: bool) -> None:
    near = bool(spec.columns) and table.strides[-1] == 1 and out.strides[-1] == 1
    bases = e.address(table.place), e.address(out.place)
    rank = len(spec.ids.extents)

    def line(places: Sequence[Any], row: Any) -> None:
        start = e.offset(places, out.strides[:rank])
        begin = e.mul(row, table.strides[0])

        def element(columns: Sequence[Any], width: int) -> None:
            there = e.add(begin, e.offset(columns, table.strides[1:]))
            here = e.add(start, e.offset(columns, out.strides[rank:]))
            if to_table:
                value = e.load(bases[1], here, out.kind, width)
                e.store(value, bases[0], there, table.kind, width)
            else:
                value = e.load(bases[0], there, table.kind, width)
                e.store(value, bases[1], here, out.kind, width)

        _columns(e, spec.columns, near, element)

    _each_row(e, spec, line)


@writer("add_rows")
def _write_add(e: Emit, spec: Adding) -> None:
    table, rows = e.address(spec.table.place), e.address(spec.rows.place)
    first, last = e.share(spec.width, 4 * e.width)
    near = spec.table.strides[-1] == 1 and spec.rows.strides[-1] == 1
    with e.loop(0, e.count(spec.ids.extents)) as index:
        places = e.places(index, spec.ids.extents)
        begin = e.mul(_row(e, spec.ids, places), spec.table.strides[0])
        start = e.offset(places, spec.rows.strides[:-1])

        def element(place: Any, width: int) -> None:
            there = e.add(begin, e.mul(place, spec.table.strides[-1]))
            here = e.add(start, e.mul(place, spec.rows.strides[-1]))
            value = e.load(rows, here, spec.rows.kind, width)
            known = e.load(table, there, spec.table.kind, width)
            plus = e.build.fadd if spec.table.kind == "float" else e.build.add
            e.store(plus(known, value), table, there, spec.table.kind, width)

        width = e.width if near else 1
        length = e.sub(last, first)
        whole = e.add(first, e.sub(length, e.rem(length, width)))
        with e.loop(first, whole, width) as place:
            element(place, width)
        if width > 1:
            with e.loop(whole, last) as place:
                element(place, 1)


@writer("number_rows")
def _write_number_rows(e: Emit, spec: tuple[Ids, Ids, Argument, Argument, Argument]) -> None:
    ids, places, *kept = spec
    numbers, own, wanted = (e.address(place) for place in kept)
    count = e.count(ids.extents)

    def each(of: Ids, element: Any) -> None:
        with e.loop(0, e.count(of.extents)) as index:
            element(index, _row(e, of, e.places(index, of.extents)))

    # What no row has, gets the row of zeros; every other id the last row that has it.
    each(places, lambda _, row: e.store(count, numbers, row, "int"))
    each(ids, lambda index, row: e.store(index, numbers, row, "int"))
    for of, target in ((ids, own), (places, wanted)):
        each(of, lambda i, row, t=target: e.store(e.load(numbers, row, "int"), t, i, "int"))


@writer("pick")
def _write_pick(e: Emit, spec: Gathering) -> None:
    rows, numbers = e.address(spec.table.place), e.address(spec.out.place)

    def line(places: Sequence[Any], row: Any) -> None:
        value = None
        for each in _few(spec.ids):
            one = e.load(rows, e.offset([*places, each], spec.table.strides), spec.table.kind)
            this = e.build.icmp_signed("==", row, e.number(each))
            value = one if value is None else e.build.select(this, one, value)
        if value is None:
            there = e.offset([*places, row], spec.table.strides)
            value = e.load(rows, there, spec.table.kind)
        e.store(value, numbers, e.offset(places, spec.out.strides), spec.out.kind)

    _each_row(e, spec, line)


@writer("spread")
def _write_spread(e: Emit, spec: Gathering) -> None:
    rows, numbers = e.address(spec.table.place), e.address(spec.out.place)

    def line(places: Sequence[Any], row: Any) -> None:
        value = e.load(numbers, e.offset(places, spec.out.strides), spec.out.kind)
        for each in _few(spec.ids):
            this = e.build.icmp_signed("==", row, e.number(each))
            one = e.build.select(this, value, e.zero(value.type))
            e.store(one, rows, e.offset([*places, each], spec.table.strides), spec.table.kind)
        if not _few(spec.ids):
            there = e.offset([*places, row], spec.table.strides)
            e.store(value, rows, there, spec.table.kind)

    _each_row(e, spec, line)


def _few(ids: Ids) -> range:
    """The rows where there are so few that looking at each is better than going to one."""
    few = isinstance(ids.rows, int) and ids.rows <= FEW_NUMBERS
    return range(ids.rows if few and isinstance(ids.rows, int) else 0)
