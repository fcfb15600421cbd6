"""What a program computes where some of its values are zero: which updates then change nothing.

Whatever is fed or kept is taken to be finite, and so is what is broadcast.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from ..program import Op, Program, Value
from .fold import evaluated, filled

# A value where the zeros are: this number, the same as that value, or not known.
Found = float | Value | None

# The smallest number that is more than zero in every precision.
TINY = float(np.finfo("float32").tiny)


class Idle:
    """The values of a program at places where each of `zeros` is zero.

    >>> idle[value]  # doctest: +SKIP
    0.0
    """

    def __init__(self, program: Program, zeros: Collection[Value]) -> None:
        self._made_by = {op.out: op for op in program.ops}
        self._found: dict[Value, Found] = dict.fromkeys(zeros, 0.0)

    def __getitem__(self, value: Value) -> Found:
        if value not in self._found:
            self._found[value] = self._of(value)
        return self._found[value]

    def zero(self, value: Value) -> None:
        """Say of one more value that it is zero, before anything is asked that comes of it."""
        self._found[value] = 0.0

    def _of(self, value: Value) -> Found:
        known = filled(self._made_by, value)
        if known is not None:
            return known
        op = self._made_by.get(value)
        if op is None or not op.primitive.pointwise:
            return value
        found = [self[arg] for arg in op.args]
        if all(one is arg for one, arg in zip(found, op.args, strict=True)):
            return value
        numbers = [one for one in found if isinstance(one, float | int)]
        if len(numbers) == len(found):
            return evaluated(op, numbers)
        return self._rule(op, found)

    def _rule(self, op: Op, found: list[Found]) -> Found:
        """Of an operation on one number at least, or on what is another value here."""
        match op.primitive.name, found:
            case ("add", [0, other]) | ("add" | "sub", [other, 0]):
                return other
            case ("mul", [1, other]) | ("mul" | "div", [other, 1]) | ("copy", [other]):
                return other
            case ("mul", [0, _]) if self._finite(op.args[1]):
                return 0.0
            case ("mul", [_, 0]) if self._finite(op.args[0]):
                return 0.0
            case ("div", [0, _]) if self._sign(op.args[1]) == 2:
                return 0.0
            case ("select", [float() | int() as chosen, a, b]):
                return a if chosen else b
            case ("select", [_, a, b]) if a is not None and a == b:
                return a
        return None

    def _finite(self, value: Value) -> bool:
        """Whether the value is no infinity nor NaN where the zeros are."""
        found = self[value]
        if isinstance(found, float | int):
            return math.isfinite(found)
        op = self._made_by.get(found or value)
        if op is None:
            return True
        positive = op.primitive.finite_if_positive and self._sign(op.args[-1]) == 2
        if not (op.primitive.finite or positive):
            return False
        return not op.primitive.pointwise or all(self._finite(arg) for arg in op.args)

    def _sign(self, value: Value) -> int:
        """2 for what is more than zero where the zeros are, 1 for not less, 0 for not known."""
        found = self[value]
        if isinstance(found, float | int):
            return 2 if found >= TINY else int(found >= 0)
        op = self._made_by.get(found or value)
        if op is None:
            return 0
        name = op.primitive.name
        if op.primitive.not_negative or (name == "mul" and op.args[0] is op.args[1]):
            return 1
        if name not in ("add", "mul", "maximum", "copy", "broadcast"):
            return 0
        signs = [self._sign(arg) for arg in op.args]
        if name == "mul":
            return min(1, *signs)  # a product of two small numbers may be zero
        return max(signs) if name == "maximum" or min(signs) else 0
