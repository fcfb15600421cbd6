"""Pointwise operations whose results are used only together become one fused group."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from ..program import Op, Program, Value
from .fused import Step, fused


def fuse_pointwise(program: Program) -> Program:
    """Join each pointwise operation with its only users; broadcasts go into every group.

    A group keeps the place, the name and the origin of its last operation.
    """
    group_of = _groups(program)
    made_by = {op.out: op for op in program.ops}
    members: dict[Value, list[Op]] = defaultdict(list)
    for op in program.ops:
        if op.out in group_of:
            members[group_of[op.out]].append(op)
    ops = []
    for op in program.ops:
        group = members.get(op.out, [])
        if len(group) > 1:
            ops.append(_fuse(group, made_by))
        elif op.out not in group_of or group:
            ops.append(op)
    return replace(program, ops=tuple(ops))


def _groups(program: Program) -> dict[Value, Value]:
    """For every pointwise result, the result of the last operation of its group."""
    users: dict[Value, list[Op]] = defaultdict(list)
    for op in program.ops:
        for arg in op.args:
            users[arg].append(op)
    results = set(program.results)
    group_of: dict[Value, Value] = {}
    for op in reversed(program.ops):
        if not op.primitive.pointwise:
            continue
        around = {group_of.get(user.out) for user in users[op.out]}
        (only,) = around if len(around) == 1 else (None,)
        joins = only is not None and op.out not in results and only.type.shape == op.out.type.shape
        group_of[op.out] = only if joins and only is not None else op.out
    return group_of


def _fuse(group: list[Op], made_by: dict[Value, Op]) -> Op:
    """One operation for a group given in program order."""
    ops, inside = [], {op.out for op in group}
    for op in group:
        for arg in op.args:
            source = made_by.get(arg)
            if source and source.primitive.name == "broadcast" and arg not in inside:
                ops.append(source)
                inside.add(arg)
        ops.append(op)
    args = list(dict.fromkeys(a for op in ops for a in op.args if a not in inside))
    numbers = {value: n for n, value in enumerate([*args, *(op.out for op in ops)])}
    steps = [
        Step(op.primitive, tuple(numbers[a] for a in op.args), op.out.type, op.origin) for op in ops
    ]
    last = group[-1]
    return Op(last.out, fused(steps, len(args)), tuple(args), last.origin)
