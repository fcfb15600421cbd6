"""Pointwise calls that go over the same elements one after the other become one call.

The gates of an LSTM and the weight and states of an optimiser are read and written in one pass over
memory; what one makes and the next one reads stays in registers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..emit.runtime_sizes import Number, RuntimeSize
from ..kernels.call import Call, Making
from ..kernels.operand import KIND_BYTES, Operand, ordered, total
from ..kernels.pointwise import FAMILY, Access, Part, Pointwise, Stage

# Results of one call, and operands that it has addresses of, at most. Each address takes one of the
# 16 general registers of x86-64, or is read again from the stack for every vector.
MOST_MERGED, MOST_OPERANDS = 8, 24


@dataclass(frozen=True, slots=True)
class _One:
    """What is done for one result; all operands have the extents of the call."""

    out: Operand
    args: tuple[Operand, ...]
    stages: tuple[Stage, ...]

    def seen(self, extents: Sequence[int]) -> _One:
        """The same over other extents: all operands lie in order, or repeat one number."""
        return _One(
            _seen(self.out, extents), tuple(_seen(a, extents) for a in self.args), self.stages
        )


def merged_calls(calls: Sequence[Call]) -> list[Call]:
    """The calls, neighbours of one node made one where nothing reads what moved meanwhile."""
    found: list[Call] = []
    group: list[_One] = []
    members: list[Call] = []
    for call in calls:
        ones = _taken_apart(call)
        joined = _joined(group, ones) if members and ones and _alike(members[-1], call) else []
        if not joined and members and ones and not _depend(group, ones):
            # Such as a rate that is worked out between the states and the weight: before all.
            found.append(call)
            continue
        if not joined:
            found += _together(members, group)
            members = []
        group = joined or ones
        if ones:
            members.append(call)
        else:
            found.append(call)
    return found + _together(members, group)


def _alike(one: Call, other: Call) -> bool:
    return one.origin == other.origin and one.kernel.precision == other.kernel.precision


def _depend(group: Sequence[_One], ones: Sequence[_One]) -> bool:
    """Whether the new one is no single number, or has to do with what the others write or read."""
    (new,) = ones
    if new.out.extents:
        return True
    mine = [new.out, *new.args]
    return any(
        any(one.out.overlaps(each) for each in mine) or any(new.out.overlaps(a) for a in one.args)
        for one in group
    )


def _taken_apart(call: Call) -> list[_One]:
    """What a pointwise call does; nothing for any other."""
    spec = call.kernel.spec
    if call.kernel.family != FAMILY or not isinstance(spec, Pointwise):
        return []

    def number(value: Number) -> int:
        return value if isinstance(value, int) else RuntimeSize(call.numbers[value.place])

    extents = tuple(number(extent) for extent in spec.extents)
    floats = 4 if call.kernel.precision == "float32" else 8

    def operand(access: Access) -> Operand:
        strides = tuple(number(stride) for stride in access.strides)
        size = KIND_BYTES.get(access.kind, floats)
        return Operand(call.numbers[access.place.place], access.kind, size, extents, strides)

    (part,) = spec.parts
    args = tuple(operand(access) for access in part.args if isinstance(access, Access))
    return [_One(operand(part.out), args, part.stages)]


def _joined(group: Sequence[_One], ones: Sequence[_One]) -> list[_One]:
    """All of them over the same extents, or nothing where that cannot be."""
    (new,) = ones
    extents, others = group[0].out.extents, new.out.extents
    if not _same(extents, others):
        if len(others) == 1 and others[0] == total(extents):
            new = new.seen(extents)
        elif len(extents) == 1 and extents[0] == total(others):
            group = [one.seen(others) for one in group]
        else:
            return []
    operands = sum(1 + len(one.args) for one in (*group, new))
    if len(group) == MOST_MERGED or operands > MOST_OPERANDS:
        return []
    for one in group:
        clash = any(_clash(one.out, each) for each in (new.out, *new.args))
        if clash or any(_clash(new.out, arg) for arg in one.args):
            return []
    return [*group, new]


def _same(extents: Sequence[int], others: Sequence[int]) -> bool:
    """Whether they are the same numbers, and equally known."""
    return list(map(type, extents)) == list(map(type, others)) and tuple(extents) == tuple(others)


def _seen(operand: Operand, extents: Sequence[int]) -> Operand:
    (stride,) = operand.strides
    strides = tuple(step * stride if stride else 0 for step in ordered(extents))
    return replace(operand, extents=tuple(extents), strides=strides)


def _clash(written: Operand, other: Operand) -> bool:
    """Whether an element that is written is another element of the other operand."""
    if not written.overlaps(other) or _is(written, other):
        return False
    if written.strides != other.strides or written.size != other.size:
        return True
    apart = other.address - written.address
    if apart % written.size or len(written.strides) != 2 or written.strides[1] != 1:
        return True
    # Columns of a matrix beside each other.
    width, pitch = int(written.extents[1]), abs(int(written.strides[0]))
    rest = apart // written.size % max(pitch, 1)
    return not width <= rest <= pitch - width


def _is(one: Operand, other: Operand) -> bool:
    return one.address == other.address and one.strides == other.strides and one.size == other.size


def _together(members: Sequence[Call], group: Sequence[_One]) -> list[Call]:
    """One call for all, or the only one there is."""
    if len(members) < 2:
        return list(members)
    making = Making()

    def access(operand: Operand) -> Access:
        return Access(making.operand(operand), operand.kind, making.all(operand.strides))

    extents = making.all(group[0].out.extents)
    parts: list[Part] = []
    for number, one in enumerate(group):
        args: list[Access | int] = []
        for arg in one.args:
            made = [n for n in range(number) if _is(group[n].out, arg)]
            args.append(made[-1] if made else access(arg))
        parts.append(Part(access(one.out), tuple(args), one.stages))
    work, flops = sum(call.work for call in members), sum(call.flops for call in members)
    spec = Pointwise(extents, tuple(parts))
    call = making.call(FAMILY, spec, members[0].kernel.precision, work, flops=flops)
    call.origin = members[0].origin
    return [call]
