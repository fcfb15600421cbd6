"""An operation done for all steps of a sequence at once, instead of step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from . import primitives as p
from .primitive import Primitive
from .primitives.spec import labels_of, parse, written
from .program import Op, Value
from .size import Dim

if TYPE_CHECKING:
    from .builder import Builder

_SHIFTED = (p.ArgMax, p.Slice, p.Reverse, p.Concat, p.Pad)


def lift(build: Builder, op: Op, whole: Mapping[Value, Value], length: Dim) -> Value | None:
    """The result of all steps, [T, ...], or None where this operation has no such form.

    `whole` gives all steps of an argument; arguments without an entry are the same at every step.
    """
    primitive = op.primitive
    if isinstance(primitive, p.Contract):
        return contracted(build, primitive, op.args, whole)
    if isinstance(primitive, p.Gather):
        ids = whole.get(op.args[1])
        return None if op.args[0] in whole or not ids else build.gather(op.args[0], ids)
    if isinstance(primitive, p.Reshape):
        return build.reshape(whole[op.args[0]], (length, *primitive.shape))
    if isinstance(primitive, p.Broadcast):
        return _broadcast(build, whole[op.args[0]], (length, *primitive.shape))
    again = _again(primitive)
    if again is None:
        return None
    return build.emit(again, *(all_steps(build, arg, whole, length) for arg in op.args))


def all_steps(build: Builder, value: Value, whole: Mapping[Value, Value], length: Dim) -> Value:
    """The value at all steps; one that is the same at each is repeated."""
    return whole.get(value) or build.broadcast(value, (length, *value.type.shape))


def contracted(
    build: Builder,
    contract: p.Contract,
    args: Sequence[Value],
    whole: Mapping[Value, Value],
    summed: bool = False,
) -> Value:
    """One contraction for all steps; `summed` over them when both arguments have steps."""
    left, right, result = parse(contract.spec)
    taken = labels_of(left + right + result)
    step = next(label for label in ("t", *(f"t{n}" for n in range(99))) if label not in taken)
    axes = [
        (step, *axes) if arg in whole else axes
        for axes, arg in zip((left, right), args, strict=True)
    ]
    out = result if summed else (step, *result)
    spec = f"{written(axes[0])}, {written(axes[1])} -> {written(out)}"
    values = [whole.get(arg, arg) for arg in args]
    return build.emit(p.Contract(spec, contract.extents), *values)


def _again(primitive: Primitive) -> Primitive | None:
    """The primitive with its axes moved by the one for the steps."""
    if primitive.pointwise or isinstance(primitive, p.Pick | p.Spread | p.Stop):
        return primitive
    if isinstance(primitive, p.Sum | p.Mean | p.Amax):
        return replace(primitive, axes=tuple(axis + 1 for axis in primitive.axes))
    if isinstance(primitive, p.Transpose):
        return p.Transpose((0, *(axis + 1 for axis in primitive.permutation)))
    if isinstance(primitive, _SHIFTED):
        return replace(primitive, axis=primitive.axis + 1)
    return None


def _broadcast(build: Builder, x: Value, shape: Sequence[Dim]) -> Value:
    lacking = len(shape) - len(x.type.shape)
    first, *rest = x.type.shape
    return build.broadcast(build.reshape(x, (first, *(1,) * lacking, *rest)), shape)
