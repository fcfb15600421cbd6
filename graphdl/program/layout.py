"""Which values lie in memory in order, so that a reshape of them is a view.

Inputs and results of computing primitives do; views may not.
"""

from __future__ import annotations

from collections.abc import Mapping

from .primitives.view import long
from .program import Op, Value
from .size import Dim

Shape = tuple[Dim, ...]


def in_order(makers: Mapping[Value, Op], value: Value) -> bool:
    """Whether the value lies in memory in order; `makers` gives the op that made each value."""
    op = makers.get(value)
    if op is None or not op.primitive.view:
        return True
    x = op.args[0]
    return op.primitive.keeps_order(x.type, op.out.type) and in_order(makers, x)


def can_reshape(makers: Mapping[Value, Op], value: Value, shape: Shape) -> bool:
    """Whether the value under another shape can be a view of it."""
    return in_order(makers, value) or _only_splits(value.type.shape, shape)


def _only_splits(source: Shape, target: Shape) -> bool:
    """Whether every axis of the target comes out of one axis of the source."""
    rest = list(long(target))
    for dim in long(source):
        part: Dim = 1
        while part != dim:
            if not rest:
                return False
            part = part * rest.pop(0)
    return not rest
