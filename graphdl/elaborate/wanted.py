"""What the compiler's functions want as arguments: whole numbers, flags, sizes, lists of them."""

from __future__ import annotations

from typing import Any

from ..program import Dim, Size
from .values import Fact, describe


def is_whole(value: object) -> bool:
    """True for whole numbers, not for flags."""
    return isinstance(value, int) and not isinstance(value, bool)


def whole(value: Any, what: str, least: int = 1) -> int:
    """A whole number known when compiling."""
    if not is_whole(value) or value < least:
        raise Fact("E0413", f"`{what}` wants a whole number from {least}, not {describe(value)}")
    return int(value)


def flag(value: Any, what: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Fact("E0413", f"`{what}` wants true or false, not {describe(value)}")
    return value


def size(value: Any, what: str) -> Dim:
    """A whole number, or a size known only when running."""
    if not is_whole(value) and not isinstance(value, Size):
        raise Fact("E0413", f"`{what}` wants a whole number, not {describe(value)}")
    dim: Dim = value
    return dim


def shape(value: Any, what: str) -> tuple[Dim, ...]:
    """A list of sizes."""
    if not isinstance(value, list):
        raise Fact(
            "E0413", f"`{what}` wants a list of sizes, not {describe(value)}", "write `[2, 3]`"
        )
    found = tuple(size(entry, what) for entry in value)
    if any(isinstance(n, int) and n < 1 for n in found):
        raise Fact("E0413", f"`{what}` wants sizes from 1, not {describe(value)}")
    return found
