"""The kernel of a scan: the calls of all steps in a row; every step reuses the temporaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from types import ModuleType

from ..body import Body
from ..primitive import Array, Call, Scratch
from ..program import Kind, Op, Type, Value
from ..size import evaluate
from .repeat import BOUND, extrapolated


class Loop:
    """One binding of a body.

    rows    for each kept result the array of all steps; a state is read where it was written
    """

    def __init__(
        self,
        xp: ModuleType,
        scratch: Scratch,
        sizes: dict[str, int],
        body: Body,
        args: Sequence[Array],
        rows: Sequence[Array],
    ) -> None:
        self.xp, self.scratch, self.sizes, self.body = xp, scratch, sizes, body
        self.args = dict(zip(body.given, args, strict=True))
        self.rows = dict(zip(range(len(rows)), rows, strict=True))
        self.own: dict[Value, Array] = {}
        self.spaces: dict[Value, list[Array]] = {}
        self.varying = self._varying()
        # A result that an operation makes is written where it is kept; what else, is copied.
        made = {op.out for op in body.ops if not op.primitive.view} & self.varying
        self.direct: dict[Value, int] = {}
        for number, value in enumerate(body.results):
            if value in made:
                self.direct.setdefault(value, number)

    def _varying(self) -> set[Value]:
        """What differs from step to step; the rest is computed at the first one."""
        found = {*self.body.steps, *self.body.carried}
        for op in self.body.ops:
            if not found.isdisjoint(op.args):
                found.add(op.out)
        return found

    def calls(self, order: Sequence[int]) -> Iterator[Call]:
        """The calls of all steps, taken in this order."""
        if order:
            yield from self._step(order[0], None)
        rest = list(pairwise(order))
        if len(rest) > BOUND and self.xp.__name__ == "numpy":
            some = [list(self._step(now, before)) for before, now in (*rest[:2], rest[-1])]
            found = extrapolated(self.xp, some[0], some[1], some[2], len(rest))
            if found is not None:
                yield from found
                return
        for before, now in rest:
            yield from self._step(now, before)

    def _step(self, now: int, before: int | None) -> Iterator[Call]:
        body = self.body
        # With the dots, a step without axes is a view too.
        arrays = {value: self.args[value] for value in body.held}
        arrays |= {value: self.args[value][now, ...] for value in body.steps}
        for number, value in enumerate(body.carried):
            arrays[value] = self.args[value] if before is None else self.rows[number][before, ...]
        for op in body.ops:
            if before is None or op.out in self.varying:
                yield from self._operation(op, arrays, now)
            else:
                arrays[op.out] = self.own[op.out]
        for number, value in enumerate(body.results):
            if self.direct.get(value) != number:
                yield partial(self.xp.copyto, self.rows[number][now, ...], arrays[value])

    def _operation(self, op: Op, arrays: dict[Value, Array], now: int) -> Iterator[Call]:
        args = [arrays[arg] for arg in op.args]
        if op.primitive.view:
            yield from self._view(op, arrays, args[0])
            return
        row = self.direct.get(op.out)
        out = self._temporary(op.out) if row is None else self.rows[row][now, ...]
        arrays[op.out] = out
        space = _Space(self.scratch, self.spaces.setdefault(op.out, []))
        yield from op.primitive.kernel(self.xp, space, self.sizes, out, *args)

    def _view(self, op: Op, arrays: dict[Value, Array], arg: Array) -> Iterator[Call]:
        found = op.primitive.alias(self.xp, self.sizes, arg)
        if found.size and not self.xp.may_share_memory(found, arg):
            # A reshape of what is not in order here: the same numbers, copied at every step.
            found = self._temporary(op.out)
            yield partial(self.xp.copyto, found.reshape(arg.shape), arg)
        arrays[op.out] = found
        if op.out not in self.varying:
            self.own[op.out] = found

    def _temporary(self, value: Value) -> Array:
        if value not in self.own:
            self.own[value] = self.scratch(self._shape(value.type), value.type.kind)
        return self.own[value]

    def _shape(self, type: Type) -> tuple[int, ...]:
        return tuple(evaluate(dim, self.sizes) for dim in type.shape)


class _Space:
    """Temporaries of one operation: the first step gets them, the others take them again."""

    def __init__(self, scratch: Scratch, known: list[Array]) -> None:
        self.scratch, self.known, self.used = scratch, known, 0

    def __call__(self, shape: tuple[int, ...], kind: Kind) -> Array:
        """The next temporary; steps differ in where their arguments lie, so check that it fits."""
        place, self.used = self.used, self.used + 1
        if place < len(self.known):
            array = self.known[place]
            fresh = self.scratch((0,), kind)
            if array.shape == shape and array.dtype == fresh.dtype:
                return array
        array = self.scratch(shape, kind)
        self.known[place : place + 1] = [array]
        return array
