"""The libsvm text format: `label 1:0.5 3:-1`, features that are left out are zero."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..errors import DataError
from .budget import Budget
from .dataset import Array, Column, Dataset, Split
from .labels import label_column, number
from .request import Request
from .stream import Stream, opened, shown

ROW, CELL = 16, 24  # bytes that are kept of a label and its line, of an index and its value


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
    width, said = _declared(request)
    form = _Form(width, said, request.options.get("base", 1))
    parts = [_parse(path, form, request.budget) for path in paths]
    width = width or max(max(part.indices, default=0) for part in parts) + 1
    tables = [_dense(part, width, path, request.budget)
              for part, path in zip(parts, paths, strict=True)]  # fmt: skip
    labels, column = label_column(np.concatenate([np.array(part.labels) for part in parts]))
    about = {"features": Column("features"), "label": column}
    splits, start = [], 0
    for part, table, path in zip(parts, tables, paths, strict=True):
        fields = {"features": table, "label": labels[start : start + len(table)]}
        lines = np.array(part.lines, dtype=np.int64)
        splits.append(Split(fields, about, str(path), "line", lines))
        start += len(table)
    return Dataset(request.reader, splits[0], None, splits[1] if len(splits) > 1 else None)


def _declared(request: Request) -> tuple[int | None, str]:
    """How many features there are, and who says so: the option, or else the model.

    Of a feature that is zero everywhere a file says nothing, so it does not know its own width.
    """
    if "width" in request.options:
        return request.options["width"], f"width = {request.options['width']}"
    inputs = [name for name in request.model if name not in request.targets]
    for name in inputs:
        asked = request.mapping.get(name, "features" if len(inputs) == 1 else name)
        shape = request.model[name].shape
        whole = [size for size in shape if isinstance(size, int)]
        if asked == "features" and shape and len(whole) == len(shape):
            return math.prod(whole), f"the {math.prod(whole):,} numbers of the model's `{name}`"
    return None, ""


@dataclass(frozen=True, slots=True)
class _Form:
    """How many features there are, if it is known, in whose words; the number of the first."""

    width: int | None
    said: str
    base: int


def _parse(path: Path, form: _Form, budget: Budget) -> _Sparse:
    sparse = _Sparse()
    with opened(path, budget=budget) as stream:
        for line, text in stream.lines():
            words = text.partition("#")[0].split()
            if words:
                stream.hold(ROW + CELL * len(words), line)
                _add(sparse, stream, line, words, form)
    if not sparse.labels:
        raise DataError(f"{path}: is empty, lines of `label index:value ...` are needed")
    return sparse


def _add(sparse: _Sparse, stream: Stream, line: int, words: list[str], form: _Form) -> None:
    def fail(message: str) -> NoReturn:
        stream.fail(f"line {line}: {message}")

    label = number(words[0])
    if label is None or not math.isfinite(label):
        fail(f"the label `{shown(words[0])}` is not a number{_several(words[0])}")
    before = form.base - 1
    for word in words[1:]:
        name, colon, text = word.partition(":")
        if name == "qid":
            fail(
                f"`{shown(word)}` says what is ranked together, which no loss here reads: remove it"
            )
        value = number(text)
        if not (colon and name.isascii() and name.isdigit()) or value is None:
            fail(f"`{shown(word)}` is not `index:value`")
        if not math.isfinite(value):
            fail(f"`{shown(word)}` is not a finite number")
        index = int(name) if len(name) < 16 else 1 << 60
        if index < form.base:
            fail("index 0, but indices count from 1: write `libsvm(..., base = 0)`")
        if index == before:
            fail(f"index {index} stands there twice")
        if index < before:
            fail(f"index {index} stands after {before}, but indices rise: sort them in each line")
        if form.width and index >= form.width + form.base:
            first = f", counted from {form.base}," if form.base == 0 else ""
            fail(f"index {shown(name)}{first} is beyond {form.said}")
        if index * 8 > stream.budget.most:
            most = stream.budget.beyond(" of memory")
            fail(f"index {shown(name)} is too large: one row would need {most}")
        sparse.rows.append(len(sparse.labels))
        sparse.indices.append(index - form.base)
        sparse.values.append(value)
        before = index
    sparse.labels.append(label)
    sparse.lines.append(line)


def _several(label: str) -> str:
    """What to do with a label such as `0,2`."""
    parts = label.split(",")
    if len(parts) < 2 or any(number(part) is None for part in parts):
        return ""
    return ": it names several classes, and one is read; give such labels as an array of 0 and 1"


def _dense(sparse: _Sparse, width: int, path: Path, budget: Budget) -> Array:
    count = len(sparse.labels)
    budget.hold(8 * count * width, f"{path}: {count:,} rows of {width:,} features")
    table: Array = np.zeros((count, width))
    table[_numbers(sparse.rows), _numbers(sparse.indices)] = sparse.values
    return table


def _numbers(values: array[int]) -> Any:
    return np.frombuffer(values, np.int64) if values else np.zeros(0, np.int64)
