"""The array of each value of a program at one binding.

Weights and states lie in the store, what is the same at every run has memory of its own, and all
else is a piece of the arena, where the memory plan says.
"""

from __future__ import annotations

from types import ModuleType

from ..passes.layout import concrete, dtypes
from ..passes.memory import MemoryPlan
from ..program import Array, Program, Value
from .arena import Arena, Memory
from .bind_sizes import ShapeMismatch
from .store import Store


class Buffers:
    """The array of each value so far, for what binds operations.

    constant_bytes   what results take that are the same at every run
    """

    def __init__(
        self,
        program: Program,
        xp: ModuleType,
        precision: str,
        sizes: dict[str, int],
        store: Store,
        plan: MemoryPlan,
        memory: Memory,
    ) -> None:
        self.program, self.xp, self.sizes, self.plan = program, xp, sizes, plan
        self.precision, self.kinds = precision, dtypes(precision)
        self.arena = Arena(memory.arena, plan, sizes, precision)
        self.scratch = memory.scratch
        self.constant_bytes = 0
        self.arrays: dict[Value, Array] = {}
        for item in program.inputs:
            kept = item.role in ("weight", "state")
            buffer = store[item.key] if kept else self.arena.buffer(item.value)
            if buffer.shape != concrete(item.value.type, sizes):
                raise ShapeMismatch(item.key, str(item.value.type), str(list(buffer.shape)))
            self.arrays[item.value] = buffer

    def of_result(self, value: Value) -> Array:
        """Where an operation writes its result."""
        if value in self.plan.direct:
            return self.arrays[self.plan.direct[value]]
        if value not in self.plan.constant:
            return self.arena.buffer(value)
        # Other schedules write to the arena too; this is computed only once.
        own = self.xp.empty(concrete(value.type, self.sizes), dtype=self.kinds[value.type.kind])
        self.constant_bytes += int(own.nbytes)
        return own
