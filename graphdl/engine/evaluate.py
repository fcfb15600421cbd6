"""Loss and metrics of a network on what it is fed, without training."""

from __future__ import annotations

from collections.abc import Callable

from ..data.feed import Feed
from .average import Average
from .trainable import Trainable


def evaluate(
    trainable: Trainable,
    feed: Feed,
    *,
    carry: bool = False,
    limit: int | None = None,
    stop: Callable[[], bool] | None = None,
) -> dict[str, float] | None:
    """Means over all target elements, or over `limit` batches; None when `stop` said so.

    `carry` lets states go on from window to window.
    """
    average = Average()
    for number, fed in enumerate(feed.batches(epoch=0)):
        if limit is not None and number >= limit:
            break
        if stop and stop():
            return None
        fresh = fed.fresh if carry else None
        values = trainable.evaluate_batch(fed.batch, fresh=fresh, going=fed.going)
        average.add(values, fed.weight)
    return average.means()
