"""How a scan is built: what is emitted between opening and closing is done once for every step."""

from __future__ import annotations

from collections.abc import Sequence

from .body import Body
from .builder import Builder
from .lift import all_steps, lift
from .primitives import Broadcast, Constant, Contract, Exp, Sigmoid
from .primitives.scan import Scan
from .program import Kind, Op, Type, Value
from .size import Dim


class Region:
    """The steps of a sequence of some length, while they are being written.

    >>> build = Builder()
    >>> x = build.input("x", Type((7, 2)), "data", "x")
    >>> region = Region(build, 7)
    >>> total = region.carry(build.zeros(Type((2,))))
    >>> step = build.add(total, region.step(x))
    >>> region.close([step], [step])
    [%6: float[7, 2]]
    """

    def __init__(
        self, build: Builder, length: Dim, reverse: bool = False, remember: bool = False
    ) -> None:
        """`remember` keeps the products of every step, so that a gradient need not redo them."""
        self.build, self.length, self.reverse = build, length, reverse
        self.remember = remember
        self.start = len(build.ops)
        self.steps: dict[Value, Value] = {}
        self.carried: dict[Value, Value] = {}

    def step(self, whole: Value) -> Value:
        """One step of a sequence [T, ...]."""
        type = Type(whole.type.shape[1:], whole.type.kind)
        value = self.build.placeholder(f"{whole.name}.step", type)
        self.steps[value] = whole
        self.build.facts.step(value, whole)
        return value

    def carry(self, initial: Value) -> Value:
        """A state before the step, given what it is before the first one."""
        value = self.build.placeholder("state", initial.type)
        self.carried[value] = initial
        return value

    def varies(self, value: Value) -> bool:
        """Whether a value emitted since the opening may differ from step to step."""
        return value in self._dependent(self.build.ops[self.start :])

    def close(self, following: Sequence[Value], wanted: Sequence[Value]) -> list[Value]:
        """The wanted values at all steps, [T, ...], given what each state is after the step.

        What no step changes is done before the loop; what needs no state is done for all steps at
        once; only the rest is looped over.
        """
        build = self.build
        emitted = [build.cast(v, "float") for v in wanted]
        lasts = [self._last(v, following) for v in emitted]
        emitted = [last.args[0] if last else v for v, last in zip(emitted, lasts, strict=True)]
        following = [build.cast(v, "float") for v in following]
        states = dict(zip(self.carried, following, strict=True))
        ops = build.ops[self.start :]
        needed, states = _needed(ops, states, emitted)
        del build.ops[self.start :]
        closing = _Closing(self, states)
        dependent = self._dependent(ops)
        for op in ops:
            if op.out not in dependent:
                build.ops.append(op)
            elif op.out in needed:
                closing.take(op)
        found = closing.stacked(emitted)
        for place, last in enumerate(lasts):
            if last:
                found[place] = build.emit(last.primitive, found[place])
        return [build.cast(v, w.type.kind) for v, w in zip(found, wanted, strict=True)]

    def _last(self, value: Value, following: Sequence[Value]) -> Op | None:
        """What is done to a wanted value at the end, if that can be done for all steps at once.

        A logarithm behind the scan then sees the exponential in front of it.
        """
        made = self.build.maker(value)
        ends = made is not None and isinstance(made.primitive, Exp | Sigmoid)
        return made if ends and value not in following and self.varies(value) else None

    def _dependent(self, ops: Sequence[Op]) -> set[Value]:
        found = {*self.steps, *self.carried}
        for op in ops:
            if not found.isdisjoint(op.args):
                found.add(op.out)
        return found


def _needed(
    ops: Sequence[Op], states: dict[Value, Value], emitted: Sequence[Value]
) -> tuple[set[Value], dict[Value, Value]]:
    """What the emitted values depend on, and the states among that."""
    needed = set(emitted)
    kept: dict[Value, Value] = {}
    while True:
        for op in reversed(ops):
            if op.out in needed:
                needed.update(op.args)
        more = {state: value for state, value in states.items() if state in needed}
        if len(more) == len(kept):
            return needed, more
        kept = more
        needed.update(kept.values())


