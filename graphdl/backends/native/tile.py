"""The kernel of contractions: tiles of accumulators that stay in registers over the whole sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from llvmlite import ir

from .emit import WORD, Emit, Variable

from .library import writer
from .number import Number, Told

# The most summed places whose numbers are put side by side.
DEPTH = 256


@dataclass(frozen=True, slots=True)
class Axis:
    """An extent, and the distance in the operand with rows, the other one, and the result."""

    extent: Number
    x: Number
    y: Number
    out: Number


@dataclass(frozen=True, slots=True)
class Guard:
    """index = places[position]*a + places[offset]*b + c lies in [0, size*step), `step` divides it.

    Where it does not, nothing is added. `stride` (not 0 where the step is not 1) is what an index
    is worth in the operand, which is the one with rows unless `columns`.
    """

    position: int
    offset: int
    a: int
    b: int
    c: int
    size: Number
    step: int
    stride: Number
    columns: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """All loops of a contraction; see `contraction` for the modes.

    outer, inner   loops that the result has, and those that are summed; guards count them in turn
    height, width  rows, and columns or vectors, of a tile
    group          tiles of rows that are gone over before the next columns
    packing        "y": the vectors of a block of the sum are first put side by side, for many rows
                   to go over; "x": so are the numbers of a tile of rows, for many columns
    block          how much of the outermost summed loop is a block
    free           so many of the last outer loops go over the same vectors, and count as rows
    apart          whether threads share the outer loops; else they share the rows or columns
    """

    mode: Literal["broad", "dot", "each"]
    x: Told
    y: Told
    out: Told
    vector: Axis
    rows: Axis
    columns: Axis
    outer: tuple[Axis, ...]
    inner: tuple[Axis, ...]
    guards: tuple[Guard, ...]
    height: int
    width: int
    group: int
    apart: bool
    packing: Literal["", "x", "y"]
    block: Number
    free: int


class _Cut:
    """An extent cut into tiles: full ones, then a smaller one, or single ones if it varies."""

    def __init__(self, e: Emit, extent: Number, size: int) -> None:
        self.e, self.extent, self.size = e, extent, size
        self.known = isinstance(extent, int)
        self.full = e.div(extent, size)
        self.count = e.div(e.add(extent, size - 1), size)

    def each(self, index: Any, tile: Callable[[Any, int], None]) -> None:
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


@writer("tile")
def _write(e: Emit, spec: Tile) -> None:
    _Writer(e, spec).write()


class _Writer:
    def __init__(self, e: Emit, spec: Tile) -> None:
        self.e, self.spec = e, spec
        self.x, self.y, self.out = e.address(spec.x), e.address(spec.y), e.address(spec.out)
        self.places: list[Any] = []
        self.lanes = e.width if spec.mode != "each" or spec.vector.extent != 1 else 1

    def write(self) -> None:
        e, spec = self.e, self.spec
        rows = _Cut(e, spec.rows.extent, spec.height)
        if spec.mode == "broad":
            across: _Cut = _Vectors(e, spec.vector.extent, spec.width)
        else:
            across = _Cut(e, spec.columns.extent, spec.width)
        extents = [axis.extent for axis in spec.outer[: len(spec.outer) - spec.free]]
        if spec.free:
            free = [axis.extent for axis in spec.outer[len(extents) :]]
            rows = _Repeated(e, rows, e.count(free), free, self.places)
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
            whole = e.build.select(tall, e.thread, e.number(0)), e.build.select(tall, e.threads, one)
            side = e.build.select(tall, e.number(0), e.thread), e.build.select(tall, one, e.threads)
            self._tiles(
                rows, across, _part(e, rows.count, *whole), _part(e, across.count, *side)
            )

    def _tiles(self, rows: _Cut, across: _Cut, tall: Any, wide: Any) -> None:
        e, spec = self.e, self.spec
        if spec.packing:
            self._packed(rows, across, tall, wide)
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

    # ---- tiles of numbers put side by side -----------------------------------------------

    def _packed(self, rows: _Cut, across: _Cut, tall: Any, wide: Any) -> None:
        """Block by block of the sum; each goes on with what the result holds."""
        e, spec = self.e, self.spec
        side = spec.width * e.width if spec.packing == "y" else spec.height
        self.panel = e.room(e.real, DEPTH * side)
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

    def _rows_packed(self, m: Any, height: int, across: _Cut, wide: Any) -> None:
        e, spec = self.e, self.spec
        x = e.add(e.offset(self.places, [a.x for a in spec.outer]), e.mul(m, spec.rows.x))

        def pack(dx: Any, _: Any, place: Any) -> None:
            for row in range(height):
                number = e.load(self.x, e.add(e.add(x, dx), e.mul(row, spec.rows.x)), "float")
                e.store(number, self.panel, e.add(e.mul(place, height), row), "float")

        self._each_place(pack)
        with e.loop(*wide) as column:
            across.each(column, lambda n, span: self._tile_packed(m, height, n, span))

    def _columns_packed(self, n: Any, span: _Span, rows: _Cut, tall: Any) -> None:
        e, spec = self.e, self.spec
        held = spec.outer[: len(self.places)]
        y = e.add(e.offset(self.places, [a.y for a in held]), n)

        def pack(_: Any, dy: Any, place: Any) -> None:
            for v in range(span.count):
                vector = self._load(self.y, e.add(e.add(y, dy), v * e.width), span.mask(v))
                at = e.add(e.mul(place, span.count * e.width), v * e.width)
                e.store(vector, self.panel, at, "float", e.width)

        self._each_place(pack)
        with e.loop(*tall) as row:
            rows.each(row, lambda m, height: self._tile_packed(m, height, n, span))

    def _tile_packed(self, m: Any, height: int, n: Any, span: _Span) -> None:
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
                        total.set(self._load(self.out, at[v], span.mask(v)))

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
                    self._load(self.y, e.add(at, v * e.width), span.mask(v))
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
                self._store(total.get(), at[v], span.mask(v))

    def _each_place(self, visit: Callable[[Any, Any, Any], None]) -> None:
        """`visit(dx, dy, place)` for the places of this block, counted from 0."""
        e, spec = self.e, self.spec
        first, *rest = spec.inner
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
            self._each(x, y, out, height, width, 1, None)
            return
        stop = e.number(spec.vector.extent)
        whole = e.sub(stop, e.rem(stop, e.width))
        with e.loop(0, whole, e.width) as v:
            self._each(e.add(x, v), e.add(y, v), e.add(out, v), height, width, e.width, None)
        if not (isinstance(spec.vector.extent, int) and spec.vector.extent % e.width == 0):
            with e.loop(whole, stop) as v:
                self._each(e.add(x, v), e.add(y, v), e.add(out, v), height, width, 1, None)

    def _accumulators(self, height: int, width: int, kind: Any) -> list[list[Variable]]:
        return [[self._fresh(kind) for _ in range(width)] for _ in range(height)]

    def _fresh(self, kind: Any) -> Variable:
        return self.e.variable(kind, self.e.zero(kind))

    def _broad(self, x: Any, y: Any, out: Any, height: int, vectors: _Span) -> None:
        e, spec = self.e, self.spec
        kind = e.vector(e.real, e.width)
        sums = self._accumulators(height, vectors.count, kind)

        def add(dx: Any, dy: Any) -> None:
            at = e.add(y, dy)
            columns = [
                self._load(self.y, e.add(at, v * e.width), vectors.mask(v))
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
                self._store(sums[row][v].get(), e.add(at, v * e.width), vectors.mask(v))

    def _dot(self, x: Any, y: Any, out: Any, height: int, width: int) -> None:
        e, spec = self.e, self.spec
        kind = e.vector(e.real, e.width)
        sums = self._accumulators(height, width, kind)
        extent = spec.vector.extent
        whole = e.sub(extent, e.rem(extent, e.width))

        def vector(dx: Any, dy: Any, mask: Any) -> None:
            columns = [
                self._load(self.y, e.add(e.add(y, dy), e.mul(c, spec.columns.y)), mask)
                for c in range(width)
            ]
            for row in range(height):
                place = e.add(e.add(x, dx), e.mul(row, spec.rows.x))
                number = self._load(self.x, place, mask)
                for c, column in enumerate(columns):
                    total = sums[row][c]
                    total.set(e.fma(number, column, total.get()))

        def add(dx: Any, dy: Any) -> None:
            with e.loop(0, whole, e.width) as v:
                vector(e.add(dx, v), e.add(dy, v), None)
            if isinstance(extent, int):
                if extent % e.width:
                    vector(e.add(dx, whole), e.add(dy, whole), _mask(e, extent % e.width))
                return
            rest = e.sub(extent, whole)
            with e.when(e.build.icmp_signed(">", rest, e.number(0))):
                vector(e.add(dx, whole), e.add(dy, whole), _mask(e, rest))

        self._sum(add)
        for row in range(height):
            for c in range(width):
                value = e.across(sums[row][c].get(), e.build.fadd)
                at = e.add(e.mul(row, spec.rows.out), e.mul(c, spec.columns.out))
                e.store(value, self.out, e.add(out, at), "float")

    def _each(
        self, x: Any, y: Any, out: Any, height: int, width: int, lanes: int, mask: Any
    ) -> None:
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

    # ---- memory --------------------------------------------------------------------------

    def _load(self, base: Any, offset: Any, mask: Any) -> Any:
        e = self.e
        if mask is None:
            return e.load(base, offset, "float", e.width)
        kind = ir.VectorType(e.real, e.width)
        pointer = e.at(base, offset, e.real)
        name = f"llvm.masked.load.v{e.width}{'f32' if e.bytes == 4 else 'f64'}.p0"
        load = e.module.globals.get(name) or ir.Function(
            e.module,
            ir.FunctionType(kind, [pointer.type, ir.IntType(32), mask.type, kind]),
            name,
        )
        align = ir.Constant(ir.IntType(32), e.bytes)
        return e.build.call(load, [pointer, align, mask, e.zero(kind)])

    def _store(self, value: Any, offset: Any, mask: Any) -> None:
        e = self.e
        if mask is None:
            e.store(value, self.out, offset, "float", e.width)
            return
        pointer = e.at(self.out, offset, e.real)
        name = f"llvm.masked.store.v{e.width}{'f32' if e.bytes == 4 else 'f64'}.p0"
        store = e.module.globals.get(name) or ir.Function(
            e.module,
            ir.FunctionType(
                ir.VoidType(), [value.type, pointer.type, ir.IntType(32), mask.type]
            ),
            name,
        )
        align = ir.Constant(ir.IntType(32), e.bytes)
        e.build.call(store, [value, pointer, align, mask])


class _Repeated(_Cut):
    """The tiles of rows once for every place of the outer loops that are free."""

    def __init__(
        self, e: Emit, rows: _Cut, count: Any, extents: list[Number], places: list[Any]
    ) -> None:
        self.e, self.rows, self.extents, self.places = e, rows, extents, places
        self.count = e.mul(count, rows.count)

    def each(self, index: Any, tile: Callable[[Any, int], None]) -> None:
        """`tile(start, size)` with the places of the free loops settled."""
        e, held = self.e, len(self.places)
        outer, row = e.div(index, self.rows.count), e.rem(index, self.rows.count)
        self.places += e.places(outer, self.extents)
        self.rows.each(row, tile)
        del self.places[held:]


class _Span:
    """Vectors side by side, of which the last may be partly outside."""

    def __init__(self, count: int, mask: Any = None) -> None:
        self.count, self.last = count, mask

    def mask(self, number: int) -> Any:
        """Which lanes of a vector are inside; None for all."""
        return self.last if number == self.count - 1 else None


class _Vectors(_Cut):
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
                tile(start, _Span(self.vectors))
                return
            odd = rest % e.width
            small = _Span(-(-rest // e.width), _mask(e, odd) if odd else None)
            if self.extent < size:
                tile(start, small)
                return
        whole = e.build.icmp_signed("<", index, self.full)
        with e.build.if_else(whole) as (then, otherwise):
            with then:
                tile(start, _Span(self.vectors))
            with otherwise:
                if isinstance(self.extent, int):
                    tile(start, small)
                else:
                    self._rest(start, tile)

    def _rest(self, start: Any, tile: Callable[[Any, Any], None]) -> None:
        """Single vectors, then what is left of one."""
        e = self.e
        stop = e.number(self.extent)
        whole = e.sub(stop, e.rem(e.sub(stop, start), e.width))
        with e.loop(start, whole, e.width) as place:
            tile(place, _Span(1))
        with e.when(e.build.icmp_signed("<", whole, stop)):
            tile(whole, _Span(1, _mask(e, e.sub(stop, whole))))


def _mask(e: Emit, count: Any) -> Any:
    """The first `count` lanes."""
    bits = ir.VectorType(ir.IntType(1), e.width)
    if isinstance(count, int):
        return ir.Constant(bits, [1] * count + [0] * (e.width - count))
    lanes = ir.Constant(ir.VectorType(WORD, e.width), list(range(e.width)))
    return e.build.icmp_signed("<", lanes, e.splat(count, e.width))


def _part(e: Emit, count: Any, thread: Any, threads: Any) -> tuple[Any, Any]:
    """From where to where one of `threads` goes of `count`."""
    first = e.build.udiv(e.build.mul(count, thread), threads)
    last = e.build.udiv(e.build.mul(count, e.add(thread, 1)), threads)
    return first, last

