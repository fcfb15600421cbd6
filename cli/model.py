"""What every command that reads a model takes: FILE or `-e TEXT`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from graphdl.errors import UsageError

if TYPE_CHECKING:
    from graphdl.graph import Graph
    from graphdl.network import Network

F = TypeVar("F", bound=Callable[..., object])


def reads_model(command: F) -> F:
    """Adds `file` and `text`, to be given to `model`."""
    command = click.option(
        "-e",
        "--text",
        metavar="TEXT",
        help='A program instead of FILE: -e "input -> linear(2, 3)".',
    )(command)
    return click.argument("file", required=False)(command)


def model(file: str | None, text: str | None = None) -> Path | str:
    """What `graphdl.compile` takes: the path of a model file, or a program as text.

    Raises:
        UsageError: neither or both were given, or there is no such file or model.
    """
    if (file is None) == (text is None):
        raise UsageError("give one model: FILE, or -e TEXT")
    if text is not None:
        return f"{text}\n"  # a newline says that this is no path
    assert file is not None
    if file == "-":
        return _standard_input()
    from graphdl.checking import path_of

    return path_of(file)


def _standard_input() -> str:
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8-sig") + "\n"
    except UnicodeDecodeError as error:
        raise UsageError("standard input is not UTF-8 text") from error


def graph_of(source: Path | str, params: dict[str, Any]) -> Graph:
    """The checked graph of a model; it need not be able to run."""
    from graphdl.checking import model_in, warn_of
    from graphdl.elaborate import elaborate

    model, held = model_in(source)
    graph = elaborate(model, {**held, **params}).graph
    warn_of(graph)
    return graph


def is_trained(source: Path | str) -> bool:
    """Whether this is a run's folder or a checkpoint, with weights beside the model."""
    from graphdl.checking import is_checkpoint

    return isinstance(source, Path) and is_checkpoint(source)


def network_of(
    source: Path | str, params: dict[str, Any], backend: str | None = None, **more: Any
) -> Network:
    """The network of a model with weights drawn, or of a run or checkpoint with those it has."""
    import graphdl

    if not is_trained(source):
        return graphdl.compile(source, backend=backend, **more, **params)
    if params:
        raise UsageError(f"{source} is trained: its parameters cannot be set")
    return graphdl.load(source, backend=backend, dtype=more.get("dtype"))
