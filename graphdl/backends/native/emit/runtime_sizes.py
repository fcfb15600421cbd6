"""Static sizes, for which a kernel is made, and run-time sizes, which are arguments of it.

`x[B, 3]`: 3 stands in the kernel's text, and `B`, which comes with the data, is read from what the
kernel is given. What is worked out from `B` is a run-time size as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class RuntimeSize(int):
    """A number that differs from binding to binding: what a size known with the data has a part in.

    >>> RuntimeSize(3) * 4, type(RuntimeSize(3) * 4).__name__, type(RuntimeSize(0) * 4).__name__
    (12, 'RuntimeSize', 'RuntimeSize')
    """

    __slots__ = ()

    def __add__(self, other: int) -> RuntimeSize:
        return RuntimeSize(int(self) + int(other))

    def __sub__(self, other: int) -> RuntimeSize:
        return RuntimeSize(int(self) - int(other))

    def __rsub__(self, other: int) -> RuntimeSize:
        return RuntimeSize(int(other) - int(self))

    def __mul__(self, other: int) -> RuntimeSize:
        return RuntimeSize(int(self) * int(other))

    def __floordiv__(self, other: int) -> RuntimeSize:
        return RuntimeSize(int(self) // int(other))

    def __neg__(self) -> RuntimeSize:
        return RuntimeSize(-int(self))

    __radd__, __rmul__ = __add__, __mul__


@dataclass(frozen=True, slots=True)
class Argument:
    """Stands in a kernel for the number at `place` among its arguments."""

    place: int

    def __repr__(self) -> str:
        return f"#{self.place}"


Number = int | Argument


class Numbers:
    """What one call of a kernel is given: addresses, and numbers that the kernel was not made for.

    >>> numbers = Numbers()
    >>> numbers.of(8), numbers.of(RuntimeSize(20)), numbers.values
    (8, #0, [20])
    """

    def __init__(self) -> None:
        self.values: list[int] = []

    def of(self, value: int) -> Number:
        """The number itself, or where the kernel finds it."""
        return self.argument(value) if isinstance(value, RuntimeSize) else int(value)

    def argument(self, value: int) -> Argument:
        """Where the kernel finds a number."""
        self.values.append(int(value))
        return Argument(len(self.values) - 1)

    def all(self, values: Any) -> tuple[Number, ...]:
        """Each of several numbers."""
        return tuple(self.of(value) for value in values)
