"""How deep a tree may be, so that every later stage can walk it with plain recursion."""

from __future__ import annotations

DEEPEST = 100


class TooDeepError(Exception):
    """Something is nested deeper than anyone writes by hand; `offset` is where."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset
