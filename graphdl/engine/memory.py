"""What an optimiser kept for a run, against what it is to go on with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError
from ..graph.kept import MEMORY
from .trainable import Arrays

if TYPE_CHECKING:
    from .checkpoint import Checkpoint

GATHERED = ".gathered"  # gradients of a group of batches: zero between two groups


def insist_on_memory(checkpoint: Checkpoint, due: Mapping[str, tuple[int, ...]]) -> Arrays:
    """Raises unless all that the optimiser needs is there; what begins anew at this place.

    `due` are the shapes of the states of every weight that is trained. What the checkpoint holds
    besides is of weights that are frozen from now on.
    """
    entries = checkpoint.file.entries
    between = checkpoint.progress is not None and not checkpoint.progress.position
    anew: Arrays = {}
    for name, shape in due.items():
        if between and name.endswith(GATHERED):
            anew[name] = np.zeros(shape)
        elif name not in entries:
            raise DataError(
                f"cannot resume from {checkpoint.path}: optimiser memory "
                f"`{name.removeprefix(MEMORY)}` is not in the checkpoint; was the optimizer "
                "changed, or a weight frozen before?"
            )
        elif entries[name].shape != shape:
            raise DataError(
                f"cannot resume from {checkpoint.path}: optimiser memory "
                f"`{name.removeprefix(MEMORY)}` is {list(entries[name].shape)}, "
                f"the model has {list(shape)}"
            )
    return anew
