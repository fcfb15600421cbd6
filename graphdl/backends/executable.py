"""An optimised program, ready to run on NumPy or CuPy at whatever batch size comes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from types import ModuleType

import numpy as np

from ..errors import DataError, UsageError, did_you_mean
from ..passes.settle import settle_updates
from ..program import Array, Program
from .binding import bind_sizes, require_steps
from .interpreter import first_non_finite
from .schedule import Schedule, bind
from .store import Store

# Schedules kept: a full batch, a short last one, the same for validation, a few lengths.
SCHEDULES = 8


class Executable:
    """Runs one program. Everything is decided at the first run of each batch size.

    >>> step = Executable(program, numpy, "float32")           # doctest: +SKIP
    >>> step.run(store, {"x": x, "y": y}, {"lr": 0.1})["loss"]  # doctest: +SKIP
    array(2.3, dtype=float32)
    """

    def __init__(self, program: Program, xp: ModuleType, dtype: str) -> None:
        self.program = settle_updates(program)
        self.xp, self.dtype = xp, dtype
        self._fields = tuple(i.key for i in program.inputs if i.role == "data")
        self._schedules: OrderedDict[object, tuple[Store, int, Schedule]] = OrderedDict()

    def run(
        self,
        store: Store,
        data: Mapping[str, Array],
        scalars: Mapping[str, float],
        guard: str | None = None,
    ) -> dict[str, Array]:
        """One run; the outputs by name, as views that hold until the next run.

        `guard` names an output that must be finite: otherwise NonFinite is raised and `store` is
        as it was. Data that does not fit the declared shapes is a DataError.
        """
        schedule = self.schedule(store, data, guard)
        with np.errstate(all="ignore"):
            return schedule.run(data, scalars)

    def schedule(
        self, store: Store, data: Mapping[str, Array], guard: str | None = None
    ) -> Schedule:
        """The schedule for the sizes of `data`, bound on first use."""
        try:
            key = (guard, *[data[field].shape for field in self._fields])
        except KeyError as missing:
            raise DataError(_missing(missing.args[0], data)) from None
        known = self._schedules.get(key)
        if known is not None and known[0] is store and known[1] == store.version:
            self._schedules.move_to_end(key)
            return known[2]
        shapes = {field: data[field].shape for field in self._fields}
        sizes = bind_sizes(self.program.inputs, shapes)
        require_steps(self.program, sizes)
        # Room is made first, so that two arenas never stand side by side without need.
        self._schedules.pop(key, None)
        while len(self._schedules) >= SCHEDULES:
            self._schedules.popitem(last=False)
        try:
            with np.errstate(all="ignore"):
                schedule = bind(self.program, self.xp, self.dtype, sizes, store, guard)
        except MemoryError as error:
            raise UsageError(f"out of memory at this batch: {error}; use a smaller one") from None
        self._schedules[key] = (store, store.version, schedule)
        return schedule

    def inspect(
        self, store: Store, data: Mapping[str, Array], scalars: Mapping[str, float]
    ) -> str | None:
        """Origin of the first operation whose result is not finite, None if all are."""
        return first_non_finite(self.program, self.xp, self.dtype, store, data, scalars)


def _missing(field: str, data: Mapping[str, Array]) -> str:
    hint = did_you_mean(field, data)
    return f"`{field}` is missing from the data" + (f"; {hint}" if hint else "")
