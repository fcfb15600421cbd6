"""Tiles of large products: what they read again and again is first put side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .cuts import Cut, Span
from .emit import Emit
from .masked import Masked
from .tiling import DEPTH, Tile


class Packed(Masked):
    """Writes the loops over blocks of the sum, and the tiles inside."""

    def __init__(self, e: Emit, spec: Tile, places: list[Any]) -> None:
        super().__init__(e, e.address(spec.out), places)
        self.spec = spec
        self.x, self.y = e.address(spec.x), e.address(spec.y)
        side = spec.width * e.width if spec.packing == "y" else spec.height
        self.panel = e.room(e.real, DEPTH * side)
        self.block: tuple[Any, Any] = (0, 0)

    def write(self, rows: Cut, across: Cut, tall: Any, wide: Any) -> None:
        """Block by block of the sum; each goes on with what the result holds."""
        e, spec = self.e, self.spec
        with e.loop(0, spec.inner[0].extent, spec.block) as start:
            stop = e.least(e.add(start, spec.block), spec.inner[0].extent)
            self.block = start, stop
            if spec.packing == "x":
                with e.loop(*tall) as row:
                    rows.each(row, lambda m, height: self._rows_packed(m, height, across, wide))
            else:
                with e.loop(tall[0], tall[1], spec.group) as first:
                    last = e.least(e.add(first, spec.group), tall[1])
                    with e.loop(*wide) as column:
                        across.each(
                            column,
                            lambda n, span: self._columns_packed(n, span, rows, (first, last)),
                        )

    def _rows_packed(self, m: Any, height: int, across: Cut, wide: Any) -> None:
        e, spec = self.e, self.spec
        x = e.add(e.offset(self.places, [a.x for a in spec.outer]), e.mul(m, spec.rows.x))

        def pack(dx: Any, _: Any, place: Any) -> None:
            for row in range(height):
                number = e.load(self.x, e.add(e.add(x, dx), e.mul(row, spec.rows.x)), "float")
                e.store(number, self.panel, e.add(e.mul(place, height), row), "float")

        self._each_place(pack)
        with e.loop(*wide) as column:
            across.each(column, lambda n, span: self._tile_packed(m, height, n, span))

    def _columns_packed(self, n: Any, span: Span, rows: Cut, tall: Any) -> None:
        e, spec = self.e, self.spec
        held = spec.outer[: len(self.places)]
        y = e.add(e.offset(self.places, [a.y for a in held]), n)

        def pack(_: Any, dy: Any, place: Any) -> None:
            for v in range(span.count):
                vector = self.load(self.y, e.add(e.add(y, dy), v * e.width), span.mask(v))
                at = e.add(e.mul(place, span.count * e.width), v * e.width)
                e.store(vector, self.panel, at, "float", e.width)

        self._each_place(pack)
        with e.loop(*tall) as row:
            rows.each(row, lambda m, height: self._tile_packed(m, height, n, span))

    def _tile_packed(self, m: Any, height: int, n: Any, span: Span) -> None:
        e, spec = self.e, self.spec
        x = e.add(e.offset(self.places, [a.x for a in spec.outer]), e.mul(m, spec.rows.x))
        y = e.add(e.offset(self.places, [a.y for a in spec.outer]), n)
        out = e.offset(self.places, [a.out for a in spec.outer])
        out = e.add(e.add(out, e.mul(m, spec.rows.out)), n)
        kind = e.vector(e.real, e.width)
        sums = [[e.variable(kind) for _ in range(span.count)] for _ in range(height)]
        places = [
            [e.add(e.add(out, e.mul(row, spec.rows.out)), v * e.width) for v in range(span.count)]
            for row in range(height)
        ]
        begins = e.build.icmp_signed("==", self.block[0], e.number(0))
        with e.build.if_else(begins) as (first, later):
            with first:
                for line in sums:
                    for total in line:
                        total.set(e.zero(kind))
            with later:
                for line, at in zip(sums, places, strict=True):
                    for v, total in enumerate(line):
                        total.set(self.load(self.out, at[v], span.mask(v)))

        def add(dx: Any, dy: Any, place: Any) -> None:
            if spec.packing == "y":
                at, base = e.mul(place, span.count * e.width), self.panel
                columns = [
                    e.load(base, e.add(at, v * e.width), "float", e.width)
                    for v in range(span.count)
                ]
            else:
                at = e.add(y, dy)
                columns = [
                    self.load(self.y, e.add(at, v * e.width), span.mask(v))
                    for v in range(span.count)
                ]
            for row in range(height):
                if spec.packing == "x":
                    number = e.load(self.panel, e.add(e.mul(place, height), row), "float")
                else:
                    far = e.add(e.add(x, dx), e.mul(row, spec.rows.x))
                    number = e.load(self.x, far, "float")
                wide = e.splat(number, e.width)
                for v, column in enumerate(columns):
                    sums[row][v].set(e.fma(wide, column, sums[row][v].get()))

        self._each_place(add)
        for line, at in zip(sums, places, strict=True):
            for v, total in enumerate(line):
                self.store(total.get(), at[v], span.mask(v))

    def _each_place(self, visit: Callable[[Any, Any, Any], None]) -> None:
        """`visit(dx, dy, place)` for the places of this block, counted from 0."""
        e, spec = self.e, self.spec
        rest = spec.inner[1:]
        start, stop = self.block
        count = e.count([axis.extent for axis in rest])
        with e.loop(start, stop) as outer, e.nest([axis.extent for axis in rest]) as inner:
            places = [outer, *inner]
            dx = e.offset(places, [axis.x for axis in spec.inner])
            dy = e.offset(places, [axis.y for axis in spec.inner])
            place = e.mul(e.sub(outer, start), count)
            weight: Any = 1
            for axis, at in zip(reversed(rest), reversed(inner), strict=True):
                place = e.add(place, e.mul(at, weight))
                weight = e.mul(weight, axis.extent)
            visit(dx, dy, place)
