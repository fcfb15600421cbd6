"""Transposes next to a contraction become another order of its axes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ..program import Op, Program
from ..program.primitives.contract import Contract
from ..program.primitives.spec import Axes, parse, written
from ..program.primitives.view import Transpose
from .rewrite import Rewriter


def absorb_transposes(program: Program) -> Program:
    """Rename the axes of operands that are transposes, and of results that only transposes read."""
    uses = Counter(arg for op in program.ops for arg in op.args) + Counter(program.results)

    def rule(rewriter: Rewriter, op: Op) -> Op | None:
        if isinstance(op.primitive, Contract):
            return _through_operands(rewriter, op)
        source = rewriter.made_by.get(op.args[0]) if op.args else None
        if isinstance(op.primitive, Transpose) and source and uses[source.out] == 1:
            return _through_result(op, op.primitive, source)
        return None

    return Rewriter(program, rule).walk()


def _through_operands(rewriter: Rewriter, op: Op) -> Op | None:
    contract = op.primitive
    assert isinstance(contract, Contract)
    left, right, result = parse(contract.spec)
    axes = [left, right]
    args = list(op.args)
    for position, arg in enumerate(op.args):
        made = rewriter.made_by.get(arg)
        if made and isinstance(made.primitive, Transpose):
            args[position] = made.args[0]
            axes[position] = _undone(axes[position], made.primitive)
    if tuple(args) == op.args:
        return None
    return replace(op, primitive=_with(contract, axes[0], axes[1], result), args=tuple(args))


def _through_result(op: Op, transpose: Transpose, source: Op) -> Op | None:
    if not isinstance(source.primitive, Contract):
        return None
    left, right, result = parse(source.primitive.spec)
    turned = tuple(result[axis] for axis in transpose.permutation)
    primitive = _with(source.primitive, left, right, turned)
    return Op(op.out, primitive, source.args, source.origin)


def _undone(axes: Axes, transpose: Transpose) -> Axes:
    """The axes of what was transposed."""
    before: dict[int, int] = {axis: n for n, axis in enumerate(transpose.permutation)}
    return tuple(axes[before[n]] for n in range(len(axes)))


def _with(contract: Contract, left: Axes, right: Axes, result: Axes) -> Contract:
    return replace(contract, spec=f"{written(left)}, {written(right)} -> {written(result)}")
