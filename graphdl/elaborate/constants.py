"""Arithmetic on constants: numbers, sizes, flags, texts, lists."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..limits import VALUES
from ..program import Size
from .values import Fact


class _AtRunTime:
    """Marks arithmetic whose result depends on a size that is known only when running."""


AT_RUN_TIME = _AtRunTime()


@dataclass(frozen=True, slots=True)
class Interval:
    """`low..high`, both ends included; iterable when both are whole numbers."""

    low: int | float
    high: int | float

    def __iter__(self) -> Iterator[int]:
        if not (isinstance(self.low, int) and isinstance(self.high, int)):
            raise Fact("E0307", "only a range of whole numbers can be counted through")
        if self.high - self.low >= VALUES.most:
            raise Fact("E0309", f"a range of more than {VALUES.most:,} steps", VALUES.hint)
        return iter(range(self.low, self.high + 1))

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        return self.low <= value <= self.high and (isinstance(value, int) or not whole)

    def __str__(self) -> str:
        return f"{self.low}..{self.high}"


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, Size):
        if isinstance(b, int) and 0 <= b <= 16:
            result: Any = 1
            for _ in range(b):
                result = result * a
            return result
        return AT_RUN_TIME
    if isinstance(b, Size):
        return AT_RUN_TIME
    if isinstance(a, int) and isinstance(b, int) and abs(b) * max(a.bit_length(), 1) > 4096:
        raise Fact("E0309", "this power is too large")
    value = a**b
    if isinstance(value, complex):
        raise Fact("E0309", "a root of a negative number")
    return value


def _divide(a: Any, b: Any) -> Any:
    if isinstance(a, Size) or isinstance(b, Size):
        if isinstance(a, Size) and a == b:
            return 1
        return AT_RUN_TIME
    return a / b


def _with_size(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def run(a: Any, b: Any) -> Any:
        sized = isinstance(a, Size) or isinstance(b, Size)
        if sized and (isinstance(a, float) or isinstance(b, float)):
            return AT_RUN_TIME
        return function(a, b)

    return run


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": _with_size(operator.add),
    "-": _with_size(operator.sub),
    "*": _with_size(operator.mul),
    "/": _divide,
    "//": _with_size(operator.floordiv),
    "%": _with_size(operator.mod),
    "^": _power,
}
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def entries(value: object) -> int:
    """How many values a constant holds, those in its lists and tuples counted."""
    return sum(map(entries, value)) if isinstance(value, list | tuple) else 1


def is_number(value: object) -> bool:
    """True for ints, floats and sizes, not for flags."""
    return isinstance(value, int | float | Size) and not isinstance(value, bool)


def negated(value: Any) -> Any:
    """`-value`, or None when it is not a number."""
    return -value if is_number(value) else None


def binary_constant(symbol: str, a: Any, b: Any) -> Any:
    """The result; None when the operands do not fit; AT_RUN_TIME when only a run can tell.

    Raises Fact for division by zero, overflow and comparisons of unknown sizes.
    """
    if symbol == "..":
        return Interval(a, b) if _plain(a) and _plain(b) else None
    if symbol in ("==", "!="):
        return _equal(a, b) == (symbol == "==")
    if symbol in ("and", "or"):
        fits = isinstance(a, bool) and isinstance(b, bool)
        return (a and b if symbol == "and" else a or b) if fits else None
    if symbol == "+" and isinstance(a, list) and isinstance(b, list):
        if entries(a) + entries(b) > VALUES.most:
            raise Fact("E0309", f"a list of more than {VALUES.most:,} values", VALUES.hint)
        return a + b
    if symbol == "@" or not (is_number(a) and is_number(b)):
        return None
    if symbol in ORDER:
        return _ordered(symbol, a, b)
    try:
        value = ARITHMETIC[symbol](a, b)
    except ZeroDivisionError:
        raise Fact("E0309", "division by zero") from None
    except OverflowError:
        raise Fact("E0309", "this number is too large") from None
    if isinstance(value, int) and value.bit_length() > 4096:
        raise Fact("E0309", "this number is too large")
    return value


def _plain(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, Size) != isinstance(b, Size) and is_number(a) and is_number(b):
        raise _unknown_size(a, b)
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def _ordered(symbol: str, a: Any, b: Any) -> bool:
    difference = a - b if not isinstance(a, float) and not isinstance(b, float) else None
    if isinstance(difference, int):
        return ORDER[symbol](difference, 0)
    if isinstance(a, Size) or isinstance(b, Size):
        raise _unknown_size(a, b)
    return ORDER[symbol](a, b)


def _unknown_size(a: object, b: object) -> Fact:
    hint = "write the size of that axis at the `input`"
    return Fact("E0408", f"whether {a} and {b} agree is known only when the model runs", hint)


def root(value: float) -> float:
    """Square root with a sentence instead of a ValueError."""
    if value < 0:
        raise Fact("E0309", "a root of a negative number")
    return math.sqrt(value)
