"""The one door to array libraries: whoever needs arrays asks here and passes the module on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ..errors import UsageError, did_you_mean
from ..program import Array
from .cupy import find_cupy
from .llvm import find_llvm, why_not
from .transfer import host

NAMES = ("native", "numpy", "cupy")
# The environment variable that says which to use where none is named.
DEFAULT = "GRAPHDL_BACKEND"


@dataclass(frozen=True)
class Backend:
    """An array library: `name`, and its module `xp` that executables compute with."""

    name: str
    xp: ModuleType

    @property
    def native(self) -> bool:
        """Whether it runs generated kernels, on NumPy's arrays."""
        return self.name == "native"

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        """The array as NumPy's; on the host's backends it is the same array, not a copy."""
        return host(array)

    def from_host(self, array: np.ndarray[Any, Any]) -> Array:
        """A NumPy array where the backend computes; on the host's backends the same array."""
        return array if self.xp is np else self.xp.asarray(array)

    def synchronize(self) -> None:
        """Wait until everything asked for is done: what timing needs."""
        if self.xp is not np:
            self.xp.cuda.get_current_stream().synchronize()


def open_backend(name: str | None = None) -> Backend:
    """The backend called `name`: native, numpy, or cupy where there is a GPU.

    Without a name it is the one in GRAPHDL_BACKEND, or native where that works, else numpy.

    Raises:
        UsageError: what is missing, where a backend that was asked for cannot work.
    """
    name = name or os.environ.get(DEFAULT) or ("numpy" if why_not() else "native")
    if name == "numpy":
        return Backend(name, np)
    if name == "native":
        find_llvm()
        return Backend(name, np)
    if name == "cupy":
        return Backend(name, find_cupy())
    hint = did_you_mean(name, NAMES) or f"there are: {', '.join(NAMES)}"
    raise UsageError(f"no backend `{name}`; {hint}")
