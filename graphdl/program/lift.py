"""An operation done for all steps of a sequence at once, instead of step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .program import Op, Value
from .size import Dim

if TYPE_CHECKING:
    from .builder import Builder


def lift(build: Builder, op: Op, whole: Mapping[Value, Value], length: Dim) -> Value | None:
    """The result of all steps, [T, ...], or None where this operation has no such form.

    `whole` gives all steps of an argument; arguments without an entry are the same at every step.
    """
    again = op.primitive.batched()
    if again is None:
        return op.primitive.batch(build, op.args, whole, length)
    return build.emit(again, *(all_steps(build, arg, whole, length) for arg in op.args))


def all_steps(build: Builder, value: Value, whole: Mapping[Value, Value], length: Dim) -> Value:
    """The value at all steps; one that is the same at each is repeated."""
    return whole.get(value) or build.broadcast(value, (length, *value.type.shape))
