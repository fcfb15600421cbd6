"""Warnings of a model on stderr, as `check` shows them, each once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from graphdl.errors import ModelWarning


@contextmanager
def told_once() -> Iterator[None]:
    """While a command runs, Python's warnings about models are diagnostics for its user."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", ModelWarning)
        otherwise, told = warnings.showwarning, set()

        def show(message: Any, category: Any, *place: Any, **more: Any) -> None:
            if not issubclass(category, ModelWarning):
                otherwise(message, category, *place, **more)
            elif str(message) not in told:
                told.add(str(message))
                click.echo(f"{message}\n", err=True)

        warnings.showwarning = show
        yield
