"""The libsvm text format: `label 1:0.5 3:-1`, features that are left out are zero."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..errors import DataError
from .dataset import Array, Column, Dataset, Split
from .labels import label_column, number
from .request import Request
from .stream import LIMIT, Stream, opened, shown


@dataclass(slots=True)
class _Sparse:
    """What the lines held: parallel lists of (row, index, value), a label and a line per row."""

    labels: array[float] = field(default_factory=lambda: array("d"))
    lines: array[int] = field(default_factory=lambda: array("q"))
    rows: array[int] = field(default_factory=lambda: array("q"))
    indices: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))


def read_libsvm(request: Request) -> Dataset:
    """One file, or one for training and one for testing."""
    paths = [request.lookup.file(name) for name in request.names]
    parts = [_parse(path, request.options.get("width")) for path in paths]
    width = request.options.get("width") or max(max(part.indices, default=1) for part in parts)
    tables = [_dense(part, width, path) for part, path in zip(parts, paths, strict=True)]
    labels, column = label_column(np.concatenate([np.array(part.labels) for part in parts]))
    about = {"features": Column("features"), "label": column}
    splits, start = [], 0
    for part, table, path in zip(parts, tables, paths, strict=True):
        fields = {"features": table, "label": labels[start : start + len(table)]}
        lines = np.array(part.lines, dtype=np.int64)
        splits.append(Split(fields, about, str(path), "line", lines))
        start += len(table)
    return Dataset(request.reader, splits[0], None, splits[1] if len(splits) > 1 else None)


def _parse(path: Path, width: int | None) -> _Sparse:
    sparse = _Sparse()
    with opened(path) as stream:
        for line, text in stream.lines():
            words = text.partition("#")[0].split()
            if words:
                _add(sparse, stream, line, words, width)
    if not sparse.labels:
        raise DataError(f"{path}: is empty, lines of `label index:value ...` are needed")
    return sparse


def _add(sparse: _Sparse, stream: Stream, line: int, words: list[str], width: int | None) -> None:
    def fail(message: str) -> NoReturn:
        stream.fail(f"line {line}: {message}")

    label = number(words[0])
    if label is None or not math.isfinite(label):
        fail(f"the label `{shown(words[0])}` is not a number")
    before = 0
    for word in words[1:]:
        name, colon, text = word.partition(":")
        value = number(text)
        if not (colon and name.isascii() and name.isdigit()) or value is None:
            fail(f"`{shown(word)}` is not `index:value`")
        if not math.isfinite(value):
            fail(f"`{shown(word)}` is not a finite number")
        index = int(name) if len(name) < 16 else LIMIT
        if index == 0:
            fail("index 0, but indices count from 1")
        if index <= before:
            fail(f"index {index} stands after {before}, but indices rise")
        if width and index > width:
            fail(f"index {name} is above width = {width}")
        if index * 8 > LIMIT:
            fail(f"index {shown(name)} is too large: one row would need over {LIMIT:,} bytes")
        sparse.rows.append(len(sparse.labels))
        sparse.indices.append(index)
        sparse.values.append(value)
        before = index
    sparse.labels.append(label)
    sparse.lines.append(line)


def _dense(sparse: _Sparse, width: int, path: Path) -> Array:
    count = len(sparse.labels)
    if count * width * 8 > LIMIT:
        raise DataError(
            f"{path}: {count:,} rows of {width:,} features need {count * width * 8:,} bytes, "
            f"{LIMIT:,} is the most"
        )
    table: Array = np.zeros((count, width))
    table[_numbers(sparse.rows), _numbers(sparse.indices) - 1] = sparse.values
    return table


def _numbers(values: array[int]) -> Any:
    return np.frombuffer(values, np.int64) if values else np.zeros(0, np.int64)
