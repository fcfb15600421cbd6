"""graphdl: a neural network is one small text file.

>>> import graphdl as gdl
>>> net = gdl.compile("input -> linear(2, 3) -> softsign -> softmax -> nll")
>>> net(input=[[0.5, -0.5]])["output"].shape
(1, 3)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checking import check
    from .data import Dataset
    from .errors import (
        DataError,
        Diagnostic,
        DivergedError,
        GdlError,
        ModelError,
        UsageError,
        render,
    )
    from .network import Network, compile, load

__version__ = "0.1.0"
__all__ = [
    "DataError",
    "Dataset",
    "Diagnostic",
    "DivergedError",
    "GdlError",
    "ModelError",
    "ModelWarning",
    "Network",
    "UsageError",
    "check",
    "compile",
    "load",
    "render",
]

_ROOMS = {"Network": "network", "check": "checking", "compile": "network", "load": "network",
          "Dataset": "data"}  # fmt: skip


def __getattr__(name: str) -> Any:
    # `import graphdl` itself loads nothing heavy: the command line starts fast.
    if name not in __all__:
        raise AttributeError(f"module 'graphdl' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f".{_ROOMS.get(name, 'errors')}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
