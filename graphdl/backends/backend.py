"""The one door to array libraries: NumPy, and CuPy where there is a GPU for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ..errors import UsageError, did_you_mean
from ..program import Array

BACKENDS = ("numpy", "cupy")


@dataclass(frozen=True, slots=True)
class Backend:
    """An array module and the way to it and back."""

    name: str
    xp: ModuleType
    to_host: Callable[[Array], np.ndarray[Any, Any]]
    from_host: Callable[[np.ndarray[Any, Any]], Array]


def open_backend(name: str) -> Backend:
    """The backend called `numpy` or `cupy`.

    Raises UsageError for another name, and when CuPy, its driver or a GPU is missing.
    """
    if name == "numpy":
        return Backend("numpy", np, np.asarray, np.asarray)
    if name == "cupy":
        return _cupy()
    hint = did_you_mean(name, BACKENDS) or f"there are: {', '.join(BACKENDS)}"
    raise UsageError(f"there is no backend `{name}`; {hint}")


def _cupy() -> Backend:
    try:
        import cupy
    except ImportError as error:
        raise UsageError(
            "the GPU backend needs CuPy, which is not installed: "
            f"pip install 'graphdl[gpu]' ({error})"
        ) from None
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except RuntimeError as error:
        raise UsageError(
            f"CuPy is installed, but there is no working NVIDIA driver for it: {error}"
        ) from None
    if not count:
        raise UsageError("CuPy and its driver work, but this machine has no NVIDIA GPU")
    return Backend("cupy", cupy, cupy.asnumpy, cupy.asarray)
