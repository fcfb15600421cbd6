"""The arrays of a network: weights and running statistics by name, in the backend's memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..backends import Backend, Store, memory_limit
from ..data.given import array_of
from ..errors import DataError, ModelError, UsageError, did_you_mean
from ..graph import Graph
from .initial import initial_value

Array = np.ndarray[Any, Any]


class Weights:
    """What `net["conv.weight"]` reads and assigns; `store` holds the optimiser's states as well."""

    def __init__(self, graph: Graph, backend: Backend, dtype: str) -> None:
        self.graph, self.store = graph, Store(backend.xp)
        self._backend, self._dtype = backend, dtype

    def initialise(self, seed: int, folder: Path | None) -> None:
        """Every array as its initialiser says; `folder` is where `file(...)` looks."""
        self.require_room()
        for weight in self.graph.weights.values():
            self[weight.name] = initial_value(weight, seed, folder)

    def clear(self) -> None:
        """Every array zero."""
        self.require_room()
        for name in self.graph.weights:
            self[name] = 0.0

    def require_room(self) -> None:
        """E0418 when the arrays cannot fit into memory."""
        weights = self.graph.weights.values()
        size = np.dtype(self._dtype).itemsize
        total = size * sum(w.count for w in weights)
        if memory_limit.fits(total):
            return
        largest = max(weights, key=lambda w: w.count)
        nodes = self.graph.nodes.values()
        span = next((n.span for n in nodes if largest.name in n.weights), None)
        shape = ", ".join(map(str, largest.shape))
        have, need = (
            memory_limit.amount(memory_limit.LIMIT),
            memory_limit.amount(size * largest.count),
        )
        raise ModelError.at(
            span,
            "E0418",
            f"the weights would take {memory_limit.amount(total)} of memory, and there are {have}",
            label=f"`{largest.name}` [{shape}] is the largest, {need}",
            hint="use smaller sizes",
        )

    def learned(self) -> list[str]:
        """Names of what training learns: not the running statistics."""
        return [n for n, w in self.graph.weights.items() if w.kind == "weight"]

    def __getitem__(self, name: str) -> Array:
        self._known(name)
        array = self._backend.to_host(self.store[name]).view()
        array.flags.writeable = False
        return array

    def __setitem__(self, name: str, value: Any) -> None:
        self._known(name)
        shape = self.graph.weights[name].shape
        array = array_of(value, f"`{name}`")
        if array.dtype.kind not in "biuf":
            raise DataError(f"`{name}` holds texts, numbers are needed")
        if array.shape not in (shape, ()):
            raise DataError(f"`{name}` is {list(shape)}, got {list(array.shape)}")
        whole = np.ascontiguousarray(np.broadcast_to(array, shape), self._dtype)
        self.store[name] = self._backend.from_host(whole)

    def _known(self, name: str) -> None:
        if name not in self.graph.weights:
            known = list(self.graph.weights)
            hint = did_you_mean(name, known) or f"there are: {', '.join(known[:8])}"
            raise UsageError(f"no weight is called `{name}`; {hint}")
