"""Extents cut into tiles: full ones and what is left at the edge.

An extent of 20 in vectors of 8 is 8 + 8 + 4: the last vector has four lanes inside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from ..emit.emit import Emit
from ..emit.function import WORD
from ..emit.runtime_sizes import Number
from .tile_spec import Axis


class Cut:
    """An extent cut into tiles: full ones, then a smaller one.

    Where the extent varies, all are full, and the last may lead outside: see `lines`.
    """

    def __init__(self, e: Emit, extent: Any, size: int) -> None:
        self.e, self.extent, self.size = e, extent, size
        self.count = e.div(e.add(extent, size - 1), size)

    def each(self, index: Any, tile: Callable[[Any, Any], None]) -> None:
        """`tile(start, size)` for the tile number `index`."""
        e, size = self.e, self.size
        start = e.mul(index, size)
        if not isinstance(self.extent, int) or self.extent % size == 0:
            tile(start, size)
            return
        if self.extent < size:
            tile(start, self.extent)
            return
        whole = e.build.icmp_signed("<", index, e.number(self.extent // size))
        with e.build.if_else(whole) as (then, otherwise):
            with then:
                tile(start, size)
            with otherwise:
                tile(start, self.extent % size)


@dataclass(frozen=True)
class Line:
    """A row or column of a tile: where it is in each operand, and whether it is one (None: it is).

    One that is outside is where the last one is, and must not be written.
    """

    x: Any
    y: Any
    out: Any
    rest: tuple[Any, ...]
    inside: Any


def lines(e: Emit, axes: Sequence[Axis], start: Any, count: int) -> list[Line]:
    """`count` lines from the place `start` on of one axis, or of several gone over as one."""
    extents = [axis.extent for axis in axes]
    exact = all(isinstance(extent, int) for extent in extents)
    strides = distances(axes, len(axes[-1].rest))
    if exact and len(axes) == 1:
        found = []
        for number in range(count):
            x, y, out, *rest = (e.add(e.mul(start, s), e.mul(number, s)) for (s,) in strides)
            found.append(Line(x, y, out, tuple(rest), None))
        return found
    found, before = [], list[Any]()
    places, end = e.places(start, extents), e.count(extents)
    for number in range(count):
        parts = [e.offset(places, of) for of in strides]
        inside = None
        if number and not exact:
            inside = e.build.icmp_signed("<", e.add(start, number), end)
            parts = [
                here if here is there else e.build.select(inside, here, there)
                for here, there in zip(parts, before, strict=True)
            ]
        before = parts
        found.append(Line(parts[0], parts[1], parts[2], tuple(parts[3:]), inside))
        places = _following(e, places, extents)
    return found


def distances(axes: Sequence[Axis], rest: int) -> list[list[Number]]:
    """The distances of all axes in x, in y, in the result, and in `rest` other operands."""
    own = [[a.x for a in axes], [a.y for a in axes], [a.out for a in axes]]
    return [*own, *([axis.rest[number] for axis in axes] for number in range(rest))]


def _following(e: Emit, places: Sequence[Any], extents: Sequence[Number]) -> list[Any]:
    """The places after these, the last axis running fastest."""
    found, more = list(places), e.number(1)
    for axis in reversed(range(len(places))):
        found[axis] = e.add(found[axis], more)
        if axis:
            past = e.build.icmp_signed("==", found[axis], e.number(extents[axis]))
            found[axis] = e.build.select(past, e.number(0), found[axis])
            more = e.build.zext(past, WORD)
    return found


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
        whole = e.build.icmp_signed("<", index, e.div(self.extent, size))
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
