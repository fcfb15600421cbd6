"""The memory plan made real: one stretch of memory that all schedules of an executable use in turn.

Only one of them runs at a time, and its results hold until the next run.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from types import ModuleType

import numpy as np

from ..passes.layout import concrete, dtypes
from ..passes.memory import ALIGNMENT, MemoryPlan
from ..program import Array, Kind, Value
from .memory_limit import fits

# Scratch space at first; it is doubled, at least, for a kernel that asks for more.
SCRATCH_BYTES = 1 << 16
# What is reserved beyond the need, so that lengths that grow one by one replace it a few times.
SPARE = 1.25


def reserve(xp: ModuleType, count: int) -> Array:
    """`count` bytes that start on a cache line."""
    memory = xp.empty(count + ALIGNMENT, dtype=np.uint8)
    # Device memory comes aligned to more than this.
    odd = memory.__array_interface__["data"][0] % ALIGNMENT if xp is np else 0
    return memory[(ALIGNMENT - odd) % ALIGNMENT :][:count]


class Memory:
    """What the schedules of one executable share: the arena, and scratch space for all kernels.

    The arena grows by being replaced, which makes schedules bound to the old one void.
    """

    def __init__(self, xp: ModuleType, precision: str) -> None:
        self.xp = xp
        self.arena = reserve(xp, 0)
        self.scratch = Scratch(xp, precision)

    def holds(self, count: int) -> bool:
        """Whether a plan of so many bytes fits into the arena as it is."""
        return count <= int(self.arena.size)

    def grow(self, count: int) -> None:
        """A new arena for plans of at least so many bytes; nothing should hold on to the old."""
        first = self.arena.size == 0
        self.arena = reserve(self.xp, 0)
        spacious = count if first else int(SPARE * count)
        if fits(spacious):
            try:
                self.arena = reserve(self.xp, spacious)
                return
            except MemoryError:
                pass
        self.arena = reserve(self.xp, count)

    @property
    def reserved(self) -> int:
        """Bytes taken so far."""
        return int(self.arena.size) + self.scratch.reserved


class Arena:
    """The buffers of one plan.

    >>> Arena(memory, plan, sizes, "float32").buffer(value)  # doctest: +SKIP
    """

    def __init__(
        self, memory: Array, plan: MemoryPlan, sizes: Mapping[str, int], precision: str
    ) -> None:
        self.memory, self.plan, self.sizes = memory, plan, sizes
        self.kinds = dtypes(precision)

    def buffer(self, value: Value) -> Array:
        """The array of a value that is no view."""
        dtype, shape = self.kinds[value.type.kind], concrete(value.type, self.sizes)
        offset = self.plan.offsets[value]
        length = prod(shape) * dtype.itemsize
        return self.memory[offset : offset + length].view(dtype).reshape(shape)


class Scratch:
    """Temporaries of kernels: they hold nothing between operations, so all share one stretch.

    It grows while a schedule is bound. Arrays handed out before stay where they are.
    """

    def __init__(self, xp: ModuleType, precision: str) -> None:
        self.xp = xp
        self.kinds = dtypes(precision)
        self.memory = reserve(xp, SCRATCH_BYTES)
        self.reserved = SCRATCH_BYTES
        self.used = 0

    def restart(self) -> None:
        """Begin another operation: everything handed out before may be overwritten."""
        self.used = 0

    def __call__(self, shape: tuple[int, ...], kind: Kind) -> Array:
        """An array with whatever is in that memory."""
        dtype = self.kinds[kind]
        length = prod(shape) * dtype.itemsize
        if self.used + length > self.memory.size:
            size = max(2 * int(self.memory.size), length)
            self.memory = reserve(self.xp, size)
            self.reserved += size
            self.used = 0
        array = self.memory[self.used : self.used + length].view(dtype).reshape(shape)
        self.used += -(-length // ALIGNMENT) * ALIGNMENT
        return array
