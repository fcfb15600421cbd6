"""Findings about a model without running it: the path from text to graph, and no further."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from .elaborate import Elaborated, Regime, elaborate, refuse
from .errors import Diagnostic, ModelError, Source
from .syntax import read


def source_of(model: str | os.PathLike[str]) -> Source:
    """The text of a model: a path, the name of a shipped model, or the text itself.

    Anything with an arrow or a newline is text; everything else a path.
    """
    written = os.fspath(model)
    if isinstance(model, str) and ("->" in written or "\n" in written or "=" in written):
        return Source("<text>", written)
    path = Path(written)
    if not path.exists() and path.parent == Path() and not path.suffix:
        shipped = Path(__file__).parent / "models" / f"{written}.gdl"
        shipped = shipped if shipped.is_file() else _shipped(written)
        if shipped.is_file():
            return read(shipped)
    return read(path)


def _shipped(name: str) -> Path:
    from importlib import resources

    return Path(str(resources.files("graphdl.models"))) / f"{name}.gdl"


def check(model: str | os.PathLike[str], **params: Any) -> list[Diagnostic]:
    """Every finding about a model: errors and warnings, an empty list when all is well."""
    try:
        found = elaborate(source_of(model), params)
    except ModelError as error:
        return list(error.diagnostics)
    return list(found.graph.warnings) + setting_errors(found)


def setting_errors(model: Elaborated) -> list[Diagnostic]:
    """What is wrong in the `train` block."""
    from .engine.settings import Settings

    try:
        settings = Settings.resolve(model.graph.settings)
        if model.graph.settings:
            regime = Regime(freeze=tuple(settings.freeze))
            chosen = settings.optimizer
            refuse(model, replace(regime, optimizer=chosen) if chosen else regime)
    except ModelError as error:
        return list(error.diagnostics)
    return []
