"""Arrays that lie in order in memory, copied there where they do not."""

from __future__ import annotations

from functools import partial
from types import ModuleType

from ..primitive import Array, Call, Scratch


def ordered(xp: ModuleType, scratch: Scratch, x: Array) -> tuple[Array, list[Call]]:
    """`x` in order in memory, and the calls that bring it there."""
    if x.flags.c_contiguous:
        return x, []
    copy = scratch(x.shape, "int" if x.dtype.kind == "i" else "float")
    return copy, [partial(xp.copyto, copy, x)]
