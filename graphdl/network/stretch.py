"""Many updates at once, where generated kernels can do them in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..elaborate import LOSS

if TYPE_CHECKING:
    from .network import Network

Array = np.ndarray[Any, Any]


def train_batches(
    net: Network, batches: Mapping[str, Array], lr: float | None, times: int
) -> dict[str, Array] | None:
    """Updates on `times` batches that follow each other in arrays; loss and metrics of each.

    They are those that `train_batch` gives one by one. Fewer come back where a loss was not
    finite: that batch changed nothing. None, and nothing is done, where batches must come one by
    one: on other backends, with accumulated gradients, with carried states.
    """
    step = net.training_step()
    if step.gather is not None or step.carry:
        return None
    scalars = {
        "seed": net.seed,
        "draw": net.draws,
        "lr": (step.rate or 0.0) if lr is None else lr,
        "step": net.steps + 1,
        "group": 1,
        "fresh": True,
    }
    found = step.last.run_many(net.store, batches, scalars, LOSS, times)
    if found is None:
        return None
    done, values = found
    net.draws += done
    net.steps += done
    return values
