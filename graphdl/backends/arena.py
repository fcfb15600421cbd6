"""The memory plan made real: one allocation per binding, and scratch space for all kernels."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import numpy as np

from ..passes.layout import concrete, dtypes
from ..passes.memory import ALIGNMENT, MemoryPlan
from ..program import Array, Kind, Value

SCRATCH_BYTES = 1 << 16


def reserve(xp: ModuleType, count: int) -> Array:
    """`count` bytes that start on a cache line."""
    memory = xp.empty(count + ALIGNMENT, dtype=np.uint8)
    # Device memory comes aligned to more than this.
    odd = memory.__array_interface__["data"][0] % ALIGNMENT if xp is np else 0
    return memory[(ALIGNMENT - odd) % ALIGNMENT :][:count]


class Arena:
    """The buffers of one plan.

    >>> Arena(xp, plan, sizes, "float32").buffer(value)  # doctest: +SKIP
    """

    def __init__(
        self, xp: ModuleType, plan: MemoryPlan, sizes: Mapping[str, int], precision: str
    ) -> None:
        self.plan, self.sizes = plan, sizes
        self.kinds = dtypes(precision)
        self.memory = reserve(xp, plan.size)

    def buffer(self, value: Value) -> Array:
        """The array of a value that is no view."""
        dtype, shape = self.kinds[value.type.kind], concrete(value.type, self.sizes)
        offset = self.plan.offsets[value]
        length = int(np.prod(shape)) * dtype.itemsize
        return self.memory[offset : offset + length].view(dtype).reshape(shape)


class Scratch:
    """Temporaries of kernels: they hold nothing between operations, so all share one stretch.

    It grows while a schedule is bound. Arrays handed out before stay where they are.
    """

    def __init__(self, xp: ModuleType, precision: str) -> None:
        self.xp = xp
        self.kinds = dtypes(precision)
        self.memory = reserve(xp, SCRATCH_BYTES)
        self.used = 0

    def restart(self) -> None:
        """Begin another operation: everything handed out before may be overwritten."""
        self.used = 0

    def __call__(self, shape: tuple[int, ...], kind: Kind) -> Array:
        """An array with whatever is in that memory."""
        dtype = self.kinds[kind]
        length = int(np.prod(shape)) * dtype.itemsize
        if self.used + length > self.memory.size:
            self.memory = reserve(self.xp, max(2 * self.memory.size, length))
            self.used = 0
        array = self.memory[self.used : self.used + length].view(dtype).reshape(shape)
        self.used += -(-length // ALIGNMENT) * ALIGNMENT
        return array
