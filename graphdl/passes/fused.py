"""A group of pointwise operations as one primitive: a small program over cache-sized blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod
from types import ModuleType
from typing import ClassVar

from ..program import Array, Call, Kind, Op, Primitive, Scratch, ShapeError, Type, Value
from ..program.primitives.repeat import BOUND, extrapolated
from .blocks import Block, blocks


@dataclass(frozen=True)
class Step:
    """One operation of a group. Operands count the group's arguments first, then its steps."""

    primitive: Primitive
    operands: tuple[int, ...]
    type: Type
    origin: str = field(default="", compare=False)


@dataclass(frozen=True)
class Fused(Primitive):
    """Steps run one after the other on each block of elements; the last one is the result."""

    arity: int
    steps: tuple[Step, ...]
    name: ClassVar[str] = "fused"
    pointwise: ClassVar[bool] = True

    def infer(self, *types: Type) -> Type:
        """The type of the last step, when every step finds the types it was made for."""
        known = list(types)
        for step in self.steps:
            found = step.primitive.infer(*(known[o] for o in step.operands))
            if found != step.type:
                raise ShapeError(f"{step.primitive} gives {found}, not {step.type}")
            known.append(found)
        return known[-1]

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        """Every step over the first block, then over the next one."""
        operands = [*args, *[None] * len(self.steps)]
        for index, step in enumerate(self.steps):
            if step.primitive.view:
                source = operands[step.operands[0]]
                operands[self.arity + index] = step.primitive.alias(xp, sizes, source)
        slots = _Slots(self, scratch)
        run, rest = blocks(xp, out, operands)
        if len(run) > BOUND:
            some = [
                list(self._on_block(xp, slots, sizes, block)) for block in (run[0], run[1], run[-1])
            ]
            found = extrapolated(xp, some[0], some[1], some[2], len(run))
            if found is not None:
                yield from found
                run = []
        for block in [*run, *rest]:
            yield from self._on_block(xp, slots, sizes, block)

    def _on_block(
        self, xp: ModuleType, slots: _Slots, sizes: dict[str, int], block: Block
    ) -> Iterator[Call]:
        values = list(block.operands)
        for index, step in enumerate(self.steps[:-1]):
            if not step.primitive.view:
                result = slots.of_step(index, block.out.shape)
                values[self.arity + index] = result
                yield from self._step(xp, slots, sizes, index, result, values)
        yield from self._last(xp, slots, sizes, block.out, values)

    def _last(
        self,
        xp: ModuleType,
        slots: _Slots,
        sizes: dict[str, int],
        out: Array,
        values: list[Array | None],
    ) -> Iterator[Call]:
        """The last step; `out` may be the memory of any argument, whatever the step allows."""
        index, result = len(self.steps) - 1, out
        allowed = self.steps[-1].primitive.overwrites
        for position, operand in enumerate(self.steps[-1].operands):
            bad = allowed is not None and position not in allowed
            if bad and operand < self.arity and xp.may_share_memory(out, values[operand]):
                result = slots.of_step(index, out.shape)
        yield from self._step(xp, slots, sizes, index, result, values)
        if result is not out:
            yield partial(xp.copyto, out, result)

    def _step(
        self,
        xp: ModuleType,
        slots: _Slots,
        sizes: dict[str, int],
        index: int,
        result: Array,
        values: list[Array | None],
    ) -> Iterator[Call]:
        step = self.steps[index]
        slots.temporaries = 0
        operands = [values[o] for o in step.operands]
        return step.primitive.kernel(xp, slots.temporary, sizes, result, *operands)

    def last_uses(self) -> dict[int, int]:
        """The last step that reads each operand."""
        return {o: index for index, step in enumerate(self.steps) for o in step.operands}

    def expand(self, op: Op) -> Iterator[Op]:
        """The operations the group was made from."""
        values = list(op.args)
        for index, step in enumerate(self.steps):
            last = index == len(self.steps) - 1
            out = op.out if last else Value(f"{op.out.name}.{index}", step.type)
            yield Op(out, step.primitive, tuple(values[o] for o in step.operands), step.origin)
            values.append(out)

    def __str__(self) -> str:
        names = [f"${n}" for n in range(self.arity + len(self.steps))]
        parts = []
        for index, step in enumerate(self.steps):
            if step.primitive.view:
                names[self.arity + index] = names[step.operands[0]]
                continue
            operands = ", ".join(names[o] for o in step.operands)
            target = "" if index == len(self.steps) - 1 else f"{names[self.arity + index]} = "
            parts.append(f"{target}{step.primitive}({operands})")
        return f"fused[{'; '.join(parts)}]"


class _Slots:
    """Block-sized temporaries of a group, reused from step to step and from block to block."""

    def __init__(self, group: Fused, scratch: Scratch) -> None:
        self.group, self.scratch = group, scratch
        self.slots = _assign(group)
        self.arrays: dict[tuple[object, Kind], Array] = {}
        self.temporaries = 0

    def of_step(self, index: int, shape: tuple[int, ...]) -> Array:
        return self._array(self.slots.get(index, "last"), shape, self.group.steps[index].type.kind)

    def temporary(self, shape: tuple[int, ...], kind: Kind) -> Array:
        """What a step asks for beyond its result."""
        self.temporaries += 1
        return self._array(("temporary", self.temporaries), shape, kind)

    def _array(self, key: object, shape: tuple[int, ...], kind: Kind) -> Array:
        count = prod(shape)
        array = self.arrays.get((key, kind))
        # The first block is the largest, so what it got is enough for the others.
        if array is None or array.size < count:
            array = self.arrays[key, kind] = self.scratch((count,), kind)
        return array[:count].reshape(shape)


def _assign(group: Fused) -> dict[int, int]:
    """A slot for the result of every step but the last: the lowest one it may have."""
    last_uses, slots = group.last_uses(), dict[int, int]()
    owners: dict[tuple[int, Kind], int] = {}

    def open_to(step: Step, index: int, owner: int | None) -> bool:
        if owner is None or last_uses[owner] < index:
            return True
        return last_uses[owner] == index and may_overwrite(step.primitive, step.operands, owner)

    for index, step in enumerate(group.steps[:-1]):
        if step.primitive.view:
            continue
        slot = 0
        while not open_to(step, index, owners.get((slot, step.type.kind))):
            slot += 1
        slots[index] = slot
        owners[slot, step.type.kind] = group.arity + index
    return slots


def may_overwrite(primitive: Primitive, operands: Sequence[object], victim: object) -> bool:
    """Whether the result may take the memory of the operand `victim`."""
    positions = [n for n, operand in enumerate(operands) if operand == victim]
    allowed = primitive.overwrites
    return primitive.pointwise if allowed is None else all(n in allowed for n in positions)


def fused(steps: list[Step], arity: int) -> Fused:
    """A group; steps that nothing reads are the caller's mistake."""
    group = Fused(arity, tuple(steps))
    read = group.last_uses()
    unread = [i for i in range(len(steps) - 1) if arity + i not in read]
    assert not unread, (str(group), unread)
    return group


def renumbered(step: Step, numbers: dict[int, int]) -> Step:
    """The step with its operands under new numbers."""
    return replace(step, operands=tuple(numbers[o] for o in step.operands))
