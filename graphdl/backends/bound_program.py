"""A program bound to arrays, also called its schedule: a flat list of calls without arguments.

`y = tanh(matmul(x, w))` at a batch of 32 becomes two calls, `matmul(x, w, out=y)` and
`tanh(y, out=y)`, whose arrays are already known. A step runs them one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType

from ..passes.memory import MemoryPlan, plan_memory
from ..program import Array, Call, Op, Program
from .buffers import Buffers
from .memory_limit import require_plan, require_values
from .transfer import fill
from .watch import LIMIT, Watch

# The objects behind one call, its arguments included: from 0.5 to 1 KB were measured.
CALL_BYTES = 1024


class NonFinite(ArithmeticError):  # noqa: N818 - it names the value, as `inf` does
    """A guarded output is not finite, or an update would not be; nothing that is kept has changed.

    what     the output, or what would have been written
    origin   the node whose result was not finite first; empty where that is not known
    """

    def __init__(self, what: str, value: float, origin: str = "") -> None:
        self.what, self.value, self.origin = what, value, origin
        super().__init__(f"{what} is {value}")


@dataclass(frozen=True, slots=True)
class Guard:
    """Where the output called `name` is, and the squares of what updates are made of."""

    name: str
    array: Array
    squares: Array
    limit: float

    def check(self) -> None:
        """NonFinite where a closer look is needed."""
        value = float(self.array.item() if self.array.size == 1 else self.array.sum())
        if not math.isfinite(value) or not float(self.squares.sum()) < self.limit:
            raise NonFinite(f"`{self.name}`", value)


@dataclass(frozen=True, slots=True)
class BoundProgram:
    """Everything about one run that can be decided before it.

    data      buffer of each data input; scalars: of each scalar
    before    calls up to the guard; `after`: the rest, with every write into kept arrays
    nbytes    what the schedule itself takes: its calls, and results that are always the same
    """

    data: tuple[tuple[str, Array], ...]
    scalars: tuple[tuple[str, Array], ...]
    before: tuple[Call, ...]
    after: tuple[Call, ...]
    guard: Guard | None
    outputs: dict[str, Array]
    plan: MemoryPlan
    nbytes: int

    def run(self, data: Mapping[str, Array], scalars: Mapping[str, float]) -> dict[str, Array]:
        """Feed, run, and return the outputs: views that hold until the next run."""
        for key, buffer in self.data:
            fill(buffer, data[key])
        for key, buffer in self.scalars:
            buffer.fill(scalars[key])
        for call in self.before:
            call()
        if self.guard is not None:
            self.guard.check()
        after = iter(self.after)
        try:
            for call in after:
                call()
        except BaseException:
            # Such as Ctrl-C. What has begun to be written is written whole.
            for call in after:
                call()
            raise
        return dict(self.outputs)


def plan(
    program: Program, precision: str, sizes: dict[str, int], watched: Watch | None = None
) -> MemoryPlan:
    """The memory plan of a program with settled updates; UsageError where it cannot be met."""
    require_values(program, sizes, precision)
    found = plan_memory(program, sizes, precision, watched.values if watched else ())
    require_plan(program, found.size, [(b.values[0], b.nbytes) for b in found.buffers])
    return found


def bind(buffers: Buffers, watched: Watch | None = None) -> BoundProgram:
    """Make the calls of a program, its values being where `buffers` has them."""
    program = buffers.program
    binder = _Binder(buffers)
    split = binder.bind_operations(watched)
    binder.bind_copies()
    arrays = binder.arrays
    return BoundProgram(
        data=tuple((i.key, arrays[i.value]) for i in program.inputs if i.role == "data"),
        scalars=tuple((i.key, arrays[i.value]) for i in program.inputs if i.role == "scalar"),
        before=tuple(binder.calls[:split]),
        after=tuple(binder.calls[split:]),
        guard=binder.guard,
        outputs={name: arrays[value] for name, value in program.outputs},
        plan=buffers.plan,
        nbytes=CALL_BYTES * len(binder.calls) + buffers.constant_bytes,
    )


def _square(xp: ModuleType, squares: Array, place: int, array: Array, squared: bool) -> None:
    """Note the sum of the squares of an array, which is one already if `squared`."""
    squares[place] = array if squared else xp.vdot(array, array)


class _Binder:
    """Gives every operation its calls, in order."""

    def __init__(self, buffers: Buffers) -> None:
        self.buffers, self.arrays, self.plan = buffers, buffers.arrays, buffers.plan
        self.xp, self.sizes = buffers.xp, buffers.sizes
        self.calls: list[Call] = []
        self.guard: Guard | None = None

    def bind_operations(self, watched: Watch | None) -> int:
        """Bind every operation; the number of calls until all is there that is looked at."""
        split, pending = 0, dict.fromkeys(watched.values if watched else ())
        sources = watched.sources if watched else ()
        squares = self.xp.zeros(len(sources), self.buffers.kinds["float"])
        places = {source.value: (place, source) for place, source in enumerate(sources)}
        for op in self.buffers.program.ops:
            calls = self._bind(op)
            if op.out in self.plan.constant:
                for call in calls:
                    call()
            else:
                self.calls += calls
            if op.out in places:
                place, source = places[op.out]
                array = self.arrays[op.out]
                self.calls.append(partial(_square, self.xp, squares, place, array, source.squared))
            if op.out in pending:
                split = len(self.calls)
        if watched:
            limit = LIMIT[self.buffers.precision] ** 2
            self.guard = Guard(watched.name, self.arrays[watched.value], squares, limit)
        return split

    def _bind(self, op: Op) -> list[Call]:
        args = [self.arrays[arg] for arg in op.args]
        if op.primitive.view and op.out not in self.plan.layout.copies:
            self.arrays[op.out] = op.primitive.alias(self.xp, self.sizes, args[0])
            return []
        out = self.arrays[op.out] = self.buffers.of_result(op.out)
        if op.primitive.view:
            # A reshape of something that is not contiguous: the same elements in the same order.
            return [partial(self.xp.copyto, out.reshape(args[0].shape), args[0])]
        self.buffers.scratch.restart()
        return list(op.primitive.kernel(self.xp, self.buffers.scratch, self.sizes, out, *args))

    def bind_copies(self) -> None:
        """At the end, copy new values that could not be written directly."""
        for update in self.buffers.program.updates:
            if self.plan.direct.get(update.value) is not update.target:
                copy = partial(
                    self.xp.copyto, self.arrays[update.target], self.arrays[update.value]
                )
                self.calls.append(copy)
