"""An optimised program, ready to run on NumPy or CuPy at whatever batch size comes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError, UsageError, did_you_mean
from ..passes.settle import settle_updates
from ..program import Array, Program
from .arena import Memory
from .bind_sizes import bind_sizes, require_steps
from .bound_program import BoundProgram, NonFinite, bind, plan
from .buffers import Buffers
from .store import Store
from .trial import Trial
from .watch import Watch, watch

if TYPE_CHECKING:
    from .native.schedule.native_program import NativeProgram

    Bound = BoundProgram | NativeProgram

# Schedules kept: a full batch and a short last one, the same for validation, at many lengths.
MOST_SCHEDULES = 64
# What they may take beside the memory that they share.
SCHEDULE_BYTES = 1 << 27


class Executable:
    """Runs one program. Everything is decided at the first run of each batch size.

    >>> step = Executable(program, numpy, "float32")           # doctest: +SKIP
    >>> step.run(store, {"x": x, "y": y}, {"lr": 0.1})["loss"]  # doctest: +SKIP
    array(2.3, dtype=float32)
    """

    def __init__(self, program: Program, xp: ModuleType, dtype: str, native: bool = False) -> None:
        """`native`: run generated kernels, on NumPy's arrays."""
        self.program = settle_updates(program)
        self.xp, self.dtype, self.native = xp, dtype, native
        self._fields = tuple(i.key for i in program.inputs if i.role == "data")
        self._schedules: OrderedDict[object, tuple[Store, int, Bound]] = OrderedDict()
        self._recent: tuple[Store, int, Bound] | None = None
        self._memory = Memory(xp, dtype)
        self._watched: dict[tuple[str | None, bool], Watch | None] = {}

    def run(
        self,
        store: Store,
        data: Mapping[str, Array],
        scalars: Mapping[str, float],
        guard: str | None = None,
        closely: bool = False,
    ) -> dict[str, Array]:
        """One run; the outputs by name, as views that hold until the next run.

        `guard` names an output that must be finite, as all must that is written: otherwise
        NonFinite is raised and `store` is as it was. Data that does not fit the declared shapes is
        a DataError. Where a scalar is larger than 1, such as a rate, the run is to be looked at
        `closely`.
        """
        schedule = self.schedule(store, data, guard, closely)
        try:
            if self.native and not closely:
                return schedule.run(data, scalars)
            with np.errstate(all="ignore"):
                return schedule.run(data, scalars)
        except NonFinite as found:
            return self._run_apart(store, data, scalars, guard, found.value)

    def _run_apart(
        self,
        store: Store,
        data: Mapping[str, Array],
        scalars: Mapping[str, float],
        guard: str | None,
        value: float,
    ) -> dict[str, Array]:
        """The same, worked out apart before anything is written: slow, and sure.

        For numbers so large that a formula of an update might make them infinite.
        """
        watched = self._watch(guard, True)
        if watched is not None:
            with np.errstate(all="ignore"):
                trial = Trial(self.program, self.xp, self.dtype, store, data, scalars)
                fault = trial.fault(watched)
            if fault is not None:
                raise NonFinite(fault.what, value, fault.origin)
        schedule = self.schedule(store, data)
        with np.errstate(all="ignore"):
            return schedule.run(data, scalars)

    def run_many(
        self,
        store: Store,
        batches: Mapping[str, Array],
        scalars: Mapping[str, float],
        guard: str | None,
        times: int,
        closely: bool = False,
    ) -> tuple[int, dict[str, Array]] | None:
        """So many runs on batches that follow each other in arrays; None where there is no way.

        See `NativeProgram.run_many`; generated kernels alone can do it.
        """
        if not self.native:
            return None
        one = {key: batches[key][: len(batches[key]) // times] for key in self._fields}
        schedule = self.schedule(store, one, guard, closely)
        if isinstance(schedule, BoundProgram) or not schedule.repeats:
            return None
        with np.errstate(all="ignore"):
            return schedule.run_many(batches, scalars, times)

    def schedule(
        self,
        store: Store,
        data: Mapping[str, Array],
        guard: str | None = None,
        closely: bool = False,
    ) -> Bound:
        """The schedule for the sizes of `data`, bound on first use."""
        try:
            key = (guard, closely, *[data[field].shape for field in self._fields])
        except KeyError as missing:
            raise DataError(_missing(missing.args[0], data)) from None
        known = self._schedules.get(key)
        if known is not None and known[0] is store and known[1] == store.version:
            if known is not self._recent:
                self._schedules.move_to_end(key)
                self._recent = known
            return known[2]
        shapes = {field: data[field].shape for field in self._fields}
        sizes = bind_sizes(self.program.inputs, shapes)
        require_steps(self.program, sizes)
        self._schedules.pop(key, None)
        try:
            schedule = self._bound(store, sizes, self._watch(guard, closely))
        except MemoryError as error:
            raise UsageError(f"out of memory at this batch: {error}; use a smaller one") from None
        self._make_room(schedule)
        self._recent = self._schedules[key] = (store, store.version, schedule)
        return schedule

    def latest(self) -> Bound:
        """The schedule that was used last."""
        *_, (_, _, schedule) = self._schedules.values()
        return schedule

    def _bound(self, store: Store, sizes: dict[str, int], watched: Watch | None) -> Bound:
        program, memory = self.program, self._memory
        planned = plan(program, self.dtype, sizes, watched)
        if not memory.holds(planned.size):
            # All are bound to what is replaced now, and would keep it.
            self._schedules.clear()
            self._recent = None
            memory.grow(planned.size)
        buffers = Buffers(program, self.xp, self.dtype, sizes, store, planned, memory)
        with np.errstate(all="ignore"):
            if self.native:
                from .native.schedule.native_program import bind_native

                return bind_native(buffers, watched)
            return bind(buffers, watched)

    def _watch(self, guard: str | None, closely: bool) -> Watch | None:
        key = guard, closely
        if key not in self._watched:
            self._watched[key] = watch(self.program, guard, closely)
        return self._watched[key]

    def _make_room(self, schedule: Bound) -> None:
        """Forget what was not used for longest, until there is room for one more schedule."""
        taken = sum(known.nbytes for _, _, known in self._schedules.values())
        while self._schedules and (
            len(self._schedules) >= MOST_SCHEDULES or taken + schedule.nbytes > SCHEDULE_BYTES
        ):
            _, (_, _, oldest) = self._schedules.popitem(last=False)
            taken -= oldest.nbytes

    @property
    def reserved(self) -> int:
        """Bytes that runs of every size need: those they share, and each one's own."""
        own = sum(schedule.nbytes for _, _, schedule in self._schedules.values())
        return self._memory.reserved + own


def _missing(field: str, data: Mapping[str, Array]) -> str:
    hint = did_you_mean(field, data)
    return f"`{field}` is missing from the data" + (f"; {hint}" if hint else "")
