"""How much memory one data set may take: a limit for all readers, held against it as they read."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from ..backends import memory_limit
from ..errors import DataError, UsageError

VARIABLE = "GRAPHDL_MEMORY"
USUAL = 2 << 30
UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
AMOUNT = re.compile(r"(\d{1,12}(?:\.\d{1,9})?) ?([KMGT]?)I?B?", re.IGNORECASE)


def allowed() -> int:
    """The bytes that $GRAPHDL_MEMORY allows; without it 2 GB, or half of what this machine has.

    Raises UsageError where it is no amount such as `8GB`.
    """
    written = os.environ.get(VARIABLE, "").strip()
    if not written:
        return min(USUAL, memory_limit.LIMIT // 2)
    found = AMOUNT.fullmatch(written)
    if found is None:
        raise UsageError(f"{VARIABLE} is an amount such as 8GB, not `{written}`")
    return int(float(found[1]) * (1 << UNITS[found[2].upper()]))


@dataclass(slots=True)
class Budget:
    """What reading a set holds so far, in bytes, and the most that it may.

    >>> Budget(most=1000).hold(2000, "a.csv, line 7")
    Traceback (most recent call last):
        ...
    graphdl.errors.exceptions.DataError: a.csv, line 7: reading on would take more than 1000 bytes \
of memory, the limit: GRAPHDL_MEMORY=2000 allows more
    """

    most: int = field(default_factory=allowed)
    held: int = 0

    @property
    def left(self) -> int:
        """Bytes that may still be held."""
        return max(self.most - self.held, 0)

    def hold(self, count: int, place: str) -> None:
        """Count some bytes more; DataError, with the place, where that is too much."""
        self.held += count
        if self.held > self.most:
            raise DataError(f"{place}: reading on would take {self.beyond(' of memory')}")

    def beyond(self, what: str = "") -> str:
        """The end of a sentence about more than is allowed, with the way to allow it."""
        most = memory_limit.amount(self.most)
        return f"more than {most}{what}, the limit: {VARIABLE}={_twice(self.most)} allows more"


def _twice(most: int) -> str:
    """An amount to suggest, as it is written."""
    power = max((p for p in UNITS.values() if 2 * most >= 1 << p), default=0)
    unit = next(name for name, p in UNITS.items() if p == power)
    return f"{-(-2 * most // (1 << power))}{unit}{'B' if unit else ''}"
