"""The kernel of contractions: tiles of accumulators that stay in registers over the whole sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

from ..compile.library import writer
from ..emit.emit import Emit, Variable
from ..emit.runtime_sizes import Number
from .masked import Masked
from .packed import Packed
from .tile_edges import Cut, Line, Span, Vectors, lanes_below, lines, part
from .tile_spec import Axis, Tile

FAMILY = "tile"
# So many products are added one by one, then their sum is set aside. What rounding loses grows with
# the 512 and the number of such sums, no longer with their product (Higham, The accuracy of
# floating point summation, 1993); added in one go, the weight gradient of a million examples lost
# a hundredth.
MOST_ADDED = 512


@writer(FAMILY)
def _write(e: Emit, spec: Tile) -> None:
    _Writer(e, spec).write()


class _Writer(Masked):
    def __init__(self, e: Emit, spec: Tile) -> None:
        super().__init__(e, spec, [])
        self.lanes = e.width if spec.mode != "each" or spec.vector.extent != 1 else 1
        self.sums: list[Variable] = []

    def write(self) -> None:
        e, spec = self.e, self.spec
        rows = Cut(e, _count(e, spec.tall), spec.height)
        if spec.mode == "broad":
            across: Cut = Vectors(e, spec.vector.extent, spec.width)
        else:
            across = Cut(e, spec.columns.extent, spec.width)
        extents = [axis.extent for axis in spec.fixed]
        if spec.apart:
            start, stop = e.share(e.count(extents))
            with e.loop(start, stop) as index:
                self.places[:] = e.places(index, extents)
                self._tiles(rows, across, (e.number(0), rows.count), (e.number(0), across.count))
            return
        tall = e.build.icmp_signed(">=", rows.count, across.count)
        with e.nest(extents) as places:
            self.places[:] = places
            # The one that has more tiles is shared.
            one = e.number(1)
            whole = (
                e.build.select(tall, e.thread, e.number(0)),
                e.build.select(tall, e.threads, one),
            )
            side = e.build.select(tall, e.number(0), e.thread), e.build.select(tall, one, e.threads)
            self._tiles(rows, across, part(e, rows.count, *whole), part(e, across.count, *side))

    def _tiles(self, rows: Cut, across: Cut, tall: Any, wide: Any) -> None:
        e, spec = self.e, self.spec
        if spec.packing:
            Packed(e, spec, self.places).write(rows, across, tall, wide)
            return
        group = spec.group
        with e.loop(tall[0], tall[1], group) as first:
            last = e.least(e.add(first, group), tall[1])
            with e.loop(wide[0], wide[1]) as column, e.loop(first, last) as row:
                rows.each(
                    row,
                    lambda m, height: across.each(
                        column, lambda n, width: self._tile(m, height, n, width)
                    ),
                )

    # ---- one tile ------------------------------------------------------------------------

    def _tile(self, m: Any, height: int, n: Any, width: Any) -> None:
        e, spec = self.e, self.spec
        x, y, *ends = self.bases()
        rows = lines(e, spec.tall, m, height)
        if spec.mode == "broad":
            self._broad(x, y, ends, rows, n, width)
            return
        columns = lines(e, [spec.columns], n, width)
        if spec.mode == "dot":
            self._dot(x, y, ends, rows, columns)
            return
        if spec.vector.extent == 1:
            self._each(x, y, ends, rows, columns, 0, 1)
            return
        stop = e.number(spec.vector.extent)
        whole = e.sub(stop, e.rem(stop, e.width))
        with e.loop(0, whole, e.width) as v:
            self._each(e.add(x, v), e.add(y, v), ends, rows, columns, v, e.width)
        if not (isinstance(spec.vector.extent, int) and spec.vector.extent % e.width == 0):
            with e.loop(whole, stop) as v:
                self._each(e.add(x, v), e.add(y, v), ends, rows, columns, v, 1)

    def _accumulators(self, height: int, width: int, kind: Any) -> list[list[Variable]]:
        e = self.e
        found = [[e.variable(kind, e.zero(kind)) for _ in range(width)] for _ in range(height)]
        self.sums = [total for totals in found for total in totals]
        return found

    def _broad(
        self, x: Any, y: Any, ends: list[Any], rows: list[Line], n: Any, vectors: Span
    ) -> None:
        e = self.e
        y = e.add(y, n)
        sums = self._accumulators(len(rows), vectors.count, e.vector(e.real, e.width))

        def add(dx: Any, dy: Any) -> None:
            at = e.add(y, dy)
            columns = [
                self.load(self.y, e.add(at, v * e.width), vectors.mask(v))
                for v in range(vectors.count)
            ]
            for row, totals in zip(rows, sums, strict=True):
                place = e.add(e.add(x, row.x), dx)
                number = e.splat(e.load(self.x, place, "float"), e.width)
                for total, column in zip(totals, columns, strict=True):
                    total.set(e.fma(number, column, total.get()))

        self._sum(add)
        for row, totals in zip(rows, sums, strict=True):
            with e.when_inside(row.inside):
                for v, total in enumerate(totals):
                    places = self.ends(ends, e.add(n, v * e.width), row)
                    self.deliver(total.get(), places, vectors.mask(v), e.width)

    def _dot(self, x: Any, y: Any, ends: list[Any], rows: list[Line], columns: list[Line]) -> None:
        e = self.e
        sums = self._accumulators(len(rows), len(columns), e.vector(e.real, e.width))
        extent = self.spec.vector.extent
        whole = e.sub(extent, e.rem(extent, e.width))
        # Where nothing else is summed, this is what may be long.
        long = extent if not self.spec.inner else 0

        def vector(dx: Any, dy: Any, mask: Any) -> None:
            seen = [self.load(self.y, e.add(e.add(y, c.y), dy), mask) for c in columns]
            for row, totals in zip(rows, sums, strict=True):
                number = self.load(self.x, e.add(e.add(x, row.x), dx), mask)
                for total, column in zip(totals, seen, strict=True):
                    total.set(e.fma(number, column, total.get()))

        def add(dx: Any, dy: Any) -> None:
            def along(start: Any, stop: Any) -> None:
                with e.loop(start, stop, e.width) as v:
                    vector(e.add(dx, v), e.add(dy, v), None)

            self._by_stretches(whole, MOST_ADDED * e.width, along, long)
            if isinstance(extent, int):
                if extent % e.width:
                    vector(e.add(dx, whole), e.add(dy, whole), lanes_below(e, extent % e.width))
                return
            rest = e.sub(extent, whole)
            with e.when(e.build.icmp_signed(">", rest, e.number(0))):
                vector(e.add(dx, whole), e.add(dy, whole), lanes_below(e, rest))

        self._sum(add)

        for row, column, total in self._results(rows, columns, sums):
            value = e.across(total.get(), e.build.fadd)
            self.deliver(value, self.ends(ends, 0, row, column), None, 1)

    def _each(
        self,
        x: Any,
        y: Any,
        ends: list[Any],
        rows: list[Line],
        columns: list[Line],
        n: Any,
        lanes: int,
    ) -> None:
        e = self.e
        sums = self._accumulators(len(rows), len(columns), e.vector(e.real, lanes))

        def add(dx: Any, dy: Any) -> None:
            seen = [e.load(self.y, e.add(e.add(y, c.y), dy), "float", lanes) for c in columns]
            for row, totals in zip(rows, sums, strict=True):
                number = e.load(self.x, e.add(e.add(x, row.x), dx), "float", lanes)
                for total, column in zip(totals, seen, strict=True):
                    total.set(e.fma(number, column, total.get()))

        self._sum(add)
        for row, column, total in self._results(rows, columns, sums):
            self.deliver(total.get(), self.ends(ends, n, row, column), None, lanes)

    def _results(
        self, rows: list[Line], columns: list[Line], sums: list[list[Variable]]
    ) -> Iterator[tuple[Line, Line, Variable]]:
        """Every row and column that is one, with its sum."""
        for row, totals in zip(rows, sums, strict=True):
            with self.e.when_inside(row.inside):
                for column, total in zip(columns, totals, strict=True):
                    with self.e.when_inside(column.inside):
                        yield row, column, total

    # ---- the sum -------------------------------------------------------------------------

    def _sum(self, add: Callable[[Any, Any], None]) -> None:
        """Call `add(dx, dy)` for every place of the summed loops that is inside."""
        zero = self.e.number(0)
        settled = len(self.spec.fixed)
        self._guarded(settled, None, zero, zero, lambda dx, dy: self._deeper(0, dx, dy, add))

    def _deeper(self, level: int, dx: Any, dy: Any, add: Callable[[Any, Any], None]) -> None:
        e, spec = self.e, self.spec
        if level == len(spec.inner):
            add(dx, dy)
            return
        axis = spec.inner[level]

        def along(start: Any, stop: Any) -> None:
            with e.loop(start, stop) as place:
                self.places.append(place)
                x = e.add(dx, e.mul(place, axis.x))
                y = e.add(dy, e.mul(place, axis.y))
                settled = len(self.places)
                self._guarded(
                    settled, settled - 1, x, y, lambda x, y: self._deeper(level + 1, x, y, add)
                )
                self.places.pop()

        if level:
            along(0, axis.extent)
            return
        inside = [deeper.extent for deeper in spec.inner[1:]]
        each = prod(n for n in inside if isinstance(n, int))
        self._by_stretches(axis.extent, max(1, MOST_ADDED // each), along, axis.extent)

    def _by_stretches(
        self, extent: Any, length: int, along: Callable[[Any, Any], None], most: Number
    ) -> None:
        """`along(start, stop)` over an extent, between stretches of which sums are set aside.

        So that each is added up from a few long numbers and not from many short ones. `most` is as
        long as it gets.
        """
        e = self.e
        if isinstance(most, int) and most <= length:
            along(0, extent)
            return
        kind = self.sums[0].kind
        lanes = getattr(kind, "count", 1)
        aside = e.room(e.real, len(self.sums) * lanes)

        def kept(number: int) -> Any:
            return e.load(aside, number * lanes, "float", lanes)

        with e.loop(0, extent, length) as start:
            stop = e.least(e.add(start, length), extent)
            along(start, stop)
            with e.when(e.build.icmp_signed("<", stop, e.number(extent))):
                first = e.build.icmp_signed("==", start, e.number(0))
                for number, total in enumerate(self.sums):
                    before = e.build.select(first, e.zero(kind), kept(number))
                    value = e.build.fadd(before, total.get())
                    e.store(value, aside, e.number(number * lanes), "float", lanes)
                    total.set(e.zero(kind))
        with e.when(e.build.icmp_signed(">", e.number(extent), e.number(length))):
            for number, total in enumerate(self.sums):
                total.set(e.build.fadd(kept(number), total.get()))

    def _guarded(
        self, settled: int, newest: int | None, dx: Any, dy: Any, then: Callable[[Any, Any], None]
    ) -> None:
        """`then` where the guards hold that are decided now."""
        e = self.e
        inside = None
        for guard in self.spec.guards:
            known = max(guard.position, guard.offset)
            decided = known == newest if newest is not None else known < settled
            if not decided:
                continue
            index = e.add(
                e.add(
                    e.mul(self.places[guard.position], guard.a),
                    e.mul(self.places[guard.offset], guard.b),
                ),
                guard.c,
            )
            end = e.mul(guard.size, guard.step)
            # As unsigned numbers, those below zero are above everything.
            fits = e.build.icmp_unsigned("<", index, e.number(end))
            if guard.step != 1:
                even = e.build.icmp_signed("==", e.rem(index, guard.step), e.number(0))
                fits = e.build.and_(fits, even)
                worth = e.mul(e.div(index, guard.step), guard.stride)
                dx, dy = (dx, e.add(dy, worth)) if guard.columns else (e.add(dx, worth), dy)
            inside = fits if inside is None else e.build.and_(inside, fits)
        if inside is None:
            then(dx, dy)
            return
        with e.when(inside):
            then(dx, dy)


def _count(e: Emit, axes: Sequence[Axis]) -> Any:
    """How many places axes have together: a number if that is known."""
    extents = [axis.extent for axis in axes]
    if all(isinstance(extent, int) for extent in extents):
        return prod(int(extent) for extent in extents if isinstance(extent, int))
    return e.count(extents) if len(extents) > 1 else extents[0]
