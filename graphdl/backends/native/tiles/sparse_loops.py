"""The kernels of contractions with an operand that has one number in each row.

gather     the result lacks the axis of choice: for each of its vectors, the chosen rows of the
           other operand are added up in registers
scatter    the result has it: rows of the other operand are added where their ids say
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from llvmlite import ir

from ..compile.library import writer
from ..emit.emit import Emit, Variable
from ..emit.runtime_sizes import Argument, Number
from .masked import load_inside, store_inside
from .tile_edges import Span, Vectors

FAMILY = "chosen"
Body = Callable[[Sequence[Any], Sequence[Any]], None]


@dataclass(frozen=True, slots=True)
class Loop:
    """An extent, and its distance in ids, values, the other operand, and the result."""

    extent: Number
    ids: Number = 0
    values: Number = 0
    other: Number = 0
    out: Number = 0


@dataclass(frozen=True, slots=True)
class Reached:
    """What an id leads to: the index `id*a + offset*b + c`, worth `other` and `out`.

    Unless every index is `inside`, nothing is added for those that are not in [0, size).
    """

    a: int
    b: int
    c: int
    size: Number
    other: Number
    out: Number
    inside: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """All loops of such a contraction.

    count      entries of the axis of choice
    kept       loops of ids that the result has; `summed` those that it lacks
    rest       other loops; number `offset` is that of a window (None: there is none)
    vector     along which vectors lie side by side; a tile is `width` of them
    woven      the last of `rest` lies inside the vectors in the result
    zeros      loops of the result that neither `kept` nor vectors have, for a scatter
    apart      whether threads share the kept loops only
    """

    mode: Literal["gather", "scatter"]
    ids: Argument
    values: Argument
    other: Argument
    out: Argument
    count: Number
    kept: tuple[Loop, ...]
    summed: tuple[Loop, ...]
    rest: tuple[Loop, ...]
    offset: int | None
    index: Reached
    vector: Number
    width: int
    woven: bool
    zeros: tuple[Loop, ...]
    apart: bool


@writer(FAMILY)
def _write(e: Emit, spec: Chosen) -> None:
    writing = _Writer(e, spec)
    if spec.mode == "gather":
        writing.gather()
    else:
        writing.scatter()


class _Writer:
    def __init__(self, e: Emit, spec: Chosen) -> None:
        self.e, self.spec = e, spec
        self.ids, self.values = e.address(spec.ids), e.address(spec.values)
        self.other, self.out = e.address(spec.other), e.address(spec.out)
        self.vectors = Vectors(e, spec.vector, spec.width)

    def _tasks(self, outer: Sequence[Any], body: Body) -> None:
        """`body(outer places, kept places)` for this thread's part of all."""
        e, kept = self.e, _extents(self.spec.kept)
        if self.spec.apart:
            start, stop = e.share(e.count(kept))
            with e.nest(outer) as places, e.loop(start, stop) as index:
                body(places, e.places(index, kept))
            return
        every = [*outer, *kept]
        start, stop = e.share(e.count(every))
        with e.loop(start, stop) as index:
            places = e.places(index, every)
            body(places[: len(outer)], places[len(outer) :])

    def _chosen(self, kept: Sequence[Any], summed: Sequence[Any]) -> tuple[Any, Any]:
        """An id, the nearest if it is outside, and its value in every lane."""
        e, loops = self.e, (*self.spec.kept, *self.spec.summed)
        places = [*kept, *summed]
        found = e.load(self.ids, e.offset(places, [loop.ids for loop in loops]), "int")
        found = e.most(e.least(found, e.sub(self.spec.count, 1)), 0)
        value = e.load(self.values, e.offset(places, [loop.values for loop in loops]), "float")
        return found, e.splat(value, e.width)

    def _index(self, chosen: Any, rest: Sequence[Any]) -> tuple[Any, Any]:
        """What an id leads to, and whether that is inside (None: it is)."""
        e, reached = self.e, self.spec.index
        offset = 0 if self.spec.offset is None else rest[self.spec.offset]
        index = e.add(e.add(e.mul(chosen, reached.a), e.mul(offset, reached.b)), reached.c)
        if reached.inside:
            return index, None
        # As unsigned numbers, those below zero are above everything.
        return index, e.build.icmp_unsigned("<", index, e.number(reached.size))

    # ---- gather --------------------------------------------------------------------------

    def gather(self) -> None:
        """Add up rows for every vector of the result."""
        spec = self.spec
        rest = spec.rest[:-1] if spec.woven else spec.rest

        def tile(outer: Sequence[Any], kept: Sequence[Any]) -> None:
            chunk, *places = outer
            self.vectors.each(chunk, lambda at, span: self._sums(places, kept, at, span))

        self._tasks([self.vectors.count, *_extents(rest)], tile)

    def _sums(self, rest: Sequence[Any], kept: Sequence[Any], start: Any, span: Span) -> None:
        e, spec = self.e, self.spec
        kind = ir.VectorType(e.real, e.width)
        depth = spec.rest[-1].extent if spec.woven else 1
        assert isinstance(depth, int)
        sums = [[e.variable(kind, e.zero(kind)) for _ in range(span.count)] for _ in range(depth)]
        loops = (*spec.kept, *spec.rest[: len(rest)])
        places = [*kept, *rest]
        with e.nest(_extents(spec.summed)) as summed:
            chosen, value = self._chosen(kept, summed)
            base = e.add(start, e.offset(places, [loop.other for loop in loops]))
            base = e.add(base, e.offset(summed, [loop.other for loop in spec.summed]))
            for number, totals in enumerate(sums):
                all_rest = [*rest, e.number(number)] if spec.woven else rest
                self._add(chosen, value, base, all_rest, totals, span)
        target = e.offset(places, [loop.out for loop in loops])
        if spec.woven:
            self._weave(e.add(target, e.mul(start, depth)), sums, span)
            return
        for number, total in enumerate(sums[0]):
            at = e.add(e.add(target, start), number * e.width)
            store_inside(e, total.get(), self.out, at, span.mask(number))

    def _add(
        self,
        chosen: Any,
        value: Any,
        base: Any,
        rest: Sequence[Any],
        totals: Sequence[Variable],
        span: Span,
    ) -> None:
        """Add the row that an id leads to, times its value."""
        e, spec = self.e, self.spec
        index, inside = self._index(chosen, rest)
        if inside is not None:
            # What is outside is not added; the first row is read in its place.
            index = e.build.select(inside, index, e.number(0))
            inside = e.splat(inside, e.width)
        at = e.add(base, e.mul(index, spec.index.other))
        if spec.woven:
            at = e.add(at, e.mul(rest[-1], spec.rest[-1].other))
        for number, total in enumerate(totals):
            mask = span.mask(number)
            row = load_inside(e, self.other, e.add(at, number * e.width), mask)
            grown = e.fma(value, row, total.get())
            total.set(grown if inside is None else e.build.select(inside, grown, total.get()))

    def _weave(self, target: Any, sums: Sequence[Sequence[Variable]], span: Span) -> None:
        """Store vectors so that numbers of one lane lie side by side."""
        e, depth, width = self.e, len(sums), self.e.width
        for number in range(span.count):
            mask = span.mask(number)
            inside = depth * (width if mask is None else sum(bit.constant for bit in mask.constant))
            parts = [totals[number].get() for totals in sums]
            for place in range(depth):
                count = min(inside - place * width, width)
                if count <= 0:
                    continue
                mixed = _mixed(e, parts, place)
                whole = count == width
                at = e.add(target, (number * depth + place) * width)
                lanes = None if whole else _first(e, count)
                store_inside(e, mixed, self.out, at, lanes)

    # ---- scatter -------------------------------------------------------------------------

    def scatter(self) -> None:
        """Add rows to the result, of which each place belongs to one thread."""

        def tile(outer: Sequence[Any], kept: Sequence[Any]) -> None:
            self.vectors.each(outer[0], lambda at, span: self._spread(kept, at, span))

        self._tasks([self.vectors.count], tile)

    def _spread(self, kept: Sequence[Any], start: Any, span: Span) -> None:
        e, spec = self.e, self.spec
        target = e.add(start, e.offset(kept, [loop.out for loop in spec.kept]))
        source = e.add(start, e.offset(kept, [loop.other for loop in spec.kept]))
        nothing = e.zero(ir.VectorType(e.real, e.width))
        with e.nest(_extents(spec.zeros)) as places:
            at = e.add(target, e.offset(places, [loop.out for loop in spec.zeros]))
            for number in range(span.count):
                place = e.add(at, number * e.width)
                store_inside(e, nothing, self.out, place, span.mask(number))
        with e.nest(_extents(spec.summed)) as summed:
            chosen, value = self._chosen(kept, summed)
            base = e.add(source, e.offset(summed, [loop.other for loop in spec.summed]))
            with e.nest(_extents(spec.rest)) as rest:
                index, inside = self._index(chosen, rest)
                with e.when_inside(inside):
                    there = e.add(target, e.mul(index, spec.index.out))
                    there = e.add(there, e.offset(rest, [loop.out for loop in spec.rest]))
                    here = e.add(base, e.mul(index, spec.index.other))
                    here = e.add(here, e.offset(rest, [loop.other for loop in spec.rest]))
                    self._add_row(value, here, there, span)

    def _add_row(self, value: Any, here: Any, there: Any, span: Span) -> None:
        e = self.e
        for number in range(span.count):
            mask, ahead = span.mask(number), number * e.width
            row = load_inside(e, self.other, e.add(here, ahead), mask)
            known = load_inside(e, self.out, e.add(there, ahead), mask)
            store_inside(e, e.fma(value, row, known), self.out, e.add(there, ahead), mask)


def _extents(loops: Sequence[Loop]) -> list[Number]:
    return [loop.extent for loop in loops]


def _mixed(e: Emit, parts: Sequence[Any], place: int) -> Any:
    """Of the numbers of all parts, those of one lane side by side, the vector number `place`."""
    width, depth = e.width, len(parts)
    mixed = parts[0]
    for number, part in enumerate(parts[1:], start=1):
        lanes = []
        for lane in range(width):
            source, which = divmod(place * width + lane, depth)
            # The first time, the numbers of the first part are still where they were.
            before = source if number == 1 else lane
            lanes.append(before if which < number else width + source)
        order = ir.Constant(ir.VectorType(ir.IntType(32), width), lanes)
        mixed = e.build.shuffle_vector(mixed, part, order)
    return mixed


def _first(e: Emit, count: int) -> Any:
    bits = ir.VectorType(ir.IntType(1), e.width)
    return ir.Constant(bits, [1] * count + [0] * (e.width - count))
