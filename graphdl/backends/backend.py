"""The one door to array libraries: whoever needs arrays asks here and passes the module on."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ..errors import UsageError, did_you_mean
from ..program import Array
from .cupy import find_cupy
from .transfer import host

NAMES = ("numpy", "native", "cupy")


@dataclass(frozen=True)
class Backend:
    """An array library: `name`, and its module `xp` that executables compute with."""

    name: str
    xp: ModuleType

    @property
    def native(self) -> bool:
        """Whether it runs generated kernels on NumPy's arrays."""
        return self.name == "native"

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        """The array as NumPy's; on the NumPy backend it is the same array, not a copy."""
        return host(array)

    def from_host(self, array: np.ndarray[Any, Any]) -> Array:
        """A NumPy array where the backend computes; on the NumPy backend the same array."""
        return array if self.xp is np else self.xp.asarray(array)

    def synchronize(self) -> None:
        """Wait until everything asked for is done: what timing needs."""
        if self.xp is not np:
            self.xp.cuda.get_current_stream().synchronize()


def open_backend(name: str) -> Backend:
    """The backend called `name`: numpy, or cupy where there is a GPU; otherwise a UsageError."""
    if name == "numpy":
        return Backend(name, np)
    if name == "native":
        return Backend(name, np)
    if name == "cupy":
        return Backend(name, find_cupy())
    hint = did_you_mean(name, NAMES) or f"there are: {', '.join(NAMES)}"
    raise UsageError(f"no backend `{name}`; {hint}")
