"""What every command that reads a model takes: FILE or `-e TEXT`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from graphdl.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from graphdl.graph import Graph

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
    path = Path(file)
    if path.exists() or path.is_symlink():
        return path
    return shipped(file)


def shipped(name: str) -> Path:
    """A model that comes with graphdl: `digits`.

    Raises:
        UsageError: there is none of this name.
    """
    models = Path(str(resources.files("graphdl.models")))
    known = {path.stem: path for path in sorted(models.glob("*.gdl"))}
    stem = name.removesuffix(".gdl")
    if stem in known and Path(name).parent == Path():
        return known[stem]
    if Path(name).suffix or Path(name).parent != Path():
        near = did_you_mean(Path(name).name, _beside(Path(name)))
        raise UsageError(f"{name}: there is no such file" + (f"; {near}" if near else ""))
    hint = did_you_mean(name, known) or f"shipped models: {', '.join(known)}"
    raise UsageError(f"no file `{name}` here and no shipped model of that name; {hint}")


def _beside(path: Path) -> list[str]:
    try:
        return [p.name for p in path.parent.iterdir()]
    except OSError:
        return []


def _standard_input() -> str:
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8-sig") + "\n"
    except UnicodeDecodeError as error:
        raise UsageError("standard input is not UTF-8 text") from error


def graph_of(source: Path | str, params: dict[str, Any]) -> Graph:
    """The checked graph of a model; it need not be able to run."""
    from graphdl.checking import source_of
    from graphdl.elaborate import elaborate

    return elaborate(source_of(source), params).graph
