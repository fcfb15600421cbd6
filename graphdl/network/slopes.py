"""The loss of a batch and its gradients, as when training or as when predicting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..elaborate import LOSS
from ..errors import UsageError
from .asked import differentiable
from .texts import taken

if TYPE_CHECKING:
    from .network import Network

Array = np.ndarray[Any, Any]


def loss(net: Network, /, *, training: bool | ArrayLike = False, **batch: ArrayLike) -> float:
    """The loss of a batch [examples, *shape].

    Without `training` it is what `evaluate` measures: no dropout, running averages, no
    penalties. With it, it is what `step` would return for this batch: the masks of dropout are
    those the next step draws, `batch_norm` uses the batch, and `l1` and `l2` are added, as the
    file or the last `fit` says. Nothing changes either way.

    Raises UsageError for unknown and missing names, DataError for arrays that do not fit.
    """
    data = taken(net, net.ports, batch)
    return float(net.differentiated((), _flag(training), data)[LOSS])


def gradients(
    net: Network,
    /,
    wrt: str | Iterable[str] | None = None,
    *,
    training: bool | ArrayLike = True,
    **batch: ArrayLike,
) -> dict[str, Array]:
    """Gradient of the loss for each weight, or each weight and input in `wrt`.

    Each has the shape of its weight, or of its input [examples, *shape]. It is the gradient of
    `net.loss(..., training=training)`: of what `step` minimises, penalties and all, unless
    `training` is false. Clipping, `decay` and frozen weights are the optimiser's.

    Raises UsageError for unknown and missing names, DataError for arrays that do not fit.
    """
    data = taken(net, net.ports, batch)
    names = tuple(differentiable(net.graph, wrt))
    found = net.differentiated(names, _flag(training), data)
    return {n: found[f"gradient/{n}"] for n in names}


def _flag(training: object) -> bool:
    if not isinstance(training, bool):
        raise UsageError(f"`training` is true or false, not {training!r}")
    return training
