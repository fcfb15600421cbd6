"""What the updates of a program are made of: values that, where none is huge, make none infinite.

An update is a formula, element by element, of weights, states, scalars and a few other results: the
gradients, or sums of their squares. These are the sources. Looking at them costs one read of each;
looking at what is written would come too late.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..program import Op, Program, Value
from ..program.primitives import (
    Broadcast,
    Concat,
    Copy,
    Gather,
    MergeRows,
    Mul,
    Pad,
    PutRows,
    Random,
    Reshape,
    Reverse,
    ScatterAdd,
    Slice,
    Stop,
    Sum,
    Transpose,
)

# Results whose numbers are numbers of their arguments.
MOVED = (Broadcast, Concat, Copy, Pad, PutRows, Reshape, Reverse, Stop, Transpose)


@dataclass(frozen=True, slots=True)
class Source:
    """A value to look at.

    squared   it is the sum of the squares of what counts
    written   it is what an update writes
    """

    value: Value
    squared: bool = False
    written: bool = False


def sources(program: Program) -> tuple[Source, ...]:
    """The sources of all updates, in the order in which they are computed."""
    made_by = {op.out: op for op in program.ops}
    found: dict[Value, None] = {}
    seen: set[Value] = set()
    pending = [update.value for update in program.updates]
    while pending:
        value = pending.pop()
        op = made_by.get(value)
        if op is None or value in seen or value.type.kind != "float":
            continue
        seen.add(value)
        if op.primitive.pointwise or isinstance(op.primitive, MOVED) or _inside(op, made_by):
            pending += op.args
        elif isinstance(op.primitive, ScatterAdd | MergeRows):
            # Their sums are no larger than the number of rows times the largest.
            found[op.args[1]] = None
        elif op.args and not isinstance(op.primitive, Random) and not _of_table(op, made_by):
            found[value] = None
    squares = {v: whole for v in found if (whole := _squared(v, made_by)) is not None}
    covered = {_whole(value, made_by) for value in squares.values()}
    order = {op.out: place for place, op in enumerate(program.ops)}
    return tuple(
        Source(value, value in squares)
        for value in sorted(found, key=lambda v: order.get(v, -1))
        if _whole(value, made_by) not in covered
    )


def written(program: Program, updates: Iterable[Value]) -> tuple[Source, ...]:
    """What some updates write, as values to look at: of a table, the rows that are put into it."""
    made_by = {op.out: op for op in program.ops}
    found: dict[Value, None] = {}
    for value in updates:
        op = made_by.get(value)
        if op is not None and value.type.kind == "float":
            found[op.args[2] if isinstance(op.primitive, PutRows) else value] = None
    return tuple(Source(value, written=True) for value in found)


def _inside(op: Op, made_by: dict[Value, Op]) -> bool:
    """Whether this is a part of something that is to be looked at more closely."""
    if not isinstance(op.primitive, Slice):
        return False
    maker = made_by.get(op.args[0])
    return maker is None or maker.primitive.pointwise


def _of_table(op: Op, made_by: dict[Value, Op]) -> bool:
    """Whether these are rows of what is kept."""
    return isinstance(op.primitive, Gather) and op.args[0] not in made_by


def _squared(value: Value, made_by: dict[Value, Op]) -> Value | None:
    """What a value is the sum of all squares of, None where it is nothing of the kind."""
    op = made_by.get(value)
    if op is None or not isinstance(op.primitive, Sum) or value.type.shape:
        return None
    product = made_by.get(op.args[0])
    if product is None or not isinstance(product.primitive, Mul):
        return None
    left, right = product.args
    return left if left is right else None


def _whole(value: Value, made_by: dict[Value, Op]) -> Value:
    """The value without what only turns it round."""
    op = made_by.get(value)
    while op is not None and isinstance(op.primitive, Reshape | Transpose | Stop):
        value, op = op.args[0], made_by.get(op.args[0])
    return value
