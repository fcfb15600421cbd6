"""Where a program is not smooth: the choices of its maxima, comparisons and absolute values."""

from __future__ import annotations

from ..program import Builder, Op, Value


def choices(build: Builder, result: Value) -> list[tuple[Value, str]]:
    """Values that change only where the result has a kink, each with the node they belong to.

    A maximum's choice is its own derivative: which argument, element or place in the window won.
    Choices inside the loop of a scan, which depend on a state, are not among them.
    """
    found: list[tuple[Value, str]] = []
    for op in _leading_to(build, result):
        if op.primitive.jumps:
            found.append((op.out, op.origin))
        elif op.primitive.bends:
            ones = build.broadcast(build.constant(1.0), op.out.type.shape)
            grads = op.primitive.vjp(build, op.args, op.out, ones)
            found += [(g, op.origin) for g in grads[:1] if g is not None]
    return found


def _leading_to(build: Builder, result: Value) -> list[Op]:
    needed = {result}
    ops: list[Op] = []
    for op in reversed(build.ops):
        if op.out in needed:
            needed.update(op.args)
            ops.append(op)
    return ops[::-1]
