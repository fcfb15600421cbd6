"""The same primitive of the same values is computed once; a + b and b + a are the same."""

from __future__ import annotations

from ..program import Op, Primitive, Program, Value
from .rewrite import Rewriter


def common_subexpressions(program: Program) -> Program:
    """Let the first of equal operations stand for all of them."""
    order: dict[Value, int] = {}
    known: dict[tuple[Primitive, tuple[Value, ...]], Value] = {}

    def rule(_: Rewriter, op: Op) -> Value | None:
        args = op.args
        if op.primitive.commutative:
            args = tuple(sorted(args, key=lambda a: order.setdefault(a, len(order))))
        found = known.setdefault((op.primitive, args), op.out)
        return None if found is op.out else found

    return Rewriter(program, rule).walk()
