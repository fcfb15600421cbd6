"""The options of every command that runs a network: where, and from which data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from graphdl.errors import UsageError

F = TypeVar("F", bound=Callable[..., object])


def takes_backend(command: F) -> F:
    """Adds `gpu` and `backend`, to be given to `chosen`."""
    command = click.option("--gpu", is_flag=True, help="Run on the GPU: --backend cupy.")(command)
    return click.option("--backend", metavar="NAME", help="numpy (the default) or cupy.")(command)


def takes_data(command: F) -> F:
    """Adds `data_dir`."""
    return click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        help="Look for data here first, then beside the model, in $GRAPHDL_DATA and the cache.",
    )(command)


def chosen(gpu: bool, backend: str | None) -> str:
    """The backend's name.

    Raises:
        UsageError: `--gpu` beside another backend.
    """
    if gpu and backend not in (None, "cupy"):
        raise UsageError(f"--gpu is --backend cupy, not --backend {backend}")
    return "cupy" if gpu else backend or "numpy"


def tell(sentence: str) -> None:
    """Says something on stderr, where it does not mix with results."""
    click.echo(sentence, err=True)
