"""The front door: text, path or checkpoint in, network out."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..checking import model_in, warn_of
from ..errors import DataError
from .description import names_of, trained_of
from .network import Network
from .places import places_of

TRIES = 20  # to read a checkpoint that is being replaced


def compile(
    model: str | os.PathLike[str],
    backend: str | None = None,
    dtype: str = "float32",
    seed: int = 0,
    **params: Any,
) -> Network:
    """A network from a path, the name of a shipped model, or a text.

    Of a run's folder or a checkpoint it takes the model and its parameters, and draws weights anew:
    `load` takes the weights as well. `params` set the model's own parameters, as `--set` does.
    `backend` is native, numpy or cupy; without it, native where its kernels can be made, else
    numpy.

    What `check` warns of, Python's `warnings` tell, as `graphdl.ModelWarning`.

    Raises ModelError with the diagnostics, UsageError for an unknown backend or dtype.
    """
    tree, held = model_in(model)
    net = Network(tree, {**held, **params}, backend=backend, dtype=dtype, seed=seed)
    warn_of(net.graph)
    return net


def load(
    path: str | os.PathLike[str], backend: str | None = None, dtype: str | None = None
) -> Network:
    """The network of a checkpoint, or of the best one in a run's folder: the model is inside.

    It goes on as it was trained: `step` has the run's optimiser, settings and states.

    Raises UsageError or DataError when it is none, or broken.
    """
    from ..engine.run_folder import best_checkpoint
    from ..engine.tensor_file import ReplacedError

    path = best_checkpoint(Path(path))
    for _ in range(TRIES):
        # A run that goes on replaces its checkpoints.
        with suppress(ReplacedError):
            net = network_of(path, backend, dtype)
            warn_of(net.graph)
            return net
    raise DataError(f"{path} is being replaced faster than it can be read")


def network_of(
    path: Path, backend: str | None, dtype: str | None = None, name: str | None = None
) -> Network:
    """The network of a checkpoint; `name` is what messages call its model, if not as its file."""
    from ..engine.checkpoint import model_of, open_checkpoint, place
    from ..engine.settings import Settings

    checkpoint = open_checkpoint(path)
    model, params = model_of(checkpoint, name)
    net = Network(
        model,
        params,
        backend=backend,
        dtype=dtype or checkpoint.description.get("dtype", "float32"),
        seed=checkpoint.seed,
        drawn=False,
    )
    net.places = places_of(checkpoint)
    place(net, {name: w.shape for name, w in net.graph.weights.items()}, checkpoint)
    net.trained_with = checkpoint.settings
    if checkpoint.settings:
        net.use(Settings.from_json(checkpoint.settings))
    net.vocabularies, net.labels = names_of(checkpoint.description, path)
    net.trained = trained_of(checkpoint)
    return net
