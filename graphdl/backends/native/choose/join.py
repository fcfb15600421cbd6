"""Fusion of two operations into one kernel, so that what lies between is never written.

`relu(contract(x, w) + b)`: the sums get their bias and ReLU in registers. `sum(exp(x))`: each
number is computed as it is added.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from ....program import Op, Value
from ....program.primitives import Amax, Amin, Contract, Mean, Sum
from ..kernels.call import Call
from ..kernels.epilogue import epilogue_of
from ..kernels.operand import Operand
from ..kernels.pointwise import has_kernel, stages_of
from .labels import Unsupported
from .lower import Context, contraction, reduced


def followed(
    ops: Iterable[Op], results: Container[Value], free: Container[Value]
) -> dict[Value, Op]:
    """For each result that may be made together with what comes right before it, the latter.

    That is a contraction before a pointwise operation, and one of these before a reduction, where
    nothing else reads what is between them. What takes no time and no memory (`free`, and views)
    may come between; anything else might write to memory of the first one's operands, which the
    memory plan has given away after it.
    """
    every = list(ops)
    uses: dict[Value, int] = {}
    for op in every:
        for arg in op.args:
            uses[arg] = uses.get(arg, 0) + 1
    found: dict[Value, Op] = {}
    last: Op | None = None
    for op in every:
        if op.out in free:
            continue
        if last is not None and last.out in op.args and _joins(last, op):
            found[op.out] = last
            last = None
        else:
            last = op if uses.get(op.out) == 1 and op.out not in results else None
    return found


def _joins(first: Op, op: Op) -> bool:
    if isinstance(first.primitive, Contract):
        return op.primitive.pointwise and op.out.type == first.out.type
    reduces = isinstance(op.primitive, Sum | Mean | Amax | Amin)
    return first.primitive.pointwise and reduces and bool(first.out.type.shape)


def joined(
    first: Op, op: Op, out: Operand, operands: Mapping[Value, Operand], context: Context
) -> list[Call] | None:
    """The calls of both; None where they stay apart.

    They do where the second writes what the first still reads, where the end of a contraction
    is not cheap, and where one of them is left to NumPy.
    """
    if any(each.primitive.pointwise and not has_kernel(each) for each in (first, op)):
        return None
    sides, args = [operands[arg] for arg in first.args], [operands[arg] for arg in op.args]
    total = operands[first.out]
    if first.primitive.pointwise:
        found, stages = stages_of(first, sides, context.sizes)
        whole = [operand.broadcast(total.extents) for operand in found]
        if any(out.overlaps(operand) for operand in whole):
            return None
        return reduced(op.primitive, out, whole, stages, context)
    end = epilogue_of(op, args, total, out, context.sizes)
    if end is None or any(out.overlaps(other) for other in (*sides, *end.operands)):
        return None
    try:
        return contraction(first.primitive, out, sides, context, end)
    except Unsupported:
        return None
