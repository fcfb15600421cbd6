"""A program bound to numbers: arrays in one arena and a flat list of calls without arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from ..passes.memory import MemoryPlan, plan_memory
from ..program import Array, Call, Op, Program, Value
from .places import Places
from .room import require_plan, require_values
from .transfer import fill

# The objects behind one call, its arguments included: from 0.5 to 1 KB were measured.
CALL_BYTES = 1024


class NonFinite(ArithmeticError):  # noqa: N818 - it names the value, as `inf` does
    """A guarded output is not finite; nothing that is kept has been changed."""

    def __init__(self, output: str, value: float) -> None:
        self.output, self.value = output, value
        super().__init__(f"`{output}` is {value}")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything about one run that can be decided before it.

    data      buffer of each data input; scalars: of each scalar
    before    calls up to the guard; `after`: the rest, with every write into kept arrays
    nbytes    what the schedule itself takes: its calls, and results that are always the same
    """

    data: tuple[tuple[str, Array], ...]
    scalars: tuple[tuple[str, Array], ...]
    before: tuple[Call, ...]
    after: tuple[Call, ...]
    guard: tuple[str, Array] | None
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
            self._check(*self.guard)
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

    def _check(self, name: str, array: Array) -> None:
        value = float(array.item() if array.size == 1 else array.sum())
        if not math.isfinite(value):
            raise NonFinite(name, value)


def plan(
    program: Program, precision: str, sizes: dict[str, int], guard: str | None = None
) -> MemoryPlan:
    """The memory plan of a program with settled updates; UsageError where it cannot be met."""
    guarded = dict(program.outputs)[guard] if guard is not None else None
    require_values(program, sizes, precision)
    found = plan_memory(program, sizes, precision, guarded)
    require_plan(program, found.size, [(b.values[0], b.nbytes) for b in found.buffers])
    return found


def bind(places: Places, guard: str | None = None) -> Schedule:
    """Make the calls of a program, its values being where `places` has them."""
    program = places.program
    guarded = dict(program.outputs)[guard] if guard is not None else None
    binder = _Binder(places)
    split = binder.bind_operations(guarded)
    binder.bind_copies()
    arrays = binder.arrays
    return Schedule(
        data=tuple((i.key, arrays[i.value]) for i in program.inputs if i.role == "data"),
        scalars=tuple((i.key, arrays[i.value]) for i in program.inputs if i.role == "scalar"),
        before=tuple(binder.calls[:split]),
        after=tuple(binder.calls[split:]),
        guard=(guard, arrays[guarded]) if guard is not None and guarded is not None else None,
        outputs={name: arrays[value] for name, value in program.outputs},
        plan=places.plan,
        nbytes=CALL_BYTES * len(binder.calls) + places.constant_bytes,
    )


class _Binder:
    """Gives every operation its calls, in order."""

    def __init__(self, places: Places) -> None:
        self.places, self.arrays, self.plan = places, places.arrays, places.plan
        self.xp, self.sizes = places.xp, places.sizes
        self.calls: list[Call] = []

    def bind_operations(self, guard: Value | None) -> int:
        """Bind every operation; the number of calls up to the one that makes `guard`."""
        split = 0 if guard is None or guard in self.arrays else len(self.places.program.ops)
        for op in self.places.program.ops:
            calls = self._bind(op)
            if op.out in self.plan.constant:
                for call in calls:
                    call()
            else:
                self.calls += calls
            if op.out is guard:
                split = len(self.calls)
        return split

    def _bind(self, op: Op) -> list[Call]:
        args = [self.arrays[arg] for arg in op.args]
        if op.primitive.view and op.out not in self.plan.layout.copies:
            self.arrays[op.out] = op.primitive.alias(self.xp, self.sizes, args[0])
            return []
        out = self.arrays[op.out] = self.places.of_result(op.out)
        if op.primitive.view:
            # A reshape of something that is not contiguous: the same elements in the same order.
            return [partial(self.xp.copyto, out.reshape(args[0].shape), args[0])]
        self.places.scratch.restart()
        return list(op.primitive.kernel(self.xp, self.places.scratch, self.sizes, out, *args))

    def bind_copies(self) -> None:
        """At the end, copy new values that could not be written directly."""
        for update in self.places.program.updates:
            if self.plan.direct.get(update.value) is not update.target:
                copy = partial(
                    self.xp.copyto, self.arrays[update.target], self.arrays[update.value]
                )
                self.calls.append(copy)
