"""Findings about a model without running it: the path from text to graph, and no further."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from .elaborate import Elaborated, Regime, elaborate, refuse, require_learning
from .errors import Diagnostic, ModelError, ModelWarning, Source, UsageError, did_you_mean, render
from .graph import Graph
from .syntax import parse, read, tree

TEXT = "<text>"  # what a program that is no file is called


def source_of(model: str | os.PathLike[str]) -> Source:
    """The text of a model: a path, the name of a shipped model, or the text itself.

    Anything with an arrow, a newline or `=` is text; everything else a path.

    Raises UsageError when there is no such file and no shipped model of that name.
    """
    if isinstance(model, str) and is_text(model):
        return Source(TEXT, model)
    return read(path_of(os.fspath(model)))


def model_in(model: str | os.PathLike[str]) -> tuple[tree.Model, dict[str, Any]]:
    """The syntax tree of a model and its parameters: as `source_of`, or of a run or checkpoint.

    A checkpoint holds the model with all that it imports, and the values of its parameters.

    Raises UsageError, DataError and ModelError for what cannot be read.
    """
    from .engine.checkpoint import model_of, open_checkpoint
    from .engine.run_folder import best_checkpoint

    if not is_text(model):
        path = path_of(os.fspath(model))
        if is_checkpoint(path):
            return model_of(open_checkpoint(best_checkpoint(path)))
    return parse(source_of(model)), {}


def is_text(model: str | os.PathLike[str]) -> bool:
    """Whether this is a program itself: anything with an arrow, a newline or `=`."""
    return isinstance(model, str) and any(mark in model for mark in ("->", "\n", "="))


def is_checkpoint(path: Path) -> bool:
    """Whether a path is that of a checkpoint or of a run's folder, by what it is called."""
    return path.suffix == ".safetensors" or path.is_dir()


def path_of(written: str) -> Path:
    """The file a path stands for, or the model of that name that comes with graphdl.

    Raises UsageError with the nearest name when there is neither.
    """
    path = Path(written)
    try:
        if path.exists() or path.is_symlink():
            return path
    except OSError as error:
        raise UsageError(f"{written[:80]}: {(error.strerror or 'no file').lower()}") from None
    models = Path(str(resources.files("graphdl.models")))
    known = {shipped.stem: shipped for shipped in sorted(models.glob("*.gdl"))}
    stem = written.removesuffix(".gdl")
    if stem in known and path.parent == Path():
        return known[stem]
    if path.suffix or path.parent != Path():
        near = did_you_mean(path.name, _beside(path))
        raise UsageError(f"{written}: there is no such file" + (f"; {near}" if near else ""))
    hint = did_you_mean(written, known) or f"shipped models: {', '.join(known)}"
    raise UsageError(f"no file `{written}` here and no shipped model of that name; {hint}")


def _beside(path: Path) -> list[str]:
    try:
        return [p.name for p in path.parent.iterdir()]
    except OSError:
        return []


def warn_of(graph: Graph) -> None:
    """Python's warning for each finding that is no error, at the place of the caller's caller."""
    for found in graph.warnings:
        warnings.warn(ModelWarning(render(found)), stacklevel=3)


def check(model: str | os.PathLike[str], **params: Any) -> list[Diagnostic]:
    """Every finding about a model: errors and warnings, an empty list when all is well."""
    try:
        read_model, held = model_in(model)
        params = {**held, **params}
        found = elaborate(read_model, params)
        carry = found.graph.settings.get("carry_state")
        if carry is not None and carry.value is not False:
            elaborate(read_model, params, carry=True)
    except ModelError as error:
        return list(error.diagnostics)
    errors = setting_errors(found)
    return list(found.graph.warnings) + (errors or _idle(read_model, params, found))


def _idle(read_model: tree.Model, params: dict[str, Any], found: Elaborated) -> list[Diagnostic]:
    """E0707 where no weight can change the loss in training; without weights only `train` minds."""
    if not found.graph.losses or not any(w.kind == "weight" for w in found.graph.weights.values()):
        return []
    from .engine.settings import Settings

    try:
        model = elaborate(read_model, params, training=True)
        require_learning(model, Settings.resolve(found.graph.settings).freeze)
    except ModelError as error:
        return list(error.diagnostics)
    return []


def setting_errors(model: Elaborated) -> list[Diagnostic]:
    """What is wrong in the `train` block."""
    from .engine.settings import Settings

    try:
        settings = Settings.resolve(model.graph.settings)
        if model.graph.settings:
            regime = Regime(freeze=tuple(settings.freeze), max_norm=settings.row_limits)
            chosen = settings.optimizer
            refuse(model, replace(regime, optimizer=chosen) if chosen else regime)
    except ModelError as error:
        return list(error.diagnostics)
    return []
