"""Figures of an epoch or a set, gathered from those of its batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..backends.bind_sizes import bind_sizes
from ..errors import DataError, UsageError
from ..program import Averages, Part, evaluate, reference
from ..program.averages import BATCH
from . import plain

Array = np.ndarray[Any, Any]
PLAIN = Averages()
MEAN = Part("mean")
SIMPLY = frozenset({BATCH})


@dataclass(slots=True)
class Average:
    """Running sums that survive a checkpoint exactly: JSON keeps every bit of a float.

    sums     of each value times its weight, of each value, or its largest or least
    weights  the weight of each mean so far
    count    examples, or target elements, so far
    varied   values that should have been the same in every batch, and were not
    simple   whether it was begun by version 0.1.0: it then ends as it began, as means of figures

    >>> average = Average()
    >>> average.add({"loss": 1.0}, 3); average.add({"loss": 2.0}, 1); average.means()
    {'loss': 1.25}
    """

    sums: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    count: int = 0
    varied: set[str] = field(default_factory=set)
    simple: bool = False

    def add(
        self,
        values: Mapping[str, Any],
        weight: int,
        how: Averages = PLAIN,
        batch: Mapping[str, Array] | None = None,
    ) -> None:
        """Counts the figures of one batch of `weight` examples or target elements."""
        how, batch = (PLAIN, None) if self.simple else (how, batch)
        weights = _weights(how, batch, 1)
        for name, value in values.items():
            part = how.parts.get(name, MEAN)
            self._gather(name, part.how, value, weights.get(part.weight, weight))
        self.count += weight

    def add_all(
        self,
        values: Mapping[str, Sequence[Any]],
        weight: int,
        how: Averages = PLAIN,
        batches: Mapping[str, Array] | None = None,
        times: int = 1,
    ) -> int:
        """Counts the figures of several batches of `weight` examples each, in turn; how many.

        `batches` are `times` batches behind each other.
        """
        how, batches = (PLAIN, None) if self.simple else (how, batches)
        weights, count = _weights(how, batches, times), 0
        for name, several in values.items():
            part, count = how.parts.get(name, MEAN), len(several)
            of_this = weights.get(part.weight, weight)
            if part.how == "mean" and isinstance(several, list):
                # One by one they would take longer than small models take for their steps.
                total = self.sums.get(name, 0.0)
                for value in several:
                    total += value * of_this
                self.sums[name] = total
                self.weights[name] = self.weights.get(name, 0) + of_this * count
                continue
            for value in several:
                self._gather(name, part.how, value, of_this)
        self.count += weight * count
        return count

    def _gather(self, name: str, how: str, value: Any, weight: float) -> None:
        held = self.sums.get(name)
        if how == "mean":
            value = value * weight
            self.weights[name] = self.weights.get(name, 0) + weight
        if held is None:
            self.sums[name] = value
        elif np.shape(held) != np.shape(value):
            self.varied.add(name)
        elif how in ("mean", "sum"):
            self.sums[name] = held + value
        elif how == "same":
            if not np.array_equal(held, value):
                self.varied.add(name)
        else:
            self.sums[name] = (np.maximum if how == "max" else np.minimum)(held, value)

    def means(self, how: Averages = PLAIN) -> dict[str, float]:
        """Each figure of all batches so far."""
        gathered = {
            name: total / (self.weights.get(name) or 1) for name, total in self.sums.items()
        }
        found = {n: v for n, v in gathered.items() if n not in how.values}
        if odd := next((name for name, value in found.items() if np.shape(value)), None):
            raise DataError(
                f"the checkpoint has several numbers for `{odd}` of this epoch, not one"
            )
        found = {name: float(value) for name, value in found.items()}
        if not self.simple:
            for name in how.finish:
                if name in found:
                    found[name] = self._finished(name, how, gathered, found[name])
        return found

    def _finished(
        self, name: str, how: Averages, gathered: Mapping[str, Any], simply: float
    ) -> float:
        """A figure worked out of its parts; where these cannot be gathered, the plain mean."""
        program = how.finish[name]
        keys = [given.key for given in program.inputs]
        if self.varied.intersection(keys) or not all(key in gathered for key in keys):
            return simply
        data = {key: np.asarray(gathered[key]) for key in keys}
        sizes = bind_sizes(program.inputs, {key: array.shape for key, array in data.items()})
        with np.errstate(all="ignore"):
            return float(reference.run(program, sizes, data)[name])

    def require_alike(self, how: Averages) -> None:
        """UsageError for a figure made of lengths that differed from batch to batch."""
        for name, program in how.finish.items():
            if any(given.key in self.varied for given in program.inputs):
                raise UsageError(
                    f"`{name}` depends on a length that differs from batch to batch, which no sum "
                    "over batches can mend: divide by the length in each example"
                )

    def to_json(self) -> dict[str, Any]:
        """Plain values; floats survive bit for bit."""
        return {
            "sums": {name: np.asarray(total).tolist() for name, total in self.sums.items()},
            "weights": dict(self.weights),
            "varied": sorted(self.varied),
            "simple": self.simple,
            "count": self.count,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Average:
        """The inverse, ValueError when it is none; 0.1.0 had one weight for all."""
        count = plain.whole(values, "count")
        sums = {name: _total(total) for name, total in plain.table(values, "sums").items()}
        if "weights" not in values:
            sums.pop("perplexity", None)  # it was a sum of logarithms
            return cls(sums, dict.fromkeys(sums, float(count)), count, simple=bool(count))
        weights = plain.named_reals(values, "weights")
        varied = set(plain.texts(values, "varied"))
        return cls(sums, weights, count, varied, simple=values.get("simple") is True)


def _total(total: Any) -> Any:
    """One number, or an array of them."""
    if not isinstance(total, list):
        return plain.real({"sums": total}, "sums")
    try:
        return np.array(total, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("its `sums` are no numbers") from None


def _weights(how: Averages, batch: Mapping[str, Array] | None, times: int) -> dict[Any, int]:
    """What the weights of means are in a batch."""
    if batch is None:
        return {}
    if how.weights == SIMPLY:
        return {BATCH: len(next(iter(batch.values()))) // times}
    shapes = {n: (len(array) // times, *array.shape[1:]) for n, array in batch.items()}
    bound = bind_sizes(how.inputs, shapes)
    return {size: evaluate(size, bound) for size in how.weights}
