"""Spans, diagnostics, their rendering, and the exceptions users meet."""

from .codes import CODES
from .diagnostic import Diagnostic, Label
from .escape import escaped
from .exceptions import (
    DataError,
    DivergedError,
    GdlError,
    ModelError,
    ModelWarning,
    UsageError,
)
from .nearest import did_you_mean, nearest
from .render import render, render_github, render_json
from .span import Source, Span

__all__ = [
    "CODES",
    "DataError",
    "Diagnostic",
    "DivergedError",
    "GdlError",
    "Label",
    "ModelError",
    "ModelWarning",
    "Source",
    "Span",
    "UsageError",
    "did_you_mean",
    "escaped",
    "nearest",
    "render",
    "render_github",
    "render_json",
]
