"""How a model looks along time: whether it can be read one step after the other.

A value has its steps on at most one axis, of size `T`. What works step by step leaves that axis as
it is, and a scan carries its states on; all else (a convolution, attention, positions, a mean over
time, `T` as a number) gives something else for a window than for the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..program import Dim, Op, Program, Size, Value
from ..program import primitives as p

STACKED = -1  # where a scan has its steps: it gives all of its results behind each other


@dataclass(frozen=True, slots=True)
class Reading:
    """What the way from the input to one output holds.

    recurrent   a scan over the steps
    stepwise    nothing but scans looks along time, and all of them forwards: states are all that a
                step needs to know
    backwards   time is turned round
    positions   how many steps tables of positions have, None without any
    """

    recurrent: bool
    stepwise: bool
    backwards: bool
    positions: int | None


def reading(program: Program, output: str, length: Dim) -> Reading:
    """How `output` is made of an input of this length."""
    ops = _behind(program, dict(program.outputs)[output])
    counted = {op.out for op in ops if isinstance(op.primitive, p.Iota)}
    tables = [
        op.args[0].type.shape[0]
        for op in ops
        if isinstance(op.primitive, p.Gather) and op.args[1] in counted
    ]
    return Reading(
        recurrent=any(isinstance(op.primitive, p.Scan) for op in ops),
        stepwise=not any(_turns(op, length) for op in program.ops) and _stepwise(ops, length),
        backwards=any(_turns(op, length) for op in ops),
        positions=min((rows for rows in tables if isinstance(rows, int)), default=None),
    )


def _behind(program: Program, value: Value) -> list[Op]:
    """The operations that a value depends on, in order."""
    needed, found = {value}, []
    for op in reversed(program.ops):
        if op.out in needed:
            needed.update(op.args)
            found.append(op)
    return found[::-1]


def _turns(op: Op, length: Dim) -> bool:
    """Whether this turns time round; no state of such a program is carried on."""
    turned = op.primitive
    return isinstance(turned, p.Reverse) and _moves(op.out.type.shape[turned.axis], length)


def _moves(dim: Dim, length: Dim) -> bool:
    """Whether a size depends on the length."""
    return isinstance(dim, Size) and isinstance(length, Size) and bool(dim.names() & length.names())


def _stepwise(ops: list[Op], length: Dim) -> bool:
    if not isinstance(length, Size):
        return False
    places: dict[Value, int | None] = {}
    for op in ops:
        given = [places[a] if a in places else _axis(a, length) for a in op.args]
        if not _by_steps(op, given, length):
            return False
        stacked = isinstance(op.primitive, p.Scan) or _of_stacked(op, given, length)
        moves = any(_moves(dim, length) for dim in op.out.type.shape)
        places[op.out] = STACKED if stacked and moves else _axis(op.out, length)
    return True


def _axis(value: Value, length: Dim) -> int | None:
    """Where a value has its steps."""
    return next((i for i, dim in enumerate(value.type.shape) if dim == length), None)


def _by_steps(op: Op, given: list[int | None], length: Dim) -> bool:
    """Whether a step of the result depends on that step of the arguments alone."""
    if isinstance(op.primitive, p.Scan):
        return _scans(op.primitive, given, length)
    if STACKED in given:
        return _of_stacked(op, given, length) or _unstacks(op, length)
    moving = [dim for dim in op.out.type.shape if _moves(dim, length)]
    if moving != [length]:
        numbers = isinstance(op.primitive, p.Extent) and _moves(op.primitive.dim, length)
        return not moving and not numbers and given == [None] * len(given)
    here = _axis(op.out, length)
    assert here is not None
    return op.primitive.by_steps(op.args, given, op.out, here)


def _scans(scan: p.Scan, given: list[int | None], length: Dim) -> bool:
    stepped = [value in scan.body.steps for value in scan.body.given]
    if scan.length != length:
        return given == [None] * len(given)
    return not scan.reverse and given == [0 if steps else None for steps in stepped]


def _of_stacked(op: Op, given: list[int | None], length: Dim) -> bool:
    """Whether this is one of the results of a scan, all its steps, still in a row."""
    if given != [STACKED] or not isinstance(op.primitive, p.Slice) or len(op.out.type.shape) != 1:
        return False
    return all(_divides(dim, length) for dim in (op.primitive.start, op.primitive.stop))


def _divides(dim: Dim, length: Dim) -> bool:
    """Whether a place in a row of results is the beginning of one, all their steps behind."""
    if isinstance(dim, int):
        return dim == 0
    assert isinstance(length, Size)
    return dim % length == 0


def _unstacks(op: Op, length: Dim) -> bool:
    """Whether the results of a scan become a sequence, steps first."""
    return isinstance(op.primitive, p.Reshape) and op.out.type.shape[:1] == (length,)
