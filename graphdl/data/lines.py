"""Sentences, one a line: a file for each class, or one file with columns."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, did_you_mean
from ..program import Size
from .dataset import Column, Dataset, Field, Split
from .labels import label_column, number
from .ragged import Ragged
from .request import Found, Option, Request
from .stream import Stream, opened, shown
from .text import WORDING, known_words, wording
from .vocabulary import Vocabulary, Wording
from .wording import Tokens, worded

TEXT, LABEL, ID = "text", "label", "id"
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


@dataclass(slots=True)
class _Part:
    """The cells of one part by column, each with the line it comes from."""

    source: str
    cells: dict[str, list[str]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)

    def add(self, line: int, cells: Mapping[str, str]) -> None:
        """One more row."""
        for name, cell in cells.items():
            self.cells.setdefault(name, []).append(cell)
        self.lines.append(line)

    def place(self, row: int) -> str:
        """For a message."""
        return f"{self.source}, line {self.lines[row]}"


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
    return _Sentences(request, parts, classes).found()


def _classes(request: Request) -> tuple[_Part, tuple[str, ...]]:
    """One file for each class, in the order in which they are written."""
    paths = [request.lookup.file(written) for written in request.names]
    whole = _Part(" and ".join(str(path) for path in paths))
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


def _table(request: Request, written: str) -> _Part:
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


def _numbered(path: Path, request: Request) -> _Part:
    found = _Part(str(path))
    for stream, line, text in _lines(path, request):
        comma, tab = text.find(","), text.find("\t")
        place = min((p for p in (comma, tab) if p >= 0), default=-1)
        if place < 0 or not text[:place].strip().isdecimal():
            stream.fail(f"line {line}: does not begin with a number and a comma")
        found.add(line, {ID: text[:place].strip(), TEXT: text[place + 1 :]})
    return found


def _headed(path: Path, request: Request, delimiter: str) -> _Part:
    found = _Part(str(path))
    names: list[str] = []
    with opened(path, request.options.get("encoding", "utf-8")) as stream:
        reader = csv.reader((text for _, text in stream.lines()), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if not names:
                    names = [cell.strip() for cell in cells]
                    if len(set(names)) < len(names) or not all(names):
                        stream.fail("line 1: the header does not give each column a name")
                elif len(cells) != len(names):
                    stream.fail(
                        f"line {reader.line_num}: {len(cells)} cells, the header has {len(names)}"
                    )
                else:
                    found.add(reader.line_num, dict(zip(names, cells, strict=True)))
        except csv.Error as error:
            stream.fail(f"line {reader.line_num}: {error}")
    return found


def _tabbed(path: Path, request: Request) -> _Part:
    found, names = _Part(str(path)), request.options.get("columns")
    for stream, line, text in _lines(path, request):
        cells = text.split("\t")
        if names is None:
            names = USUAL.get(len(cells))
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


class _Sentences:
    """Columns on their way to fields: texts to ids, labels to classes."""

    def __init__(self, request: Request, parts: dict[str, _Part], classes: tuple[str, ...]) -> None:
        self.request, self.parts, self.classes = request, parts, classes
        self.columns = list(parts["train"].cells)
        self.fed = {name: self._column_for(name) for name in request.model}
        self.texts = [c for c in self.columns if self._is_text(c)]
        self.labels = [c for c in self.columns if c not in self.texts and self._is_label(c)]

    def _column_for(self, name: str) -> str:
        """The column that feeds an input or target: as said, by its name, by its role."""
        asked = self.request.mapping.get(name)
        if isinstance(asked, str):
            return asked
        if name in self.columns:
            return name
        return LABEL if name in self.request.targets else TEXT

    def _readers(self, column: str) -> list[str]:
        return [name for name, fed in self.fed.items() if fed == column]

    def _is_text(self, column: str) -> bool:
        if not self.request.model:
            return column not in (LABEL, ID)
        shaped = [self.request.model[name] for name in self._readers(column)]
        return any(s.shape and isinstance(s.shape[0], Size) for s in shaped)

    def _is_label(self, column: str) -> bool:
        return bool(self._readers(column)) or (not self.request.model and column == LABEL)

    def found(self) -> Found:
        """The data set, and the words it still has to get."""
        inputs = [c for c in self.texts if not self._is_tag(c)]
        tags = [c for c in self.texts if self._is_tag(c)]
        if not self.texts:
            near = did_you_mean(TEXT, self.columns) or f"columns: {', '.join(self.columns)}"
            raise DataError(f"{self.parts['train'].source}: no column is a text; {near}")
        groups = [inputs] * bool(inputs) + [[tag] for tag in tags]
        tokens = [Tokens() for _ in groups]
        about = self._label_columns()
        splits = {
            name: self._split(part, groups, tokens, about) for name, part in self.parts.items()
        }
        data = Dataset(self.request.reader, **splits)
        return data, partial(self._finished, groups, tokens, len(inputs) > 0)

    def _is_tag(self, column: str) -> bool:
        readers = self._readers(column)
        return bool(readers) and all(name in self.request.targets for name in readers)

    def _split(
        self,
        part: _Part,
        groups: list[list[str]],
        tokens: list[Tokens],
        about: dict[str, tuple[Column, dict[str, Any]]],
    ) -> Split:
        fields: dict[str, Field] = {}
        columns: dict[str, Column] = {}
        for column in [*self.texts, *self.labels]:
            if column not in part.cells:
                raise DataError(
                    f"{part.source}: has no `{column}`, which the training part has; a file to "
                    "predict is given to `graphdl predict --data`"
                )
        for group, known in zip(groups, tokens, strict=True):
            for column in group:
                fields[column] = self._ids(part, column, known, group)
                columns[column] = Column("features" if group is groups[0] else "other")
        for column in self.labels:
            columns[column], ids = about[column]
            fields[column] = _encoded(part, column, ids)
        rows = np.array(part.lines, np.int64)
        numbers = _numbers(part.cells.get(ID, []))
        return Split(fields, columns, part.source, "line", rows, numbers=numbers)

    def _ids(self, part: _Part, column: str, tokens: Tokens, group: list[str]) -> Ragged:
        asked = self._wording(group)
        longest = self.request.options.get("longest")
        ids: list[int] = []
        lengths: list[int] = []
        for cell in part.cells[column]:
            text = cell.lower() if asked.lower else cell
            found = list(text) if asked.level == "character" else text.split()
            # Of nothing a network can make nothing: an empty sentence is one unknown word.
            found = found[:longest] or [asked.unknown]
            ids += tokens.numbers(found)
            lengths.append(len(found))
        return Ragged.behind_each_other(np.array(ids, np.int32), np.array(lengths, np.int64))

    def _wording(self, group: list[str]) -> Wording:
        readers = [name for column in group for name in self._readers(column)]
        strict = all(self._is_tag(column) for column in group)
        asked = wording(self.request, readers, reserved=not strict)
        known = known_words(self.request, readers)
        if known is not None:
            asked = replace(asked, level=known.level, lower=known.lower)
        return replace(asked, end=False)

    def _finished(
        self, groups: list[list[str]], tokens: list[Tokens], has_inputs: bool, data: Dataset
    ) -> Dataset:
        for place, (group, known) in enumerate(zip(groups, tokens, strict=True)):
            readers = [name for column in group for name in self._readers(column)]
            strict = place > 0 or not has_inputs
            words: Vocabulary | None = known_words(self.request, readers)
            data = worded(data, tuple(group), known, self._wording(group), words, strict)
        return data

    def _label_columns(self) -> dict[str, tuple[Column, dict[str, Any]]]:
        """For each label what is known of it, and the number behind each spelling."""
        return {column: self._label(column) for column in self.labels}

    def _label(self, column: str) -> tuple[Column, dict[str, Any]]:
        parts = [part for part in self.parts.values() if column in part.cells]
        spelled = sorted({cell.strip() for part in parts for cell in part.cells[column]})
        names = next((self.request.classes[n] for n in self._readers(column)
                      if n in self.request.classes), self.classes)  # fmt: skip
        if (names and column == LABEL) or set(spelled) <= set(names):
            return Column("label", classes=tuple(names)), {n: i for i, n in enumerate(names)}
        numbers = [number(text) for text in spelled]
        if all(value is not None for value in numbers):
            values, about = label_column(np.array(numbers, np.float64))
            return about, dict(zip(spelled, values.tolist(), strict=True))
        return Column("label", classes=tuple(spelled)), {n: i for i, n in enumerate(spelled)}


def _encoded(part: _Part, column: str, ids: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    found = []
    for row, cell in enumerate(part.cells[column]):
        value = ids.get(cell.strip())
        if value is None:
            listed = ", ".join(map(shown, list(ids)[:8]))
            near = did_you_mean(cell.strip(), ids) or f"there are: {listed}"
            raise DataError(
                f"{part.place(row)}: no class is called `{shown(cell.strip())}`; {near}"
            )
        found.append(value)
    return np.array(found)


def _numbers(cells: Iterable[str]) -> np.ndarray[Any, Any] | None:
    texts = list(cells)
    if not texts or not all(t.strip().isdecimal() and len(t) < 19 for t in texts):
        return None
    return np.array([int(t) for t in texts], np.int64)
