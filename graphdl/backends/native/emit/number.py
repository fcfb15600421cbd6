"""Numbers that a kernel is made for, and numbers it is told when it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Varying(int):
    """A number that differs from binding to binding: what a size known at run time has a part in.

    >>> Varying(3) * 4, type(Varying(3) * 4).__name__, type(Varying(0) * 4).__name__
    (12, 'Varying', 'Varying')
    """

    __slots__ = ()

    def __add__(self, other: int) -> Varying:
        return Varying(int(self) + int(other))

    def __sub__(self, other: int) -> Varying:
        return Varying(int(self) - int(other))

    def __rsub__(self, other: int) -> Varying:
        return Varying(int(other) - int(self))

    def __mul__(self, other: int) -> Varying:
        return Varying(int(self) * int(other))

    def __floordiv__(self, other: int) -> Varying:
        return Varying(int(self) // int(other))

    def __neg__(self) -> Varying:
        return Varying(-int(self))

    __radd__, __rmul__ = __add__, __mul__


@dataclass(frozen=True, slots=True)
class Told:
    """Stands in a kernel for the number at `place` of what it is given."""

    place: int

    def __repr__(self) -> str:
        return f"#{self.place}"


Number = int | Told


class Numbers:
    """What one call of a kernel is given: addresses, and numbers that the kernel was not made for.

    >>> numbers = Numbers()
    >>> numbers.of(8), numbers.of(Varying(20)), numbers.values
    (8, #0, [20])
    """

    def __init__(self) -> None:
        self.values: list[int] = []

    def of(self, value: int) -> Number:
        """The number itself, or where the kernel finds it."""
        return self.told(value) if isinstance(value, Varying) else int(value)

    def told(self, value: int) -> Told:
        """Where the kernel finds a number."""
        self.values.append(int(value))
        return Told(len(self.values) - 1)

    def all(self, values: Any) -> tuple[Number, ...]:
        """Each of several numbers."""
        return tuple(self.of(value) for value in values)
