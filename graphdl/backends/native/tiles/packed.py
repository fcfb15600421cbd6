"""Tiles of large products: what they read again and again is first put side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..emit.emit import Emit
from .masked import Masked
from .tile_edges import Cut, Span, lanes_below, lines
from .tile_spec import PACKED_DEPTH, Tile


class Packed(Masked):
    """Writes the loops over blocks of the sum, and the tiles inside."""

    def __init__(self, e: Emit, spec: Tile, places: list[Any]) -> None:
        super().__init__(e, spec, places)
        if "x" in spec.packing:
            assert isinstance(spec.group, int)
            # A vector may be stored past the last number of a tile.
            self.slot = PACKED_DEPTH * spec.height + e.width
            self.tall_panel = e.room(e.real, self.slot * spec.group)
        if "y" in spec.packing:
            self.wide_panel = e.room(e.real, PACKED_DEPTH * spec.width * e.width)
        self.block: tuple[Any, Any] = (0, 0)
        self.first: Any = 0

    def write(self, rows: Cut, across: Cut, tall: Any, wide: Any) -> None:
        """Block by block of the sum; each goes on with what the result holds."""
        e, spec = self.e, self.spec
        with e.loop(0, spec.inner[0].extent, spec.block) as start:
            stop = e.least(e.add(start, spec.block), spec.inner[0].extent)
            self.block = start, stop
            with e.loop(tall[0], tall[1], spec.group) as first:
                self.first = first
                last = e.least(e.add(first, spec.group), tall[1])
                if "x" in spec.packing:
                    self._pack_tall(rows, first, last)
                with e.loop(*wide) as column:
                    across.each(column, lambda n, span: self._column(n, span, rows, (first, last)))

    def _column(self, n: Any, span: Span, rows: Cut, tall: tuple[Any, Any]) -> None:
        if "y" in self.spec.packing:
            self._pack_column(n, span)
        with self.e.loop(*tall) as row:
            rows.each(row, lambda m, height: self._tile(row, m, height, n, span))

    def _slot(self, row: Any) -> Any:
        """Where a tile of rows begins in its panel."""
        return self.e.mul(self.e.sub(row, self.first), self.slot)

    def _pack_tall(self, rows: Cut, first: Any, last: Any) -> None:
        """The numbers of a group of tiles, those of one place of the sum side by side."""
        e, tall = self.e, self.spec.tall
        x = self.bases()[0]
        if [axis.x for axis in tall] == [1] and isinstance(tall[0].extent, int):
            # They lie so already: place by place, which is how they follow each other in memory.
            def pack(dx: Any, _: Any, place: Any) -> None:
                with e.loop(first, last) as row:
                    rows.each(row, lambda m, height: self._pack_near(row, m, height, dx, place))

            self._each_place(pack)
            return
        with e.loop(first, last) as row:
            rows.each(row, lambda m, height: self._pack_rows(x, row, m, height))

    def _pack_near(self, row: Any, m: Any, height: int, dx: Any, place: Any) -> None:
        e = self.e
        source = e.add(e.add(self.bases()[0], m), dx)
        target = e.add(self._slot(row), e.mul(place, height))
        for start in range(0, height, e.width):
            mask = lanes_below(e, height - start) if start + e.width > height else None
            vector = self.load(self.x, e.add(source, start), mask)
            e.store(vector, self.tall_panel, e.add(target, start), "float", e.width)

    def _pack_rows(self, x: Any, row: Any, m: Any, height: int) -> None:
        e = self.e
        slot = self._slot(row)
        rows = lines(e, self.spec.tall, m, height)

        def pack(dx: Any, _: Any, place: Any) -> None:
            for number, line in enumerate(rows):
                value = e.load(self.x, e.add(e.add(x, line.x), dx), "float")
                at = e.add(slot, e.add(e.mul(place, height), number))
                e.store(value, self.tall_panel, at, "float")

        self._each_place(pack)

    def _pack_column(self, n: Any, span: Span) -> None:
        e, spec = self.e, self.spec
        y = e.add(self.bases()[1], e.mul(n, spec.vector.y))

        def pack(_: Any, dy: Any, place: Any) -> None:
            for v in range(span.count):
                far = e.add(e.add(y, dy), e.mul(v * e.width, spec.vector.y))
                vector = self.load(self.y, far, span.mask(v), spec.vector.y)
                at = e.add(e.mul(place, span.count * e.width), v * e.width)
                e.store(vector, self.wide_panel, at, "float", e.width)

        self._each_place(pack)

    def _tile(self, row: Any, m: Any, height: int, n: Any, span: Span) -> None:
        e, spec = self.e, self.spec
        x, y, *ends = self.bases()
        y = e.add(y, n)
        slot = self._slot(row) if "x" in spec.packing else None
        kind = e.vector(e.real, e.width)
        rows = lines(e, spec.tall, m, height)
        sums = [[e.variable(kind) for _ in range(span.count)] for _ in rows]
        places = [
            [self.ends(ends, e.add(n, v * e.width), line) for v in range(span.count)]
            for line in rows
        ]
        begins = e.build.icmp_signed("==", self.block[0], e.number(0))
        with e.build.if_else(begins) as (first, later):
            with first:
                for totals in sums:
                    for total in totals:
                        total.set(e.zero(kind))
            with later:
                for totals, at in zip(sums, places, strict=True):
                    for v, total in enumerate(totals):
                        total.set(self.load(self.out, at[v][0], span.mask(v)))

        def add(dx: Any, dy: Any, place: Any) -> None:
            columns = self._columns(span, e.add(y, dy), place)
            for number, (line, totals) in enumerate(zip(rows, sums, strict=True)):
                if slot is not None:
                    at = e.add(slot, e.add(e.mul(place, height), number))
                    value = e.load(self.tall_panel, at, "float")
                else:
                    value = e.load(self.x, e.add(e.add(x, line.x), dx), "float")
                wide = e.splat(value, e.width)
                for total, column in zip(totals, columns, strict=True):
                    total.set(e.fma(wide, column, total.get()))

        self._each_place(add)

        def write(finished: bool) -> None:
            for line, totals, at in zip(rows, sums, places, strict=True):
                with e.when_inside(line.inside):
                    for v, total in enumerate(totals):
                        self.deliver(total.get(), at[v], span.mask(v), e.width, finished)

        if spec.epilogue is None:
            write(True)
            return
        ends_here = e.build.icmp_signed("==", self.block[1], e.number(spec.inner[0].extent))
        with e.build.if_else(ends_here) as (last, earlier):
            with last:
                write(True)
            with earlier:
                write(False)

    def _columns(self, span: Span, y: Any, place: Any) -> list[Any]:
        e = self.e
        if "y" not in self.spec.packing:
            return [
                self.load(self.y, e.add(y, v * e.width), span.mask(v)) for v in range(span.count)
            ]
        at = e.mul(place, span.count * e.width)
        return [
            e.load(self.wide_panel, e.add(at, v * e.width), "float", e.width)
            for v in range(span.count)
        ]

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
