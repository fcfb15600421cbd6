"""The memory plan: an offset in one arena for every intermediate, from its lifetime.

Results of operations that allow it reuse the buffer of an argument that dies there: pointwise ones,
and rows put into a table. New values of weights and states are written straight into the kept
arrays where nothing reads the old ones later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..program import Op, Program, Value
from .fused import may_overwrite
from .layout import Layout, dtypes, lay_out, nbytes

ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class Buffer:
    """A stretch of the arena that holds `values` one after the other.

    It is in use from operation `first` (-1: before the first) to operation `last`, both included.
    """

    values: tuple[Value, ...]
    offset: int
    nbytes: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Where every value of a program lives, at one binding.

    layout     which values are views of which
    offsets    place in the arena of every value with a buffer of its own
    direct     results written straight into the kept array of a weight or state
    constant   results that depend on nothing that is fed or kept: computed once per binding, and
               kept outside the arena
    size       bytes of the arena; `unplanned` is what it would be without reuse
    """

    layout: Layout
    buffers: tuple[Buffer, ...]
    offsets: dict[Value, int]
    direct: dict[Value, Value]
    constant: frozenset[Value]
    size: int
    unplanned: int


def plan_memory(
    program: Program, sizes: dict[str, int], precision: str, guards: Iterable[Value] = ()
) -> MemoryPlan:
    """Plan a program whose updates are settled (see `settle_updates`).

    Nothing is written into a kept array before all `guards` are computed.
    """
    planner = _Planner(program, sizes, precision)
    direct = planner.write_updates_directly(guards)
    planner.reuse_in_place()
    buffers, size = _place(planner.buffers())
    offsets = {value: b.offset for b in buffers for value in b.values}
    unplanned = sum(_aligned(planner.bytes[v]) for v in offsets)
    return MemoryPlan(
        planner.layout, buffers, offsets, direct, frozenset(planner.constant), size, unplanned
    )


class _Planner:
    """Lifetimes of the buffers of one program, as decisions about sharing them are taken."""

    def __init__(self, program: Program, sizes: dict[str, int], precision: str) -> None:
        self.program = program
        self.layout = lay_out(program, sizes, precision)
        kinds = dtypes(precision)
        self.end = len(program.ops)
        self.kept = {i.value: i for i in program.inputs if i.role in ("weight", "state")}
        self.constant = _constants(program)
        owners = [i.value for i in program.inputs] + [op.out for op in program.ops]
        owners = [v for v in owners if self.layout.roots[v] is v]
        self.bytes = {v: nbytes(v, sizes, kinds) for v in owners}
        self.first = dict.fromkeys(owners, -1)
        self.first |= {op.out: index for index, op in enumerate(program.ops)}
        self.last = {v: self.first[v] for v in owners}
        # The buffer a value was given when it took over another's.
        self.home = {v: v for v in owners}
        self._find_last_uses()

    def root(self, value: Value) -> Value:
        return self.home[self.layout.roots[value]]

    def _find_last_uses(self) -> None:
        for index, op in enumerate(self.program.ops):
            for arg in op.args:
                self.last[self.root(arg)] = index
        for value in self.program.results:
            self.last[self.root(value)] = self.end
        for value in self.constant:
            self.last[self.root(value)] = self.end

    def write_updates_directly(self, guards: Iterable[Value]) -> dict[Value, Value]:
        """Let operations write new values into kept arrays: op result -> input."""
        outputs = {self.layout.roots[v] for _, v in self.program.outputs}
        order = {op.out: place for place, op in enumerate(self.program.ops)}
        ready = max((order.get(guard, -1) for guard in guards), default=-1)
        made_by = {op.out: op for op in self.program.ops}
        direct: dict[Value, Value] = {}
        for update in self.program.updates:
            target, value = update.target, update.value
            free = (
                value in made_by
                and value not in direct
                and self.layout.roots[value] is value
                and value not in outputs
                and value not in self.constant
                and self.first[value] > ready
            )
            if free and self._unread_after(target, made_by[value]):
                direct[value] = target
                self.home[value] = target
        return direct

    def _unread_after(self, target: Value, op: Op) -> bool:
        """Whether `op` is the last reader of the kept array, and may overwrite it."""
        index = self.first[op.out]
        last = self.last[target]
        return last < index or (last == index and self._may_overwrite(op, target))

    def _may_overwrite(self, op: Op, home: Value) -> bool:
        """Whether the result can take the place of its arguments in the buffer `home`.

        True when every argument in that buffer is laid out exactly as the result will be.
        """
        own = self.layout.spans[op.out]
        homes = [self.root(arg) for arg in op.args]
        inside = [arg for arg, found in zip(op.args, homes, strict=True) if found is home]
        same = all(
            self.layout.spans[arg] == own and arg.type.kind == op.out.type.kind for arg in inside
        )
        return same and may_overwrite(op.primitive, homes, home)

    def reuse_in_place(self) -> None:
        """Let results take the buffer of an argument that ends there, where they may."""
        for index, op in enumerate(self.program.ops):
            out = op.out
            if self.home.get(out) is not out or out in self.constant:
                continue
            for arg in op.args:
                home = self.root(arg)
                dying = self.last[home] == index and home not in self.kept
                if dying and self._may_overwrite(op, home):
                    self.home[out] = home
                    self.last[home] = max(index, self.last[out])
                    break

    def buffers(self) -> Iterable[Buffer]:
        """The buffers the arena must hold, without their offsets."""
        shared: dict[Value, list[Value]] = defaultdict(list)
        for value, home in self.home.items():
            if home not in self.kept and home not in self.constant:
                shared[home].append(value)
        for home, values in shared.items():
            yield Buffer(tuple(values), 0, self.bytes[home], self.first[home], self.last[home])


def _constants(program: Program) -> set[Value]:
    """Results that depend on no input."""
    constant: set[Value] = set()
    for op in program.ops:
        if all(arg in constant for arg in op.args):
            constant.add(op.out)
    return constant


def _aligned(count: int) -> int:
    return -(-count // ALIGNMENT) * ALIGNMENT


def _place(buffers: Iterable[Buffer]) -> tuple[tuple[Buffer, ...], int]:
    """Offsets by best fit, the largest buffer first, into the tightest gap free long enough."""
    queue = sorted(buffers, key=lambda b: (-b.nbytes, b.first))
    table = np.zeros((4, len(queue)), dtype=np.int64)
    first, last, start, stop = table
    placed: list[Buffer] = []
    for count, buffer in enumerate(queue):
        need = _aligned(buffer.nbytes)
        beside = (first[:count] <= buffer.last) & (last[:count] >= buffer.first)
        offset = _tightest(start[:count][beside], stop[:count][beside], need)
        table[:, count] = buffer.first, buffer.last, offset, offset + need
        placed.append(Buffer(buffer.values, offset, buffer.nbytes, buffer.first, buffer.last))
    return tuple(placed), int(stop.max(initial=0))


def _tightest(starts: np.ndarray, stops: np.ndarray, need: int) -> int:
    """Offset of the smallest gap of at least `need` bytes between occupied stretches."""
    if not len(starts):
        return 0
    order = np.argsort(starts, kind="stable")
    # Free from the end of everything before; stretches may overlap and contain each other.
    ends = np.maximum.accumulate(stops[order])
    free = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    gaps = starts[order] - free
    wide = np.flatnonzero(gaps >= need)
    return int(free[wide[np.argmin(gaps[wide])]] if len(wide) else ends[-1])
