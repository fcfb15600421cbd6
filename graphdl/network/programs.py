"""The programs of one model, compiled when they are first asked for, and run on its arrays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..backends import Backend, Executable, Store
from ..elaborate import Elaborated, Regime, elaborate, evaluating, measuring, training
from ..errors import UsageError, did_you_mean
from ..passes import optimise
from ..program import Averages, Program
from ..syntax import tree
from .carried import Carried
from .turn import Turn

Array = np.ndarray[Any, Any]
Build = Callable[[Elaborated], Program]
STAGES = ("program", "backward", "schedule")


class _Reading(threading.local):
    """States on their way through the windows of an evaluation, of each thread."""

    states: Carried | None = None


class Programs:
    """What a network runs.

    predicting   the model worked out for predicting; training works it out anew
    """

    def __init__(
        self,
        model: tree.Model,
        params: Mapping[str, Any],
        backend: Backend,
        dtype: str,
        turn: Turn,
    ) -> None:
        self.model, self.params = model, dict(params)
        self.backend, self.dtype, self.turn = backend, dtype, turn
        self.predicting = elaborate(model, self.params)
        self._reading = _Reading()
        self.executables: dict[object, Executable] = {}
        self._averages: Averages | None = None

    @property
    def judged(self) -> Carried:
        """The states of this thread's evaluation."""
        if self._reading.states is None:
            self._reading.states = Carried(self.backend, self.dtype)
        return self._reading.states

    @contextmanager
    def apart(self) -> Iterator[None]:
        """An evaluation whose states are its own; one that it breaks into goes on with its own."""
        before, self._reading.states = self._reading.states, None
        try:
            yield
        finally:
            self._reading.states = before

    def executable(self, key: object, build: Callable[[], Program]) -> Executable:
        """The program called `key`, built and optimised at the first call."""
        if self.turn.depth > 1:
            # The memory of the others is that of the call which this one broke into.
            key = self.turn.depth, key
        found = self.executables.get(key)
        if found is None:
            found = self.executables[key] = self._built(build)
        return found

    def _built(self, build: Callable[[], Program]) -> Executable:
        with self._adding():
            program = optimise(build())
        return Executable(program, self.backend.xp, self.dtype, self.backend.native)

    @contextmanager
    def _adding(self) -> Iterator[None]:
        """Programs are cut out of one model, which is added to meanwhile."""
        before, self.turn.changing = self.turn.changing, True
        try:
            yield
        finally:
            self.turn.changing = before

    def averages(self) -> Averages:
        """How figures of batches, as when predicting, are gathered."""
        if self._averages is None:
            with self._adding():
                self._averages = measuring(self.predicting)[1]
        return self._averages

    def predicted(
        self,
        key: object,
        build: Build,
        store: Store,
        data: Mapping[str, Array],
        scalars: Mapping[str, float],
    ) -> dict[str, Any]:
        """What a program of the model as it predicts gives for data."""
        program = self.executable(key, lambda: build(self.predicting))
        for one in program.program.inputs:
            if one.role == "data" and one.key not in data:
                raise UsageError(f"`{one.key}` is missing: write `net({one.key} = array)`")
        return program.run(store, self.device(data), scalars)

    def continued(
        self,
        key: object,
        build: Build,
        store: Store,
        data: Mapping[str, Array],
        scalars: Mapping[str, float],
        fresh: bool,
        going: Array | None = None,
    ) -> dict[str, Any]:
        """The same for a window that begins anew, or follows another in all rows, or `going`."""
        program = self.executable(
            ("window", key), lambda: build(elaborate(self.model, self.params, carry=True))
        )
        given = self.device(self.judged.fed(program, data, fresh, going))
        return self.judged.take(program.run(store, given, {**scalars, "fresh": fresh}))

    def worked_out(self, training: bool) -> Elaborated:
        """The model as when training or predicting on a batch by itself: it can be used once."""
        return elaborate(self.model, self.params, training=training)

    def elaborated(self, regime: Regime) -> Elaborated:
        """The model worked out for training: it can be used once."""
        return elaborate(self.model, self.params, training=True, carry=regime.carry)

    def stage(self, stage: str, regime: Regime) -> Program:
        """The tensor program at a stage: program, backward or schedule (optimised).

        Raises UsageError for another stage, and for the last two where there is no loss.
        """
        if stage not in STAGES:
            hint = did_you_mean(stage, STAGES) or f"there are: {', '.join(STAGES)}"
            raise UsageError(f"there is no stage `{stage}`; {hint}")
        if stage == "program":
            return evaluating(self.predicting, dict(self.predicting.graph.outputs))
        program = training(self.elaborated(regime), regime).last
        return program if stage == "backward" else optimise(program)

    def device(self, data: Mapping[str, Array]) -> Mapping[str, Any]:
        """Arrays where the backend computes."""
        if self.backend.xp is np:
            return data
        return {k: self.backend.from_host(v) for k, v in data.items()}

    def figures(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Results of a run as numbers; parts of figures that are more than one as arrays."""
        return {n: self.copy(v) if v.ndim else float(v) for n, v in found.items()}

    def copies(self, found: Mapping[str, Any]) -> dict[str, Array]:
        """Results of a run as arrays that last."""
        return {n: self.copy(v) for n, v in found.items()}

    def copy(self, array: Any) -> Array:
        """One of them."""
        return np.array(self.backend.to_host(array))
