"""Loss and metrics of a network on a split, without training."""

from __future__ import annotations

from collections.abc import Callable

from ..data.sampler import Sampler
from .average import Average
from .trainable import Split, Trainable, examples

LEAST_BATCH = 100  # single examples train well but test slowly


def evaluate(
    trainable: Trainable,
    split: Split,
    batch: int,
    *,
    limit: int | None = None,
    stop: Callable[[], bool] | None = None,
) -> dict[str, float] | None:
    """Means over all examples, or over `limit` batches; None when `stop` said so on the way."""
    average = Average()
    sampler = Sampler("sequential", len(split), max(batch, LEAST_BATCH))
    for number, rows in enumerate(sampler.batches(epoch=0)):
        if limit is not None and number >= limit:
            break
        if stop and stop():
            return None
        values = split.batch(rows)
        average.add(trainable.evaluate_batch(values), examples(values))
    return average.means()
