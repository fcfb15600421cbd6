"""One training step of a network: its executables, and what the optimiser keeps between steps."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from ..backends import Backend, Executable, Store
from ..backends.memory_limit import require
from ..elaborate import Elaborated, Regime, rate, require_learning, training
from ..elaborate.optimiser import DEFAULT
from ..errors import ModelError
from ..graph import Named
from ..graph.kept import MEMORY
from ..passes import optimise

if TYPE_CHECKING:
    from ..engine.settings import Settings


class TrainingStep:
    """The step of one regime, with the optimiser's states in the store.

    last      the executable of a step; `gather` that of a batch before the last of a group
    rate      the learning rate as written, None for a rule without one
    carry     whether states of scans go on from the window before
    averages  how what a step reports is gathered over batches
    """

    def __init__(self, model: Elaborated, regime: Regime, backend: Backend, dtype: str) -> None:
        self.rate, self.carry = rate(model, regime.optimizer), regime.carry
        self._idle = _idle(model, regime)
        step = training(model, regime)
        self.averages = step.averages
        self.last = Executable(optimise(step.last), backend.xp, dtype, backend.native)
        self.gather = None
        if step.gather is not None:
            self.gather = Executable(optimise(step.gather), backend.xp, dtype, backend.native)
        self._memories = {m.key: m for m in step.memories}
        self._backend, self._dtype = backend, dtype

    def require_learning(self) -> None:
        """ModelError E0707 where no weight can change the loss."""
        if self._idle is not None:
            raise self._idle

    def settle(self, store: Store) -> None:
        """The states this optimiser keeps, and no others; those that fit stay as they are."""
        forget(store, self._memories)
        self._require_room(store)
        for key, memory in self._memories.items():
            if key not in store or store[key].shape != memory.shape:
                self._start(store, key)

    def _require_room(self, store: Store) -> None:
        size = np.dtype(self._dtype).itemsize
        counts = {key: size * math.prod(m.shape) for key, m in self._memories.items()}
        largest = max(counts, key=lambda k: counts[k], default="")
        kept = size * sum(array.size for key, array in store.items() if key not in counts)
        hint = "use a plainer optimiser, or smaller layers"
        if counts:
            total = kept + sum(counts.values())
            name = largest.removeprefix(MEMORY)
            require("training", total, f"`{name}` of the optimiser", counts[largest], hint)

    def reset(self, store: Store) -> None:
        """All states as before the first step."""
        for key in self._memories:
            self._start(store, key)

    def _start(self, store: Store, key: str) -> None:
        memory = self._memories[key]
        store[key] = self._backend.from_host(np.full(memory.shape, memory.start, self._dtype))


def _idle(model: Elaborated, regime: Regime) -> ModelError | None:
    """Told when somebody trains: that a step is compiled for such a model is no mistake."""
    try:
        require_learning(model, regime.freeze)
    except ModelError as error:
        if all(d.code == "E0707" for d in error.diagnostics):
            return error
        raise
    return None


def forget(store: Store, but: Collection[str] = ()) -> None:
    """Drop the optimiser's states, except those named in `but`."""
    for key in [k for k in store if k.startswith(MEMORY) and k not in but]:
        del store[key]


def regime_of(settings: Settings) -> Regime:
    """What of the settings is compiled into the step."""
    return Regime(
        optimizer=settings.optimizer or Named(DEFAULT.name),
        clip=settings.clip,
        clip_value=settings.clip_value,
        l1=settings.l1,
        l2=settings.l2,
        decay=settings.decay,
        max_norm=settings.row_limits,
        freeze=tuple(settings.freeze),
        accumulate=settings.accumulate > 1,
        carry=settings.carries_in_training,
    )
