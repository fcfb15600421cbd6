"""Sentences, one a line: a file for each class, or one file with columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import DataError
from .columns import Form, named_rows
from .request import Found, Option, Request
from .sentences import ID, LABEL, TEXT, Part, sentences
from .stream import Stream, opened
from .text import WORDING

COLUMNS = ("columns", "header", "delimiter", "quotes")  # how a file of columns is written


def _names(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(v, str) and v for v in value)
        and len(set(value)) == len(value)
    )


OPTIONS = {
    **WORDING,
    "columns": Option(
        "names of the cells between tabs", 'a list such as ["id", "label", "text"]', _names
    ),
    "header": Option(
        "the first line names the columns", "true or false", lambda v: type(v) is bool
    ),
    "delimiter": Option(
        "what stands between cells: a comma in a .csv, or else a tab",
        'one character, or "\\t"',
        lambda v: isinstance(v, str) and (v == "\\t" or (len(v) == 1 and v not in '"\r\n')),
    ),
    "quotes": Option(
        'whether cells may stand in quotes, `"so, with ""all"" in it"`',
        "true or false",
        lambda v: type(v) is bool,
    ),
    "numbered": Option(
        "each line is `number,text`, without a label", "true or false", lambda v: type(v) is bool
    ),
    "longest": Option(
        "sentences are cut after so many tokens",
        "a whole number above 0",
        lambda v: type(v) is int and v > 0,
    ),
    "validation": Option("a file", "a path", lambda v: isinstance(v, str) and bool(v)),
    "test": Option("a file", "a path", lambda v: isinstance(v, str) and bool(v)),
}


def read_lines(request: Request) -> Found:
    """Several files, one for each class; or one with columns, and others for the other parts."""
    _insist_on_use(request)
    classes: tuple[str, ...] = ()
    if len(request.names) > 1:
        train, classes = _classes(request)
    else:
        train = _table(request, request.names[0])
    parts = {"train": train}
    for part in ("validation", "test"):
        if part in request.options:
            parts[part] = _table(request, request.options[part])
    return sentences(request, parts, classes)


def _insist_on_use(request: Request) -> None:
    """DataError for options that say how columns are written where no file has any."""
    given = [name for name in COLUMNS if name in request.options]
    if given and request.options.get("numbered"):
        raise DataError(
            f"`{given[0]}` says how columns are written, and `numbered` files have none: give one"
        )
    given += ["numbered"] if "numbered" in request.options else []
    if given and len(request.names) > 1 and not {"validation", "test"} & request.options.keys():
        raise DataError(
            f"`{given[0]}` is of one file with columns; of {len(request.names)} files each is a "
            "class, and its lines are sentences"
        )


def _classes(request: Request) -> tuple[Part, tuple[str, ...]]:
    """One file for each class, in the order in which they are written."""
    paths = [request.lookup.file(written) for written in request.names]
    whole = Part(" and ".join(str(path) for path in paths))
    names = _stems(paths)
    for path, name in zip(paths, names, strict=True):
        before = len(whole.lines)
        for _, line, text in _lines(path, request):
            whole.add(line, {TEXT: text, LABEL: name}, request.budget)
        if len(whole.lines) == before:
            raise DataError(f"{path}: is empty, so there is no example of `{name}`")
    return whole, names


def _stems(paths: list[Path]) -> tuple[str, ...]:
    stems = [path.name.removesuffix(".gz").removesuffix(".txt") for path in paths]
    return tuple(stems) if len(set(stems)) == len(stems) else tuple(map(str, paths))


def _lines(path: Path, request: Request) -> Iterator[tuple[Stream, int, str]]:
    with opened(path, request.options.get("encoding", "utf-8")) as stream:
        for line, text in stream.lines():
            yield stream, line, text.rstrip("\r\n")


def _table(request: Request, written: str) -> Part:
    """One file of columns."""
    path = request.lookup.file(written)
    if request.options.get("numbered"):
        found = _numbered(path, request)
    else:
        found = Part(str(path))
        for line, cells in named_rows(path, Form.of(path, request.options)):
            found.add(line, cells, request.budget)
    if not found.lines:
        raise DataError(f"{path}: is empty, a sentence on each line is needed")
    return found


def _numbered(path: Path, request: Request) -> Part:
    found = Part(str(path))
    for stream, line, text in _lines(path, request):
        if not text.strip():
            continue
        comma, tab = text.find(","), text.find("\t")
        place = min((p for p in (comma, tab) if p >= 0), default=-1)
        if place < 0 or not text[:place].strip().isdecimal():
            stream.fail(f"line {line}: does not begin with a number and a comma")
        found.add(line, {ID: text[:place].strip(), TEXT: text[place + 1 :]}, request.budget)
    return found
