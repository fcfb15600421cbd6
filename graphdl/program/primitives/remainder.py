"""The kernels of floats' `%` and `//`, out of the remainder that C has.

NumPy's own are the same to the last bit. CuPy's are not: it rounds the quotient down as it comes,
so that there 1 // 0.1 is 10, and 1 % infinity is not a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from types import ModuleType

from ..primitive import Array, Call, Scratch


def remainder_calls(
    xp: ModuleType, scratch: Scratch, out: Array, a: Array, b: Array
) -> Iterator[Call]:
    """The calls that write a % b, with the sign of b, to `out`, which may be the memory of both."""
    rest, other = (scratch(out.shape, "float") for _ in range(2))
    apart, even = (scratch(out.shape, "bool") for _ in range(2))
    yield partial(xp.fmod, a, b, rest)
    yield from _apart(xp, apart, even, rest, b)
    yield partial(xp.add, rest, b, other)
    yield partial(xp.copyto, rest, other, where=apart)
    yield partial(xp.equal, rest, 0, even)
    yield partial(xp.copysign, 0.0, b, other)
    yield partial(xp.copyto, rest, other, where=even)
    yield partial(xp.copyto, out, rest)


def quotient_calls(
    xp: ModuleType, scratch: Scratch, out: Array, a: Array, b: Array
) -> Iterator[Call]:
    """The calls that write a // b to `out`, which may be the memory of both."""
    rest, other, whole = (scratch(out.shape, "float") for _ in range(3))
    apart, spare = (scratch(out.shape, "bool") for _ in range(2))
    yield partial(xp.fmod, a, b, rest)
    yield from _apart(xp, apart, spare, rest, b)
    yield partial(xp.subtract, a, rest, rest)
    yield partial(xp.divide, rest, b, rest)
    yield partial(xp.subtract, rest, 1.0, other)
    yield partial(xp.copyto, rest, other, where=apart)
    yield partial(xp.floor, rest, whole)
    # A whole number but for rounding, which may have been to below.
    yield partial(xp.subtract, rest, whole, rest)
    yield partial(xp.greater, rest, 0.5, spare)
    yield partial(xp.add, whole, 1.0, other)
    yield partial(xp.copyto, whole, other, where=spare)
    yield partial(xp.divide, a, b, other)
    yield partial(xp.equal, b, 0, spare)
    yield partial(xp.copyto, whole, other, where=spare)
    yield partial(xp.copyto, out, whole)


def _apart(xp: ModuleType, out: Array, spare: Array, rest: Array, b: Array) -> Iterator[Call]:
    """Where what C leaves has not the sign of b."""
    yield partial(xp.less, rest, 0, out)
    yield partial(xp.less, b, 0, spare)
    yield partial(xp.not_equal, out, spare, out)
    yield partial(xp.not_equal, rest, 0, spare)
    yield partial(xp.logical_and, out, spare, out)
