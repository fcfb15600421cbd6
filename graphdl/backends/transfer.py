"""Arrays on their way between host and device: the only place that asks which of the two it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import Array


def fill(target: Array, source: Array) -> None:
    """Write `source` into `target`, converting its dtype; either may live on the device."""
    if isinstance(target, np.ndarray):
        np.copyto(target, host(source), casting="same_kind")
    elif isinstance(source, np.ndarray):
        staged = np.empty(target.shape, dtype=target.dtype)
        np.copyto(staged, source, casting="same_kind")
        target.set(staged)
    else:
        target[...] = source


def host(array: Array) -> np.ndarray[Any, Any]:
    """The array on the host: itself when it is there already."""
    return array if isinstance(array, np.ndarray) else array.get()
