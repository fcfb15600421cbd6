"""What is kept between runs: weights and states by name, updated in place by the schedules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType

from ..program import Array
from .transfer import fill


class Store(Mapping[str, Array]):
    """Arrays by name. Assigning to a known name writes into the array that is already there.

    >>> import numpy
    >>> store = Store(numpy)
    >>> store["w"] = numpy.ones(3)
    >>> array = store["w"]
    >>> store["w"] = numpy.zeros(3)
    >>> array
    array([0., 0., 0.])
    """

    def __init__(self, xp: ModuleType) -> None:
        self.xp = xp
        # Grows whenever an array is replaced: schedules bound to the old array are then void.
        self.version = 0
        self._arrays: dict[str, Array] = {}

    def __getitem__(self, key: str) -> Array:
        return self._arrays[key]

    def __setitem__(self, key: str, value: Array) -> None:
        known = self._arrays.get(key)
        if known is None or known.shape != value.shape or known.dtype != value.dtype:
            known = self._arrays[key] = self.xp.empty(value.shape, dtype=value.dtype)
            self.version += 1
        fill(known, value)

    def __delitem__(self, key: str) -> None:
        del self._arrays[key]
        self.version += 1

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)
