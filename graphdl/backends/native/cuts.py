"""Extents cut into tiles, and which of their lanes are inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from .emit import WORD, Emit
from .number import Number


class Cut:
    """An extent cut into tiles: full ones, then a smaller one, or single ones if it varies."""

    def __init__(self, e: Emit, extent: Number, size: int) -> None:
        self.e, self.extent, self.size = e, extent, size
        self.known = isinstance(extent, int)
        self.full = e.div(extent, size)
        self.count = e.div(e.add(extent, size - 1), size)

    def each(self, index: Any, tile: Callable[[Any, Any], None]) -> None:
        """`tile(start, size)` for the tile number `index`."""
        e, size = self.e, self.size
        start = e.mul(index, size)
        if isinstance(self.extent, int) and self.extent % size == 0:
            tile(start, size)
            return
        if isinstance(self.extent, int) and self.extent < size:
            tile(start, self.extent)
            return
        whole = e.build.icmp_signed("<", index, self.full)
        with e.build.if_else(whole) as (then, otherwise):
            with then:
                tile(start, size)
            with otherwise:
                if isinstance(self.extent, int):
                    tile(start, self.extent % size)
                else:
                    with e.loop(start, self.extent) as place:
                        tile(place, 1)


class Repeated(Cut):
    """The tiles of rows once for every place of the outer loops that are free."""

    def __init__(
        self, e: Emit, rows: Cut, count: Any, extents: list[Number], places: list[Any]
    ) -> None:
        self.e, self.rows, self.extents, self.places = e, rows, extents, places
        self.count = e.mul(count, rows.count)

    def each(self, index: Any, tile: Callable[[Any, Any], None]) -> None:
        """`tile(start, size)` with the places of the free loops settled."""
        e, held = self.e, len(self.places)
        outer, row = e.div(index, self.rows.count), e.rem(index, self.rows.count)
        self.places += e.places(outer, self.extents)
        self.rows.each(row, tile)
        del self.places[held:]


class Span:
    """Vectors side by side, of which the last may be partly outside."""

    def __init__(self, count: int, mask: Any = None) -> None:
        self.count, self.last = count, mask

    def mask(self, number: int) -> Any:
        """Which lanes of a vector are inside; None for all."""
        return self.last if number == self.count - 1 else None


class Vectors(Cut):
    """A vector's label cut into tiles of several vectors, the last one of fewer, and of a part."""

    def __init__(self, e: Emit, extent: Number, count: int) -> None:
        super().__init__(e, extent, count * e.width)
        self.vectors = count

    def each(self, index: Any, tile: Callable[[Any, Any], None]) -> None:
        """`tile(start, span)` for the tile number `index`."""
        e, size = self.e, self.size
        start = e.mul(index, size)
        if isinstance(self.extent, int):
            rest = self.extent % size
            if not rest:
                tile(start, Span(self.vectors))
                return
            odd = rest % e.width
            small = Span(-(-rest // e.width), lanes_below(e, odd) if odd else None)
            if self.extent < size:
                tile(start, small)
                return
        whole = e.build.icmp_signed("<", index, self.full)
        with e.build.if_else(whole) as (then, otherwise):
            with then:
                tile(start, Span(self.vectors))
            with otherwise:
                if isinstance(self.extent, int):
                    tile(start, small)
                else:
                    self._rest(start, tile)

    def _rest(self, start: Any, tile: Callable[[Any, Any], None]) -> None:
        """Single vectors, of which the last may be a part; one text serves them all."""
        e = self.e
        stop = e.number(self.extent)
        with e.loop(start, stop, e.width) as place:
            tile(place, Span(1, lanes_below(e, e.sub(stop, place))))


def lanes_below(e: Emit, count: Any) -> Any:
    """The first `count` lanes."""
    bits = ir.VectorType(ir.IntType(1), e.width)
    if isinstance(count, int):
        return ir.Constant(bits, [1] * count + [0] * (e.width - count))
    lanes = ir.Constant(ir.VectorType(WORD, e.width), list(range(e.width)))
    return e.build.icmp_signed("<", lanes, e.splat(count, e.width))


def part(e: Emit, count: Any, thread: Any, threads: Any) -> tuple[Any, Any]:
    """From where to where one of `threads` goes of `count`."""
    first = e.build.udiv(e.build.mul(count, thread), threads)
    last = e.build.udiv(e.build.mul(count, e.add(thread, 1)), threads)
    return first, last
