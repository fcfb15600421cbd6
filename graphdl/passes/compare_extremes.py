"""Comparisons of what an extreme was taken of are made with the extreme itself.

The gradient of max(0, x) asks whether 0 >= x, which is whether 0 >= max(0, x): the result is kept
for the next layer anyway, so x need not be, and is computed together with its maximum.
"""

from __future__ import annotations

from ..program import Op, Program, Value
from ..program.primitives import Greater, GreaterEqual, Less, LessEqual, Maximum, Minimum
from .rewrite import Rewriter

# a >= b is a >= max(a, b), a < b is a < max(a, b), and the other way round.
SAME = {
    Maximum: (GreaterEqual, Less),
    Minimum: (LessEqual, Greater),
}


def compare_extremes(program: Program) -> Program:
    """Replace the second argument of comparisons by the extreme of both, where that is known."""
    known: dict[tuple[type, Value, Value], Value] = {}

    def rule(rewriter: Rewriter, op: Op) -> Op | None:
        if isinstance(op.primitive, Maximum | Minimum):
            a, b = op.args
            known[type(op.primitive), a, b] = known[type(op.primitive), b, a] = op.out
            return None
        for extreme, comparisons in SAME.items():
            if not isinstance(op.primitive, comparisons):
                continue
            a, b = op.args
            made, found = rewriter.made_by.get(b), known.get((extreme, a, b))
            if found is not None and made is not None and not made.primitive.view:
                return Op(op.out, op.primitive, (a, found), op.origin)
        return None

    return Rewriter(program, rule).walk()
