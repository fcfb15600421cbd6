"""Loss and metrics of a network on what it is fed, without training."""

from __future__ import annotations

from collections.abc import Callable

from ..data.feed import Feed
from ..errors import UsageError
from .average import PLAIN, Average
from .trainable import Trainable


def evaluate(
    trainable: Trainable,
    feed: Feed,
    *,
    carry: bool = False,
    limit: int | None = None,
    stop: Callable[[], bool] | None = None,
) -> dict[str, float] | None:
    """Figures of all that is fed, or of `limit` batches; None when `stop` said so.

    They are the same however it is cut into batches: `program.averages` says how. `carry` lets
    states go on from window to window.

    Raises UsageError for a figure that needs all examples at once where they come in several
    batches, and for one made of lengths that differ from batch to batch.
    """
    average, how = Average(), getattr(trainable, "averages", PLAIN)
    if how.whole and limit is None and feed.steps(epoch=0) > 1:
        raise UsageError(
            f"`{how.whole[0]}` compares the examples of a batch with each other, so all have to "
            "come at once: this data comes in windows"
        )
    for number, fed in enumerate(feed.batches(epoch=0)):
        if limit is not None and number >= limit:
            break
        if stop and stop():
            return None
        fresh = fed.fresh if carry else None
        values = trainable.evaluate_batch(fed.batch, fresh=fresh, going=fed.going)
        average.add(values, fed.weight, how, fed.batch)
    average.require_alike(how)
    return average.means(how)
