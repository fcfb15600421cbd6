"""What is picked out of a pointwise result is computed for the picked numbers alone.

The loss of a language model picks one of ten thousand log-probabilities of each row: the others are
then never written, and what they were made of fuses with what the gradient needs.
"""

from __future__ import annotations

from collections import defaultdict

from ..program import Op, Program, Value
from ..program.primitives import Broadcast, Gather, Pick, Reshape
from .rewrite import Rewriter


def pick_early(program: Program) -> Program:
    """Move each pick in front of the pointwise operations behind it.

    It stays where something needs the whole value that is neither pointwise nor a pick itself.
    """
    users: dict[Value, list[Op]] = defaultdict(list)
    for op in program.ops:
        for arg in op.args:
            users[arg].append(op)
    whole = set(program.results)
    whole |= {v for v, ops in users.items() if not all(map(_takes_single_numbers, ops))}

    def rule(rewriter: Rewriter, op: Op) -> Op | None:
        if not isinstance(op.primitive, Pick) or op.args[0] in whole:
            return None
        made = rewriter.made_by.get(op.args[0])
        if made is None or not made.primitive.pointwise:
            return None
        parts = [_picked(rewriter, op, arg) for arg in made.args]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        return Op(op.out, made.primitive, tuple(known), op.origin)

    return Rewriter(program, rule).walk()


def _takes_single_numbers(op: Op) -> bool:
    return op.primitive.pointwise or isinstance(op.primitive, Pick)


def _picked(rewriter: Rewriter, op: Op, value: Value) -> Value | None:
    """What is picked of an argument; None where that would take a copy of all."""
    _, ids = op.args
    made = rewriter.made_by.get(value)
    if made is None or not made.primitive.view:
        return rewriter.emit(op, op.primitive, value, ids)
    if not isinstance(made.primitive, Broadcast):
        return None
    (source,) = made.args
    shape = source.type.shape
    if shape == value.type.shape[-1:]:
        return rewriter.emit(op, Gather(), source, ids)
    if shape and shape[-1] != 1:
        return None
    if shape:
        source = rewriter.emit(op, Reshape(shape[:-1]), source)
    if source.type.shape == ids.type.shape:
        return source
    return rewriter.emit(op, Broadcast(ids.type.shape), source)
