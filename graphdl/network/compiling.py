"""The front door: text, path or checkpoint in, network out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..checking import source_of
from ..errors import DataError, Source
from ..syntax import parse
from .description import names_of
from .network import Network


def compile(
    model: str | os.PathLike[str],
    backend: str | None = None,
    dtype: str = "float32",
    seed: int = 0,
    **params: Any,
) -> Network:
    """A network from a path, the name of a shipped model, or a text.

    `params` set the model's own parameters, as `--set` does. `backend` is native, numpy or cupy;
    without it, native where its kernels can be made, else numpy.

    Raises ModelError with the diagnostics, UsageError for an unknown backend or dtype.
    """
    return Network(parse(source_of(model)), params, backend=backend, dtype=dtype, seed=seed)


def load(
    path: str | os.PathLike[str], backend: str | None = None, dtype: str | None = None
) -> Network:
    """The network of a checkpoint: the model's text is inside.

    It goes on as it was trained: `step` has the run's optimiser, settings and states.

    Raises UsageError or DataError when it is none, or broken.
    """
    from ..engine.checkpoint import open_checkpoint, place
    from ..engine.settings import Settings

    checkpoint = open_checkpoint(Path(path))
    about = checkpoint.description
    params, imports = about.get("params") or {}, about.get("imports") or {}
    if not isinstance(params, dict) or not isinstance(imports, dict):
        raise DataError(f"{path}: its parameters or imports are broken")
    # A name without a folder: nothing beside the checkpoint is ever read for it.
    source = Source(Path(str(about.get("file") or "checkpoint")).name, checkpoint.model)
    model = replace(
        parse(source),
        library={str(k): str(v) for k, v in imports.items()},
        by_position=about.get("language") is None,
    )
    net = Network(
        model,
        params,
        backend=backend,
        dtype=dtype or str(about.get("dtype", "float32")),
        seed=checkpoint.seed,
        drawn=False,
    )
    place(net, {name: w.shape for name, w in net.graph.weights.items()}, checkpoint)
    net.trained_with = checkpoint.settings
    if checkpoint.settings:
        net.use(Settings.from_json(checkpoint.settings))
    net.vocabularies, net.labels = names_of(about, path)
    return net
