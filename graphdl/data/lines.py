"""Sentences, one a line: a file for each class, or one file with columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import DataError
from .request import Found, Option, Request
from .sentences import ID, LABEL, TEXT, Part, sentences
from .stream import Stream, opened
from .text import WORDING

USUAL = {1: (TEXT,), 2: (LABEL, TEXT), 3: (ID, LABEL, TEXT)}


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


def _classes(request: Request) -> tuple[Part, tuple[str, ...]]:
    """One file for each class, in the order in which they are written."""
    paths = [request.lookup.file(written) for written in request.names]
    whole = Part(" and ".join(str(path) for path in paths))
    names = _stems(paths)
    for path, name in zip(paths, names, strict=True):
        before = len(whole.lines)
        for _, line, text in _lines(path, request):
            whole.add(line, {TEXT: text, LABEL: name})
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
    options = request.options
    suffixes = path.name.removesuffix(".gz").rpartition(".")
    if options.get("numbered"):
        found = _numbered(path, request)
    elif options.get("header", suffixes[2] == "csv"):
        found = _headed(path, request, "\t" if suffixes[2] in ("tsv", "txt") else ",")
    else:
        found = _tabbed(path, request)
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
        found.add(line, {ID: text[:place].strip(), TEXT: text[place + 1 :]})
    return found


def _headed(path: Path, request: Request, delimiter: str) -> Part:
    found = Part(str(path))
    names: list[str] = []
    with opened(path, request.options.get("encoding", "utf-8")) as stream:
        reader = csv.reader((text for _, text in stream.lines()), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                # Where there is one column, blanks alone are an empty sentence.
                if not cells or (len(cells) == 1 != len(names) and not cells[0].strip()):
                    continue
                if not names:
                    names = [cell.strip() for cell in cells]
                    if len(set(names)) < len(names) or not all(names):
                        stream.fail(
                            f"line {reader.line_num}: the header does not give each column a name"
                        )
                elif len(cells) != len(names):
                    stream.fail(
                        f"line {reader.line_num}: {len(cells)} cells, the header has {len(names)}"
                    )
                else:
                    found.add(reader.line_num, dict(zip(names, cells, strict=True)))
        except csv.Error as error:
            stream.fail(f"line {reader.line_num}: {error}")
    return found


def _tabbed(path: Path, request: Request) -> Part:
    found, names = Part(str(path)), request.options.get("columns")
    leading: list[int] = []  # empty lines, before it is known whether they are sentences
    for stream, line, text in _lines(path, request):
        cells = text.split("\t")
        if cells == [text] and not text.strip() and (names is None or len(names) > 1):
            leading += [line] if names is None else []
            continue
        if names is None:
            names = USUAL.get(len(cells))
            for empty in leading if len(cells) == 1 else ():
                found.add(empty, {TEXT: ""})
        if names is None:
            stream.fail(
                f"line {line}: {len(cells)} cells between tabs; name them: "
                '`columns = ["id", "label", "text", ...]`'
            )
        if len(cells) != len(names):
            listed = ", ".join(names)
            stream.fail(f"line {line}: {len(cells)} cells between tabs, the columns are {listed}")
        found.add(line, dict(zip(names, cells, strict=True)))
    return found
