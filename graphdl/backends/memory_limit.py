"""Refuses what cannot fit into the machine's memory, in a sentence, before it is allocated."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import UsageError
from ..passes.layout import dtypes, nbytes
from ..program import Program, Value

CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")
# Taken for the memory of a machine that does not tell: 64 GB, so that only absurd sizes fail.
UNKNOWN = 1 << 36
UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


def _memory() -> int:
    """Bytes of memory this process may have: the machine's, or its container's."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        whole = UNKNOWN
    try:
        return min(whole, int(CONTROL_GROUP.read_text()))
    except (OSError, ValueError):
        return whole


LIMIT = _memory()


def fits(count: int) -> bool:
    """Whether so many bytes can be had at all."""
    return count <= LIMIT


def amount(count: int) -> str:
    """A number of bytes for a sentence: `3.2 GB`."""
    power = min((max(count, 1).bit_length() - 1) // 10, len(UNITS) - 1)
    size = count / 1024**power if count < 1 << 80 else math.inf
    return f"{size:.4g} {UNITS[power]}" if size < 1024 else f"more than 1,000 {UNITS[power]}"


def require(what: str, count: int, largest: str, bytes_of_largest: int, hint: str) -> None:
    """UsageError when so many bytes cannot be had, with the part that takes the most."""
    if not fits(count):
        raise UsageError(
            f"{what} would take {amount(count)} of memory, and there are {amount(LIMIT)}; "
            f"the largest part is {largest}, {amount(bytes_of_largest)}: {hint}"
        )


def require_values(program: Program, sizes: Mapping[str, int], precision: str) -> None:
    """UsageError when one value alone is too large for the memory at these sizes."""
    kinds = dtypes(precision)
    values = [(i.key, i.value) for i in program.inputs]
    values += [(op.origin, op.out) for op in program.ops]
    found = [(nbytes(value, sizes, kinds), origin, value) for origin, value in values]
    count, origin, value = max(found, key=lambda f: f[0], default=(0, "", None))
    if value is not None:
        require("this batch", count, named(origin, value), count, SMALLER)


SMALLER = "use a smaller batch, or smaller layers"


def named(origin: str, value: Value) -> str:
    """The node that makes a value, or its type."""
    return f"`{origin}`" if origin else f"a value {value.type}"


def require_plan(program: Program, size: int, buffers: Iterable[tuple[Value, int]]) -> None:
    """UsageError when the arena of a plan is too large for the memory."""
    if fits(size):
        return
    origins = {op.out: op.origin for op in program.ops} | {i.value: i.key for i in program.inputs}
    value, count = max(buffers, key=lambda b: b[1])
    require("this batch", size, named(origins[value], value), count, SMALLER)
