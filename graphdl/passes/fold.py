"""Rules of `simplify` for constants: numbers known before the program runs are worked out here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..program import Kind, Op, Value
from ..program.primitives.source import Constant
from ..program.primitives.view import Broadcast
from .layout import dtypes
from .rewrite import Rewriter


def number(rewriter: Rewriter, value: Value) -> float | None:
    """The number that fills `value`, when it is known."""
    return filled(rewriter.made_by, value)


def filled(made_by: Mapping[Value, Op], value: Value) -> float | None:
    """The number that fills `value`, given the operation that makes each value."""
    made = made_by.get(value)
    while made and made.primitive.moves and len(made.args) == 1:
        made = made_by.get(made.args[0])
    return made.primitive.number if made and isinstance(made.primitive, Constant) else None


def fold(rewriter: Rewriter, op: Op) -> Op | None:
    """A pointwise operation on constants as the constant it gives, repeated as needed."""
    numbers = [number(rewriter, arg) for arg in op.args]
    known = [n for n in numbers if n is not None]
    if len(known) < len(numbers) or not known:
        return None
    result = evaluated(op, known)
    if not math.isfinite(result):
        return None
    constant = Constant(result, op.out.type.kind)
    if op.out.type.shape == ():
        return replace(op, primitive=constant, args=())
    return replace(op, primitive=Broadcast(op.out.type.shape), args=(rewriter.emit(op, constant),))


def evaluated(op: Op, numbers: Sequence[float]) -> float:
    """A pointwise operation on numbers: the kernel itself, without axes, in float64."""
    kinds = dtypes("float64")

    def array(shape: tuple[int, ...], kind: Kind) -> np.ndarray:
        return np.empty(shape, dtype=kinds[kind])

    out = array((), op.out.type.kind)
    pairs = zip(op.args, numbers, strict=True)
    args = [np.array(n, dtype=kinds[arg.type.kind]) for arg, n in pairs]
    with np.errstate(all="ignore"):
        for call in op.primitive.kernel(np, array, {}, out, *args):
            call()
    return out.item()  # type: ignore[no-any-return]
