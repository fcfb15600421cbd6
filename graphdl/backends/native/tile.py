"""The kernel of contractions: tiles of accumulators that stay in registers over the whole sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .cuts import Cut, Repeated, Span, Vectors, lanes_below, part
from .emit import Emit, Variable
from .library import writer
from .masked import Masked
from .packed import Packed
from .tiling import Tile

FAMILY = "tile"


@writer(FAMILY)
def _write(e: Emit, spec: Tile) -> None:
    _Writer(e, spec).write()


class _Writer(Masked):
    def __init__(self, e: Emit, spec: Tile) -> None:
        super().__init__(e, e.address(spec.out), [])
        self.spec = spec
        self.x, self.y = e.address(spec.x), e.address(spec.y)
        self.lanes = e.width if spec.mode != "each" or spec.vector.extent != 1 else 1

    def write(self) -> None:
        e, spec = self.e, self.spec
        rows = Cut(e, spec.rows.extent, spec.height)
        if spec.mode == "broad":
            across: Cut = Vectors(e, spec.vector.extent, spec.width)
        else:
            across = Cut(e, spec.columns.extent, spec.width)
        extents = [axis.extent for axis in spec.outer[: len(spec.outer) - spec.free]]
        if spec.free:
            free = [axis.extent for axis in spec.outer[len(extents) :]]
            rows = Repeated(e, rows, e.count(free), free, self.places)
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
        x = e.add(e.offset(self.places, [a.x for a in spec.outer]), e.mul(m, spec.rows.x))
        y = e.offset(self.places, [a.y for a in spec.outer])
        out = e.add(e.offset(self.places, [a.out for a in spec.outer]), e.mul(m, spec.rows.out))
        if spec.mode == "broad":
            y, out = e.add(y, n), e.add(out, n)
            self._broad(x, y, out, height, width)
            return
        y, out = e.add(y, e.mul(n, spec.columns.y)), e.add(out, e.mul(n, spec.columns.out))
        if spec.mode == "dot":
            self._dot(x, y, out, height, width)
            return
        if spec.vector.extent == 1:
            self._each(x, y, out, height, width, 1)
            return
        stop = e.number(spec.vector.extent)
        whole = e.sub(stop, e.rem(stop, e.width))
        with e.loop(0, whole, e.width) as v:
            self._each(e.add(x, v), e.add(y, v), e.add(out, v), height, width, e.width)
        if not (isinstance(spec.vector.extent, int) and spec.vector.extent % e.width == 0):
            with e.loop(whole, stop) as v:
                self._each(e.add(x, v), e.add(y, v), e.add(out, v), height, width, 1)

    def _accumulators(self, height: int, width: int, kind: Any) -> list[list[Variable]]:
        return [[self._fresh(kind) for _ in range(width)] for _ in range(height)]

    def _fresh(self, kind: Any) -> Variable:
        return self.e.variable(kind, self.e.zero(kind))

    def _broad(self, x: Any, y: Any, out: Any, height: int, vectors: Span) -> None:
        e, spec = self.e, self.spec
        kind = e.vector(e.real, e.width)
        sums = self._accumulators(height, vectors.count, kind)

        def add(dx: Any, dy: Any) -> None:
            at = e.add(y, dy)
            columns = [
                self.load(self.y, e.add(at, v * e.width), vectors.mask(v))
                for v in range(vectors.count)
            ]
            for row in range(height):
                place = e.add(e.add(x, dx), e.mul(row, spec.rows.x))
                number = e.splat(e.load(self.x, place, "float"), e.width)
                for v, column in enumerate(columns):
                    total = sums[row][v]
                    total.set(e.fma(number, column, total.get()))

        self._sum(add)
        for row in range(height):
            at = e.add(out, e.mul(row, spec.rows.out))
            for v in range(vectors.count):
                self.store(sums[row][v].get(), e.add(at, v * e.width), vectors.mask(v))

    def _dot(self, x: Any, y: Any, out: Any, height: int, width: int) -> None:
        e, spec = self.e, self.spec
        kind = e.vector(e.real, e.width)
        sums = self._accumulators(height, width, kind)
        extent = spec.vector.extent
        whole = e.sub(extent, e.rem(extent, e.width))

        def vector(dx: Any, dy: Any, mask: Any) -> None:
            columns = [
                self.load(self.y, e.add(e.add(y, dy), e.mul(c, spec.columns.y)), mask)
                for c in range(width)
            ]
            for row in range(height):
                place = e.add(e.add(x, dx), e.mul(row, spec.rows.x))
                number = self.load(self.x, place, mask)
                for c, column in enumerate(columns):
                    total = sums[row][c]
                    total.set(e.fma(number, column, total.get()))

        def add(dx: Any, dy: Any) -> None:
            with e.loop(0, whole, e.width) as v:
                vector(e.add(dx, v), e.add(dy, v), None)
            if isinstance(extent, int):
                if extent % e.width:
                    vector(e.add(dx, whole), e.add(dy, whole), lanes_below(e, extent % e.width))
                return
            rest = e.sub(extent, whole)
            with e.when(e.build.icmp_signed(">", rest, e.number(0))):
                vector(e.add(dx, whole), e.add(dy, whole), lanes_below(e, rest))

        self._sum(add)
        for row in range(height):
            for c in range(width):
                value = e.across(sums[row][c].get(), e.build.fadd)
                at = e.add(e.mul(row, spec.rows.out), e.mul(c, spec.columns.out))
                e.store(value, self.out, e.add(out, at), "float")

    def _each(self, x: Any, y: Any, out: Any, height: int, width: int, lanes: int) -> None:
        e, spec = self.e, self.spec
        sums = self._accumulators(height, width, e.vector(e.real, lanes))

        def add(dx: Any, dy: Any) -> None:
            columns = [
                e.load(self.y, e.add(e.add(y, dy), e.mul(c, spec.columns.y)), "float", lanes)
                for c in range(width)
            ]
            for row in range(height):
                place = e.add(e.add(x, dx), e.mul(row, spec.rows.x))
                number = e.load(self.x, place, "float", lanes)
                for c, column in enumerate(columns):
                    total = sums[row][c]
                    total.set(e.fma(number, column, total.get()))

        self._sum(add)
        for row in range(height):
            for c in range(width):
                at = e.add(e.mul(row, spec.rows.out), e.mul(c, spec.columns.out))
                e.store(sums[row][c].get(), self.out, e.add(out, at), "float", lanes)

    # ---- the sum -------------------------------------------------------------------------

    def _sum(self, add: Callable[[Any, Any], None]) -> None:
        """Call `add(dx, dy)` for every place of the summed loops that is inside."""
        zero = self.e.number(0)
        settled = len(self.spec.outer)
        self._guarded(settled, None, zero, zero, lambda dx, dy: self._deeper(0, dx, dy, add))

    def _deeper(self, level: int, dx: Any, dy: Any, add: Callable[[Any, Any], None]) -> None:
        e, spec = self.e, self.spec
        if level == len(spec.inner):
            add(dx, dy)
            return
        axis = spec.inner[level]
        with e.loop(0, axis.extent) as place:
            self.places.append(place)
            x = e.add(dx, e.mul(place, axis.x))
            y = e.add(dy, e.mul(place, axis.y))
            settled = len(self.places)
            self._guarded(
                settled, settled - 1, x, y, lambda x, y: self._deeper(level + 1, x, y, add)
            )
            self.places.pop()

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
