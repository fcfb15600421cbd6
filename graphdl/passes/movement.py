"""Rules of `simplify` for primitives that only move numbers: neighbours that undo each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..program import Op, Value
from ..program.primitives.view import Broadcast, Reshape, Transpose
from .rewrite import Rewriter


def simplify_movement(rewriter: Rewriter, op: Op) -> Value | Op | None:
    """Drop a movement that does nothing; join two of a kind."""
    if not op.primitive.moves or len(op.args) > 1:
        return None
    (x,) = op.args
    if op.primitive.identity(x.type, op.out.type):
        return x
    before = rewriter.made_by.get(x)
    return _joined(op, before) if before else None


def _joined(op: Op, before: Op) -> Value | Op | None:
    """One movement for two in a row."""
    source = before.args[0] if before.args else op.out
    match op.primitive, before.primitive:
        case Reshape(), Reshape():
            return replace(op, args=(source,))
        case Broadcast(), Broadcast():
            return replace(op, args=(source,))
        case Broadcast(), Reshape() if source.type.shape == ():
            return replace(op, args=(source,))
        case Reshape(), Broadcast() if source.type.shape == ():
            return replace(op, primitive=Broadcast(op.out.type.shape), args=(source,))
        case Transpose() as last, Transpose() as first:
            permutation = tuple(first.permutation[axis] for axis in last.permutation)
            return replace(op, primitive=Transpose(permutation), args=(source,))
        case Transpose(), Broadcast() if source.type.shape == ():
            return replace(op, primitive=Broadcast(op.out.type.shape), args=(source,))
        case last, first if last.name == "reverse" and last == first:
            return source
    return None


def moved_again(rewriter: Rewriter, op: Op, path: Sequence[Value], source: Value) -> Op:
    """`op` as the movements along `path` (from the last back to the first) applied to `source`."""
    value = source
    for step in reversed(path[1:]):
        made = rewriter.made_by[step]
        value = rewriter.emit(op, made.primitive, value, *made.args[1:])
    made = rewriter.made_by[path[0]]
    return replace(op, primitive=made.primitive, args=(value, *made.args[1:]))
