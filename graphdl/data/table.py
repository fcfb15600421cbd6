"""Comma-separated tables: a header, columns of numbers, columns of text that name classes."""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ..errors import DataError
from .dataset import Array, Column, Dataset, Split
from .labels import label_column, number
from .request import Request
from .stream import Stream, opened, shown

LABELS = ("label", "class", "target", "y")


@dataclass(slots=True)
class _Cells:
    """The columns so far: numbers, or ids of texts in `texts` in order of appearance."""

    names: list[str] = field(default_factory=list)
    numbers: list[array[float]] = field(default_factory=list)
    texts: list[dict[str, int] | None] = field(default_factory=list)
    lines: array[int] = field(default_factory=lambda: array("q"))


def read_csv(request: Request) -> Dataset:
    """One file, or one for training and one for testing."""
    cells = _Cells()
    paths = [request.lookup.file(name) for name in request.names]
    ends = []
    for path in paths:
        _read(path, cells, request)
        ends.append(len(cells.lines))
    fields, about = _fields(cells, request)
    rows = np.array(cells.lines, dtype=np.int64)
    splits, start = [], 0
    for path, end in zip(paths, ends, strict=True):
        part = {name: values[start:end] for name, values in fields.items()}
        splits.append(Split(part, about, str(path), "line", rows[start:end]))
        start = end
    return Dataset(request.reader, splits[0], None, splits[1] if len(splits) > 1 else None)


def _read(path: Path, cells: _Cells, request: Request) -> None:
    tabs = "\t" if ".tsv" in path.suffixes else ","
    delimiter = request.options.get("delimiter", tabs)
    before = len(cells.lines)
    with opened(path) as stream:
        text = (line for _, line in stream.lines())
        reader = csv.reader(text, delimiter=delimiter, strict=True, skipinitialspace=True)
        headed = not request.options.get("header", True)
        try:
            for row in reader:
                if not any(cell.strip() for cell in row) and len(row) < 2:
                    continue
                if headed:
                    _add(cells, stream, reader.line_num, row)
                else:
                    headed = True
                    _head(cells, stream, reader.line_num, [cell.strip() for cell in row])
        except csv.Error as error:
            stream.fail(f"line {reader.line_num}: {_trouble(error)}")
    if not cells.names:
        raise DataError(f"{path}: is empty, a header and rows are needed")
    if len(cells.lines) == before:
        raise DataError(f"{path}: holds a header and no rows")


def _trouble(error: csv.Error) -> str:
    if "field larger" in str(error):
        return f"a cell of more than {csv.field_size_limit():,} characters"
    if "new-line" in str(error):
        return "a carriage return in the middle of the line"
    return "the quotes do not match"


def _head(cells: _Cells, stream: Stream, line: int, names: list[str]) -> None:
    if cells.names and names != cells.names:
        listed = ", ".join(cells.names)
        stream.fail(
            f"line {line}: the columns are {shown(', '.join(names))}; the other file has {listed}"
        )
    if all(number(name) is not None for name in names):
        stream.fail(f"line {line}: there is no header, only numbers: write `header = false`")
    for place, name in enumerate(names):
        if not name or not name.isprintable():
            stream.fail(f"line {line}: column {place + 1} has no name, or not a readable one")
    for place, name in enumerate(names):
        if name in names[:place]:
            stream.fail(f"line {line}: two columns are called `{name}`")
    cells.names = names


def _add(cells: _Cells, stream: Stream, line: int, row: Sequence[str]) -> None:
    if not cells.names:
        cells.names = [f"column{place + 1}" for place in range(len(row))]
    if len(row) != len(cells.names):
        stream.fail(f"line {line}: {len(row)} cells, but there are {len(cells.names)} columns")
    if not cells.numbers:
        # The first row says which columns hold numbers.
        cells.numbers = [array("d") for _ in row]
        cells.texts = [{} if number(cell) is None else None for cell in row]
    for name, column, texts, cell in zip(cells.names, cells.numbers, cells.texts, row, strict=True):
        word = cell.strip()
        if texts is None:
            value = number(word)
            if value is None or not math.isfinite(value):
                what = "is empty" if not word else f"`{shown(word)}` is not a finite number"
                stream.fail(f"line {line}, column `{name}`: {what}")
        elif not word:
            stream.fail(f"line {line}, column `{name}`: is empty")
        else:
            value = texts.setdefault(word, len(texts))
        column.append(value)
    cells.lines.append(line)


def _fields(cells: _Cells, request: Request) -> tuple[dict[str, Array], dict[str, Column]]:
    """Each column by name, the numbers but the labels as `features`, the label as `label`."""
    labels = [n for n in request.labels if n in cells.names] or _labels(cells, request.guess)
    fields: dict[str, Array] = {}
    about: dict[str, Column] = {}
    plain: dict[str, Array] = {}
    for name, column, texts in zip(cells.names, cells.numbers, cells.texts, strict=True):
        values = np.array(column)
        if texts is not None:
            role: Literal["label", "other"] = "label" if name in labels else "other"
            fields[name], about[name] = _sorted(values, texts), Column(role, classes=_names(texts))
        elif name in labels:
            fields[name], about[name] = label_column(values)
        else:
            fields[name] = plain[name] = values
    if plain and "features" not in fields:
        table = np.stack(list(plain.values()), axis=1)
        # One copy of the numbers: each column is a view.
        fields |= {name: table[:, place] for place, name in enumerate(plain)}
        fields["features"] = table
        about["features"] = Column("features", float(request.options.get("scale", 1.0)))
    if labels and "label" not in fields:
        fields["label"], about["label"] = fields[labels[0]], about[labels[0]]
    return fields, about


def _names(texts: dict[str, int]) -> tuple[str, ...]:
    return tuple(sorted(texts))


def _sorted(values: Array, texts: dict[str, int]) -> Array:
    """Ids by order of appearance turned into ids by alphabetical order."""
    rank = {text: place for place, text in enumerate(_names(texts))}
    return np.array([rank[text] for text in texts])[values.astype(np.int64)]


def _labels(cells: _Cells, guess: bool) -> list[str]:
    """The column to predict: called so, or the only one of text, or, as a guess, the last."""
    called = [name for name in cells.names if name.lower() in LABELS]
    texts = [n for n, t in zip(cells.names, cells.texts, strict=True) if t is not None]
    if called:
        return called[:1]
    if len(texts) == 1:
        return texts
    return cells.names[-1:] if guess else []
