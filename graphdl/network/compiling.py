"""The front door: text, path or checkpoint in, network out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..checking import source_of
from ..errors import DataError, Source, UsageError
from ..syntax import parse
from .network import Network


def compile(
    model: str | os.PathLike[str],
    backend: str = "numpy",
    dtype: str = "float32",
    seed: int = 0,
    **params: Any,
) -> Network:
    """A network from a path, the name of a shipped model, or a text.

    `params` set the model's own parameters, as `--set` does.

    Raises ModelError with the diagnostics, UsageError for an unknown backend or dtype.
    """
    return Network(parse(source_of(model)), params, backend=backend, dtype=dtype, seed=seed)


def load(path: str | os.PathLike[str], backend: str = "numpy", dtype: str | None = None) -> Network:
    """The network of a checkpoint: the model's text is inside.

    Raises UsageError or DataError when it is none, or broken.
    """
    from ..engine.checkpoint import open_checkpoint, restore

    checkpoint = open_checkpoint(Path(path))
    about = checkpoint.description
    text, imports = checkpoint.model, dict(about.get("imports") or {})
    name = str(about.get("file") or "<checkpoint>")
    params = about.get("params") or {}
    if imports:
        raise UsageError(f"{path}: a model with imports cannot be loaded from a checkpoint yet")
    if not isinstance(params, dict):
        raise DataError(f"{path}: its parameters are broken")
    net = Network(
        parse(Source(name, text)),
        params,
        backend=backend,
        dtype=dtype or str(about.get("dtype", "float32")),
        seed=checkpoint.seed,
    )
    restore(net, checkpoint)
    net.steps, net.draws = checkpoint.steps, checkpoint.draws
    return net
