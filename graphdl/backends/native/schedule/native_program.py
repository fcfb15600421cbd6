"""A program bound to arrays as tables of kernels, with NumPy's calls where there is no kernel.

Its counterpart for NumPy and CuPy is `bound_program`. Mostly it is one table, and a step is one
call from Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ....passes.memory import MemoryPlan
from ....passes.sources import Source
from ....program import Array, Kind, Op, Value
from ....program.primitives.scan import Scan
from ...bound_program import NonFinite
from ...buffers import Buffers
from ...watch import Watch
from ..choose.join import followed, joined
from ..choose.labels import Unsupported
from ..choose.lower import Context, lower
from ..choose.scan_steps import NoKernel, scan_calls
from ..compile.library import addresses
from ..kernels.call import Call
from ..kernels.operand import Operand, address_of, extents_of
from ..kernels.pointwise import copy
from ..run.pool import ROW
from .chain import chained
from .guard import bounded, judged
from .kernel_table import Table, table_of
from .merge import merged_calls
from .multi_step import MultiStep

Python = Callable[[], object]
# A call as Python keeps it, so that it can be shown and timed.
CALL_BYTES = 512


@dataclass(slots=True)
class NativeProgram:
    """Everything about one run that can be decided before it: tables, and calls between them."""

    data: tuple[tuple[str, Array], ...]
    scalars: tuple[tuple[str, Array], ...]
    parts: list[Table | Python]
    guard: tuple[str, Array] | None
    outputs: dict[str, Array]
    plan: MemoryPlan
    nbytes: int
    precision: str
    multi_step: MultiStep | None = None
    repeated: Table | None = None

    def run(self, data: Mapping[str, Array], scalars: Mapping[str, float]) -> dict[str, Array]:
        """Feed, run, and return the outputs: views that hold until the next run."""
        for key, buffer in self.data:
            array = data[key]
            if array.dtype is buffer.dtype:
                buffer[...] = array
            else:
                np.copyto(buffer, array, "same_kind")
        for key, buffer in self.scalars:
            buffer[()] = scalars[key]
        for part in self.parts:
            if not isinstance(part, Table):
                part()
            elif not part.run() and self.guard is not None:
                name, array = self.guard
                value = float(array.item() if array.size == 1 else array.sum())
                raise NonFinite(f"`{name}`", value)
        return dict(self.outputs)

    @property
    def repeats(self) -> bool:
        """Whether many steps can be one native call."""
        single = len(self.parts) == 1 and isinstance(self.parts[0], Table)
        return single and all(
            array.size == 1 and array.dtype.kind == "f" for array in self.outputs.values()
        )

    def run_many(
        self, batches: Mapping[str, Array], scalars: Mapping[str, float], times: int
    ) -> tuple[int, dict[str, Array]]:
        """So many steps on batches that follow each other in arrays; `draw` and `step` count up.

        How many were done before one gave what is not finite, and the outputs of each.
        """
        table = self.parts[0]
        assert isinstance(table, Table)
        if self.multi_step is None:
            self.multi_step = MultiStep(self.data, self.scalars, self.outputs, self.precision)
        multi_step = self.multi_step
        multi_step.prepare(batches, times)
        if multi_step.fresh or self.repeated is None:
            calls = [multi_step.before(table.chain is not None), *table.calls, multi_step.after()]
            memory = (*table.memory, *multi_step.memory())
            chain = chained(calls, table.guard, table.verdict, memory)
            self.repeated = table_of(calls, chain, table.guard, table.verdict, memory)
            # Only now: who is interrupted before comes here again.
            multi_step.fresh = False
        multi_step.begin(scalars)
        done = self.repeated.repeat(times)
        return done, {name: array[:done] for name, array in multi_step.results.items()}


def bind_native(buffers: Buffers, watched: Watch | None = None) -> NativeProgram:
    """Make the tables of a program, its values being where `buffers` has them."""
    program = buffers.program
    binder = _Binder(buffers)
    binder.bind_operations(watched)
    binder.bind_copies()
    arrays = binder.arrays
    parts = binder.parts()
    return NativeProgram(
        data=tuple((i.key, arrays[i.value]) for i in program.inputs if i.role == "data"),
        scalars=tuple((i.key, arrays[i.value]) for i in program.inputs if i.role == "scalar"),
        parts=parts,
        guard=(watched.name, arrays[watched.value]) if watched else None,
        outputs={name: arrays[value] for name, value in program.outputs},
        plan=buffers.plan,
        nbytes=binder.nbytes + buffers.constant_bytes,
        precision=buffers.precision,
    )


class _Binder:
    """Gives every value its operand and every operation its calls, in order."""

    def __init__(self, buffers: Buffers) -> None:
        self.buffers, self.arrays, self.plan = buffers, buffers.arrays, buffers.plan
        self.precision, self.sizes = buffers.precision, buffers.sizes
        self.context = Context(self.precision, self.sizes, self._space)
        self.nbytes = 0
        self.keep: list[Array] = []
        # Whether to stop, and whether something that updates are made of is too large.
        self.verdict = np.zeros(2, np.int64)
        self.operands: dict[Value, Operand] = {}
        # Calls of kernels and, between them, of Python.
        self.rows: list[Call | Python] = []
        self.guard: Call | None = None
        for value, array in self.arrays.items():
            self.operands[value] = self._in_order(value, array)

    def _in_order(self, value: Value, array: Array) -> Operand:
        extents = extents_of(value.type, self.sizes)
        return Operand.new(address_of(array), value.type.kind, self.precision, extents)

    def _know(self, value: Value, array: Array) -> None:
        """The value lies in order in this array."""
        self.arrays[value], self.operands[value] = array, self._in_order(value, array)

    def _space(self, shape: tuple[int, ...], kind: Kind) -> Operand:
        array = self.buffers.scratch(tuple(map(int, shape)), kind)
        self.keep.append(array)
        return Operand.new(address_of(array), kind, self.precision, shape)

    def bind_operations(self, watched: Watch | None) -> None:
        """Bind every operation; when all is there that is watched, it is looked at."""
        program, still = self.buffers.program, self.plan.layout.copies
        views = {o.out for o in program.ops if o.primitive.view and o.out not in still}
        values = set(watched.values if watched else ())
        pending = values - set(self.arrays)
        late = watched.late(program, self.plan.layout) if watched else set()
        ends = followed(program.ops, {*program.results, *values}, views | set(self.plan.constant))
        waiting = set(ends.values())
        for op in program.ops:
            self.buffers.scratch.restart()
            if op.primitive.view:
                self._view(op)
            elif op in waiting:
                # It is done together with the one that follows.
                self._know(op.out, self.buffers.of_result(op.out))
            elif op.out in ends:
                self._join(ends[op.out], op)
            else:
                self._compute(op)
            if watched and op.out in pending:
                pending.discard(op.out)
                if op.out not in late:
                    early = [s for s in watched.sources if s.value is op.out]
                    self.rows += self._bounded(early)
                if not pending:
                    self._watch(watched, [s for s in watched.sources if s.value in late])
        if watched and self.guard is None:
            self._watch(watched, [])

    def _join(self, first: Op, op: Op) -> None:
        self._know(op.out, self.buffers.of_result(op.out))
        calls = joined(first, op, self.operands[op.out], self.operands, self.context)
        if calls is None:
            self.buffers.scratch.restart()
            self._compute(first)
            self.buffers.scratch.restart()
            self._compute(op)
        else:
            self._take(first, calls)

    def _take(self, op: Op, calls: list[Call]) -> None:
        for call in calls:
            call.origin = call.origin or op.origin
        self.rows += calls

    def _bounded(self, sources: Sequence[Source]) -> list[Call]:
        operands = [(self.operands[s.value], s.squared) for s in sources]
        return bounded(operands, address_of(self.verdict) + 8, self.precision)

    def _watch(self, watched: Watch, late: Sequence[Source]) -> None:
        """The calls that look at what is late, and that say whether to stop."""
        self.rows += self._bounded(late)
        self.guard = judged(self.operands[watched.value], address_of(self.verdict), self.precision)
        self.rows.append(self.guard)

    def _view(self, op: Op) -> None:
        source = op.args[0]
        if op.out in self.plan.layout.copies:
            # A reshape of what does not lie in order: the same numbers in the same order.
            array = self.buffers.of_result(op.out)
            self._know(op.out, array)
            target = self.operands[op.out].reshaped(self.operands[source].extents)
            assert target is not None
            self.rows += copy(target, self.operands[source], self.precision)
            return
        array = op.primitive.alias(np, self.sizes, self.arrays[source])
        self.arrays[op.out] = array
        seen = self.operands[source].seen(op.primitive, op.out.type, self.sizes)
        self.operands[op.out] = seen if seen is not None else self._as_it_is(op.out, array)

    def _as_it_is(self, value: Value, array: Array) -> Operand:
        kind = value.type.kind
        strides = tuple(s // array.itemsize for s in array.strides)
        return Operand(address_of(array), kind, array.itemsize, array.shape, strides)

    def _compute(self, op: Op) -> None:
        array = self.buffers.of_result(op.out)
        self._know(op.out, array)
        args = [self.arrays[arg] for arg in op.args]
        if op.out not in self.plan.constant:
            calls = self._lowered(op)
            if calls is not None:
                self._take(op, calls)
                return
        self.buffers.scratch.restart()
        python = list(op.primitive.kernel(np, self.buffers.scratch, self.sizes, array, *args))
        if op.out in self.plan.constant:
            for each in python:
                each()
        else:
            self.rows += python

    def _lowered(self, op: Op) -> list[Call] | None:
        out, args = self.operands[op.out], [self.operands[arg] for arg in op.args]
        try:
            if isinstance(op.primitive, Scan):
                return scan_calls(op.primitive, out, args, self.context)
            return lower(op, out, args, self.context)
        except (NoKernel, Unsupported):
            return None

    def bind_copies(self) -> None:
        """At the end, copy new values that could not be written directly."""
        for update in self.buffers.program.updates:
            if self.plan.direct.get(update.value) is not update.target:
                target, value = self.operands[update.target], self.operands[update.value]
                self.rows += copy(target, value, self.precision)

    def parts(self) -> list[Table | Python]:
        """Tables of the rows, with the Python calls between them."""
        # Rows hold addresses only, so what is at them must be held on to.
        memory = (*self.keep, *self.arrays.values(), self.verdict)
        found: list[tuple[list[Call], Call | None] | Python] = []
        for native, group in groupby(self.rows, lambda row: isinstance(row, Call)):
            if native:
                calls = merged_calls([row for row in group if isinstance(row, Call)])
                found.append((calls, chained(calls, self.guard, self.verdict, memory)))
            else:
                found += [row for row in group if not isinstance(row, Call)]
        ran = [part for part in found if isinstance(part, tuple)]
        # All at once, so that whoever waits is told how many there are.
        _, code = addresses(c.kernel for calls, chain in ran for c in ([chain] if chain else calls))
        self.nbytes += (8 * ROW + CALL_BYTES) * sum(len(calls) for calls, _ in ran)
        tables = [
            table_of(*part, self.guard, self.verdict, memory) if isinstance(part, tuple) else part
            for part in found
        ]
        # Until here, nobody else held it.
        del code
        return tables
