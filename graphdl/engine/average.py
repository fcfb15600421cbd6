"""Means over an epoch of what batches report, weighted by their number of examples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Average:
    """Running sums that survive a checkpoint exactly: JSON keeps every bit of a float.

    >>> average = Average()
    >>> average.add({"loss": 1.0}, 3); average.add({"loss": 2.0}, 1); average.means()
    {'loss': 1.25}
    """

    sums: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def add(self, values: Mapping[str, float], weight: int) -> None:
        """Counts the means of one batch of `weight` examples."""
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + _inward(name, float(value)) * weight
        self.count += weight

    def add_all(self, values: Mapping[str, Sequence[float]], weight: int) -> int:
        """Counts the means of several batches of `weight` examples each, in turn; how many."""
        count = 0
        for name, several in values.items():
            total, count = self.sums.get(name, 0.0), len(several)
            for value in several:
                total += _inward(name, value) * weight
            self.sums[name] = total
        self.count += weight * count
        return count

    def means(self) -> dict[str, float]:
        """The mean of each value so far."""
        count = max(self.count, 1)
        return {name: _outward(name, total / count) for name, total in self.sums.items()}


def _inward(name: str, value: float) -> float:
    # perplexity is exp(mean nll), so it is its logarithm that is averaged
    if name != "perplexity":
        return value
    return math.log(value) if value > 0 else math.nan


def _outward(name: str, mean: float) -> float:
    if name != "perplexity":
        return mean
    return math.exp(mean) if mean < 700 else math.inf
