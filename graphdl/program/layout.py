"""Which values lie in memory in order, so that a reshape of them is a view.

Inputs and results of computing primitives do; views may not.
"""

from __future__ import annotations

from collections.abc import Mapping

from .primitives import Broadcast, Reshape, Slice, Stop, Transpose
from .program import Op, Value
from .size import Dim

Shape = tuple[Dim, ...]


def in_order(makers: Mapping[Value, Op], value: Value) -> bool:
    """Whether the value lies in memory in order; `makers` gives the op that made each value."""
    op = makers.get(value)
    if op is None or not op.primitive.view:
        return True
    return _keeps_order(op) and in_order(makers, op.args[0])


def can_reshape(makers: Mapping[Value, Op], value: Value, shape: Shape) -> bool:
    """Whether the value under another shape can be a view of it."""
    return in_order(makers, value) or _only_splits(value.type.shape, shape)


def _keeps_order(op: Op) -> bool:
    primitive, shape = op.primitive, op.args[0].type.shape
    if isinstance(primitive, (Reshape, Stop)):
        return True
    if isinstance(primitive, Broadcast):
        return _long(shape) == _long(primitive.shape)
    if isinstance(primitive, Transpose):
        moved = [axis for axis in primitive.permutation if shape[axis] != 1]
        return moved == sorted(moved)
    if isinstance(primitive, Slice):
        leads = all(dim == 1 for dim in shape[: primitive.axis])
        return op.out.type.shape == shape or (leads and primitive.step == 1)
    return False


def _long(shape: Shape) -> Shape:
    return tuple(dim for dim in shape if dim != 1)


def _only_splits(source: Shape, target: Shape) -> bool:
    """Whether every axis of the target comes out of one axis of the source."""
    rest = list(_long(target))
    for dim in _long(source):
        part: Dim = 1
        while part != dim:
            if not rest:
                return False
            part = part * rest.pop(0)
    return not rest
