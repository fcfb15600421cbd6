"""The front door: text or path in, network or diagnostics out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..elaborate import elaborate
from ..errors import DataError, Diagnostic, ModelError, Source, UsageError
from ..syntax import parse, read
from .network import Network


def source_of(model: str | os.PathLike[str]) -> Source:
    """The text of a model: a path, the name of a shipped model, or the text itself.

    Anything with an arrow or a newline is text; everything else a path.
    """
    written = os.fspath(model)
    if isinstance(model, str) and ("->" in written or "\n" in written or "=" in written):
        return Source("<text>", written)
    path = Path(written)
    if not path.exists() and path.parent == Path() and not path.suffix:
        shipped = Path(__file__).parents[1] / "models" / f"{written}.gdl"
        shipped = shipped if shipped.is_file() else _shipped(written)
        if shipped.is_file():
            return read(shipped)
    return read(path)


def _shipped(name: str) -> Path:
    from importlib import resources

    return Path(str(resources.files("graphdl.models"))) / f"{name}.gdl"


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


def check(model: str | os.PathLike[str], **params: Any) -> list[Diagnostic]:
    """Every finding about a model: errors and warnings, an empty list when all is well."""
    try:
        graph = elaborate(source_of(model), params).graph
    except ModelError as error:
        return list(error.diagnostics)
    return list(graph.warnings) + setting_errors(graph)


def setting_errors(graph: Any) -> list[Diagnostic]:
    """What is wrong in the `train` block."""
    from ..engine.settings import Settings

    try:
        Settings.resolve(graph.settings)
    except ModelError as error:
        return list(error.diagnostics)
    return []


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
