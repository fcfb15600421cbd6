"""Rule of `simplify` for sums of padded values: parts that lie side by side are joined instead.

It is what the gradients of the parts of a `split` leave behind.
"""

from __future__ import annotations

from ..program import Dim, Op, Value
from ..program.primitives import Concat, Pad
from .rewrite import Rewriter


def joined_parts(rewriter: Rewriter, op: Op) -> Op | None:
    """A sum as a concat of its parts, when they fill the whole without a gap."""
    leaves = _leaves(rewriter, op)
    if leaves is None:
        return None
    axis, parts = leaves
    order: list[Value] = []
    reached: Dim = 0
    while parts and reached in parts:
        part = parts.pop(reached)
        order.append(part)
        reached = reached + part.type.shape[axis]
    if parts or reached != op.out.type.shape[axis]:
        return None
    return Op(op.out, Concat(axis), tuple(order), op.origin)


def _leaves(rewriter: Rewriter, op: Op) -> tuple[int, dict[Dim, Value]] | None:
    """The axis along which all parts of a sum are padded, and the parts by where they begin."""
    axes: set[int] = set()
    parts: dict[Dim, Value] = {}
    pending = list(op.args)
    while pending:
        made = rewriter.made_by.get(pending.pop())
        if made is None:
            return None
        if made.primitive.name == "add":
            pending += made.args
            continue
        pad = made.primitive
        if not isinstance(pad, Pad) or pad.step != 1 or pad.value != 0 or pad.before in parts:
            return None
        axes.add(pad.axis)
        parts[pad.before] = made.args[0]
    return (axes.pop(), parts) if len(axes) == 1 else None
