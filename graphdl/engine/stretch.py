"""How many batches to take at once: a call should last some hundredths of a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.dataset import Split
from ..data.feed import Batches, Feed

SECONDS = 0.04  # between looks at the clock and at Ctrl-C
BYTES = 8 << 20  # of examples that are gathered beforehand
MOST = 4096  # batches at once


@dataclass(slots=True)
class Stretches:
    """Whole batches of plain arrays, in the order of an epoch, `count` of them at a time."""

    split: Split
    order: Any
    batch: int
    whole: int
    nbytes: int
    count: int = 4

    @classmethod
    def of(cls, feed: Feed, epoch: int) -> Stretches | None:
        """Those of an epoch; None where batches differ in shape, or come as windows."""
        if not isinstance(feed, Batches) or not isinstance(feed.split, Split):
            return None
        split, sampler = feed.split, feed.sampler
        plain = all(isinstance(field, np.ndarray) for field in split.fields.values())
        if not plain or split.stream or split.counted is not None:
            return None
        order = sampler.order(epoch)
        nbytes = sum(array.nbytes for array in split.batch(order[: sampler.batch]).values())
        return cls(split, order, sampler.batch, sampler.whole, nbytes)

    def take(self, position: int, most: int) -> tuple[int, dict[str, Any]]:
        """How many batches from number `position` on, and their examples; none is fine."""
        if position >= self.whole:
            return 0, {}
        count = max(1, min(self.count, most, self.whole - position, BYTES // max(self.nbytes, 1)))
        rows = self.order[position * self.batch : (position + count) * self.batch]
        return count, dict(self.split.batch(rows))

    def lasted(self, count: int, seconds: float) -> None:
        """Choose the next number by how long `count` batches took."""
        wanted = int(count * SECONDS / max(seconds, 1e-6))
        self.count = max(1, min(wanted, 4 * self.count, MOST))