class _Closing:
    """Sorts the operations that depend on the step: for all steps at once, or into the body."""

    def __init__(self, region: Region, states: dict[Value, Value]) -> None:
        self.region, self.build, self.states = region, region.build, states
        self.whole = dict(region.steps)
        self.inside: list[Op] = []
        self.varying = set(states)
        self.steps: dict[Value, Value] = {}
        self.held: dict[Value, Value] = {}
        self.numbers: dict[tuple[float, Type], Value] = {}
        self.ops: list[Op] = []

    def take(self, op: Op) -> None:
        """Place one operation."""
        if self.varying.isdisjoint(op.args):
            origin, self.build.origin = self.build.origin, op.origin
            found = lift(self.build, op, self.whole, self.region.length)
            self.build.origin = origin
            if found is not None:
                self.whole[op.out] = found
                return
        self.inside.append(op)
        self.varying.add(op.out)

    def stacked(self, emitted: Sequence[Value]) -> list[Value]:
        """All steps of each value; the loop is made if one of them needs it."""
        looped = list(dict.fromkeys(v for v in emitted if v in self.varying))
        parts = self._loop(looped) if looped else {}
        known = self.whole | parts
        return [all_steps(self.build, v, known, self.region.length) for v in emitted]

    def _loop(self, looped: list[Value]) -> dict[Value, Value]:
        for op in self.inside:
            args = tuple(self._inner(arg) for arg in op.args)
            self.ops.append(Op(op.out, op.primitive, args, op.origin))
        following = tuple(self._inner(v) for v in self.states.values())
        extra = [v for v in looped if v not in self.states.values()]
        if self.region.remember:
            products = [op.out for op in self.inside if isinstance(op.primitive, Contract)]
            extra += [v for v in products if v not in (*extra, *self.states.values())]
        body = Body(
            tuple(self.steps),
            tuple(self.held.values()),
            tuple(self.states),
            tuple(self.ops),
            following,
            tuple(extra),
        )
        initial = [self.region.carried[state] for state in self.states]
        args = (*self.steps.values(), *self.held, *initial)
        scan = Scan(body, self.region.length, self.region.reverse)
        packed = self.build.emit(scan, *args)
        names = [*self.states.values(), *extra]
        found: dict[Value, Value] = {}
        for value, (start, stop) in zip(names, scan.parts(), strict=True):
            if value in looped:
                part = self.build.slice(packed, 0, start, stop)
                shape = (self.region.length, *value.type.shape)
                found[value] = self.build.reshape(part, shape)
        return found

    def _inner(self, value: Value) -> Value:
        """A value as the body sees it."""
        if value in self.varying or value in self.steps:
            return value
        if value in self.whole:
            # A step as it came, or the result of an operation that is done for all steps at once.
            self.steps[value] = self.whole[value]
            return value
        number = self.build.number(value)
        if number is not None:
            return self._number(number, value.type)
        if value not in self.held:
            self.held[value] = self.build.placeholder(f"{value.name}.held", value.type)
        return self.held[value]

    def _number(self, number: float, type: Type) -> Value:
        """A constant is written into the body, where it can be simplified."""
        if (number, type) not in self.numbers:
            value = self._constant(number, type.kind)
            if type.shape:
                out = self.build.placeholder("number", type)
                self.ops.append(Op(out, Broadcast(type.shape), (value,)))
                value = out
            self.numbers[number, type] = value
        return self.numbers[number, type]

    def _constant(self, number: float, kind: Kind) -> Value:
        if (number, Type((), kind)) not in self.numbers:
            out = self.build.placeholder("number", Type((), kind))
            self.ops.append(Op(out, Constant(number, kind), ()))
            self.numbers[number, Type((), kind)] = out
        return self.numbers[number, Type((), kind)]
