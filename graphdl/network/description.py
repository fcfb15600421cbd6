"""What a checkpoint says of the network inside it."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .network import Network


def description(net: Network, imports: dict[str, str]) -> dict[str, Any]:
    """The model's text and what else makes the same network again, fit for JSON."""
    from .. import __version__

    source = net.syntax.source
    return {
        "model": source.text,
        "file": Path(source.name).name,
        "imports": imports,
        "params": net.params,
        "seed": net.seed,
        "dtype": net.dtype,
        "backend": net.backend,
        "versions": {
            "graphdl": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
