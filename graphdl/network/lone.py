"""Layers that normalise over the batch, and how many values they need there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import UsageError
from ..graph import Graph, Node
from ..program import Dim, evaluate, product

Array = np.ndarray[Any, Any]
NORM = "batch_norm"


class Lone:
    """What one example by itself cannot train: a `batch_norm` that has one value of it per channel.

    Its mean is then the value and its variance 0, whatever the example is.

    refuses   the first layer to which every example gives one value per channel
    joins     whether a last batch of one example must join the one before it: where the number
              varies with a length, it may
    """

    def __init__(self, graph: Graph) -> None:
        norms = [n for n in graph.nodes.values() if n.label == NORM and n.inputs]
        values = {node.name: _values(graph, node) for node in norms}
        self.few = {name: dim for name, dim in values.items() if not isinstance(dim, int)}
        self.refuses = next((name for name, dim in values.items() if dim == 1), "")
        self.joins = bool(self.refuses or self.few)
        self._ends = {**graph.inputs, **graph.targets} if self.few else {}

    def check(self, batch: Mapping[str, Array]) -> None:
        """UsageError for a training batch of one example that gives a layer one value."""
        if any(len(array) != 1 for array in batch.values()):
            return
        name = self.refuses or self._single(batch)
        if name:
            raise UsageError(refusal(name))

    def require(self, batch: int, examples: int) -> None:
        """UsageError where training batches would hold one example, and that is too few."""
        if self.refuses and min(batch, examples) == 1:
            raise UsageError(refusal(self.refuses))

    def _single(self, batch: Mapping[str, Array]) -> str:
        sizes: dict[str, int] = {"B": 1}
        for end, shaped in self._ends.items():
            for dim, size in zip(shaped.shape, batch[end].shape[1:], strict=True):
                sizes.setdefault(str(dim), size)
        for end, shaped in self._ends.items():
            if shaped.pad is not None:
                real = np.flatnonzero(batch[end][0] != shaped.pad)
                sizes[str(shaped.shape[0])] = int(real[-1]) + 1 if real.size else 1
        return next((name for name, dim in self.few.items() if evaluate(dim, sizes) <= 1), "")


def refusal(layer: str) -> str:
    """The sentence about one example in a training batch.

    >>> refusal("h.batch_norm").partition(":")[2]
    ' train with `batch = 2` or more, or put `layer_norm` there'
    """
    return (
        f"`{layer}` normalises over the batch, and one example gives each channel one value, which "
        "becomes 0: train with `batch = 2` or more, or put `layer_norm` there"
    )


def _values(graph: Graph, node: Node) -> Dim:
    """How many values of one example a channel has."""
    shape = graph.shaped(node.inputs[0]).shape
    return product(shape[1:]) if len(shape) == 3 else product(shape[:-1])
