"""The options of every command that runs a network: where, and from which data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from graphdl.errors import UsageError

from .streams import tell

F = TypeVar("F", bound=Callable[..., object])


def takes_backend(command: F) -> F:
    """Adds `gpu` and `backend`, to be given to `chosen`, and `--threads`, which acts by itself."""
    command = click.option("--gpu", is_flag=True, help="Run on the GPU: --backend cupy.")(command)
    command = click.option(
        "--threads",
        type=click.IntRange(1, 1024),
        expose_value=False,
        callback=_set_threads,
        help="Processors that native kernels use; without it, all this process may.",
    )(command)
    return click.option(
        "--backend",
        metavar="NAME",
        help="native (the default where it works), numpy or cupy.",
    )(command)


def _set_threads(_: click.Context, __: click.Parameter, threads: int | None) -> None:
    if threads is not None:
        os.environ["GRAPHDL_THREADS"] = str(threads)


def takes_data(command: F) -> F:
    """Adds `data_dir`."""
    return click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        help="Look for data here first, then beside the model, in the current folder, "
        "in $GRAPHDL_DATA and the cache.",
    )(command)


def chosen(gpu: bool, backend: str | None) -> str | None:
    """The backend's name; None for the default.

    Raises:
        UsageError: `--gpu` beside another backend.
    """
    if gpu and backend not in (None, "cupy"):
        raise UsageError(f"--gpu is --backend cupy, not --backend {backend}")
    return "cupy" if gpu else backend


def tell_of_compiling() -> None:
    """Say when kernels are compiled, which takes a moment."""
    from graphdl.backends.llvm import LISTENERS

    LISTENERS.append(lambda count: tell(f"compiling {count} kernels for this processor, once"))


def hint_at_native(backend: str | None) -> None:
    """Where NumPy runs only because LLVM is missing, one sentence that says so."""
    from graphdl.backends.llvm import why_not

    if backend is None and "GRAPHDL_BACKEND" not in os.environ and why_not():
        tell(f"running on NumPy, which is slower than kernels for this processor: {why_not()}")
