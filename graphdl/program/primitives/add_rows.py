"""Rows added into a table at the places that ids name, in the order in which they stand.

NumPy adds at single places several times faster than at whole rows, so rows are taken apart into
their numbers, or into pairs of them: adding complex numbers adds both parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import prod
from types import ModuleType

from ..primitive import Array, Call, Scratch
from .ordered import ordered

# Places worked out at a time; they stay in the cache until they are used.
BLOCK = 1 << 14
PAIRS = {"float32": "complex64", "float64": "complex128"}


def add_rows_calls(
    xp: ModuleType, scratch: Scratch, table: Array, ids: Array, rows: Array
) -> Iterator[Call]:
    """The calls that add each of `rows` to row `ids[i]` of `table`, whose numbers are in order."""
    if xp.__name__ != "numpy":
        yield partial(xp.add.at, table, ids, rows)
        return
    if rows.size == 0:
        return
    rows, copies = ordered(xp, scratch, rows)
    yield from copies
    width = prod(table.shape[1:])
    paired = width % 2 == 0 and table.dtype.name in PAIRS
    kind, width = (PAIRS[table.dtype.name], width // 2) if paired else (table.dtype, width)
    target, numbers = table.reshape(-1).view(kind), rows.reshape(-1).view(kind)
    starts = scratch(ids.shape, "int")
    yield partial(xp.multiply, ids, width, starts)
    yield from _in_blocks(xp, scratch, target, starts.reshape(-1, 1), numbers)


def _in_blocks(
    xp: ModuleType, scratch: Scratch, target: Array, starts: Array, numbers: Array
) -> Iterator[Call]:
    """Each of `numbers` added at its place: the start of its row and how far it is inside."""
    width = numbers.size // starts.size
    columns = xp.arange(width)
    count = max(1, min(BLOCK // width, len(starts)))
    places = scratch((count, width), "int")
    for start in range(0, len(starts), count):
        part = starts[start : start + count]
        found = places[: len(part)]
        values = numbers[start * width : (start + len(part)) * width]
        yield partial(xp.add, part, columns, found)
        yield partial(xp.add.at, target, found.reshape(-1), values)
