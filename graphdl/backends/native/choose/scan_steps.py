"""Scans unrolled into the calls of every step.

The first few are worked out as any operation is; in the calls of further steps, only the addresses
are moved on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ....program import Kind, Op, Value, evaluate
from ....program.body import Body
from ....program.primitives.scan import Scan
from ..kernels.call import Call
from ..kernels.operand import Operand, extents_of, number, ordered
from ..kernels.pointwise import copy
from .join import followed, joined
from .lower import Context, lower

Space = Callable[[tuple[int, ...], Kind], Operand]
# So many steps are bound one by one; further ones follow from the last two of them. The first reads
# the initial states and computes what does not vary, the second is the first to read states of the
# one before; from then on addresses move by the same distances from step to step.
BOUND_STEPS = 4


class NoKernel(Exception):  # noqa: N818 - it says what there is not
    """An operation inside a scan has no kernel, so that the whole scan is done elsewhere."""


def scan_calls(scan: Scan, out: Operand, args: Sequence[Operand], context: Context) -> list[Call]:
    """The calls of a scan, whose results lie one after the other in `out`."""
    length = evaluate(scan.length, context.sizes)
    kept = []
    for value, (start, _) in zip(scan.body.results, scan.parts(), strict=True):
        shape = (number(scan.length, context.sizes), *extents_of(value.type, context.sizes))
        begin = out.moved(evaluate(start, context.sizes))
        kept.append(Operand.new(begin.address, "float", context.precision, shape))
    order = range(length)
    return _Loop(scan.body, args, kept, context).calls(order[::-1] if scan.reverse else order)


class _Loop:
    """One binding of a body; see `program.primitives.loop`, which does the same with arrays."""

    def __init__(
        self, body: Body, args: Sequence[Operand], kept: Sequence[Operand], context: Context
    ) -> None:
        self.body, self.kept, self.context = body, kept, context
        self.args = dict(zip(body.given, args, strict=True))
        self.own: dict[Value, Operand] = {}
        self.spaces: dict[Value, list[Operand]] = {}
        self.varying = {*body.steps, *body.carried}
        for op in body.ops:
            if not self.varying.isdisjoint(op.args):
                self.varying.add(op.out)
        results, views = set(body.results), {op.out for op in body.ops if op.primitive.view}
        pairs = followed(body.ops, results, views).items()
        # What does not vary is computed once, whatever follows it.
        self.ends = {v: op for v, op in pairs if (v in self.varying) == (op.out in self.varying)}
        self.waiting = set(self.ends.values())
        made = {op.out for op in body.ops if not op.primitive.view} & self.varying
        self.direct: dict[Value, int] = {}
        for place, value in enumerate(body.results):
            if value in made:
                self.direct.setdefault(value, place)

    def calls(self, order: Sequence[int]) -> list[Call]:
        """The calls of all steps in this order."""
        found: list[Call] = []
        bound = [*range(min(len(order), BOUND_STEPS))]
        steps = [self._step(order[n], order[n - 1] if n else None) for n in bound]
        for step in steps:
            found += step
        if len(order) <= BOUND_STEPS:
            return found
        further = _further(steps[-2], steps[-1], len(order) - BOUND_STEPS)
        if further is None:
            for n in range(BOUND_STEPS, len(order)):
                found += self._step(order[n], order[n - 1])
            return found
        return found + further

    def _step(self, now: int, before: int | None) -> list[Call]:
        body = self.body
        operands = {value: self.args[value] for value in body.held}
        operands |= {value: _at(self.args[value], now) for value in body.steps}
        for place, value in enumerate(body.carried):
            kept = self.args[value] if before is None else _at(self.kept[place], before)
            operands[value] = kept
        calls: list[Call] = []
        for op in body.ops:
            if before is not None and op.out not in self.varying:
                operands[op.out] = self.own[op.out]
            elif op in self.waiting:
                # It is done together with the one that follows.
                operands[op.out] = self._temporary(op.out)
            else:
                calls += self._operation(op, operands, now)
        for place, value in enumerate(body.results):
            if self.direct.get(value) != place:
                calls += copy(_at(self.kept[place], now), operands[value], self.context.precision)
        return calls

    def _operation(self, op: Op, operands: dict[Value, Operand], now: int) -> list[Call]:
        args = [operands[arg] for arg in op.args]
        sizes = self.context.sizes
        if op.primitive.view:
            seen = args[0].seen(op.primitive, op.out.type, sizes)
            calls: list[Call] = []
            if seen is None:
                seen = self._temporary(op.out)
                target = replace(seen, extents=args[0].extents, strides=ordered(args[0].extents))
                calls = copy(target, args[0], self.context.precision)
            operands[op.out] = seen
            if op.out not in self.varying:
                self.own[op.out] = seen
            return calls
        row = self.direct.get(op.out)
        out = self._temporary(op.out) if row is None else _at(self.kept[row], now)
        operands[op.out] = out
        first = self.ends.get(op.out)
        if first is None:
            return self._lowered(op, out, args)
        together = joined(first, op, out, operands, self._context(op))
        if together is not None:
            return _of(first, together)
        sides = [operands[arg] for arg in first.args]
        return self._lowered(first, operands[first.out], sides) + self._lowered(op, out, args)

    def _context(self, op: Op) -> Context:
        space = _Again(self.context.space, self.spaces.setdefault(op.out, []))
        return replace(self.context, space=space)

    def _lowered(self, op: Op, out: Operand, args: list[Operand]) -> list[Call]:
        found = lower(op, out, args, self._context(op))
        if found is None:
            raise NoKernel(op.primitive.name)
        return _of(op, found)

    def _temporary(self, value: Value) -> Operand:
        if value not in self.own:
            shape = extents_of(value.type, self.context.sizes)
            self.own[value] = self.context.space(shape, value.type.kind)
        return self.own[value]


def _of(op: Op, calls: list[Call]) -> list[Call]:
    for call in calls:
        call.origin = op.origin
    return calls


def _at(whole: Operand, place: int) -> Operand:
    return whole.moved(place * int(whole.strides[0])).dropped(0)


def _further(before: list[Call], last: list[Call], count: int) -> list[Call] | None:
    """The calls of `count` more steps, addresses moving on as from `before` to `last`."""
    if [c.kernel for c in before] != [c.kernel for c in last]:
        return None
    moves = [
        [b - a for a, b in zip(one.numbers, other.numbers, strict=True)]
        for one, other in zip(before, last, strict=True)
    ]
    for call, move in zip(last, moves, strict=True):
        if any(m and n not in call.places for n, m in enumerate(move)):
            return None
    return [
        replace(call, numbers=[n + step * m for n, m in zip(call.numbers, move, strict=True)])
        for step in range(1, count + 1)
        for call, move in zip(last, moves, strict=True)
    ]


class _Again:
    """Memory for one operation: the first step gets it, the others take it again."""

    def __init__(self, space: Space, known: list[Operand]) -> None:
        self.space, self.known, self.used = space, known, 0

    def __call__(self, shape: tuple[int, ...], kind: Kind) -> Operand:
        place, self.used = self.used, self.used + 1
        if place < len(self.known):
            found = self.known[place]
            if found.extents == shape and found.kind == kind:
                return found
        found = self.space(shape, kind)
        self.known[place : place + 1] = [found]
        return found
